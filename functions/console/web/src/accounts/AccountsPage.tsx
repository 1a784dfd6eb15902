import {
  ActionIcon,
  Anchor,
  Button,
  Group,
  Kbd,
  Menu,
  Pill,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks'
import { IconDots, IconPlus, IconSearch, IconUsers } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { Link, useLocation } from 'react-router'
import { api, ask } from '../api/client'
import type { paths } from '../api/schema'
import { Message } from '../common/Message'
import { ProblemAlert } from '../common/ProblemAlert'
import { useStateFor } from '../common/useStateFor'
import { useAccountFields } from '../fields/fields'
import type { Field } from '../fields/fields'
import { ColumnChooser } from '../grid/ColumnChooser'
import { DataGrid } from '../grid/DataGrid'
import { FilterDrawer } from '../grid/FilterDrawer'
import { describeFilter } from '../grid/state'
import { usePages } from '../page'
import { useMay } from '../session/session'
import { pendingLocation } from '../shell/pendingNavigation'
import type { Account } from './account'
import { nameOf } from './account'
import { AccountCards } from './AccountCards'
import classes from './AccountsPage.module.css'
import { BulkBar } from './bulk/BulkBar'
import { exportAddress, exportPath } from './exporting'
import { Marks } from './Marks'
import { isQuick, QuickFilters } from './QuickFilters'
import { SetsMenu, useSets } from './SetsMenu'
import { useView } from './useView'

export function AccountsPage() {
  const fields = useAccountFields()
  const sets = useSets()
  if (!fields || sets.isPending)
    return (
      <Stack>
        <Title order={1}>User accounts</Title>
        <Skeleton h={44} />
        <Skeleton h={360} />
      </Stack>
    )
  return <List fields={fields} sets={sets.data ?? []} />
}

type ListQuery = NonNullable<paths['/api/accounts']['get']['parameters']['query']>

const none: ReadonlySet<string> = new Set()

function List({ fields, sets }: { fields: Field[]; sets: NonNullable<ReturnType<typeof useSets>['data']> }) {
  const { state, show, choose, chosen } = useView(fields, sets)
  const may = useMay()
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const filtersKey = JSON.stringify(state.filters)
  const [selected, setSelected] = useStateFor(filtersKey, none)
  const [everything, setEverything] = useStateFor(filtersKey, false)
  // Filters and sort have the names that the list's query has, as far as a Set or an address is right.
  const query: ListQuery = { ...state.filters, ...(state.sort && { sort: state.sort as ListQuery['sort'] }) }

  const list = useInfiniteQuery({
    queryKey: ['accounts', 'list', query],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/accounts', {
          params: { query: { limit: 50, ...query, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  const rows: Account[] = list.data?.pages.flatMap((page) => page.items) ?? []
  const select = (ids: Set<string>) => {
    setSelected(ids)
    setEverything(false)
  }
  const cell = useCallback((account: Account, field: Field) => {
    if (field.name === 'username') {
      return (
        <Anchor component={Link} to={`/accounts/${account.id}`} fw={600} inherit>
          {account.username}
        </Anchor>
      )
    }
    if (field.name === 'accessLocked') return <Marks account={account} always short />
    return undefined
  }, [])
  const filtered = Object.keys(state.filters).length > 0
  const pills = Object.entries(state.filters).filter(([name, text]) => !isQuick(name, text))
  const { fetchNextPage } = list
  const readOn = useCallback(() => void fetchNextPage(), [fetchNextPage])
  const entries = usePages().filter((p) => p.menu?.of === 'accounts' && (!p.needs || may(p.needs)))

  return (
    <Stack gap="md">
      <Group justify="space-between" align="center">
        <Title order={1} size="h2">
          User accounts
        </Title>
        <Group gap="xs">
          {may('account.create') && (
            <Button component={Link} to="/accounts/new" leftSection={<IconPlus size={18} />}>
              New
            </Button>
          )}
          {entries.length > 0 && (
            <Menu>
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label="More">
                  <IconDots size={20} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {entries.map((p) => (
                  <Menu.Item
                    key={p.path}
                    component={Link}
                    to={p.path === exportPath ? exportAddress({ filters: state.filters }) : `/${p.path}`}
                  >
                    {p.menu?.label}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      </Group>

      <div className={classes.tools}>
        <Find
          text={state.filters['find'] ?? ''}
          onFind={(text) => {
            const { find: _, ...rest } = state.filters
            show({ ...state, filters: text ? { ...rest, find: text } : rest })
          }}
        />
        <Group gap="xs">
          <FilterDrawer fields={fields} state={state} onChange={show} />
          <SetsMenu sets={sets} state={state} chosen={chosen} fields={fields} choose={choose} />
          {!narrow && <ColumnChooser fields={fields} state={state} onChange={show} />}
        </Group>
      </div>

      <Group justify="space-between" gap="xs">
        <QuickFilters state={state} onChange={show} />
        {list.data && rows.length > 0 && (
          <Counts shown={rows.length} more={Boolean(list.hasNextPage)} filters={state.filters} />
        )}
      </Group>

      {pills.length > 0 && (
        <Group gap={6} role="group" aria-label="Filters in force">
          {pills.map(([name, text]) => (
            <Pill
              key={name}
              withRemoveButton
              size="md"
              className={classes.pill}
              removeButtonProps={{ 'aria-label': `Take away the filter ${name}`, 'aria-hidden': false, tabIndex: 0 }}
              onRemove={() =>
                show({
                  ...state,
                  filters: Object.fromEntries(Object.entries(state.filters).filter(([n]) => n !== name)),
                })
              }
            >
              {name === 'find' ? `Found by “${text}”` : describeFilter(fields, name, text)}
            </Pill>
          ))}
          <Button variant="subtle" size="compact-sm" onClick={() => show({ ...state, filters: {} })}>
            Clear all
          </Button>
        </Group>
      )}

      {selected.size > 0 && (
        <BulkBar
          ids={[...selected]}
          filter={everything ? state.filters : undefined}
          couldBeMore={Boolean(list.hasNextPage)}
          allShown={rows.every((r) => selected.has(r.id))}
          everything={() => setEverything(true)}
          clear={() => select(new Set())}
        />
      )}

      <ProblemAlert error={list.error} />
      {list.isPending && !list.error && <Skeleton h={360} aria-label="Loading accounts" />}
      {list.data && rows.length === 0 && !list.hasNextPage ? (
        <Message icon={IconUsers} title={filtered ? 'No account fits' : 'No accounts yet'}>
          {filtered ? 'Take a filter away to see more.' : 'Press New to make the first one.'}
        </Message>
      ) : list.data && narrow ? (
        <AccountCards rows={rows} selected={selected} onSelect={select} />
      ) : list.data ? (
        <DataGrid
          label="User accounts"
          fields={fields}
          rows={rows}
          idOf={(a) => a.id}
          nameOf={nameOf}
          state={state}
          onChange={show}
          selected={selected}
          onSelect={select}
          cell={cell}
          more={list.hasNextPage && !list.isFetchingNextPage && !list.error ? readOn : undefined}
          rowClass={(a) => (a.active === false ? classes.locked : a.accessLocked ? classes.blocked : undefined)}
        />
      ) : null}
      {list.hasNextPage && (
        <Group>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={readOn}>
            Load more
          </Button>
        </Group>
      )}
    </Stack>
  )
}

function Find({ text, onFind }: { text: string; onFind: (text: string) => void }) {
  const [typed, setTyped] = useState(text)
  const [shown, setShown] = useState(text)
  if (shown !== text) {
    setShown(text)
    if (typed.trim() !== text) setTyped(text)
  }
  const { pathname } = useLocation()
  const find = useDebouncedCallback((next: string) => {
    // The search is in the address, so taking it up while another page loads would go back to this one.
    const going = pendingLocation()
    if (!going || going.pathname === pathname) onFind(next.trim())
  }, 300)
  return (
    <TextInput
      className={classes.find}
      type="search"
      aria-label="Find by username, name, email or mobile"
      placeholder="Username, name, email or mobile"
      leftSection={<IconSearch size={18} aria-hidden />}
      rightSection={
        typed ? undefined : (
          <Kbd aria-hidden className={classes.key}>
            /
          </Kbd>
        )
      }
      aria-keyshortcuts="/"
      data-search
      value={typed}
      maxLength={200}
      onChange={(e) => {
        setTyped(e.currentTarget.value)
        find(e.currentTarget.value)
      }}
    />
  )
}

/** How many are shown; how many there are in all is counted only when somebody asks, because that reads them all. */
function Counts({ shown, more, filters }: { shown: number; more: boolean; filters: Record<string, string> }) {
  const [wanted, setWanted] = useStateFor(JSON.stringify(filters), false)
  const count = useQuery({
    queryKey: ['accounts', 'count', filters],
    queryFn: () => ask(api.GET('/api/accounts/count', { params: { query: filters } })),
    enabled: wanted && more,
  })
  return (
    <Text size="sm" c="dimmed" component="div" role="status">
      {more ? `${shown} shown` : `${shown} in all`}
      {more && count.data && ` of ${count.data.count.toLocaleString()}`}
      {more && !count.data && (
        <Button variant="subtle" size="compact-sm" loading={count.isFetching} onClick={() => setWanted(true)}>
          Count all
        </Button>
      )}
    </Text>
  )
}
