import { Badge, Button, Group, Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import type { Schemas } from '../../api/client'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ScrollableTable } from '../../common/ScrollableTable'
import { useHasPermission } from '../../session/session'
import { SelectRolesDialog } from '../permissions/SelectRolesDialog'
import { CopyFromDialog } from './CopyFromDialog'
import type { TabProps } from './tab'

type Permissions = Schemas['AccountsPermissions']

/** Assigned roles and groups, and where each permission comes from. */
export default function PermissionsTab({ account, fields }: TabProps) {
  const [dialog, setDialog] = useState<'select' | 'copy'>()
  const hasPermission = useHasPermission()
  const permissions = useQuery({
    queryKey: ['tab', account.id, 'permissions', account.version],
    queryFn: () => unwrap(api.GET('/api/accounts/{id}/permissions', { params: { path: { id: account.id } } })),
    placeholderData: (before) => before,
  })
  if (permissions.isPending) return <Loading label="Loading permissions" />
  if (permissions.error) return <ProblemAlert error={permissions.error} />
  const p = permissions.data
  const label = (name: string) => fields.find((f) => f.name === name)?.label ?? name
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Text size="sm">
          Licence <b>{p.licence.code}</b>, {p.licence.description}:{' '}
          {p.licence.allRoles ? 'allows every role' : `allows ${p.licence.roles.join(', ') || 'no role'}`}.
        </Text>
        {hasPermission('account.update') && (
          <Group gap="xs">
            {hasPermission('access.read') && (
              <Button variant="light" onClick={() => setDialog('select')}>
                Select
              </Button>
            )}
            <Button variant="default" onClick={() => setDialog('copy')}>
              Copy from
            </Button>
          </Group>
        )}
      </Group>
      <AssignedCodes title={label('roles')} codes={p.roles} emptyText="No roles are assigned directly." />
      <AssignedCodes title={label('groups')} codes={p.groups} emptyText="No groups are assigned." />
      {(account.dacGroups?.length ?? 0) > 0 && (
        <AssignedCodes
          title={label('dacGroups')}
          codes={(account.dacGroups ?? []).map((code) => ({ code, description: '', active: true }))}
          emptyText=""
        />
      )}
      <PermissionOrigins p={p} />
      {dialog === 'select' && (
        <SelectRolesDialog
          account={account}
          labels={{ roles: label('roles'), groups: label('groups'), dacGroups: label('dacGroups') }}
          licence={p.licence}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'copy' && <CopyFromDialog account={account} onClose={() => setDialog(undefined)} />}
    </Stack>
  )
}

function AssignedCodes({ title, codes, emptyText }: { title: string; codes: Permissions['roles']; emptyText: string }) {
  return (
    <div>
      <Text fw={600} mb={6} component="h3" size="sm">
        {title}
      </Text>
      {codes.length === 0 ? (
        <Text size="sm" c="dimmed">
          {emptyText}
        </Text>
      ) : (
        <Group gap={6}>
          {codes.map((c) => (
            <Badge key={c.code} size="lg" variant="light" color={c.active ? 'indigo' : 'gray'} tt="none" radius="sm">
              {c.code}
              {c.description && ` – ${c.description}`}
              {!c.active && ' (locked)'}
            </Badge>
          ))}
        </Group>
      )}
    </div>
  )
}

/** How many permissions are shown before "Show all". */
const shownAtFirst = 6

function PermissionOrigins({ p }: { p: Permissions }) {
  const [showAll, setShowAll] = useState(false)
  const shown =
    showAll || p.permissions.length <= shownAtFirst + 1 ? p.permissions : p.permissions.slice(0, shownAtFirst)
  const origin = (code: string) => {
    const role = p.effectiveRoles.find((r) => r.code === code)
    if (!role) return code
    const origins = [
      ...(role.direct ? ['assigned directly'] : []),
      ...role.paths.map((path) => `through ${path.join(' › ')}`),
    ]
    return `${code}: ${origins.join('; ')}`
  }
  return (
    <div>
      <Text fw={600} mb={6} component="h3" size="sm">
        Effective permissions
      </Text>
      {p.permissions.length === 0 ? (
        <Text size="sm" c="dimmed">
          {' '}
          No permissions.{' '}
        </Text>
      ) : (
        <ScrollableTable label="Permissions and where they come from">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Permission</Table.Th>
                <Table.Th>From</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((right) => (
                <Table.Tr key={right.permission}>
                  <Table.Td>
                    {right.description}
                    <Text size="xs" c="dimmed">
                      {right.permission}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {right.roles.map((code) => (
                      <Text key={code} size="sm">
                        {origin(code)}
                      </Text>
                    ))}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {p.permissions.length > shownAtFirst + 1 && (
            <Button
              mt="xs"
              variant="subtle"
              size="compact-sm"
              aria-expanded={showAll}
              onClick={() => setShowAll(!showAll)}
            >
              {showAll ? 'Show fewer' : `Show all ${p.permissions.length}`}
            </Button>
          )}
        </ScrollableTable>
      )}
    </div>
  )
}
