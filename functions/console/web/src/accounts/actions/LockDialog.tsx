import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, ask } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function LockDialog({ account, close }: DialogProps) {
  const lock = useMutation({
    mutationFn: () => ask(api.POST('/api/accounts/{id}/lock', { params: { path: { id: account.id } } })),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      close()
    },
  })
  return (
    <ActionDialog
      title="Lock"
      apply="Lock"
      danger
      busy={lock.isPending}
      error={lock.error}
      close={close}
      onApply={() => lock.mutate()}
    >
      <Text size="sm">
        {nameOf(account)} is taken out of use: no sign-in, every session over, the seat of the licence free, and no
        longer in the usual list. Unlock brings the account back as it was.
      </Text>
    </ActionDialog>
  )
}
