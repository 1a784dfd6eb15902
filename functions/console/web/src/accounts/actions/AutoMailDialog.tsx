import { Checkbox, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function AutoMailDialog({ account, onClose }: DialogProps) {
  const [unlock, setUnlock] = useState(false)
  const mail = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/accounts/{id}/mail-password', { params: { path: { id: account.id } }, body: { unlock } })),
    onSuccess: (changed) => {
      updateAccountCache(account.id, changed)
      notifications.show({
        color: 'green',
        title: accountName(changed),
        message: `A link to set a password is on its way to ${account.email ?? 'the email of the account'}.`,
      })
      onClose()
    },
  })
  return (
    <ActionDialog
      title="Auto mail new password"
      confirmLabel="Submit"
      busy={mail.isPending}
      error={mail.error}
      onClose={onClose}
      onConfirm={() => mail.mutate()}
    >
      <Text size="sm">
        {accountName(account)} will be emailed a link to set a new password
        {account.email ? `, to ${account.email}` : ''}. The link works once and replaces any earlier one. The email does
        not contain a password.
      </Text>
      {account.accessLocked && (
        <Checkbox
          label="Unlock user account"
          description="Has the same effect as Allow login access."
          checked={unlock}
          onChange={(e) => setUnlock(e.currentTarget.checked)}
        />
      )}
    </ActionDialog>
  )
}
