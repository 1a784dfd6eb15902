import { Button, Group, Select, Stack, Switch, Table, Text, TextInput, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconUsersGroup } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, ifMatch, once } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem } from '../../api/problem'
import { queries } from '../../api/queries'
import { ActionDialog } from '../../common/ActionDialog'
import { Loading } from '../../common/Loading'
import { Message } from '../../common/Message'
import { ProblemAlert } from '../../common/ProblemAlert'
import { TableScroll } from '../../common/TableScroll'
import { useCodes } from '../../fields/fields'
import { useMay } from '../../session/session'
import type { TabProps } from './tab'

type Delegation = Schemas['AccountsDelegation']
const kinds = { resource: 'Resource', resourceGroup: 'Resource group' }

/** Whose timesheets the account manages, or may only view. */
export default function DelegationTab({ account }: TabProps) {
  const [adding, setAdding] = useState(false)
  const may = useMay()
  const key = ['tab', account.id, 'delegations']
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/accounts/{id}/delegations', {
          params: { path: { id: account.id }, query: { ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const again = () => queries.invalidateQueries({ queryKey: key })
  const fail = (error: unknown) => {
    notifications.show({ color: 'red', title: asProblem(error).title, message: asProblem(error).message })
    void again()
  }
  const path = (d: Delegation) => ({ path: { id: account.id, delegationId: d.id }, header: ifMatch(d.version) })
  const change = useMutation({
    mutationFn: (d: Delegation) =>
      ask(
        api.PATCH('/api/accounts/{id}/delegations/{delegationId}', { params: path(d), body: { manager: !d.manager } }),
      ),
    onSuccess: again,
    onError: fail,
  })
  const remove = useMutation({
    mutationFn: (d: Delegation) =>
      ask(api.DELETE('/api/accounts/{id}/delegations/{delegationId}', { params: path(d) })),
    onSuccess: again,
    onError: fail,
  })
  if (list.isPending) return <Loading what="Loading delegations" />
  if (list.error) return <ProblemAlert error={list.error} />
  const items = list.data.pages.flatMap((p) => p.items)
  const mayChange = may('account.update')
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Whose timesheets this account manages or views.
        </Text>
        {mayChange && (
          <Button variant="light" onClick={() => setAdding(true)}>
            Add
          </Button>
        )}
      </Group>
      {items.length === 0 ? (
        <Message icon={IconUsersGroup} title="No delegation" order={3}>
          The account manages nobody’s timesheets.
        </Message>
      ) : (
        <TableScroll label="Delegations">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Kind</Table.Th>
                <Table.Th>Whose</Table.Th>
                <Table.Th>Manager</Table.Th>
                <Table.Th>
                  <VisuallyHidden>Remove</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((d) => (
                <Table.Tr key={d.id}>
                  <Table.Td>{kinds[d.target.kind]}</Table.Td>
                  <Table.Td>
                    {d.target.code}
                    {d.target.description && ` – ${d.target.description}`}
                  </Table.Td>
                  <Table.Td>
                    <Switch
                      aria-label={`Manager of ${d.target.code}`}
                      label={d.manager ? 'Manages' : 'Views only'}
                      checked={d.manager}
                      disabled={!mayChange || change.isPending}
                      onChange={() => change.mutate(d)}
                    />
                  </Table.Td>
                  <Table.Td>
                    {mayChange && (
                      <Button
                        size="compact-sm"
                        variant="light"
                        color="red"
                        aria-label={`Remove ${d.target.code}`}
                        onClick={() => remove.mutate(d)}
                      >
                        Remove
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
      {adding && <AddDialog id={account.id} close={() => setAdding(false)} added={again} />}
    </Stack>
  )
}

function AddDialog({ id, close, added }: { id: string; close: () => void; added: () => Promise<void> }) {
  const [kind, setKind] = useState<'resource' | 'resourceGroup'>('resourceGroup')
  const [code, setCode] = useState('')
  const [manager, setManager] = useState(true)
  const groups = useCodes('resourceGroup')
  const add = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/accounts/{id}/delegations', {
          params: { path: { id }, header: once() },
          body: { target: { kind, code }, manager },
        }),
      ),
    onSuccess: async () => {
      await added()
      close()
    },
  })
  const wrong = add.error ? asProblem(add.error).of('target.code') : undefined
  return (
    <ActionDialog
      title="Add a delegation"
      apply="Add"
      ready={code.trim() !== ''}
      busy={add.isPending}
      error={add.error}
      shown={['target.code']}
      close={close}
      onApply={() => add.mutate()}
    >
      <Select
        label="Kind"
        allowDeselect={false}
        data={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
        value={kind}
        onChange={(v) => {
          setKind(v as typeof kind)
          setCode('')
        }}
      />
      {kind === 'resourceGroup' && groups ? (
        <Select
          label="Resource group"
          searchable
          data={groups.filter((g) => g.active).map((g) => ({ value: g.code, label: `${g.code} – ${g.description}` }))}
          value={code || null}
          onChange={(v) => setCode(v ?? '')}
          error={wrong}
        />
      ) : (
        <TextInput
          label={kind === 'resource' ? 'Code of the resource' : 'Code of the resource group'}
          maxLength={50}
          value={code}
          onChange={(e) => setCode(e.currentTarget.value)}
          error={wrong}
        />
      )}
      <Switch
        label={manager ? 'Manages' : 'Views only'}
        checked={manager}
        onChange={(e) => setManager(e.currentTarget.checked)}
      />
    </ActionDialog>
  )
}
