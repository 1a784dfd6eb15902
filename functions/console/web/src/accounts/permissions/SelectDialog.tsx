import { Alert, Button, Group, List, SegmentedControl, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, ifMatch } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem } from '../../api/problem'
import { Dialog } from '../../common/Dialog'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { TwoLists } from '../../common/TwoLists'
import { readAccount, refreshed } from '../account'
import type { Account } from '../account'
import { difference, groupRefused, permissionsOf, rebased, roleRefused } from './rights'
import { useCatalogue } from './useCatalogue'

type Name = 'roles' | 'groups' | 'dacGroups'
const names: Name[] = ['roles', 'groups', 'dacGroups']
type Codes = Record<Name, string[]>

const codesOf = (a: Account): Codes => ({ roles: a.roles ?? [], groups: a.groups ?? [], dacGroups: a.dacGroups ?? [] })
const same = (a: string[], b: string[]) => a.length === b.length && a.every((c) => b.includes(c))

interface Props {
  account: Account
  /** What people call each list. */
  labels: Record<Name, string>
  licence: Schemas['AccountsLicence']
  close: () => void
}

/** Roles and groups to give: two lists for each, what it would change, and one save. */
export function SelectDialog({ account, labels, licence, close }: Props) {
  const catalogue = useCatalogue()
  // What the choice began with: a change made meanwhile by somebody else must not be undone by it.
  const [base, setBase] = useState(account)
  const [chosen, setChosen] = useState(codesOf(account))
  const [shown, setShown] = useState<Name>('roles')
  const old = codesOf(base)
  const changed = names.filter((n) => !same(old[n], chosen[n]))
  const save = useMutation({
    mutationFn: () =>
      ask(
        api.PATCH('/api/accounts/{id}', {
          params: { path: { id: account.id }, header: ifMatch(base.version) },
          body: Object.fromEntries(changed.map((n) => [n, chosen[n]])),
        }),
      ),
    onSuccess: (now) => {
      refreshed(account.id, now)
      notifications.show({ color: 'green', message: 'The permissions are saved.' })
      close()
    },
  })
  const renew = useMutation({
    mutationFn: () => readAccount(account.id),
    onSuccess: (now) => {
      const theirs = codesOf(now)
      setChosen({
        roles: rebased(old.roles, chosen.roles, theirs.roles),
        groups: rebased(old.groups, chosen.groups, theirs.groups),
        dacGroups: rebased(old.dacGroups, chosen.dacGroups, theirs.dacGroups),
      })
      setBase(now)
      refreshed(account.id, now)
      save.reset()
    },
  })
  const stale = save.error !== null && asProblem(save.error).status === 412
  const known = catalogue.data
  const items = known && {
    roles: known.roles.map((r) => ({ ...r, refused: roleRefused(licence, r) })),
    groups: known.groups.map((g) => ({ ...g, refused: groupRefused(known, licence, g) })),
    dacGroups: known.dacGroups.map((g) => ({ ...g, refused: g.active ? undefined : 'Locked' })),
  }
  return (
    <Dialog onClose={close} title="Select roles and groups" size="xl">
      {catalogue.isPending ? (
        <Loading what="Loading roles and groups" />
      ) : !items || !known ? (
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
              aria-label="What to choose"
              fullWidth
              value={shown}
              onChange={(v) => setShown(v)}
              data={names
                .filter((n) => n !== 'dacGroups' || items.dacGroups.length > 0 || old.dacGroups.length > 0)
                .map((n) => ({
                  value: n,
                  label: chosen[n].length > 0 ? `${labels[n]} (${chosen[n].length})` : labels[n],
                }))}
            />
            <TwoLists
              key={shown}
              label={labels[shown]}
              items={items[shown]}
              chosen={chosen[shown]}
              onChange={(codes) => setChosen({ ...chosen, [shown]: codes })}
            />
            <Change
              words={known.words}
              {...difference(
                permissionsOf(known, old.roles, old.groups),
                permissionsOf(known, chosen.roles, chosen.groups),
              )}
              any={changed.length > 0}
            />
            <ProblemAlert error={save.error} />
            {stale && (
              <Group>
                <Button variant="light" loading={renew.isPending} onClick={() => renew.mutate()}>
                  Put my choice upon what is there now
                </Button>
              </Group>
            )}
            <ProblemAlert error={renew.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
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

/** What the account could do afterwards that it cannot now, and the other way round. */
function Change({
  words,
  gained,
  lost,
  any,
}: {
  words: Map<string, string>
  gained: string[]
  lost: string[]
  any: boolean
}) {
  if (!any) return null
  const list = (title: string, colour: string, permissions: string[]) =>
    permissions.length > 0 && (
      <div>
        <Text size="sm" fw={600} mb={4}>
          {title}
        </Text>
        <List size="sm" aria-label={title} c={colour}>
          {permissions.map((p) => (
            <List.Item key={p}>{words.get(p) ?? p}</List.Item>
          ))}
        </List>
      </div>
    )
  return (
    <Alert color="gray" role="status" title="With this choice">
      {gained.length + lost.length === 0 ? (
        <Text size="sm">The account may do the same as now.</Text>
      ) : (
        <Stack gap="sm">
          {list('It gains', 'var(--mantine-color-green-text)', gained)}
          {list('It loses', 'var(--mantine-color-red-text)', lost)}
        </Stack>
      )}
    </Alert>
  )
}
