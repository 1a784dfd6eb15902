import { Checkbox, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function AutoMailDialog({ account, close }: DialogProps) {
  const [unlock, setUnlock] = useState(false)
  const mail = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/accounts/{id}/mail-password', { params: { path: { id: account.id } }, body: { unlock } })),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      notifications.show({
        color: 'green',
        title: nameOf(changed),
        message: `A link to set a password is on its way to ${account.email ?? 'the email of the account'}.`,
      })
      close()
    },
  })
  return (
    <ActionDialog
      title="Auto mail new password"
      apply="Submit"
      busy={mail.isPending}
      error={mail.error}
      close={close}
      onApply={() => mail.mutate()}
    >
      <Text size="sm">
        {nameOf(account)} is mailed a link to set a new password{account.email ? `, to ${account.email}` : ''}. It works
        once, and replaces any before it; no password stands in the mail.
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
