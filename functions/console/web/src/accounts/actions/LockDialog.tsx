import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function LockDialog({ account, onClose }: DialogProps) {
  const lock = useMutation({
    mutationFn: () => unwrap(api.POST('/api/accounts/{id}/lock', { params: { path: { id: account.id } } })),
    onSuccess: (changed) => {
      updateAccountCache(account.id, changed)
      onClose()
    },
  })
  return (
    <ActionDialog
      title="Lock"
      confirmLabel="Lock"
      danger
      busy={lock.isPending}
      error={lock.error}
      onClose={onClose}
      onConfirm={() => lock.mutate()}
    >
      <Text size="sm">
        {accountName(account)} is taken out of use: the account cannot sign in, all its sessions end, its licence seat
        becomes free, and it no longer appears in the default list. Unlock restores the account as it was.
      </Text>
    </ActionDialog>
  )
}
