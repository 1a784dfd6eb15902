import { Anchor, Button, Group, SegmentedControl, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconFileImport } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, unwrap } from '../api/client'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { StatusMessage } from '../common/StatusMessage'
import { Instant } from '../fields/Instant'
import { useHasPermission } from '../session/session'
import { CancelButton } from './CancelButton'
import { hasEnded, formatDuration, jobName, pollInterval } from './job'
import type { Job } from './job'
import { progressText } from './JobProgress'
import { JobStateBadge } from './JobStateBadge'
import classes from './Transfers.module.css'

/** Imports, exports and undos: the user's own, or all for those who may see them. */
export function JobsPage() {
  const hasPermission = useHasPermission()
  const [kind, setKind] = useState('all')
  const [state, setState] = useState('all')
  const list = useInfiniteQuery({
    queryKey: ['jobs'],
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/api/jobs', { params: { query: { limit: 50, ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    refetchInterval: (query) =>
      query.state.data?.pages.some((p) => p.items.some((j) => !hasEnded(j)))
        ? Math.max(3000, pollInterval(query.state.dataUpdateCount))
        : false,
  })
  const all = list.data?.pages.flatMap((p) => p.items) ?? []
  const rows = all.filter(
    (j) => (kind === 'all' || j.kind === kind) && (state === 'all' || hasEnded(j) === (state === 'ended')),
  )
  return (
    <Stack>
      <Group justify="space-between" align="start">
        <div>
          <Title order={1} size="h2">
            Jobs
          </Title>
          <Text c="dimmed">
            {hasPermission('account.admin')
              ? 'Everyone’s imports and exports, newest first.'
              : 'Your imports and exports, newest first.'}
          </Text>
        </div>
        <Group gap="xs">
          {hasPermission('account.import') && (
            <Button variant="default" component={Link} to="/import">
              Import
            </Button>
          )}
          {hasPermission('account.export') && (
            <Button variant="default" component={Link} to="/export">
              Export
            </Button>
          )}
        </Group>
      </Group>
      <Group gap="sm">
        <SegmentedControl
          aria-label="Which kind to show"
          value={kind}
          onChange={setKind}
          data={[
            { value: 'all', label: 'All' },
            { value: 'import', label: 'Imports' },
            { value: 'export', label: 'Exports' },
            { value: 'undo', label: 'Undos' },
          ]}
        />
        <SegmentedControl
          aria-label="Which state to show"
          value={state}
          onChange={setState}
          data={[
            { value: 'all', label: 'Any state' },
            { value: 'running', label: 'Not finished' },
            { value: 'ended', label: 'Finished' },
          ]}
        />
      </Group>
      <ProblemAlert error={list.error} />
      {list.isPending && !list.error && <Skeleton h={280} role="status" aria-label="Loading jobs" />}
      {list.data &&
        (rows.length === 0 ? (
          <StatusMessage icon={IconFileImport} title={all.length > 0 ? 'No matches' : 'No jobs yet'}>
            {all.length > 0
              ? list.hasNextPage
                ? `None of the newest ${all.length} jobs match. Load more to search older ones.`
                : 'Change the filters to see more.'
              : 'Imports and exports appear here as soon as they are submitted.'}
          </StatusMessage>
        ) : (
          <div className={classes.sheet}>
            <ResponsiveTable label="Jobs" rows={rows} rowKey={(j) => j.id} columns={columns} />
          </div>
        ))}
      {list.hasNextPage && (
        <Group>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </Button>
          {rows.length < all.length && (
            <Text size="sm" c="dimmed">
              {rows.length} of the newest {all.length} jobs match; older ones have not been searched yet.
            </Text>
          )}
        </Group>
      )}
    </Stack>
  )
}

const columns = [
  {
    label: 'Job',
    cell: (j: Job) => (
      <Anchor component={Link} to={`/jobs/${j.id}`} fw={600} inherit className={classes.name}>
        {jobName(j)}
      </Anchor>
    ),
  },
  { label: 'State', cell: (j: Job) => <JobStateBadge job={j} /> },
  { label: 'Progress', cell: (j: Job) => progressText(j) },
  { label: 'By', cell: (j: Job) => <span className={classes.name}>{j.by}</span> },
  { label: 'Started', cell: (j: Job) => <Instant at={j.created} /> },
  {
    label: 'Duration',
    cell: (j: Job) =>
      j.durationMs === undefined ? '–' : <span className={classes.name}>{formatDuration(j.durationMs)}</span>,
  },
  { label: 'Actions', labelHidden: true, cell: (j: Job) => <CancelButton job={j} size="compact-sm" /> },
]
