import { Button, PasswordInput, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { opened } from '../api/transport'
import { ActionDialog } from '../common/ActionDialog'
import { Panel } from '../common/Panel'
import { useMe } from '../session/session'
import { NewPassword } from '../signin/NewPassword'

export function Password() {
  const [changing, setChanging] = useState(false)
  return (
    <Panel
      title="Password"
      help="Changing it ends every other session and every remembered device."
      actions={
        <Button variant="default" onClick={() => setChanging(true)}>
          Change password
        </Button>
      }
    >
      {changing && <ChangePassword close={() => setChanging(false)} />}
    </Panel>
  )
}

function ChangePassword({ close }: { close: () => void }) {
  const me = useMe()
  const [current, setCurrent] = useState('')
  const [typed, setTyped] = useState({ password: '', repeated: '' })
  const [differ, setDiffer] = useState(false)
  const change = useMutation({
    mutationFn: () => ask(api.POST('/api/me/password', { body: { current, password: typed.password } })),
    onSuccess: (step) => {
      opened(step) // a session with new means in place of this one
      void queries.invalidateQueries({ queryKey: ['me'] })
      notifications.show({ color: 'green', message: 'Your password is changed. Every other session is over.' })
      close()
    },
    gcTime: 0,
  })
  const problem = change.error ? asProblem(change.error) : undefined
  const apply = () => {
    setDiffer(typed.password !== typed.repeated)
    if (typed.password === typed.repeated) change.mutate()
  }
  return (
    <ActionDialog
      title="Change password"
      apply="Change password"
      ready={current !== '' && typed.password !== ''}
      busy={change.isPending}
      error={change.error}
      shown={['current', 'password']}
      close={close}
      onApply={apply}
    >
      <Text size="sm">Every other session ends; this one goes on.</Text>
      <PasswordInput
        label="Current password"
        name="password"
        autoComplete="current-password"
        data-autofocus
        maxLength={1000}
        value={current}
        onChange={(e) => setCurrent(e.currentTarget.value)}
        error={problem?.of('current')}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the current password', tabIndex: 0 }}
      />
      <NewPassword
        value={typed}
        onChange={setTyped}
        words={[me.username]}
        error={problem?.of('password')}
        differ={differ}
      />
    </ActionDialog>
  )
}
