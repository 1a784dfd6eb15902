import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, ask } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function ForceChangeDialog({ account, close }: DialogProps) {
  const force = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/accounts/{id}/force-password-change', { params: { path: { id: account.id } } })),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      close()
    },
  })
  return (
    <ActionDialog
      title="Force password change"
      apply="Apply"
      busy={force.isPending}
      error={force.error}
      close={close}
      onApply={() => force.mutate()}
    >
      <Text size="sm">{nameOf(account)} has to choose a new password at the next sign-in. Open sessions go on.</Text>
    </ActionDialog>
  )
}
