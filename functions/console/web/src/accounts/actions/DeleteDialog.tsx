import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { api, unwrap, ifMatch } from '../../api/client'
import { queryClient } from '../../api/queryClient'
import { ActionDialog } from '../../common/ActionDialog'
import { accountKey, accountName } from '../account'
import type { DialogProps } from './dialog'

export default function DeleteDialog({ account, onClose }: DialogProps) {
  const navigate = useNavigate()
  const remove = useMutation({
    mutationFn: () =>
      unwrap(
        api.DELETE('/api/accounts/{id}', { params: { path: { id: account.id }, header: ifMatch(account.version) } }),
      ),
    onSuccess: async () => {
      await navigate('/accounts')
      queryClient.removeQueries({ queryKey: accountKey(account.id) })
      void queryClient.invalidateQueries({ queryKey: ['accounts'] })
      notifications.show({ color: 'green', message: `${accountName(account)} was deleted.` })
    },
  })
  return (
    <ActionDialog
      title="Delete"
      confirmLabel="Delete"
      danger
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      <Text size="sm">
        {accountName(account)} is deleted permanently, and the username and email can be used again. Only an account
        that was never used can be deleted. If it was used, lock it instead.
      </Text>
    </ActionDialog>
  )
}
