import { Anchor, Button, Checkbox, Stack, Text, TextInput } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import { CodeInput, digits } from '../common/CodeInput'
import type { Method } from '../common/methods'
import { ProblemAlert } from '../common/ProblemAlert'
import { canPasskeys, provePasskey } from '../passkeys/passkey'
import type { StepProps } from './step'

/** The switch from one way to another. */
const use: Record<Method, string> = {
  passkey: 'Use a passkey',
  totp: 'Use the authenticator app',
  recoveryCode: 'Use a recovery code',
  emailCode: 'Have a code mailed',
}

/** The second factor, by one of the ways that the service offers. */
export default function SecondFactorStep({ step, done, again }: StepProps) {
  const offered = (step.methods ?? ['totp']).filter((m) => m !== 'passkey' || canPasskeys())
  const [method, setMethod] = useState<Method>(offered[0] ?? 'totp')
  const [code, setCode] = useState('')
  const [remember, setRemember] = useState(false)
  const ticket = step.ticket ?? ''
  const failed = (error: unknown) => {
    setCode('')
    if (asProblem(error).code === 'ticket')
      again('That took a little long. Sign in once more, then show that it is you.')
  }
  const prove = useMutation({
    mutationFn: async () => {
      if (method === 'passkey') {
        const { publicKey } = await ask(api.POST('/api/login/second-factor/passkey', { body: { ticket } }))
        return ask(
          api.POST('/api/login/second-factor', {
            body: { ticket, method, credential: await provePasskey(publicKey), remember },
          }),
        )
      }
      return ask(
        api.POST('/api/login/second-factor', {
          body: { ticket, method, code: method === 'recoveryCode' ? code.trim() : digits(code), remember },
        }),
      )
    },
    onSuccess: done,
    onError: failed,
  })
  const mail = useMutation({
    mutationFn: () => ask(api.POST('/api/login/second-factor/mail', { body: { ticket } })),
    onError: failed,
  })
  const problem = prove.error ? asProblem(prove.error) : undefined
  const wrong = problem && (problem.of('code') ?? (problem.code === 'code' ? problem.message : undefined))
  const ready = method === 'passkey' || code.trim() !== ''
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready && !prove.isPending) prove.mutate()
  }
  const change = (next: Method) => {
    setMethod(next)
    setCode('')
    prove.reset()
    if (next === 'emailCode') mail.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {method === 'passkey' && (
          <Text size="sm">Confirm with your fingerprint, your face, your screen lock or a security key.</Text>
        )}
        {method === 'totp' && <CodeInput key="totp" value={code} onChange={setCode} error={wrong} />}
        {method === 'emailCode' && (
          <>
            <ProblemAlert error={mail.error} />
            {mail.isIdle ? (
              <Button variant="light" onClick={() => mail.mutate()}>
                Mail me a code
              </Button>
            ) : (
              <>
                <CodeInput
                  key="mail"
                  label="Code from the mail"
                  description="Six digits, sent to the email of your account just now. They work for 10 minutes."
                  value={code}
                  onChange={setCode}
                  error={wrong}
                />
                <Anchor
                  component="button"
                  type="button"
                  size="sm"
                  onClick={() => mail.mutate()}
                  disabled={mail.isPending}
                >
                  Mail another code
                </Anchor>
              </>
            )}
          </>
        )}
        {method === 'recoveryCode' && (
          <TextInput
            label="Recovery code"
            description="One of those that you kept when you set up the second factor. Each works once."
            name="recovery-code"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            maxLength={64}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value)}
            error={wrong}
          />
        )}
        <Checkbox
          label="Remember this device"
          description="Your next sign-ins here need no second factor, for as many days as your organisation allows. Not for a computer that others use."
          checked={remember}
          onChange={(e) => setRemember(e.currentTarget.checked)}
        />
        {!wrong && <ProblemAlert error={prove.error} />}
        <Button
          type="submit"
          loading={prove.isPending}
          disabled={!ready}
          fullWidth
          leftSection={method === 'passkey' ? <IconFingerprint size={18} aria-hidden /> : undefined}
        >
          {method === 'passkey' ? 'Use a passkey' : 'Continue'}
        </Button>
        {offered
          .filter((m) => m !== method)
          .map((m) => (
            <Anchor key={m} component="button" type="button" size="sm" onClick={() => change(m)}>
              {use[m]}
            </Anchor>
          ))}
        <Text size="sm" c="dimmed">
          No way left? An administrator can remove your second factor.
        </Text>
      </Stack>
    </form>
  )
}
