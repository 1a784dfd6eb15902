import { Badge, Button, Group, Skeleton, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { forget } from '../api/transport'
import { ActionDialog } from '../common/ActionDialog'
import { Dialog } from '../common/Dialog'
import { Panel } from '../common/Panel'
import { ProofDialog } from '../common/ProofDialog'
import { Records } from '../common/Records'
import { RecoveryCodes } from '../common/RecoveryCodes'
import { Instant } from '../fields/Instant'
import { canPasskeys, makePasskey } from '../passkeys/passkey'
import { mfaChanged, useMfa } from './mfa'

type Passkey = Schemas['MfaPasskey']

/** One's own passkeys: a second factor, and a way in of their own. */
export function Passkeys() {
  const navigate = useNavigate()
  const mfa = useMfa()
  const [adding, setAdding] = useState(false)
  const [renaming, setRenaming] = useState<Passkey>()
  const [deleting, setDeleting] = useState<Passkey>()
  const rows = mfa.data?.passkeys ?? []
  return (
    <Panel
      title="Passkeys"
      help="Sign in with your fingerprint, your face, your screen lock or a security key. A passkey does as a second factor, too."
      actions={
        mfa.data &&
        canPasskeys() && (
          <Button variant="default" onClick={() => setAdding(true)}>
            Add a passkey
          </Button>
        )
      }
    >
      {mfa.isPending ? (
        <Skeleton h={40} aria-label="Loading passkeys" />
      ) : mfa.data && rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          None yet.{!canPasskeys() && ' This browser cannot make one.'}
        </Text>
      ) : (
        <Records
          label="Passkeys"
          rows={rows}
          idOf={(p) => p.id}
          columns={[
            {
              label: 'Name',
              cell: (p) => (
                <span>
                  {p.name}
                  {p.synced && (
                    <Badge ml="xs" variant="light" color="gray" tt="none">
                      on several devices
                    </Badge>
                  )}
                </span>
              ),
            },
            { label: 'Made', cell: (p) => <Instant at={p.created} /> },
            { label: 'Last used', cell: (p) => <Instant at={p.lastUsed} /> },
            { label: 'Location', cell: (p) => p.location || '–' },
            {
              label: 'Change',
              quiet: true,
              cell: (p) => (
                <Group gap={6} wrap="nowrap">
                  <Button
                    size="compact-sm"
                    variant="light"
                    aria-label={`Rename ${p.name}`}
                    onClick={() => setRenaming(p)}
                  >
                    Rename
                  </Button>
                  <Button
                    size="compact-sm"
                    variant="light"
                    color="red"
                    aria-label={`Delete ${p.name}`}
                    onClick={() => setDeleting(p)}
                  >
                    Delete
                  </Button>
                </Group>
              ),
            },
          ]}
        />
      )}
      {adding && <Add close={() => setAdding(false)} />}
      {renaming && <Rename of={renaming} close={() => setRenaming(undefined)} />}
      {deleting && (
        <ProofDialog
          title={`Delete ${deleting.name}`}
          apply="Delete"
          danger
          close={() => setDeleting(undefined)}
          act={(body) =>
            ask(api.DELETE('/api/me/mfa/passkeys/{passkeyId}', { params: { path: { passkeyId: deleting.id } }, body }))
          }
          done={() => {
            forget() // the service ended every session
            queries.clear()
            notifications.show({
              color: 'green',
              message: 'The passkey is deleted, and every session is over. Sign in again.',
              autoClose: 15_000,
            })
            void navigate('/sign-in', { replace: true })
          }}
        >
          <Text size="sm">
            It lets nobody in any more; take it off the device as well. Every session ends, this one too, and remembered
            devices are asked again.
          </Text>
          {rows.length === 1 && !mfa.data?.methods.includes('totp') && (
            <Text size="sm">It is your only second factor: recovery codes go with it.</Text>
          )}
        </ProofDialog>
      )}
    </Panel>
  )
}

function Add({ close }: { close: () => void }) {
  const [name, setName] = useState('')
  const [codes, setCodes] = useState<string[]>()
  if (codes)
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
  return (
    <ProofDialog
      title="Add a passkey"
      apply="Continue"
      close={close}
      act={async (proof) => {
        const { publicKey } = await ask(api.POST('/api/me/mfa/passkeys/begin', { body: proof }))
        return ask(
          api.POST('/api/me/mfa/passkeys/confirm', {
            body: { credential: await makePasskey(publicKey), ...(name.trim() && { name: name.trim() }) },
          }),
        )
      }}
      done={(made) => {
        void mfaChanged()
        notifications.show({ color: 'green', message: `The passkey ${made.passkey.name} is added.` })
        if (made.recoveryCodes?.length) setCodes(made.recoveryCodes)
        else close()
      }}
    >
      <Text size="sm">Your browser then asks where the passkey is to be kept.</Text>
      <TextInput
        label="Name"
        description="What to list it as. You may leave it blank."
        placeholder="My phone"
        data-autofocus
        maxLength={100}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
    </ProofDialog>
  )
}

function Rename({ of, close }: { of: Passkey; close: () => void }) {
  const [name, setName] = useState(of.name)
  const rename = useMutation({
    mutationFn: () =>
      ask(
        api.PATCH('/api/me/mfa/passkeys/{passkeyId}', {
          params: { path: { passkeyId: of.id } },
          body: { name: name.trim() },
        }),
      ),
    onSuccess: async () => {
      await mfaChanged()
      close()
    },
  })
  return (
    <ActionDialog
      title={`Rename ${of.name}`}
      apply="Save"
      ready={name.trim() !== ''}
      busy={rename.isPending}
      error={rename.error}
      shown={['name']}
      close={close}
      onApply={() => rename.mutate()}
    >
      <TextInput
        label="Name"
        data-autofocus
        maxLength={100}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        error={rename.error ? asProblem(rename.error).of('name') : undefined}
      />
    </ActionDialog>
  )
}
