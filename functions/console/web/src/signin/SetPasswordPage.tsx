import { Alert, Anchor, Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { FormEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { mayBeSignedIn } from '../api/transport'
import { ProblemAlert } from '../common/ProblemAlert'
import { signOut } from '../session/session'
import { takeLinkToken } from './linkToken'
import { NewPasswordFields } from './NewPasswordFields'
import { SignInLayout } from './SignInLayout'

/** The page that a password link opens. */
export function SetPasswordPage() {
  const navigate = useNavigate()
  const [token, setToken] = useState(takeLinkToken)
  const [typed, setTyped] = useState({ password: '', repeated: '' })
  const [mismatch, setMismatch] = useState(false)
  const [signedIn] = useState(mayBeSignedIn)
  // A second link opened in the same window changes only the fragment.
  useEffect(() => {
    const updateToken = () => setToken((before) => takeLinkToken() || before)
    addEventListener('hashchange', updateToken)
    return () => removeEventListener('hashchange', updateToken)
  }, [])
  const set = useMutation({
    mutationFn: () => unwrap(api.POST('/api/password/set', { body: { token, password: typed.password } })),
    onSuccess: async () => {
      // All sessions of the account have ended, maybe this browser's too. If it is somebody else's, it ends as well:
      // the next to sign in here is whose password was set.
      if (mayBeSignedIn()) await signOut().catch(() => undefined)
      void navigate('/sign-in', { replace: true, state: { notice: 'Your password is set. Sign in with it.' } })
    },
    gcTime: 0,
  })
  const problem = set.error ? toProblem(set.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setMismatch(typed.password !== typed.repeated)
    if (typed.password && typed.password === typed.repeated && !set.isPending) set.mutate()
  }
  if (!token || problem?.code === 'link') {
    return (
      <SignInLayout title="Set your password">
        <Stack>
          {problem ? (
            <Alert role="alert" color="red" title="This link no longer works">
              {problem.message}
            </Alert>
          ) : (
            <Text>The link is incomplete. Open it again from the email, or copy all of it.</Text>
          )}
          <Button component={Link} to="/forgotten" fullWidth>
            Ask for a new link
          </Button>
          <Anchor component={Link} to="/sign-in" size="sm" ta="center">
            Back to sign in
          </Anchor>
        </Stack>
      </SignInLayout>
    )
  }
  return (
    <SignInLayout title="Set your password">
      <form onSubmit={submit} noValidate>
        <Stack>
          {signedIn && (
            <Alert title="Somebody is signed in here">
              Setting this password signs them out of this browser, whether the password is theirs or not.
            </Alert>
          )}
          <NewPasswordFields
            value={typed}
            onChange={setTyped}
            error={problem?.messageFor('password')}
            mismatch={mismatch}
            autoFocus
          />
          {!problem?.messageFor('password') && <ProblemAlert error={set.error} />}
          <Button type="submit" loading={set.isPending} disabled={!typed.password} fullWidth>
            Set password
          </Button>
        </Stack>
      </form>
    </SignInLayout>
  )
}
