import { Badge, Button, Group, Skeleton, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { endSession } from '../api/transport'
import { ActionDialog } from '../common/ActionDialog'
import { ConfirmDialog } from '../common/ConfirmDialog'
import { Dialog } from '../common/Dialog'
import { Panel } from '../common/Panel'
import { RecoveryCodes } from '../common/RecoveryCodes'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { Instant } from '../fields/Instant'
import { passkeysSupported, createPasskey } from '../passkeys/passkey'
import { invalidateMfa, useMfa } from './mfa'

type Passkey = Schemas['MfaPasskey']

/** The user's passkeys: a second factor, and a sign-in method of their own. */
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
      help="Sign in with your fingerprint, your face, your screen lock or a security key. A passkey also counts as a second factor."
      actions={
        mfa.data &&
        passkeysSupported() && (
          <Button variant="default" onClick={() => setAdding(true)}>
            Add a passkey
          </Button>
        )
      }
    >
      {mfa.isPending ? (
        <Skeleton h={40} role="status" aria-label="Loading passkeys" />
      ) : mfa.data && rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          No passkeys yet.{!passkeysSupported() && ' This browser does not support them.'}
        </Text>
      ) : (
        <ResponsiveTable
          label="Passkeys"
          rows={rows}
          rowKey={(p) => p.id}
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
            { label: 'Created', cell: (p) => <Instant at={p.created} /> },
            { label: 'Last used', cell: (p) => <Instant at={p.lastUsed} /> },
            { label: 'Location', cell: (p) => p.location || '–' },
            {
              label: 'Change',
              labelHidden: true,
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
      {adding && <AddPasskeyDialog onClose={() => setAdding(false)} />}
      {renaming && <RenamePasskeyDialog passkey={renaming} onClose={() => setRenaming(undefined)} />}
      {deleting && (
        <ConfirmDialog
          title={`Delete ${deleting.name}`}
          confirmLabel="Delete"
          danger
          onClose={() => setDeleting(undefined)}
          action={() =>
            unwrap(api.DELETE('/api/me/mfa/passkeys/{passkeyId}', { params: { path: { passkeyId: deleting.id } } }))
          }
          onSuccess={() => {
            endSession() // the service ended every session
            queryClient.clear()
            notifications.show({
              color: 'green',
              message: 'The passkey was deleted and all sessions have ended. Sign in again.',
              autoClose: 15_000,
            })
            void navigate('/sign-in', { replace: true })
          }}
        >
          <Text size="sm">
            It can no longer be used to sign in; remove it from the device as well. All sessions end, including this
            one, and trusted devices ask for the second factor again.
          </Text>
          {rows.length === 1 && !mfa.data?.methods.includes('totp') && (
            <Text size="sm">It is your only second factor, so your recovery codes are deleted as well.</Text>
          )}
        </ConfirmDialog>
      )}
    </Panel>
  )
}

function AddPasskeyDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [codes, setCodes] = useState<string[]>()
  if (codes)
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
  return (
    <ConfirmDialog
      title="Add a passkey"
      confirmLabel="Continue"
      onClose={onClose}
      action={async () => {
        const { publicKey } = await unwrap(api.POST('/api/me/mfa/passkeys/begin', { body: {} }))
        return unwrap(
          api.POST('/api/me/mfa/passkeys/confirm', {
            body: { credential: await createPasskey(publicKey), ...(name.trim() && { name: name.trim() }) },
          }),
        )
      }}
      onSuccess={(added) => {
        void invalidateMfa()
        notifications.show({ color: 'green', message: `The passkey ${added.passkey.name} was added.` })
        if (added.recoveryCodes?.length) setCodes(added.recoveryCodes)
        else onClose()
      }}
    >
      <Text size="sm">Your browser then asks where to save the passkey.</Text>
      <TextInput
        label="Name"
        description="The name in your list of passkeys. You can leave it blank."
        placeholder="My phone"
        data-autofocus
        maxLength={100}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
    </ConfirmDialog>
  )
}

function RenamePasskeyDialog({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const [name, setName] = useState(passkey.name)
  const rename = useMutation({
    mutationFn: () =>
      unwrap(
        api.PATCH('/api/me/mfa/passkeys/{passkeyId}', {
          params: { path: { passkeyId: passkey.id } },
          body: { name: name.trim() },
        }),
      ),
    onSuccess: async () => {
      await invalidateMfa()
      onClose()
    },
  })
  return (
    <ActionDialog
      title={`Rename ${passkey.name}`}
      confirmLabel="Save"
      canConfirm={name.trim() !== ''}
      busy={rename.isPending}
      error={rename.error}
      inlineFields={['name']}
      onClose={onClose}
      onConfirm={() => rename.mutate()}
    >
      <TextInput
        label="Name"
        data-autofocus
        maxLength={100}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        error={rename.error ? toProblem(rename.error).messageFor('name') : undefined}
      />
    </ActionDialog>
  )
}
