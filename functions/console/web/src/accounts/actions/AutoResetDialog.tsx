import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, once } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { Dialog } from '../../common/Dialog'
import { Secret } from '../../common/Secret'
import { Instant } from '../../fields/Instant'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function AutoResetDialog({ account, close }: DialogProps) {
  const [unlock, setUnlock] = useState(false)
  const reset = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/accounts/{id}/auto-reset-password', {
          params: { path: { id: account.id }, header: once() },
          body: { unlock },
        }),
      ),
    onSuccess: () => refreshed(account.id),
    gcTime: 0,
  })
  if (reset.data) {
    return (
      <Dialog onClose={close} title="Auto reset password" closeOnClickOutside={false} closeOnEscape={false}>
        <Stack>
          <Secret label={`New password of ${account.username}`} value={reset.data.password} />
          <Text size="sm">
            It works until <Instant at={reset.data.expires} />, and only to set their own: from the first sign-in on
            there is a quarter of an hour for that.
          </Text>
          <Group justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      </Dialog>
    )
  }
  return (
    <ActionDialog
      title="Auto reset password"
      apply="Submit"
      busy={reset.isPending}
      error={reset.error}
      close={close}
      onApply={() => reset.mutate()}
    >
      <Text size="sm">
        {nameOf(account)} gets a generated password, which you see once. Every open session ends, and the password has
        to be changed at the next sign-in.
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
