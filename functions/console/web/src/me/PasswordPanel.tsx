import { Button, PasswordInput, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { startSession } from '../api/transport'
import { ActionDialog } from '../common/ActionDialog'
import { Panel } from '../common/Panel'
import { useMe } from '../session/session'
import { NewPasswordFields } from '../signin/NewPasswordFields'

export function PasswordPanel() {
  const [changing, setChanging] = useState(false)
  return (
    <Panel
      title="Password"
      help="Changing it ends all other sessions and removes all trusted devices."
      actions={
        <Button variant="default" onClick={() => setChanging(true)}>
          Change password
        </Button>
      }
    >
      {changing && <ChangePasswordDialog onClose={() => setChanging(false)} />}
    </Panel>
  )
}

function ChangePasswordDialog({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const [current, setCurrent] = useState('')
  const [typed, setTyped] = useState({ password: '', repeated: '' })
  const [mismatch, setMismatch] = useState(false)
  const change = useMutation({
    mutationFn: () => unwrap(api.POST('/api/me/password', { body: { current, password: typed.password } })),
    onSuccess: (step) => {
      startSession(step) // a session with new tokens, in place of this one
      void queryClient.invalidateQueries({ queryKey: ['me'] })
      notifications.show({ color: 'green', message: 'Your password was changed. All other sessions have ended.' })
      onClose()
    },
    gcTime: 0,
  })
  const problem = change.error ? toProblem(change.error) : undefined
  const submit = () => {
    setMismatch(typed.password !== typed.repeated)
    if (typed.password === typed.repeated) change.mutate()
  }
  return (
    <ActionDialog
      title="Change password"
      confirmLabel="Change password"
      canConfirm={current !== '' && typed.password !== ''}
      busy={change.isPending}
      error={change.error}
      inlineFields={['current', 'password']}
      onClose={onClose}
      onConfirm={submit}
    >
      <Text size="sm">All other sessions end. This one continues.</Text>
      <PasswordInput
        label="Current password"
        name="password"
        autoComplete="current-password"
        data-autofocus
        maxLength={1000}
        value={current}
        onChange={(e) => setCurrent(e.currentTarget.value)}
        error={problem?.messageFor('current')}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the current password', tabIndex: 0 }}
      />
      <NewPasswordFields
        username={me.username}
        value={typed}
        onChange={setTyped}
        forbiddenWords={[me.username]}
        error={problem?.messageFor('password')}
        mismatch={mismatch}
      />
    </ActionDialog>
  )
}
