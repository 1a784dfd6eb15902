import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link } from 'react-router'
import { api, unwrap } from '../api/client'
import { ProblemAlert } from '../common/ProblemAlert'
import { SignInLayout } from './SignInLayout'

/** Asks for a link to set a new password. The answer is the same for every identifier, so it gives away nothing. */
export function ForgottenPasswordPage() {
  const [identifier, setIdentifier] = useState('')
  const [missing, setMissing] = useState(false)
  const send = useMutation({ mutationFn: () => unwrap(api.POST('/api/password/forgotten', { body: { identifier } })) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setMissing(!identifier.trim())
    if (identifier.trim() && !send.isPending) send.mutate()
  }
  return (
    <SignInLayout title="Forgotten password">
      {send.data ? (
        <Stack>
          <Text role="status">{send.data.detail}</Text>
          <Text size="sm" c="dimmed">
            No email after a few minutes? Check your spam folder, or ask your administrator.
          </Text>
          <Anchor component={Link} to="/sign-in" size="sm">
            Back to sign in
          </Anchor>
        </Stack>
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack>
            <Text size="sm" c="dimmed">
              We will email you a link to set a new password.
            </Text>
            <TextInput
              label="Username or email"
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              maxLength={250}
              value={identifier}
              onChange={(e) => setIdentifier(e.currentTarget.value)}
              error={missing && !identifier.trim() && 'Enter your username or email address.'}
            />
            <ProblemAlert error={send.error} />
            <Button type="submit" loading={send.isPending} fullWidth>
              Email me a link
            </Button>
            <Anchor component={Link} to="/sign-in" size="sm" ta="center">
              Back to sign in
            </Anchor>
          </Stack>
        </form>
      )}
    </SignInLayout>
  )
}
