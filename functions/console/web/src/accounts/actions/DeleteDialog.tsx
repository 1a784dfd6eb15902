import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { api, ask, ifMatch } from '../../api/client'
import { queries } from '../../api/queries'
import { ActionDialog } from '../../common/ActionDialog'
import { accountKey, nameOf } from '../account'
import type { DialogProps } from './dialog'

export default function DeleteDialog({ account, close }: DialogProps) {
  const navigate = useNavigate()
  const remove = useMutation({
    mutationFn: () =>
      ask(api.DELETE('/api/accounts/{id}', { params: { path: { id: account.id }, header: ifMatch(account.version) } })),
    onSuccess: async () => {
      await navigate('/accounts')
      queries.removeQueries({ queryKey: accountKey(account.id) })
      void queries.invalidateQueries({ queryKey: ['accounts'] })
      notifications.show({ color: 'green', message: `${nameOf(account)} is deleted.` })
    },
  })
  return (
    <ActionDialog
      title="Delete"
      apply="Delete"
      danger
      busy={remove.isPending}
      error={remove.error}
      close={close}
      onApply={() => remove.mutate()}
    >
      <Text size="sm">
        {nameOf(account)} is gone for good; username and email are free again. Only an account that was never used can
        be deleted. Lock one that was.
      </Text>
    </ActionDialog>
  )
}
