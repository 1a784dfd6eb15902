import { Button, Divider, Stack, Text } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { FormEvent } from 'react'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import type { Step } from '../api/transport'
import { CodeInput, digits } from '../common/CodeInput'
import { Enrolment } from '../common/Enrolment'
import { Loading } from '../common/Loading'
import { ProblemAlert } from '../common/ProblemAlert'
import { RecoveryCodes } from '../common/RecoveryCodes'
import { canPasskeys, makePasskey } from '../passkeys/passkey'
import type { StepProps } from './step'

const late = 'That took a little long. Sign in once more, then set up the second factor.'

/** A second factor is required and there is none yet: it is set up here, and its recovery codes are kept, before going on. */
export default function SetUpSecondFactorStep({ step, done, again }: StepProps) {
  const [code, setCode] = useState('')
  const [next, setNext] = useState<Step>()
  const ticket = step.ticket ?? ''
  const shown = useQuery({
    queryKey: ['set-up', ticket],
    queryFn: () => ask(api.POST('/api/login/second-factor/set-up', { body: { ticket } })),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  })
  const confirm = useMutation({
    mutationFn: () => ask(api.POST('/api/login/second-factor/confirm', { body: { ticket, code: digits(code) } })),
    onSuccess: (answer) => (answer.recoveryCodes?.length ? setNext(answer) : done(answer)),
    onError: (error) => {
      setCode('')
      if (asProblem(error).code === 'ticket') again(late)
      if (asProblem(error).code === 'noSetUp') void shown.refetch()
    },
    gcTime: 0,
  })
  const byPasskey = useMutation({
    mutationFn: async () => {
      const { publicKey } = await ask(
        api.POST('/api/login/second-factor/set-up', { body: { ticket, method: 'passkey' } }),
      )
      return ask(
        api.POST('/api/login/second-factor/confirm', { body: { ticket, credential: await makePasskey(publicKey) } }),
      )
    },
    onSuccess: (answer) => (answer.recoveryCodes?.length ? setNext(answer) : done(answer)),
    onError: (error) => {
      if (asProblem(error).code === 'ticket') again(late)
    },
    gcTime: 0,
  })
  const over = shown.error && asProblem(shown.error).code === 'ticket'
  useEffect(() => {
    if (over) again(late)
  }, [over, again])
  if (next) return <RecoveryCodes codes={next.recoveryCodes ?? []} next="Continue" onKept={() => done(next)} />
  if (shown.isPending) return <Loading what="Making the QR code" />
  if (shown.error) return <ProblemAlert error={shown.error} />
  const problem = confirm.error ? asProblem(confirm.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim() && !confirm.isPending) confirm.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          Your account needs a second factor besides the password. It takes a minute.
        </Text>
        <Enrolment qrCode={shown.data.qrCode ?? ''} secret={shown.data.secret ?? ''} />
        <CodeInput value={code} onChange={setCode} error={problem?.of('code')} />
        {!problem?.of('code') && <ProblemAlert error={confirm.error} />}
        <Button type="submit" loading={confirm.isPending} disabled={!code.trim() || byPasskey.isPending} fullWidth>
          Confirm
        </Button>
        {canPasskeys() && (
          <>
            <Divider label="or" />
            <ProblemAlert error={byPasskey.error} />
            <Button
              variant="default"
              loading={byPasskey.isPending}
              onClick={() => byPasskey.mutate()}
              leftSection={<IconFingerprint size={18} aria-hidden />}
              fullWidth
            >
              Set up a passkey instead
            </Button>
          </>
        )}
      </Stack>
    </form>
  )
}
