import { Checkbox, PasswordInput, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client'
import { asProblem } from '../../api/problem'
import { ActionDialog } from '../../common/ActionDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function PasswordDialog({ account, close }: DialogProps) {
  const [password, setPassword] = useState('')
  const [repeated, setRepeated] = useState('')
  const [forceChange, setForceChange] = useState(true)
  const [unlock, setUnlock] = useState(false)
  const [differ, setDiffer] = useState(false)
  const set = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/accounts/{id}/password', {
          params: { path: { id: account.id } },
          body: { password, forceChange, unlock },
        }),
      ),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      notifications.show({
        color: 'green',
        title: nameOf(account),
        message: 'The password is set. Every session is over.',
      })
      close()
    },
  })
  const apply = () => {
    setDiffer(password !== repeated)
    if (password === repeated) set.mutate()
  }
  return (
    <ActionDialog
      title="Set password"
      apply="Apply"
      ready={password !== '' && repeated !== ''}
      busy={set.isPending}
      error={set.error}
      shown={['password']}
      close={close}
      onApply={apply}
    >
      <Text size="sm">For {nameOf(account)}. Every open session of the account ends.</Text>
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        data-autofocus
        maxLength={1000}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        error={set.error ? asProblem(set.error).of('password') : undefined}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the new password', tabIndex: 0 }}
      />
      <PasswordInput
        label="New password again"
        autoComplete="new-password"
        maxLength={1000}
        value={repeated}
        onChange={(e) => setRepeated(e.currentTarget.value)}
        error={differ && 'The two are not the same.'}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the repeated password', tabIndex: 0 }}
      />
      <Checkbox
        label="Force password change at next logon"
        description="The person chooses their own; the one typed here no longer works then."
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
