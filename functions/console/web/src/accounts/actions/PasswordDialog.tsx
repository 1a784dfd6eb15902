import { Checkbox, PasswordInput, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import { toProblem } from '../../api/problem'
import { ActionDialog } from '../../common/ActionDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function PasswordDialog({ account, onClose }: DialogProps) {
  const [password, setPassword] = useState('')
  const [repeated, setRepeated] = useState('')
  const [forceChange, setForceChange] = useState(true)
  const [unlock, setUnlock] = useState(false)
  const [mismatch, setMismatch] = useState(false)
  const set = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/password', {
          params: { path: { id: account.id } },
          body: { password, forceChange, unlock },
        }),
      ),
    onSuccess: (changed) => {
      updateAccountCache(account.id, changed)
      notifications.show({
        color: 'green',
        title: accountName(account),
        message: 'The password was set. All sessions have ended.',
      })
      onClose()
    },
  })
  const submit = () => {
    setMismatch(password !== repeated)
    if (password === repeated) set.mutate()
  }
  return (
    <ActionDialog
      title="Set password"
      confirmLabel="Apply"
      canConfirm={password !== '' && repeated !== ''}
      busy={set.isPending}
      error={set.error}
      inlineFields={['password']}
      onClose={onClose}
      onConfirm={submit}
    >
      <Text size="sm">Sets a password for {accountName(account)}. All open sessions of the account end.</Text>
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        data-autofocus
        maxLength={1000}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        error={set.error ? toProblem(set.error).messageFor('password') : undefined}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the new password', tabIndex: 0 }}
      />
      <PasswordInput
        label="Repeat new password"
        autoComplete="new-password"
        maxLength={1000}
        value={repeated}
        onChange={(e) => setRepeated(e.currentTarget.value)}
        error={mismatch && 'The passwords do not match.'}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the repeated password', tabIndex: 0 }}
      />
      <Checkbox
        label="Force password change at next logon"
        description="The person must then choose a password of their own."
        checked={forceChange}
        onChange={(e) => setForceChange(e.currentTarget.checked)}
      />
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
