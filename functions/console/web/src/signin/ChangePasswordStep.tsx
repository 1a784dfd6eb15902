import { Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import { ProblemAlert } from '../common/ProblemAlert'
import { NewPassword } from './NewPassword'
import type { StepProps } from './step'

export default function ChangePasswordStep({ step, done, again }: StepProps) {
  const [typed, setTyped] = useState({ password: '', repeated: '' })
  const [differ, setDiffer] = useState(false)
  const change = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/login/password', { body: { ticket: step.ticket ?? '', password: typed.password } })),
    onSuccess: done,
    onError: (error) => {
      if (asProblem(error).code === 'ticket')
        again('That took a little long. Sign in once more, then choose the new password.')
    },
  })
  const problem = change.error ? asProblem(change.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setDiffer(typed.password !== typed.repeated)
    if (typed.password && typed.password === typed.repeated && !change.isPending) change.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          Your password has to be changed before you go on.
        </Text>
        <NewPassword value={typed} onChange={setTyped} error={problem?.of('password')} differ={differ} autoFocus />
        {!problem?.of('password') && <ProblemAlert error={change.error} />}
        <Button type="submit" loading={change.isPending} disabled={!typed.password} fullWidth>
          Change password and sign in
        </Button>
      </Stack>
    </form>
  )
}
