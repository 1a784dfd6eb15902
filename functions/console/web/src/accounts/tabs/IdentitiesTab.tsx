import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlugConnected } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import { toProblem } from '../../api/problem'
import { queryClient } from '../../api/queryClient'
import { ActionDialog } from '../../common/ActionDialog'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ResponsiveTable } from '../../common/ResponsiveTable'
import { StatusMessage } from '../../common/StatusMessage'
import { Instant } from '../../fields/Instant'
import { useHasPermission } from '../../session/session'
import { useProviderNames } from '../../sso/useProviderNames'
import type { TabProps } from './tab'

/** The account's links to identity providers. */
export default function IdentitiesTab({ account }: TabProps) {
  const hasPermission = useHasPermission()
  const key = ['tab', account.id, 'links']
  const { choices: providers, nameOf: providerName } = useProviderNames()
  const [linking, setLinking] = useState(false)
  const [removing, setRemoving] = useState<string>()
  const identities = useQuery({
    queryKey: key,
    queryFn: async () =>
      (await unwrap(api.GET('/api/accounts/{id}/links', { params: { path: { id: account.id } } }))).items,
  })
  const invalidate = () => queryClient.invalidateQueries({ queryKey: ['tab', account.id] })
  const remove = useMutation({
    mutationFn: (providerId: string) =>
      unwrap(api.DELETE('/api/accounts/{id}/links/{providerId}', { params: { path: { id: account.id, providerId } } })),
    onSuccess: async () => {
      await invalidate()
      setRemoving(undefined)
      notifications.show({ color: 'green', message: 'The link was removed.' })
    },
  })
  if (identities.isPending) return <Loading label="Loading links" />
  if (identities.error) return <ProblemAlert error={identities.error} />
  const linkable = providers.filter((c) => !identities.data.some((l) => l.providerId === c.id))
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Identities at other providers that can sign in as this account.
        </Text>
        {hasPermission('account.link') && linkable.length > 0 && (
          <Button variant="light" onClick={() => setLinking(true)}>
            Add link
          </Button>
        )}
      </Group>
      {identities.data.length === 0 ? (
        <StatusMessage icon={IconPlugConnected} title="No links" order={3}>
          The person signs in with a password.
        </StatusMessage>
      ) : (
        <ResponsiveTable
          label="Links"
          rows={identities.data}
          rowKey={(l) => l.providerId}
          columns={[
            { label: 'Provider', cell: (l) => providerName(l.providerId) },
            { label: 'Object id', cell: (l) => l.objectId },
            { label: 'Email', cell: (l) => l.email },
            { label: 'Linked', cell: (l) => <Instant at={l.at} /> },
            { label: 'By', cell: (l) => l.by },
            {
              label: 'Remove',
              labelHidden: true,
              cell: (l) =>
                hasPermission('account.link') && (
                  <Button
                    size="compact-sm"
                    variant="light"
                    color="red"
                    aria-label={`Remove link to ${providerName(l.providerId)}`}
                    onClick={() => setRemoving(l.providerId)}
                  >
                    Remove link
                  </Button>
                ),
            },
          ]}
        />
      )}
      {linking && (
        <LinkIdentityDialog
          id={account.id}
          providers={linkable}
          onClose={() => setLinking(false)}
          onLinked={invalidate}
        />
      )}
      {removing && (
        <ActionDialog
          title="Remove link"
          confirmLabel="Remove link"
          danger
          busy={remove.isPending}
          error={remove.error}
          onClose={() => setRemoving(undefined)}
          onConfirm={() => remove.mutate(removing)}
        >
          <Text size="sm">
            {providerName(removing)} can no longer be used to sign in as this account. Open sessions continue.
          </Text>
        </ActionDialog>
      )}
    </Stack>
  )
}

function LinkIdentityDialog({
  id,
  providers,
  onClose,
  onLinked,
}: {
  id: string
  providers: { id: string; name: string }[]
  onClose: () => void
  onLinked: () => Promise<void>
}) {
  const [provider, setProvider] = useState(providers[0]?.id ?? null)
  const [objectId, setObjectId] = useState('')
  const link = useMutation({
    mutationFn: () =>
      unwrap(
        api.PUT('/api/accounts/{id}/links/{providerId}', {
          params: { path: { id, providerId: provider ?? '' } },
          body: { objectId: objectId.trim() },
        }),
      ),
    onSuccess: async () => {
      await onLinked()
      onClose()
    },
  })
  return (
    <ActionDialog
      title="Add link"
      confirmLabel="Add link"
      canConfirm={Boolean(provider && objectId.trim())}
      busy={link.isPending}
      error={link.error}
      inlineFields={['objectId']}
      onClose={onClose}
      onConfirm={() => link.mutate()}
    >
      <Select
        label="Provider"
        allowDeselect={false}
        data={providers.map((c) => ({ value: c.id, label: c.name }))}
        value={provider}
        onChange={setProvider}
      />
      <TextInput
        label="Object id"
        description="How the provider identifies the person: the object id in Azure, the subject elsewhere."
        data-autofocus
        maxLength={255}
        value={objectId}
        onChange={(e) => setObjectId(e.currentTarget.value)}
        error={link.error ? toProblem(link.error).messageFor('objectId') : undefined}
      />
    </ActionDialog>
  )
}
