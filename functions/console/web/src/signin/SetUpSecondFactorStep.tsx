import { Button, Divider, Stack, Text } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import type { LoginStep } from '../api/transport'
import { CodeInput, normaliseCode } from '../common/CodeInput'
import { Loading } from '../common/Loading'
import { ProblemAlert } from '../common/ProblemAlert'
import { RecoveryCodes } from '../common/RecoveryCodes'
import { TotpEnrolment } from '../common/TotpEnrolment'
import { passkeysSupported, createPasskey } from '../passkeys/passkey'
import type { StepProps } from './step'

const ticketExpired = 'That took too long. Sign in again, then set up the second factor.'

/** Sets up a second factor that the account requires, and shows its recovery codes. */
export default function SetUpSecondFactorStep({ step, onNext, onRestart }: StepProps) {
  const [code, setCode] = useState('')
  const [completed, setCompleted] = useState<LoginStep>()
  const ticket = step.ticket ?? ''
  const setUp = useQuery({
    queryKey: ['set-up', ticket],
    queryFn: () => unwrap(api.POST('/api/login/second-factor/set-up', { body: { ticket } })),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  })
  const confirm = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/login/second-factor/confirm', { body: { ticket, code: normaliseCode(code) } })),
    onSuccess: (answer) => (answer.recoveryCodes?.length ? setCompleted(answer) : onNext(answer)),
    onError: (error) => {
      setCode('')
      if (toProblem(error).code === 'ticket') onRestart(ticketExpired)
      if (toProblem(error).code === 'noSetUp') void setUp.refetch()
    },
    gcTime: 0,
  })
  const byPasskey = useMutation({
    mutationFn: async () => {
      const { publicKey } = await unwrap(
        api.POST('/api/login/second-factor/set-up', { body: { ticket, method: 'passkey' } }),
      )
      return unwrap(
        api.POST('/api/login/second-factor/confirm', { body: { ticket, credential: await createPasskey(publicKey) } }),
      )
    },
    onSuccess: (answer) => (answer.recoveryCodes?.length ? setCompleted(answer) : onNext(answer)),
    onError: (error) => {
      if (toProblem(error).code === 'ticket') onRestart(ticketExpired)
    },
    gcTime: 0,
  })
  const expired = setUp.error && toProblem(setUp.error).code === 'ticket'
  useEffect(() => {
    if (expired) onRestart(ticketExpired)
  }, [expired, onRestart])
  if (completed)
    return (
      <RecoveryCodes
        codes={completed.recoveryCodes ?? []}
        confirmLabel="Continue"
        onConfirm={() => onNext(completed)}
      />
    )
  if (setUp.isPending) return <Loading label="Creating the QR code" />
  if (setUp.error) return <ProblemAlert error={setUp.error} />
  const problem = confirm.error ? toProblem(confirm.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim() && !confirm.isPending) confirm.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          Your account needs a second factor as well as a password. Setting it up takes a minute.
        </Text>
        <TotpEnrolment qrCode={setUp.data.qrCode ?? ''} secret={setUp.data.secret ?? ''} />
        <CodeInput value={code} onChange={setCode} error={problem?.messageFor('code')} />
        {!problem?.messageFor('code') && <ProblemAlert error={confirm.error} />}
        <Button type="submit" loading={confirm.isPending} disabled={!code.trim() || byPasskey.isPending} fullWidth>
          Confirm
        </Button>
        {passkeysSupported() && (
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
