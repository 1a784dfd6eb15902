import { Alert, Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconShieldCheck, IconShieldOff } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { useNavigate } from 'react-router'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { forget } from '../api/transport'
import { CodeInput, digits } from '../common/CodeInput'
import { Dialog } from '../common/Dialog'
import { Enrolment } from '../common/Enrolment'
import { methodNames } from '../common/methods'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { ProofDialog } from '../common/ProofDialog'
import { RecoveryCodes } from '../common/RecoveryCodes'
import { Instant } from '../fields/Instant'
import { mfaChanged, useMfa } from './mfa'

type Open = 'setUp' | 'codes' | 'remove'

/** One's own second factor: what is set up, and setting it up, anew, or removing it. */
export function SecondFactor() {
  const mfa = useMfa()
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  const state = mfa.data
  const totp = state?.methods.includes('totp')
  const any = Boolean(totp) || (state?.passkeys.length ?? 0) > 0
  const removable = (
    <>
      <Button variant="default" onClick={() => setOpen('codes')}>
        Make new recovery codes
      </Button>
      <Button variant="light" color="red" onClick={() => setOpen('remove')}>
        Remove
      </Button>
    </>
  )
  return (
    <Panel
      title="Second factor"
      help="Besides the password: six digits that an authenticator app on your phone shows."
      actions={
        state &&
        (totp ? (
          <>
            <Button variant="default" onClick={() => setOpen('setUp')}>
              Set up anew
            </Button>
            {removable}
          </>
        ) : (
          <>
            <Button onClick={() => setOpen('setUp')}>Set up</Button>
            {any && removable}
          </>
        ))
      }
    >
      <ProblemAlert error={mfa.error} />
      {mfa.isPending && <Skeleton h={48} aria-label="Loading your second factor" />}
      {state && <State state={state} any={any} />}
      {open === 'setUp' && <SetUp close={close} />}
      {open === 'codes' && <NewCodes close={close} />}
      {open === 'remove' && <Remove required={Boolean(state?.required)} close={close} />}
    </Panel>
  )
}

function State({ state, any }: { state: Schemas['Mfa']; any: boolean }) {
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {any ? (
          state.methods
            .filter((m) => m !== 'recoveryCode')
            .map((m) => (
              <Badge
                key={m}
                color="green"
                variant="light"
                tt="none"
                leftSection={<IconShieldCheck size={13} aria-hidden />}
              >
                {methodNames[m]}
              </Badge>
            ))
        ) : (
          <Badge
            color={state.required ? 'orange' : 'gray'}
            variant="light"
            tt="none"
            leftSection={<IconShieldOff size={13} aria-hidden />}
          >
            Not set up
          </Badge>
        )}
        {state.required && (
          <Badge color="gray" variant="light" tt="none">
            Required
          </Badge>
        )}
      </Group>
      {any && (
        <Text size="sm">
          {state.since && (
            <>
              Since <Instant at={state.since} />.{' '}
            </>
          )}
          {state.recoveryCodesLeft} recovery {state.recoveryCodesLeft === 1 ? 'code' : 'codes'} left.
        </Text>
      )}
      {any && state.recoveryCodesLeft <= 3 && (
        <Alert color="orange" title="Few recovery codes left">
          Make new ones before the last is used.
        </Alert>
      )}
      {state.pausedUntil && (
        <Alert color="orange" title="Paused">
          Too many codes were wrong: codes are tried again from <Instant at={state.pausedUntil} />.
        </Alert>
      )}
    </Stack>
  )
}

function SetUp({ close }: { close: () => void }) {
  const [shown, setShown] = useState<Schemas['MfaEnrolment']>()
  const [codes, setCodes] = useState<string[]>()
  const [code, setCode] = useState('')
  const confirm = useMutation({
    mutationFn: () => ask(api.POST('/api/me/mfa/totp/confirm', { body: { code: digits(code) } })),
    onSuccess: (made) => {
      setCodes(made.recoveryCodes)
      void mfaChanged()
    },
    onError: () => setCode(''),
    gcTime: 0,
  })
  if (codes) return <Kept codes={codes} close={close} />
  if (!shown) {
    return (
      <ProofDialog
        title="Set up a second factor"
        apply="Begin"
        close={close}
        act={(proof) => ask(api.POST('/api/me/mfa/totp', { body: proof }))}
        done={setShown}
      >
        <Text size="sm">
          Have an authenticator app at hand, such as the one of your phone's maker. What is set up already counts until
          the new one is confirmed.
        </Text>
      </ProofDialog>
    )
  }
  const problem = confirm.error ? asProblem(confirm.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim() && !confirm.isPending) confirm.mutate()
  }
  return (
    <Dialog onClose={close} title="Set up a second factor" closeOnClickOutside={false}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <Enrolment qrCode={shown.qrCode} secret={shown.secret} />
          <CodeInput value={code} onChange={setCode} error={problem?.of('code')} />
          {!problem?.of('code') && <ProblemAlert error={confirm.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={confirm.isPending} disabled={!code.trim()}>
              Confirm
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}

function NewCodes({ close }: { close: () => void }) {
  const [codes, setCodes] = useState<string[]>()
  if (codes) return <Kept codes={codes} close={close} />
  return (
    <ProofDialog
      title="Make new recovery codes"
      apply="Make new codes"
      close={close}
      act={(proof) => ask(api.POST('/api/me/mfa/recovery-codes', { body: proof }))}
      done={(made) => {
        setCodes(made.recoveryCodes)
        void mfaChanged()
      }}
    >
      <Text size="sm">You get ten new ones, shown once. Those that you have open nothing any more.</Text>
    </ProofDialog>
  )
}

function Kept({ codes, close }: { codes: string[]; close: () => void }) {
  return (
    <Dialog
      onClose={close}
      title="Recovery codes"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <RecoveryCodes codes={codes} next="Done" onKept={close} />
    </Dialog>
  )
}

function Remove({ required, close }: { required: boolean; close: () => void }) {
  const navigate = useNavigate()
  return (
    <ProofDialog
      title="Remove the second factor"
      apply="Remove"
      danger
      close={close}
      act={(proof) => ask(api.POST('/api/me/mfa/remove', { body: proof }))}
      done={() => {
        forget() // the service ended every session
        queries.clear()
        notifications.show({
          color: 'green',
          message: 'Your second factor is removed, and every session is over. Sign in again.',
          autoClose: 15_000,
        })
        void navigate('/sign-in', { replace: true })
      }}
    >
      <Text size="sm">
        Authenticator, passkeys, recovery codes and remembered devices go, and every session ends, this one too.
      </Text>
      {required && (
        <Text size="sm">It is required for your account: your next sign-in leads to setting up a new one.</Text>
      )}
    </ProofDialog>
  )
}
