import { Button, Group, Select, Stack, Text, Textarea, TextInput, Timeline } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconArrowRight, IconDownload, IconHistory, IconNote, IconPoint } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, idempotencyKey } from '../../api/client'
import type { Schemas } from '../../api/client'
import { toProblem, problemFrom } from '../../api/problem'
import { queryClient } from '../../api/queryClient'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { StatusMessage } from '../../common/StatusMessage'
import { useUnsavedChanges } from '../../common/unsavedChanges'
import { useInfiniteScroll } from '../../common/useInfiniteScroll'
import { isBlank, formatValue } from '../../fields/formatValue'
import { RelativeTime } from '../../fields/RelativeTime'
import { useHasPermission } from '../../session/session'
import classes from './LogTab.module.css'
import type { TabProps } from './tab'

type LogEvent = Schemas['AccountsLogEntry']

/** The audit log of the account, newest first, with notes. */
export default function LogTab({ account }: TabProps) {
  const [typed, setTyped] = useState({ kind: '', by: '', from: '', to: '' })
  const [filters] = useDebouncedValue(typed, 300)
  const hasPermission = useHasPermission()
  const query: Record<string, string> = Object.fromEntries(
    Object.entries(filters).flatMap(([name, text]) => (text.trim() === '' ? [] : [[name, text.trim()]])),
  )
  const filtered = Object.keys(query).length > 0
  const kinds = useQuery({
    queryKey: ['log', 'kinds'],
    queryFn: async () => (await unwrap(api.GET('/api/accounts/log/kinds'))).items,
    staleTime: Infinity,
  })
  const log = useInfiniteQuery({
    queryKey: ['tab', account.id, 'log', query],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/accounts/{id}/log', {
          params: { path: { id: account.id }, query: { limit: 50, ...query, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  const events = log.data?.pages.flatMap((p) => p.items) ?? []
  const endOfList = useInfiniteScroll<HTMLDivElement>(
    () => void log.fetchNextPage(),
    log.hasNextPage && !log.isFetchingNextPage && !log.error,
  )
  const setFilter = (name: keyof typeof typed) => (value: string) => setTyped((f) => ({ ...f, [name]: value }))
  const kindOptions = (kinds.data ?? [])
    .map((k) => ({ value: k.kind, label: k.text }))
    .sort((a, b) => a.label.localeCompare(b.label))
  return (
    <Stack>
      {hasPermission('account.note') && <NoteForm id={account.id} />}
      <div className={classes.filters} role="group" aria-label="Filter the log">
        <Select
          label="Kind"
          clearable
          searchable
          placeholder="All"
          data={kindOptions}
          value={typed.kind || null}
          onChange={(v) => setFilter('kind')(v ?? '')}
        />
        <TextInput
          label="Done by"
          placeholder="Username"
          maxLength={50}
          value={typed.by}
          onChange={(e) => setFilter('by')(e.currentTarget.value)}
        />
        <TextInput
          label="From"
          type="date"
          value={typed.from}
          onChange={(e) => setFilter('from')(e.currentTarget.value)}
        />
        <TextInput
          label="Up to"
          type="date"
          value={typed.to}
          onChange={(e) => setFilter('to')(e.currentTarget.value)}
        />
      </div>
      <Group justify="space-between">
        {filtered ? (
          <Button variant="subtle" size="compact-sm" onClick={() => setTyped({ kind: '', by: '', from: '', to: '' })}>
            Clear filters
          </Button>
        ) : (
          <span />
        )}
        <ExportButton id={account.id} query={query} />
      </Group>
      <ProblemAlert error={log.error} />
      {log.isPending && !log.error && <Loading label="Loading the log" />}
      {log.data && events.length === 0 && !log.hasNextPage && (
        <StatusMessage icon={IconHistory} order={3} title="No matching log entries">
          {filtered && 'Remove a filter to see more.'}
        </StatusMessage>
      )}
      {events.length > 0 && (
        <Timeline bulletSize={24} lineWidth={2} active={-1} aria-label="Log, newest first">
          {events.map((line) => (
            <EventItem key={line.id} line={line} />
          ))}
        </Timeline>
      )}
      {log.hasNextPage && (
        <div ref={endOfList}>
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Load more
          </Button>
        </div>
      )}
    </Stack>
  )
}

function EventItem({ line: event }: { line: LogEvent }) {
  const where = [event.address, event.client, event.row ? `import, row ${event.row}` : ''].filter(Boolean)
  return (
    <Timeline.Item
      bullet={event.kind === 'note' ? <IconNote size={15} aria-hidden /> : <IconPoint size={15} aria-hidden />}
      title={
        <Text span size="sm" fw={600}>
          {event.text}
          {event.subject && ` (${event.subject})`}
        </Text>
      }
    >
      <Text size="xs" c="dimmed" component="div" className={classes.meta}>
        <RelativeTime at={event.at} /> · {event.by || 'the system'}
        {where.map((w) => ` · ${w}`)}
      </Text>
      {event.note && <p className={classes.note}>{event.note}</p>}
      {event.changes && (
        <dl className={classes.changes}>
          {event.changes.map((c, i) => [
            <dt key={`${i} field`}>{c.label}</dt>,
            <dd key={i}>
              <ChangeValue value={c.from} old />
              <IconArrowRight size={14} aria-label="changed to" />
              <ChangeValue value={c.to} />
            </dd>,
          ])}
        </dl>
      )}
    </Timeline.Item>
  )
}

/** The old or new value of a change. */
function ChangeValue({ value, old }: { value: unknown; old?: boolean }) {
  return <span className={isBlank(value) ? classes.blank : old ? classes.old : undefined}>{formatValue(value)}</span>
}

/** Downloads the filtered log as a file. */
function ExportButton({ id, query }: { id: string; query: Record<string, string> }) {
  const save = useMutation({
    mutationFn: async () => {
      // The body is a file, not JSON, so unwrap cannot be used.
      const { data, error, response } = await api.GET('/api/accounts/{id}/log/export', {
        params: { path: { id }, query },
        parseAs: 'blob',
      })
      if (!response.ok) throw problemFrom(response, error)
      const link = document.createElement('a')
      link.href = URL.createObjectURL(data as unknown as Blob)
      link.download = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'log.csv'
      link.click()
      URL.revokeObjectURL(link.href)
      return {
        lines: Number(response.headers.get('X-Log-Lines')),
        complete: response.headers.get('X-Log-Complete') !== 'false',
      }
    },
    onSuccess: ({ lines, complete }) =>
      notifications.show(
        complete
          ? { color: 'green', message: `${lines} ${lines === 1 ? 'entry was' : 'entries were'} exported.` }
          : {
              color: 'orange',
              autoClose: false,
              title: `The newest ${lines} entries were exported`,
              message: 'There are older entries. To export them, choose an earlier date under Up to.',
            },
      ),
    onError: (error) =>
      notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message }),
  })
  return (
    <Button
      variant="default"
      size="sm"
      leftSection={<IconDownload size={17} aria-hidden />}
      loading={save.isPending}
      onClick={() => save.mutate()}
    >
      Export log
    </Button>
  )
}

function NoteForm({ id }: { id: string }) {
  const [text, setText] = useState('')
  useUnsavedChanges(text.trim() !== '', 'address')
  const write = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/notes', { params: { path: { id }, header: idempotencyKey() }, body: { text } }),
      ),
    onSuccess: () => {
      setText('')
      return queryClient.invalidateQueries({ queryKey: ['tab', id, 'log'] })
    },
  })
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        if (text.trim() && !write.isPending) write.mutate()
      }}
    >
      <Stack gap="xs">
        <Textarea
          label="New note"
          description="Notes cannot be changed or deleted."
          maxLength={2000}
          rows={2}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          error={write.error ? toProblem(write.error).messageFor('text') : undefined}
        />
        <ProblemAlert error={write.error} inlineFields={['text']} />
        <Group>
          <Button type="submit" size="sm" variant="light" disabled={!text.trim()} loading={write.isPending}>
            Add note
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
