import { Alert, Button, Group, List, SegmentedControl, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, ifMatch } from '../../api/client'
import type { Schemas } from '../../api/client'
import { toProblem } from '../../api/problem'
import { Dialog } from '../../common/Dialog'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { TransferList } from '../../common/TransferList'
import { fetchAccount, updateAccountCache } from '../account'
import type { Account } from '../account'
import {
  permissionDifference,
  groupDisabledReason,
  permissionsOf,
  rebaseSelection,
  roleDisabledReason,
} from './effectivePermissions'
import { useCatalogue } from './useCatalogue'

type ListName = 'roles' | 'groups' | 'dacGroups'
const listNames: ListName[] = ['roles', 'groups', 'dacGroups']
type Codes = Record<ListName, string[]>

const codesOf = (a: Account): Codes => ({ roles: a.roles ?? [], groups: a.groups ?? [], dacGroups: a.dacGroups ?? [] })
const isSame = (a: string[], b: string[]) => a.length === b.length && a.every((c) => b.includes(c))

interface Props {
  account: Account
  /** The labels of the lists. */
  labels: Record<ListName, string>
  licence: Schemas['AccountsLicence']
  onClose: () => void
}

/** Assigns roles and groups: a transfer list for each kind, the effect on permissions, one Save. */
export function SelectRolesDialog({ account, labels, licence, onClose }: Props) {
  const catalogue = useCatalogue()
  // The version that is edited. A later change by someone else must not be undone by it.
  const [base, setBase] = useState(account)
  const [selected, setSelected] = useState(codesOf(account))
  const [shown, setShown] = useState<ListName>('roles')
  const original = codesOf(base)
  const changed = listNames.filter((n) => !isSame(original[n], selected[n]))
  const save = useMutation({
    mutationFn: () =>
      unwrap(
        api.PATCH('/api/accounts/{id}', {
          params: { path: { id: account.id }, header: ifMatch(base.version) },
          body: Object.fromEntries(changed.map((n) => [n, selected[n]])),
        }),
      ),
    onSuccess: (now) => {
      updateAccountCache(account.id, now)
      notifications.show({ color: 'green', message: 'The permissions were saved.' })
      onClose()
    },
  })
  const rebase = useMutation({
    mutationFn: () => fetchAccount(account.id),
    onSuccess: (now) => {
      const theirs = codesOf(now)
      setSelected({
        roles: rebaseSelection(original.roles, selected.roles, theirs.roles),
        groups: rebaseSelection(original.groups, selected.groups, theirs.groups),
        dacGroups: rebaseSelection(original.dacGroups, selected.dacGroups, theirs.dacGroups),
      })
      setBase(now)
      updateAccountCache(account.id, now)
      save.reset()
    },
  })
  const stale = save.error !== null && toProblem(save.error).status === 412
  const loaded = catalogue.data
  const items = loaded && {
    roles: loaded.roles.map((r) => ({ ...r, disabledReason: roleDisabledReason(licence, r) })),
    groups: loaded.groups.map((g) => ({ ...g, disabledReason: groupDisabledReason(loaded, licence, g) })),
    dacGroups: loaded.dacGroups.map((g) => ({ ...g, disabledReason: g.active ? undefined : 'Locked' })),
  }
  return (
    <Dialog onClose={onClose} dirty={changed.length > 0} title="Select roles and groups" size="xl">
      {catalogue.isPending ? (
        <Loading label="Loading roles and groups" />
      ) : !items || !loaded ? (
        <ProblemAlert error={catalogue.error} />
      ) : (
        <form
          onSubmit={(e) => {
            e.preventDefault()
            e.stopPropagation()
            if (!save.isPending && changed.length > 0) save.mutate()
          }}
        >
          <Stack>
            <SegmentedControl
              aria-label="List to edit"
              fullWidth
              value={shown}
              onChange={(v) => setShown(v)}
              data={listNames
                .filter((n) => n !== 'dacGroups' || items.dacGroups.length > 0 || original.dacGroups.length > 0)
                .map((n) => ({
                  value: n,
                  label: selected[n].length > 0 ? `${labels[n]} (${selected[n].length})` : labels[n],
                }))}
            />
            <TransferList
              key={shown}
              label={labels[shown]}
              items={items[shown]}
              selected={selected[shown]}
              onChange={(codes) => setSelected({ ...selected, [shown]: codes })}
            />
            <PermissionChange
              permissionLabels={loaded.permissionLabels}
              {...permissionDifference(
                permissionsOf(loaded, original.roles, original.groups),
                permissionsOf(loaded, selected.roles, selected.groups),
              )}
              changed={changed.length > 0}
            />
            <ProblemAlert error={save.error} />
            {stale && (
              <Group>
                <Button variant="light" loading={rebase.isPending} onClick={() => rebase.mutate()}>
                  Apply my selection to the current version
                </Button>
              </Group>
            )}
            <ProblemAlert error={rebase.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={save.isPending} disabled={changed.length === 0 || stale}>
                Save
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Dialog>
  )
}

/** The permissions that the account would gain and lose. */
function PermissionChange({
  permissionLabels,
  gained,
  lost,
  changed,
}: {
  permissionLabels: Map<string, string>
  gained: string[]
  lost: string[]
  changed: boolean
}) {
  if (!changed) return null
  const list = (title: string, colour: string, permissions: string[]) =>
    permissions.length > 0 && (
      <div>
        <Text size="sm" fw={600} mb={4}>
          {title}
        </Text>
        <List size="sm" aria-label={title} c={colour}>
          {permissions.map((p) => (
            <List.Item key={p}>{permissionLabels.get(p) ?? p}</List.Item>
          ))}
        </List>
      </div>
    )
  return (
    <Alert color="gray" role="status" title="With this selection">
      {gained.length + lost.length === 0 ? (
        <Text size="sm">The account’s permissions stay the same.</Text>
      ) : (
        <Stack gap="sm">
          {list('Permissions gained', 'var(--mantine-color-green-text)', gained)}
          {list('Permissions lost', 'var(--mantine-color-red-text)', lost)}
        </Stack>
      )}
    </Alert>
  )
}
