import { Anchor, Button, Checkbox, Stack, Text, TextInput } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { CodeInput, normaliseCode } from '../common/CodeInput'
import type { MfaMethod } from '../common/mfaMethods'
import { ProblemAlert } from '../common/ProblemAlert'
import { passkeysSupported, getPasskeyAssertion } from '../passkeys/passkey'
import type { StepProps } from './step'

/** The links to another method. */
const switchLabels: Record<MfaMethod, string> = {
  passkey: 'Use a passkey',
  totp: 'Use the authenticator app',
  recoveryCode: 'Use a recovery code',
  emailCode: 'Email me a code',
}

/** Verifies the second factor, by one of the methods that the API offers. */
export default function SecondFactorStep({ step, onNext, onRestart }: StepProps) {
  const offered = (step.methods ?? ['totp']).filter((m) => m !== 'passkey' || passkeysSupported())
  const [method, setMethod] = useState<MfaMethod>(offered[0] ?? 'totp')
  const [code, setCode] = useState('')
  const [remember, setRemember] = useState(false)
  const ticket = step.ticket ?? ''
  const handleError = (error: unknown) => {
    setCode('')
    if (toProblem(error).code === 'ticket') onRestart('That took too long. Sign in again, then confirm that it is you.')
  }
  const verify = useMutation({
    mutationFn: async () => {
      if (method === 'passkey') {
        const { publicKey } = await unwrap(api.POST('/api/login/second-factor/passkey', { body: { ticket } }))
        return unwrap(
          api.POST('/api/login/second-factor', {
            body: { ticket, method, credential: await getPasskeyAssertion(publicKey), remember },
          }),
        )
      }
      return unwrap(
        api.POST('/api/login/second-factor', {
          body: { ticket, method, code: method === 'recoveryCode' ? code.trim() : normaliseCode(code), remember },
        }),
      )
    },
    onSuccess: onNext,
    onError: handleError,
  })
  const mail = useMutation({
    mutationFn: () => unwrap(api.POST('/api/login/second-factor/mail', { body: { ticket } })),
    onError: handleError,
  })
  const problem = verify.error ? toProblem(verify.error) : undefined
  const codeError = problem && (problem.messageFor('code') ?? (problem.code === 'code' ? problem.message : undefined))
  const canSubmit = method === 'passkey' || code.trim() !== ''
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (canSubmit && !verify.isPending) verify.mutate()
  }
  const switchMethod = (next: MfaMethod) => {
    setMethod(next)
    setCode('')
    verify.reset()
    if (next === 'emailCode') mail.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {method === 'passkey' && (
          <Text size="sm">Confirm with your fingerprint, your face, your screen lock or a security key.</Text>
        )}
        {method === 'totp' && <CodeInput key="totp" value={code} onChange={setCode} error={codeError} />}
        {method === 'emailCode' && (
          <>
            <ProblemAlert error={mail.error} />
            {mail.isIdle ? (
              <Button variant="light" onClick={() => mail.mutate()}>
                Email me a code
              </Button>
            ) : (
              <>
                <CodeInput
                  key="mail"
                  label="Code from the email"
                  description="A six-digit code was sent to your email address. It is valid for 10 minutes."
                  value={code}
                  onChange={setCode}
                  error={codeError}
                />
                <Anchor
                  component="button"
                  type="button"
                  size="sm"
                  onClick={() => mail.mutate()}
                  disabled={mail.isPending}
                >
                  Email another code
                </Anchor>
              </>
            )}
          </>
        )}
        {method === 'recoveryCode' && (
          <TextInput
            label="Recovery code"
            description="One of the codes that you saved when you set up the second factor. Each works once."
            name="recovery-code"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            maxLength={64}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value)}
            error={codeError}
          />
        )}
        <Checkbox
          label="Remember this device"
          description="You are not asked for a second factor here for as many days as your organisation allows. Do not tick this on a shared computer."
          checked={remember}
          onChange={(e) => setRemember(e.currentTarget.checked)}
        />
        {!codeError && <ProblemAlert error={verify.error} />}
        <Button
          type="submit"
          loading={verify.isPending}
          disabled={!canSubmit}
          fullWidth
          leftSection={method === 'passkey' ? <IconFingerprint size={18} aria-hidden /> : undefined}
        >
          {method === 'passkey' ? 'Use a passkey' : 'Continue'}
        </Button>
        {offered
          .filter((m) => m !== method)
          .map((m) => (
            <Anchor key={m} component="button" type="button" size="sm" onClick={() => switchMethod(m)}>
              {switchLabels[m]}
            </Anchor>
          ))}
        <Text size="sm" c="dimmed">
          Cannot use any of these? An administrator can remove your second factor.
        </Text>
      </Stack>
    </form>
  )
}
