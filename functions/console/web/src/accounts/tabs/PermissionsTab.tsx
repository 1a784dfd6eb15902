import { Badge, Button, Group, Modal, Stack, Table, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, ifMatch } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem } from '../../api/problem'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { TableScroll } from '../../common/TableScroll'
import { FieldInput } from '../../fields/FieldInput'
import type { Value } from '../../fields/fields'
import { useMay } from '../../session/session'
import { refreshed, valueOf } from '../account'
import type { TabProps } from '.'
import { CopyFromDialog } from './CopyFromDialog'

type Permissions = Schemas['AccountsPermissions']

/** Roles and groups that are given, and where each right comes from. */
export default function PermissionsTab({ account, fields }: TabProps) {
  const [dialog, setDialog] = useState<'select' | 'copy'>()
  const may = useMay()
  const found = useQuery({
    queryKey: ['tab', account.id, 'permissions', account.version],
    queryFn: () => ask(api.GET('/api/accounts/{id}/permissions', { params: { path: { id: account.id } } })),
    placeholderData: (before) => before,
  })
  if (found.isPending) return <Loading what="Loading permissions" />
  if (found.error) return <ProblemAlert error={found.error} />
  const p = found.data
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Text size="sm">Licence <b>{p.licence.code}</b>, {p.licence.description}: {p.licence.allRoles ? 'allows every role' : `allows ${p.licence.roles.join(', ') || 'no role'}`}.</Text>
        {may('account.update') && (
          <Group gap="xs">
            <Button variant="light" onClick={() => setDialog('select')}>Select</Button>
            <Button variant="default" onClick={() => setDialog('copy')}>Copy from</Button>
          </Group>
        )}
      </Group>
      <Given title="User roles" codes={p.roles} none="No role is given directly." />
      <Given title="User groups" codes={p.groups} none="No group is given." />
      {(account.dacGroups?.length ?? 0) > 0 && <Given title="DAC groups" codes={(account.dacGroups ?? []).map((code) => ({ code, description: '', active: true }))} none="" />}
      <Rights p={p} />
      {dialog === 'select' && <SelectDialog account={account} fields={fields} close={() => setDialog(undefined)} />}
      {dialog === 'copy' && <CopyFromDialog account={account} close={() => setDialog(undefined)} />}
    </Stack>
  )
}

function Given({ title, codes, none }: { title: string; codes: Permissions['roles']; none: string }) {
  return (
    <div>
      <Text fw={600} mb={6} component="h3" size="sm">{title}</Text>
      {codes.length === 0 ? <Text size="sm" c="dimmed">{none}</Text> : (
        <Group gap={6}>
          {codes.map((c) => <Badge key={c.code} size="lg" variant="light" color={c.active ? 'indigo' : 'gray'} tt="none" radius="sm">{c.code}{c.description && ` – ${c.description}`}{!c.active && ' (locked)'}</Badge>)}
        </Group>
      )}
    </div>
  )
}

function Rights({ p }: { p: Permissions }) {
  const origin = (code: string) => {
    const role = p.effectiveRoles.find((r) => r.code === code)
    if (!role) return code
    const ways = [...(role.direct ? ['given directly'] : []), ...role.paths.map((path) => `by ${path.join(' › ')}`)]
    return `${code}: ${ways.join('; ')}`
  }
  return (
    <div>
      <Text fw={600} mb={6} component="h3" size="sm">What the account may do, and why</Text>
      {p.permissions.length === 0 ? <Text size="sm" c="dimmed">Nothing.</Text> : (
        <TableScroll label="Permissions and where they come from">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Permission</Table.Th><Table.Th>From</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {p.permissions.map((right) => (
                <Table.Tr key={right.permission}>
                  <Table.Td>{right.description}<Text size="xs" c="dimmed">{right.permission}</Text></Table.Td>
                  <Table.Td>{right.roles.map((code) => <Text key={code} size="sm">{origin(code)}</Text>)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableScroll>
      )}
    </div>
  )
}

function SelectDialog({ account, fields, close }: TabProps & { close: () => void }) {
  const own = fields.filter((f) => f.section === 'permissions' && !f.readOnly)
  const [version] = useState(account.version)
  const [patch, setPatch] = useState<Record<string, Value>>({})
  const save = useMutation({
    mutationFn: () => ask(api.PATCH('/api/accounts/{id}', { params: { path: { id: account.id }, header: ifMatch(version) }, body: patch as Schemas['AccountPatch'] })),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      notifications.show({ color: 'green', message: 'The permissions are saved.' })
      close()
    },
  })
  return (
    <Modal opened onClose={close} title="Select roles and groups" size="lg">
      <form onSubmit={(e) => { e.preventDefault(); if (!save.isPending) save.mutate() }}>
        <Stack>
          {own.map((f) => (
            <FieldInput key={f.name} field={f} value={f.name in patch ? patch[f.name] : valueOf(account, f)} onChange={(v) => setPatch({ ...patch, [f.name]: v })} error={save.error ? asProblem(save.error).of(f.name) : undefined} />
          ))}
          <ProblemAlert error={save.error} shown={own.map((f) => f.name)} />
          <Group justify="flex-end"><Button variant="default" onClick={close}>Cancel</Button><Button type="submit" loading={save.isPending} disabled={Object.keys(patch).length === 0}>Save</Button></Group>
        </Stack>
      </form>
    </Modal>
  )
}

