import { Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { ProblemAlert } from '../common/ProblemAlert'
import { NewPasswordFields } from './NewPasswordFields'
import type { StepProps } from './step'

export default function ChangePasswordStep({ step, username, onNext, onRestart }: StepProps) {
  const [typed, setTyped] = useState({ password: '', repeated: '' })
  const [mismatch, setMismatch] = useState(false)
  const change = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/login/password', { body: { ticket: step.ticket ?? '', password: typed.password } })),
    onSuccess: onNext,
    onError: (error) => {
      if (toProblem(error).code === 'ticket')
        onRestart('That took too long. Sign in again, then choose a new password.')
    },
  })
  const problem = change.error ? toProblem(change.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setMismatch(typed.password !== typed.repeated)
    if (typed.password && typed.password === typed.repeated && !change.isPending) change.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          You must change your password before you continue.
        </Text>
        <NewPasswordFields
          username={username}
          value={typed}
          onChange={setTyped}
          error={problem?.messageFor('password')}
          mismatch={mismatch}
          autoFocus
        />
        {!problem?.messageFor('password') && <ProblemAlert error={change.error} />}
        <Button type="submit" loading={change.isPending} disabled={!typed.password} fullWidth>
          Change password and sign in
        </Button>
      </Stack>
    </form>
  )
}
