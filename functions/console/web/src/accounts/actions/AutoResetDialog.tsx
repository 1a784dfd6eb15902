import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, idempotencyKey } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { Dialog } from '../../common/Dialog'
import { OneTimeSecret } from '../../common/OneTimeSecret'
import { Instant } from '../../fields/Instant'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function AutoResetDialog({ account, onClose }: DialogProps) {
  const [unlock, setUnlock] = useState(false)
  const reset = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/auto-reset-password', {
          params: { path: { id: account.id }, header: idempotencyKey() },
          body: { unlock },
        }),
      ),
    onSuccess: () => updateAccountCache(account.id),
    gcTime: 0,
  })
  if (reset.data) {
    return (
      <Dialog onClose={onClose} title="Auto reset password" closeOnClickOutside={false} closeOnEscape={false}>
        <Stack>
          <OneTimeSecret label={`New password of ${account.username}`} value={reset.data.password} />
          <Text size="sm">
            It is valid until <Instant at={reset.data.expires} />. It only lets them set a password of their own, within
            15 minutes of the first sign-in.
          </Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Dialog>
    )
  }
  return (
    <ActionDialog
      title="Auto reset password"
      confirmLabel="Submit"
      busy={reset.isPending}
      error={reset.error}
      onClose={onClose}
      onConfirm={() => reset.mutate()}
    >
      <Text size="sm">
        {accountName(account)} gets a generated password, which you see only once. All open sessions end, and the
        password must be changed at the next sign-in.
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
