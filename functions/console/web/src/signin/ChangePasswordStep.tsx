import { Button, PasswordInput, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import { ProblemAlert } from '../common/ProblemAlert'
import type { StepProps } from './steps'

export default function ChangePasswordStep({ step, done, again }: StepProps) {
  const [password, setPassword] = useState('')
  const [repeated, setRepeated] = useState('')
  const [differ, setDiffer] = useState(false)
  const change = useMutation({
    mutationFn: () => ask(api.POST('/api/login/password', { body: { ticket: step.ticket ?? '', password } })),
    onSuccess: done,
    onError: (error) => {
      if (asProblem(error).code === 'ticket') again('That took a little long. Sign in once more, then choose the new password.')
    },
  })
  const problem = change.error ? asProblem(change.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setDiffer(password !== repeated)
    if (password && password === repeated && !change.isPending) change.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          Your password has to be changed before you go on. A few words that do not belong together make a good one; spaces are
          allowed. It must not hold your username, email or name.
        </Text>
        <PasswordInput
          label="New password" name="new-password" autoComplete="new-password" autoFocus maxLength={1000}
          value={password} onChange={(e) => setPassword(e.currentTarget.value)} error={problem?.of('password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the new password', tabIndex: 0 }}
        />
        <PasswordInput
          label="New password again" name="new-password-again" autoComplete="new-password" maxLength={1000}
          value={repeated} onChange={(e) => setRepeated(e.currentTarget.value)} error={differ && 'The two are not the same.'}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the repeated password', tabIndex: 0 }}
        />
        {!problem?.of('password') && <ProblemAlert error={change.error} />}
        <Button type="submit" loading={change.isPending} disabled={!password} fullWidth>Change password and sign in</Button>
      </Stack>
    </form>
  )
}
