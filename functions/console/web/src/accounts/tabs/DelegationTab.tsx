import { Button, Group, Select, Stack, Switch, Table, Text, TextInput, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconUsersGroup } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, ifMatch, idempotencyKey } from '../../api/client'
import type { Schemas } from '../../api/client'
import { toProblem } from '../../api/problem'
import { queryClient } from '../../api/queryClient'
import { ActionDialog } from '../../common/ActionDialog'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ScrollableTable } from '../../common/ScrollableTable'
import { StatusMessage } from '../../common/StatusMessage'
import { useCodeOptions } from '../../fields/fields'
import { useHasPermission } from '../../session/session'
import type { TabProps } from './tab'

type Delegation = Schemas['AccountsDelegation']
const kinds = { resource: 'Resource', resourceGroup: 'Resource group' }

/** The resources and groups whose timesheets the account manages or views. */
export default function DelegationTab({ account }: TabProps) {
  const [adding, setAdding] = useState(false)
  const hasPermission = useHasPermission()
  const key = ['tab', account.id, 'delegations']
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/accounts/{id}/delegations', {
          params: { path: { id: account.id }, query: { ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const invalidate = () => queryClient.invalidateQueries({ queryKey: key })
  const showError = (error: unknown) => {
    notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message })
    void invalidate()
  }
  const path = (d: Delegation) => ({ path: { id: account.id, delegationId: d.id }, header: ifMatch(d.version) })
  const change = useMutation({
    mutationFn: (d: Delegation) =>
      unwrap(
        api.PATCH('/api/accounts/{id}/delegations/{delegationId}', { params: path(d), body: { manager: !d.manager } }),
      ),
    onSuccess: invalidate,
    onError: showError,
  })
  const remove = useMutation({
    mutationFn: (d: Delegation) =>
      unwrap(api.DELETE('/api/accounts/{id}/delegations/{delegationId}', { params: path(d) })),
    onSuccess: invalidate,
    onError: showError,
  })
  if (list.isPending) return <Loading label="Loading delegations" />
  if (list.error) return <ProblemAlert error={list.error} />
  const items = list.data.pages.flatMap((p) => p.items)
  const canUpdate = hasPermission('account.update')
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Whose timesheets this account manages or views.
        </Text>
        {canUpdate && (
          <Button variant="light" onClick={() => setAdding(true)}>
            Add
          </Button>
        )}
      </Group>
      {items.length === 0 ? (
        <StatusMessage icon={IconUsersGroup} title="No delegations" order={3}>
          This account does not manage or view anyone’s timesheets.
        </StatusMessage>
      ) : (
        <ScrollableTable label="Delegations">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Kind</Table.Th>
                <Table.Th>Resource or group</Table.Th>
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
                      disabled={!canUpdate || change.isPending}
                      onChange={() => change.mutate(d)}
                    />
                  </Table.Td>
                  <Table.Td>
                    {canUpdate && (
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
        </ScrollableTable>
      )}
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Load more
        </Button>
      )}
      {adding && <AddDialog id={account.id} onClose={() => setAdding(false)} onAdded={invalidate} />}
    </Stack>
  )
}

function AddDialog({ id, onClose, onAdded }: { id: string; onClose: () => void; onAdded: () => Promise<void> }) {
  const [kind, setKind] = useState<'resource' | 'resourceGroup'>('resourceGroup')
  const [code, setCode] = useState('')
  const [manager, setManager] = useState(true)
  const groups = useCodeOptions('resourceGroup')
  const add = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/delegations', {
          params: { path: { id }, header: idempotencyKey() },
          body: { target: { kind, code }, manager },
        }),
      ),
    onSuccess: async () => {
      await onAdded()
      onClose()
    },
  })
  const codeError = add.error ? toProblem(add.error).messageFor('target.code') : undefined
  return (
    <ActionDialog
      title="Add a delegation"
      confirmLabel="Add"
      canConfirm={code.trim() !== ''}
      busy={add.isPending}
      error={add.error}
      inlineFields={['target.code']}
      onClose={onClose}
      onConfirm={() => add.mutate()}
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
          error={codeError}
        />
      ) : (
        <TextInput
          label={kind === 'resource' ? 'Code of the resource' : 'Code of the resource group'}
          maxLength={50}
          value={code}
          onChange={(e) => setCode(e.currentTarget.value)}
          error={codeError}
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
