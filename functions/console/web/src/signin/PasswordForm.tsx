import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { FormEvent } from 'react'
import { Link } from 'react-router'
import { api, unwrap } from '../api/client'
import type { LoginStep } from '../api/transport'
import { ProblemAlert } from '../common/ProblemAlert'

interface Props {
  identifier: string
  onIdentifier: (typed: string) => void
  onNext: (next: LoginStep) => void
}

/** The form for username or email, and password. */
export function PasswordForm({ identifier, onIdentifier, onNext }: Props) {
  const [password, setPassword] = useState('')
  const [missing, setMissing] = useState(false)
  const passwordInput = useRef<HTMLInputElement>(null)
  const login = useMutation({
    mutationFn: () => unwrap(api.POST('/api/login', { body: { identifier, password, client: 'Web console' } })),
    onSuccess: onNext,
    onError: () => {
      setPassword('')
      passwordInput.current?.focus()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const blank = !identifier.trim() || !password
    setMissing(blank)
    if (!blank && !login.isPending) login.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Username or email"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          maxLength={250}
          value={identifier}
          onChange={(e) => onIdentifier(e.currentTarget.value)}
          error={missing && !identifier.trim() && 'Enter your username or email address.'}
        />
        <PasswordInput
          ref={passwordInput}
          label="Password"
          name="password"
          autoComplete="current-password"
          maxLength={1000}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
          error={missing && !password && 'Enter your password.'}
        />
        <ProblemAlert error={login.error} />
        <Button type="submit" loading={login.isPending} fullWidth>
          Sign in
        </Button>
        <Anchor component={Link} to="/forgotten" size="sm" ta="center">
          Forgotten password?
        </Anchor>
        <Text size="sm" c="dimmed" ta="center">
          No access, or no password yet? Ask your administrator.
        </Text>
      </Stack>
    </form>
  )
}
