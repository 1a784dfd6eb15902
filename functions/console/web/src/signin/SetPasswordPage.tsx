import { Anchor, Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { FormEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import { forget } from '../api/transport'
import { ProblemAlert } from '../common/ProblemAlert'
import { Frame } from './Frame'
import { NewPassword } from './NewPassword'
import { takenToken } from './token'

/** The page that a mailed link opens. */
export function SetPasswordPage() {
  const navigate = useNavigate()
  const [token, setToken] = useState(takenToken)
  const [typed, setTyped] = useState({ password: '', repeated: '' })
  const [differ, setDiffer] = useState(false)
  // A second link that is opened in the same window changes only what follows the #.
  useEffect(() => {
    const taken = () => setToken((before) => takenToken() || before)
    addEventListener('hashchange', taken)
    return () => removeEventListener('hashchange', taken)
  }, [])
  const set = useMutation({
    mutationFn: () => ask(api.POST('/api/password/set', { body: { token, password: typed.password } })),
    onSuccess: () => {
      forget() // every session of the account is over, this browser's too if it was the same person's
      void navigate('/sign-in', { replace: true, state: { notice: 'Your password is set. Sign in with it.' } })
    },
    gcTime: 0,
  })
  const problem = set.error ? asProblem(set.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setDiffer(typed.password !== typed.repeated)
    if (typed.password && typed.password === typed.repeated && !set.isPending) set.mutate()
  }
  if (!token || problem?.code === 'link') {
    return (
      <Frame title="Set your password">
        <Stack>
          {problem ? (
            <ProblemAlert error={problem} />
          ) : (
            <Text>The link is not whole. Open it from the mail once more, or copy all of it.</Text>
          )}
          <Button component={Link} to="/forgotten" fullWidth>
            Ask for a new link
          </Button>
          <Anchor component={Link} to="/sign-in" size="sm" ta="center">
            Back to sign in
          </Anchor>
        </Stack>
      </Frame>
    )
  }
  return (
    <Frame title="Set your password">
      <form onSubmit={submit} noValidate>
        <Stack>
          <NewPassword value={typed} onChange={setTyped} error={problem?.of('password')} differ={differ} autoFocus />
          {!problem?.of('password') && <ProblemAlert error={set.error} />}
          <Button type="submit" loading={set.isPending} disabled={!typed.password} fullWidth>
            Set password
          </Button>
        </Stack>
      </form>
    </Frame>
  )
}
