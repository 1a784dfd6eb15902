import { Badge, Button, Group, Stack, Table, Text, TextInput, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconKey } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, idempotencyKey } from '../../api/client'
import { toProblem } from '../../api/problem'
import { queryClient } from '../../api/queryClient'
import { ActionDialog } from '../../common/ActionDialog'
import { Dialog } from '../../common/Dialog'
import { Loading } from '../../common/Loading'
import { OneTimeSecret } from '../../common/OneTimeSecret'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ScrollableTable } from '../../common/ScrollableTable'
import { StatusMessage } from '../../common/StatusMessage'
import { Instant } from '../../fields/Instant'
import { WholeNumberInput } from '../../fields/WholeNumberInput'
import { useHasPermission } from '../../session/session'
import type { TabProps } from './tab'

const states: Record<string, { label: string; colour: string }> = {
  active: { label: 'Active', colour: 'green' },
  expired: { label: 'Expired', colour: 'orange' },
  locked: { label: 'Locked', colour: 'red' },
}

export default function ApiKeysTab({ account }: TabProps) {
  const [creating, setCreating] = useState(false)
  const [locking, setLocking] = useState<{ id: string; description: string }>()
  const hasPermission = useHasPermission()
  const key = ['tab', account.id, 'keys']
  const invalidate = () => queryClient.invalidateQueries({ queryKey: key })
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/accounts/{id}/keys', {
          params: { path: { id: account.id }, query: { ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const lock = useMutation({
    mutationFn: (keyId: string) =>
      unwrap(api.POST('/api/accounts/{id}/keys/{keyId}/lock', { params: { path: { id: account.id, keyId } } })),
    onSuccess: async () => {
      await invalidate()
      setLocking(undefined)
      notifications.show({ color: 'green', message: 'The key was locked.' })
    },
  })
  if (list.isPending) return <Loading label="Loading API keys" />
  if (list.error) return <ProblemAlert error={list.error} />
  const keys = list.data.pages.flatMap((p) => p.items)
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Programs use these keys to work as this account, which needs an API licence. Replace keys every 90 days.
        </Text>
        {hasPermission('account.key') && (
          <Button variant="light" onClick={() => setCreating(true)}>
            New
          </Button>
        )}
      </Group>
      {keys.length === 0 ? (
        <StatusMessage icon={IconKey} title="No API keys" order={3}>
          No keys have been created for this account.
        </StatusMessage>
      ) : (
        <ScrollableTable label="API keys">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Description</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Created</Table.Th>
                <Table.Th>Expires</Table.Th>
                <Table.Th>Last used</Table.Th>
                <Table.Th>
                  <VisuallyHidden>Lock</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {keys.map((k) => (
                <Table.Tr key={k.id}>
                  <Table.Td>
                    {k.description}
                    <Text size="xs" c="dimmed">
                      {k.prefix}…
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Badge variant="light" tt="none" color={states[k.state]?.colour ?? 'gray'}>
                      {states[k.state]?.label ?? k.state}
                    </Badge>
                  </Table.Td>
                  <Table.Td>
                    <Instant at={k.createdAt} />
                    <Text size="xs" c="dimmed">
                      {k.createdBy}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Instant at={k.expires} />
                  </Table.Td>
                  <Table.Td>
                    <Instant at={k.lastUsed} />
                  </Table.Td>
                  <Table.Td>
                    {hasPermission('account.key') && k.state !== 'locked' && (
                      <Button
                        size="compact-sm"
                        variant="light"
                        color="red"
                        aria-label={`Lock ${k.description}`}
                        onClick={() => setLocking(k)}
                      >
                        Lock
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollableTable>
      )}
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Load more
        </Button>
      )}
      {creating && <NewKeyDialog id={account.id} onClose={() => setCreating(false)} onCreated={invalidate} />}
      {locking && (
        <ActionDialog
          title="Lock the key"
          confirmLabel="Lock"
          danger
          busy={lock.isPending}
          error={lock.error}
          onClose={() => setLocking(undefined)}
          onConfirm={() => lock.mutate(locking.id)}
        >
          <Text size="sm">“{locking.description}” stops working immediately and permanently.</Text>
        </ActionDialog>
      )}
    </Stack>
  )
}

function NewKeyDialog({ id, onClose, onCreated }: { id: string; onClose: () => void; onCreated: () => Promise<void> }) {
  const [description, setDescription] = useState('')
  const [days, setDays] = useState<number | ''>(90)
  const create = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/keys', {
          params: { path: { id }, header: idempotencyKey() },
          body: { description, validDays: Number(days) },
        }),
      ),
    onSuccess: onCreated,
    gcTime: 0,
  })
  const problem = create.error ? toProblem(create.error) : undefined
  if (create.data) {
    return (
      <Dialog onClose={onClose} title="New API key" closeOnClickOutside={false} closeOnEscape={false}>
        <Stack>
          <OneTimeSecret label={create.data.description} value={create.data.key} />
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Dialog>
    )
  }
  return (
    <ActionDialog
      title="New API key"
      confirmLabel="Create"
      canConfirm={description.trim() !== '' && days !== ''}
      busy={create.isPending}
      error={create.error}
      inlineFields={['description', 'validDays']}
      onClose={onClose}
      onConfirm={() => create.mutate()}
    >
      <TextInput
        label="Description"
        description="What the key is for."
        required
        data-autofocus
        maxLength={200}
        value={description}
        onChange={(e) => setDescription(e.currentTarget.value)}
        error={problem?.messageFor('description')}
      />
      <WholeNumberInput
        label="Valid for (days)"
        min={1}
        max={3650}
        value={days}
        onChange={setDays}
        error={problem?.messageFor('validDays')}
      />
    </ActionDialog>
  )
}
