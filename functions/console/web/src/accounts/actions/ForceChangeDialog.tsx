import { Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function ForceChangeDialog({ account, onClose }: DialogProps) {
  const force = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/accounts/{id}/force-password-change', { params: { path: { id: account.id } } })),
    onSuccess: (changed) => {
      updateAccountCache(account.id, changed)
      onClose()
    },
  })
  return (
    <ActionDialog
      title="Force password change"
      confirmLabel="Apply"
      busy={force.isPending}
      error={force.error}
      onClose={onClose}
      onConfirm={() => force.mutate()}
    >
      <Text size="sm">
        {accountName(account)} must choose a new password at the next sign-in. Open sessions continue.
      </Text>
    </ActionDialog>
  )
}
