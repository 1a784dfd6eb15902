import { Badge, Button, Group, SegmentedControl, Select, Skeleton, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconListCheck } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../api/client'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { StatusMessage } from '../common/StatusMessage'
import type { Job, Row } from './job'
import classes from './Transfers.module.css'

const outcomeLabels: Record<string, [label: string, colour: string]> = {
  created: ['Created', 'green'],
  updated: ['Updated', 'blue'],
  unchanged: ['Unchanged', 'gray'],
  skipped: ['Skipped', 'orange'],
  failed: ['Error', 'red'],
  undone: ['Undone', 'green'],
  editedSince: ['Edited since, not undone', 'orange'],
  inUse: ['In use, not undone', 'orange'],
}
const plannedLabels: Record<string, string> = { created: 'Would be created', updated: 'Would be updated' }

/** The outcome of each row, in the order of the sheet. */
export function JobRows({ job }: { job: Job }) {
  const firstOutcome = job.counts.failed > 0 ? 'failed' : job.counts.skipped > 0 ? 'skipped' : ''
  const [outcome, setOutcome] = useState(firstOutcome)
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const list = useInfiniteQuery({
    queryKey: ['job', job.id, 'rows', outcome],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/jobs/{id}/rows', {
          params: {
            path: { id: job.id },
            query: {
              limit: 100,
              ...(outcome && { outcome: outcome as 'failed' }),
              ...(pageParam && { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    staleTime: Infinity,
  })
  const rows = list.data?.pages.flatMap((p) => p.items) ?? []
  const notApplied = job.dryRun || job.state !== 'done'
  const counts = job.counts
  const choices =
    job.kind === 'undo'
      ? [
          { value: '', label: 'All' },
          { value: 'undone', label: 'Undone' },
          { value: 'editedSince', label: 'Edited since' },
          { value: 'inUse', label: 'In use' },
        ]
      : [
          { value: '', label: 'All' },
          ...(
            [
              ['failed', 'Only errors'],
              ['skipped', 'Skipped'],
              ['created', 'Created'],
              ['updated', 'Updated'],
              ['unchanged', 'Unchanged'],
            ] as const
          )
            .filter(([name]) => counts[name] > 0)
            .map(([value, label]) => ({ value, label: `${label} (${counts[value].toLocaleString('en-GB')})` })),
        ]
  const columns = [
    { label: 'Row', cell: (r: Row) => r.row },
    { label: 'Username', cell: (r: Row) => r.username || <span className={classes.blank}>blank</span> },
    {
      label: 'Result',
      cell: (r: Row) => (
        <Badge color={outcomeLabels[r.outcome]?.[1] ?? 'gray'} variant="light" tt="none" miw="max-content">
          {(notApplied && plannedLabels[r.outcome]) || outcomeLabels[r.outcome]?.[0] || r.outcome}
        </Badge>
      ),
    },
    { label: notApplied && !job.dryRun ? 'Errors' : 'Errors and changes', cell: (r: Row) => <RowDetails row={r} /> },
  ]
  return (
    <Panel
      title="Rows"
      help="In the order of the sheet; the first row below the headings is 2."
      actions={
        narrow ? (
          <Select
            aria-label="Which rows to show"
            allowDeselect={false}
            value={outcome}
            onChange={(next) => setOutcome(next ?? '')}
            data={choices}
          />
        ) : (
          <SegmentedControl aria-label="Which rows to show" value={outcome} onChange={setOutcome} data={choices} />
        )
      }
    >
      <ProblemAlert error={list.error} />
      {list.isPending && !list.error && <Skeleton h={160} role="status" aria-label="Loading the rows" />}
      {list.data &&
        (rows.length === 0 ? (
          <StatusMessage icon={IconListCheck} title="No matches" order={3}>
            Show all rows instead.
          </StatusMessage>
        ) : (
          <ResponsiveTable label="Rows" rows={rows} rowKey={(r) => String(r.row)} columns={columns} />
        ))}
      {list.hasNextPage && (
        <Group mt="sm">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </Button>
        </Group>
      )}
    </Panel>
  )
}

/** The errors of a row by cell, and its changes. */
function RowDetails({ row }: { row: Row }) {
  const errors = row.errors ?? []
  const changes = row.changes ?? []
  if (errors.length + changes.length === 0)
    return (
      <Text span inherit c="dimmed">
        –
      </Text>
    )
  return (
    <ul className={classes.list}>
      {errors.map((e, i) => (
        <li key={`e${i}`}>
          {e.cell && (
            <>
              <span className={classes.cell}>{e.cell}</span>{' '}
            </>
          )}
          {e.field && `${e.field}: `}
          {e.cell && e.message.startsWith(`${e.cell} `) ? e.message.slice(e.cell.length + 1) : e.message}
          {e.value && !e.message.includes(e.value) && (
            <Text span inherit c="dimmed">
              {' '}
              The cell contains “{e.value}”.
            </Text>
          )}
        </li>
      ))}
      {changes.map((ch) => (
        <li key={ch.field} className={classes.change}>
          <span>{ch.field}:</span>
          <span className={ch.from ? classes.from : classes.blank}>{ch.from || 'blank'}</span>
          <span role="img" aria-label="changed to">
            →
          </span>
          <span className={ch.to ? classes.to : classes.blank}>{ch.to || 'blank'}</span>
        </li>
      ))}
    </ul>
  )
}
