import { Badge, Button, Group, NumberInput, Stack, Table, Text, TextInput, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconKey } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, once } from '../../api/client'
import { asProblem } from '../../api/problem'
import { queries } from '../../api/queries'
import { ActionDialog } from '../../common/ActionDialog'
import { Dialog } from '../../common/Dialog'
import { Loading } from '../../common/Loading'
import { Message } from '../../common/Message'
import { ProblemAlert } from '../../common/ProblemAlert'
import { Secret } from '../../common/Secret'
import { TableScroll } from '../../common/TableScroll'
import { Instant } from '../../fields/Instant'
import { useMay } from '../../session/session'
import type { TabProps } from './tab'

const states: Record<string, string> = { active: 'green', expired: 'orange', locked: 'red' }

export default function KeysTab({ account }: TabProps) {
  const [making, setMaking] = useState(false)
  const [locking, setLocking] = useState<{ id: string; description: string }>()
  const may = useMay()
  const key = ['tab', account.id, 'keys']
  const again = () => queries.invalidateQueries({ queryKey: key })
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/accounts/{id}/keys', {
          params: { path: { id: account.id }, query: { ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const lock = useMutation({
    mutationFn: (keyId: string) =>
      ask(api.POST('/api/accounts/{id}/keys/{keyId}/lock', { params: { path: { id: account.id, keyId } } })),
    onSuccess: async () => {
      await again()
      setLocking(undefined)
      notifications.show({ color: 'green', message: 'The key is locked.' })
    },
  })
  if (list.isPending) return <Loading what="Loading API keys" />
  if (list.error) return <ProblemAlert error={list.error} />
  const keys = list.data.pages.flatMap((p) => p.items)
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Keys by which programs work as this account. It takes an API licence; best is a new one every 90 days.
        </Text>
        {may('account.key') && (
          <Button variant="light" onClick={() => setMaking(true)}>
            New
          </Button>
        )}
      </Group>
      {keys.length === 0 ? (
        <Message icon={IconKey} title="No API keys" order={3}>
          None was made for this account.
        </Message>
      ) : (
        <TableScroll label="API keys">
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
                    <Badge variant="light" tt="none" color={states[k.state]}>
                      {k.state}
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
                    {may('account.key') && k.state !== 'locked' && (
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
        </TableScroll>
      )}
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Load more
        </Button>
      )}
      {making && <NewKey id={account.id} close={() => setMaking(false)} made={again} />}
      {locking && (
        <ActionDialog
          title="Lock the key"
          apply="Lock"
          danger
          busy={lock.isPending}
          error={lock.error}
          close={() => setLocking(undefined)}
          onApply={() => lock.mutate(locking.id)}
        >
          <Text size="sm">“{locking.description}” stops working at once and for good.</Text>
        </ActionDialog>
      )}
    </Stack>
  )
}

function NewKey({ id, close, made }: { id: string; close: () => void; made: () => Promise<void> }) {
  const [description, setDescription] = useState('')
  const [days, setDays] = useState<number | string>(90)
  const make = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/accounts/{id}/keys', {
          params: { path: { id }, header: once() },
          body: { description, validDays: Number(days) },
        }),
      ),
    onSuccess: made,
    gcTime: 0,
  })
  const problem = make.error ? asProblem(make.error) : undefined
  if (make.data) {
    return (
      <Dialog onClose={close} title="New API key" closeOnClickOutside={false} closeOnEscape={false}>
        <Stack>
          <Secret label={make.data.description} value={make.data.key} />
          <Group justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      </Dialog>
    )
  }
  return (
    <ActionDialog
      title="New API key"
      apply="Create"
      ready={description.trim() !== '' && Number(days) >= 1}
      busy={make.isPending}
      error={make.error}
      shown={['description', 'validDays']}
      close={close}
      onApply={() => make.mutate()}
    >
      <TextInput
        label="Description"
        description="What the key is for."
        required
        data-autofocus
        maxLength={200}
        value={description}
        onChange={(e) => setDescription(e.currentTarget.value)}
        error={problem?.of('description')}
      />
      <NumberInput
        label="Valid for (days)"
        min={1}
        max={3650}
        allowDecimal={false}
        value={days}
        onChange={setDays}
        error={problem?.of('validDays')}
      />
    </ActionDialog>
  )
}
