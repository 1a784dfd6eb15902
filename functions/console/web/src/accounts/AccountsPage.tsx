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
import { useCallback, useEffect, useState } from 'react'
import { Link, useLocation } from 'react-router'
import { api, unwrap } from '../api/client'
import type { paths } from '../api/schema'
import { ProblemAlert } from '../common/ProblemAlert'
import { StatusMessage } from '../common/StatusMessage'
import { useKeyedState } from '../common/useKeyedState'
import { useAccountFields } from '../fields/fields'
import type { Field } from '../fields/fields'
import { ColumnChooser } from '../grid/ColumnChooser'
import { DataGrid } from '../grid/DataGrid'
import { FilterDrawer } from '../grid/FilterDrawer'
import { describeFilter, filterQuery } from '../grid/gridState'
import { usePages } from '../page'
import { useHasPermission } from '../session/session'
import { pendingLocation } from '../shell/pendingNavigation'
import { AccessBadges } from './AccessBadges'
import type { Account } from './account'
import { accountName } from './account'
import { AccountCards } from './AccountCards'
import classes from './AccountsPage.module.css'
import { BulkBar } from './bulk/BulkBar'
import { exportAddress, exportPath } from './exportAddress'
import { noteListAddress } from './lastList'
import { isQuickFilter, QuickFilters } from './QuickFilters'
import { SetsMenu, useSets } from './SetsMenu'
import { useAccountsView } from './useAccountsView'

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
  return <AccountList fields={fields} sets={sets.data ?? []} />
}

type ListQuery = NonNullable<paths['/api/accounts']['get']['parameters']['query']>

const accountId = (account: Account) => account.id
const noSelection: ReadonlySet<string> = new Set()

function AccountList({ fields, sets }: { fields: Field[]; sets: NonNullable<ReturnType<typeof useSets>['data']> }) {
  const { state, show: update, choose: selectSet, chosen: selectedSet } = useAccountsView(fields, sets)
  const hasPermission = useHasPermission()
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const filtersKey = JSON.stringify(state.filters)
  const [selected, setSelected] = useKeyedState(filtersKey, noSelection)
  const [allMatching, setAllMatching] = useKeyedState(filtersKey, false)
  // Filters and sort are named as the query parameters, unless a Set or an address is out of date.
  const query: ListQuery = {
    ...filterQuery(fields, state.filters),
    ...(state.sort && { sort: state.sort as ListQuery['sort'] }),
  }

  const list = useInfiniteQuery({
    queryKey: ['accounts', 'list', query],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/accounts', {
          params: { query: { limit: 100, ...query, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  // Rows in another order or of another filter are shown only while the right ones are on their way.
  const rows: Account[] = list.data?.pages.flatMap((page) => page.items) ?? []
  const select = (ids: Set<string>) => {
    setSelected(ids)
    setAllMatching(false)
  }
  const cell = useCallback((account: Account, field: Field) => {
    if (field.name === 'username') {
      return (
        <Anchor component={Link} to={`/accounts/${account.id}`} fw={600} inherit>
          {account.username}
        </Anchor>
      )
    }
    if (field.name === 'accessLocked') return <AccessBadges account={account} showAllowed compact />
    return undefined
  }, [])
  const filtered = Object.keys(state.filters).length > 0
  const { search: address } = useLocation()
  useEffect(() => noteListAddress(address), [address])
  const pills = Object.entries(state.filters).filter(([name, text]) => !isQuickFilter(name, text))
  const { fetchNextPage } = list
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage])
  const menuPages = usePages().filter(
    (p) => p.menu?.of === 'accounts' && (!p.permission || hasPermission(p.permission)),
  )

  return (
    <Stack gap="md">
      <Group justify="space-between" align="center">
        <Title order={1} size="h2">
          User accounts
        </Title>
        <Group gap="xs">
          {hasPermission('account.create') && (
            <Button component={Link} to="/accounts/new" leftSection={<IconPlus size={18} />}>
              New
            </Button>
          )}
          {menuPages.length > 0 && (
            <Menu>
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label="More">
                  <IconDots size={20} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {menuPages.map((p) => (
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
        <SearchInput
          value={state.filters['find'] ?? ''}
          onSearch={(text) => {
            const { find: _, ...rest } = state.filters
            update({ ...state, filters: text ? { ...rest, find: text } : rest })
          }}
        />
        <Group gap="xs">
          <FilterDrawer fields={fields} state={state} onChange={update} />
          <SetsMenu sets={sets} state={state} selected={selectedSet} fields={fields} onSelect={selectSet} />
          {!narrow && <ColumnChooser fields={fields} state={state} onChange={update} />}
        </Group>
      </div>

      {/* The actions take the place of the quick filters, so that the first tick moves no row. */}
      <Group justify="space-between" gap="xs" className={classes.strip}>
        {selected.size > 0 ? (
          <BulkBar
            ids={[...selected]}
            filter={allMatching ? state.filters : undefined}
            hasMore={Boolean(list.hasNextPage)}
            allShown={rows.every((r) => selected.has(r.id))}
            onSelectAllMatching={() => setAllMatching(true)}
            onClear={() => select(new Set())}
          />
        ) : (
          <QuickFilters state={state} onChange={update} />
        )}
        {list.data && rows.length > 0 && (
          <ResultCount shown={rows.length} hasMore={Boolean(list.hasNextPage)} filters={state.filters} />
        )}
      </Group>

      {pills.length > 0 && (
        <Group gap={6} role="group" aria-label="Active filters">
          {pills.map(([name, text]) => (
            <Pill
              key={name}
              withRemoveButton
              size="md"
              className={classes.pill}
              removeButtonProps={{
                'aria-label': `Remove the filter ${describeFilter(fields, name, text)}`,
                'aria-hidden': false,
                tabIndex: 0,
              }}
              onRemove={() =>
                update({
                  ...state,
                  filters: Object.fromEntries(Object.entries(state.filters).filter(([n]) => n !== name)),
                })
              }
            >
              {name === 'find' ? `Search: “${text}”` : describeFilter(fields, name, text)}
            </Pill>
          ))}
          <Button variant="subtle" size="compact-sm" onClick={() => update({ ...state, filters: {} })}>
            Clear all
          </Button>
        </Group>
      )}

      <ProblemAlert error={list.error} />
      {list.isPending && !list.error && <Skeleton h={360} role="status" aria-label="Loading accounts" />}
      {list.data && rows.length === 0 && !list.hasNextPage ? (
        <StatusMessage icon={IconUsers} title={filtered ? 'No matching accounts' : 'No accounts yet'}>
          {filtered ? 'Remove a filter to see more.' : 'Select New to create the first one.'}
        </StatusMessage>
      ) : list.data && narrow ? (
        <AccountCards rows={rows} selected={selected} onSelect={select} />
      ) : list.data ? (
        <DataGrid
          label="User accounts"
          fields={fields}
          rows={rows}
          rowId={accountId}
          rowLabel={accountName}
          identity="username"
          placeKey={`accounts${address}`}
          state={state}
          onChange={update}
          selected={selected}
          onSelect={select}
          cell={cell}
          onEndReached={list.hasNextPage && !list.isFetchingNextPage && !list.error ? loadMore : undefined}
          rowClass={(a) => (a.active === false ? classes.locked : a.accessLocked ? classes.blocked : undefined)}
        />
      ) : null}
      {list.hasNextPage && (
        <Group>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={loadMore}>
            Load more
          </Button>
        </Group>
      )}
    </Stack>
  )
}

function SearchInput({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const [typed, setTyped] = useState(value)
  const [lastValue, setLastValue] = useState(value)
  if (lastValue !== value) {
    setLastValue(value)
    if (typed.trim() !== value) setTyped(value)
  }
  const { pathname } = useLocation()
  const search = useDebouncedCallback((next: string) => {
    // The search is in the address, so taking it up while another page loads would come back to this one.
    const pending = pendingLocation()
    if (!pending || pending.pathname === pathname) onSearch(next.trim())
  }, 300)
  return (
    <TextInput
      className={classes.find}
      type="search"
      aria-label="Search by username, name, email or mobile"
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
        search(e.currentTarget.value)
      }}
    />
  )
}

/** How many accounts are shown. The total is counted on demand, because that reads them all. */
function ResultCount({
  shown,
  hasMore,
  filters,
}: {
  shown: number
  hasMore: boolean
  filters: Record<string, string>
}) {
  const [counting, setCounting] = useKeyedState(JSON.stringify(filters), false)
  const count = useQuery({
    queryKey: ['accounts', 'count', filters],
    queryFn: () => unwrap(api.GET('/api/accounts/count', { params: { query: filters } })),
    enabled: counting && hasMore,
  })
  return (
    <Text size="sm" c="dimmed" component="div" role="status">
      {hasMore ? `${shown} shown` : `${shown.toLocaleString()} ${shown === 1 ? 'account' : 'accounts'}`}
      {hasMore && count.data && ` of ${count.data.count.toLocaleString()}`}
      {hasMore && !count.data && (
        <Button variant="subtle" size="compact-sm" loading={count.isFetching} onClick={() => setCounting(true)}>
          Count all
        </Button>
      )}
    </Text>
  )
}
