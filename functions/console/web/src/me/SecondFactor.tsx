import { Alert, Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconShieldCheck, IconShieldOff } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { useNavigate } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { endSession } from '../api/transport'
import { CodeInput, normaliseCode } from '../common/CodeInput'
import { ConfirmDialog } from '../common/ConfirmDialog'
import { Dialog } from '../common/Dialog'
import { mfaMethodNames } from '../common/mfaMethods'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { RecoveryCodes } from '../common/RecoveryCodes'
import { TotpEnrolment } from '../common/TotpEnrolment'
import { Instant } from '../fields/Instant'
import { invalidateMfa, useMfa } from './mfa'

type OpenDialog = 'setUp' | 'codes' | 'remove'

/** The user's second factor: its state, and dialogs to set it up or remove it. */
export function SecondFactor() {
  const mfa = useMfa()
  const [openDialog, setOpenDialog] = useState<OpenDialog>()
  const close = () => setOpenDialog(undefined)
  const state = mfa.data
  const totp = state?.methods.includes('totp')
  const configured = Boolean(totp) || (state?.passkeys.length ?? 0) > 0
  const changeButtons = (
    <>
      <Button variant="default" onClick={() => setOpenDialog('codes')}>
        Create new recovery codes
      </Button>
      <Button variant="light" color="red" onClick={() => setOpenDialog('remove')}>
        Remove
      </Button>
    </>
  )
  return (
    <Panel
      title="Second factor"
      help="A six-digit code from an authenticator app on your phone, as well as your password."
      actions={
        state &&
        (totp ? (
          <>
            <Button variant="default" onClick={() => setOpenDialog('setUp')}>
              Set up again
            </Button>
            {changeButtons}
          </>
        ) : (
          <>
            <Button onClick={() => setOpenDialog('setUp')}>Set up</Button>
            {configured && changeButtons}
          </>
        ))
      }
    >
      <ProblemAlert error={mfa.error} />
      {mfa.isPending && <Skeleton h={48} role="status" aria-label="Loading your second factor" />}
      {state && <FactorState state={state} configured={configured} />}
      {openDialog === 'setUp' && <SetUpDialog onClose={close} />}
      {openDialog === 'codes' && <NewCodesDialog onClose={close} />}
      {openDialog === 'remove' && <RemoveDialog required={Boolean(state?.required)} onClose={close} />}
    </Panel>
  )
}

function FactorState({ state, configured }: { state: Schemas['Mfa']; configured: boolean }) {
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {configured ? (
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
                {mfaMethodNames[m]}
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
      {configured && (
        <Text size="sm">
          {state.since && (
            <>
              Since <Instant at={state.since} />.{' '}
            </>
          )}
          {state.recoveryCodesLeft} recovery {state.recoveryCodesLeft === 1 ? 'code' : 'codes'} left.
        </Text>
      )}
      {configured && state.recoveryCodesLeft <= 3 && (
        <Alert color="orange" title="Few recovery codes left">
          Create new ones before you run out.
        </Alert>
      )}
      {state.pausedUntil && (
        <Alert color="orange" title="Paused">
          Too many wrong codes were entered. You can try again from <Instant at={state.pausedUntil} />.
        </Alert>
      )}
    </Stack>
  )
}

function SetUpDialog({ onClose }: { onClose: () => void }) {
  const [enrolment, setEnrolment] = useState<Schemas['MfaEnrolment']>()
  const [codes, setCodes] = useState<string[]>()
  const [code, setCode] = useState('')
  const confirm = useMutation({
    mutationFn: () => unwrap(api.POST('/api/me/mfa/totp/confirm', { body: { code: normaliseCode(code) } })),
    onSuccess: (made) => {
      setCodes(made.recoveryCodes)
      void invalidateMfa()
    },
    onError: () => setCode(''),
    gcTime: 0,
  })
  if (codes) return <RecoveryCodesDialog codes={codes} onClose={onClose} />
  if (!enrolment) {
    return (
      <ConfirmDialog
        title="Set up a second factor"
        confirmLabel="Start"
        onClose={onClose}
        action={() => unwrap(api.POST('/api/me/mfa/totp', { body: {} }))}
        onSuccess={setEnrolment}
      >
        <Text size="sm">
          You need an authenticator app, for example the one that comes with your phone. What you have already set up
          stays valid until you confirm the new one.
        </Text>
      </ConfirmDialog>
    )
  }
  const problem = confirm.error ? toProblem(confirm.error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim() && !confirm.isPending) confirm.mutate()
  }
  return (
    <Dialog onClose={onClose} title="Set up a second factor" closeOnClickOutside={false}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <TotpEnrolment qrCode={enrolment.qrCode} secret={enrolment.secret} />
          <CodeInput value={code} onChange={setCode} error={problem?.messageFor('code')} />
          {!problem?.messageFor('code') && <ProblemAlert error={confirm.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
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

function NewCodesDialog({ onClose }: { onClose: () => void }) {
  const [codes, setCodes] = useState<string[]>()
  if (codes) return <RecoveryCodesDialog codes={codes} onClose={onClose} />
  return (
    <ConfirmDialog
      title="Create new recovery codes"
      confirmLabel="Create new codes"
      onClose={onClose}
      action={() => unwrap(api.POST('/api/me/mfa/recovery-codes', { body: {} }))}
      onSuccess={(made) => {
        setCodes(made.recoveryCodes)
        void invalidateMfa()
      }}
    >
      <Text size="sm">You get ten new codes, which are shown only once. Your existing codes stop working.</Text>
    </ConfirmDialog>
  )
}

function RecoveryCodesDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <Dialog
      onClose={onClose}
      title="Recovery codes"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <RecoveryCodes codes={codes} confirmLabel="Done" onConfirm={onClose} />
    </Dialog>
  )
}

function RemoveDialog({ required, onClose }: { required: boolean; onClose: () => void }) {
  const navigate = useNavigate()
  return (
    <ConfirmDialog
      title="Remove the second factor"
      confirmLabel="Remove"
      danger
      onClose={onClose}
      action={() => unwrap(api.POST('/api/me/mfa/remove', { body: {} }))}
      onSuccess={() => {
        endSession() // the service ended every session
        queryClient.clear()
        notifications.show({
          color: 'green',
          message: 'Your second factor was removed and all sessions have ended. Sign in again.',
          autoClose: 15_000,
        })
        void navigate('/sign-in', { replace: true })
      }}
    >
      <Text size="sm">
        Your authenticator, passkeys, recovery codes and trusted devices are removed, and all sessions end, including
        this one.
      </Text>
      {required && (
        <Text size="sm">Your account requires a second factor, so you set up a new one at your next sign-in.</Text>
      )}
    </ConfirmDialog>
  )
}
