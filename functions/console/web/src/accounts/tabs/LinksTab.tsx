import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlugConnected } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client'
import { asProblem } from '../../api/problem'
import { queries } from '../../api/queries'
import { ActionDialog } from '../../common/ActionDialog'
import { Loading } from '../../common/Loading'
import { Message } from '../../common/Message'
import { ProblemAlert } from '../../common/ProblemAlert'
import { Records } from '../../common/Records'
import { Instant } from '../../fields/Instant'
import { useMay } from '../../session/session'
import { useProviderNames } from '../../sso/providers'
import type { TabProps } from './tab'

/** The account's links to identity providers. */
export default function LinksTab({ account }: TabProps) {
  const may = useMay()
  const key = ['tab', account.id, 'links']
  const { choices, nameOf } = useProviderNames()
  const [making, setMaking] = useState(false)
  const [removing, setRemoving] = useState<string>()
  const links = useQuery({
    queryKey: key,
    queryFn: async () =>
      (await ask(api.GET('/api/accounts/{id}/links', { params: { path: { id: account.id } } }))).items,
  })
  const again = () => queries.invalidateQueries({ queryKey: ['tab', account.id] })
  const remove = useMutation({
    mutationFn: (providerId: string) =>
      ask(api.DELETE('/api/accounts/{id}/links/{providerId}', { params: { path: { id: account.id, providerId } } })),
    onSuccess: async () => {
      await again()
      setRemoving(undefined)
      notifications.show({ color: 'green', message: 'The link is removed.' })
    },
  })
  if (links.isPending) return <Loading what="Loading links" />
  if (links.error) return <ProblemAlert error={links.error} />
  const open = choices.filter((c) => !links.data.some((l) => l.providerId === c.id))
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Identities elsewhere that sign in as this account.
        </Text>
        {may('account.link') && open.length > 0 && (
          <Button variant="light" onClick={() => setMaking(true)}>
            Add link
          </Button>
        )}
      </Group>
      {links.data.length === 0 ? (
        <Message icon={IconPlugConnected} title="No links" order={3}>
          The person signs in with a password.
        </Message>
      ) : (
        <Records
          label="Links"
          rows={links.data}
          idOf={(l) => l.providerId}
          columns={[
            { label: 'Provider', cell: (l) => nameOf(l.providerId) },
            { label: 'Object id', cell: (l) => l.objectId },
            { label: 'Email', cell: (l) => l.email },
            { label: 'Linked', cell: (l) => <Instant at={l.at} /> },
            { label: 'By', cell: (l) => l.by },
            {
              label: 'Remove',
              quiet: true,
              cell: (l) =>
                may('account.link') && (
                  <Button
                    size="compact-sm"
                    variant="light"
                    color="red"
                    aria-label={`Remove link to ${nameOf(l.providerId)}`}
                    onClick={() => setRemoving(l.providerId)}
                  >
                    Remove link
                  </Button>
                ),
            },
          ]}
        />
      )}
      {making && <NewLink id={account.id} choices={open} close={() => setMaking(false)} made={again} />}
      {removing && (
        <ActionDialog
          title="Remove link"
          apply="Remove link"
          danger
          busy={remove.isPending}
          error={remove.error}
          close={() => setRemoving(undefined)}
          onApply={() => remove.mutate(removing)}
        >
          <Text size="sm">The next sign-in with {nameOf(removing)} is refused. Open sessions go on.</Text>
        </ActionDialog>
      )}
    </Stack>
  )
}

function NewLink({
  id,
  choices,
  close,
  made,
}: {
  id: string
  choices: { id: string; name: string }[]
  close: () => void
  made: () => Promise<void>
}) {
  const [provider, setProvider] = useState(choices[0]?.id ?? null)
  const [objectId, setObjectId] = useState('')
  const link = useMutation({
    mutationFn: () =>
      ask(
        api.PUT('/api/accounts/{id}/links/{providerId}', {
          params: { path: { id, providerId: provider ?? '' } },
          body: { objectId: objectId.trim() },
        }),
      ),
    onSuccess: async () => {
      await made()
      close()
    },
  })
  return (
    <ActionDialog
      title="Add link"
      apply="Add link"
      ready={Boolean(provider && objectId.trim())}
      busy={link.isPending}
      error={link.error}
      shown={['objectId']}
      close={close}
      onApply={() => link.mutate()}
    >
      <Select
        label="Provider"
        allowDeselect={false}
        data={choices.map((c) => ({ value: c.id, label: c.name }))}
        value={provider}
        onChange={setProvider}
      />
      <TextInput
        label="Object id"
        description="What the provider knows the person by: the object id in Azure, the subject with others."
        data-autofocus
        maxLength={255}
        value={objectId}
        onChange={(e) => setObjectId(e.currentTarget.value)}
        error={link.error ? asProblem(link.error).of('objectId') : undefined}
      />
    </ActionDialog>
  )
}
