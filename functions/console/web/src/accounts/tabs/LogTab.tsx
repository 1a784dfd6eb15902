import { Button, Group, Select, Stack, Text, Textarea, TextInput, Timeline } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconArrowRight, IconDownload, IconHistory, IconNote, IconPoint } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, once } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem, problemOf } from '../../api/problem'
import { queries } from '../../api/queries'
import { Loading } from '../../common/Loading'
import { Message } from '../../common/Message'
import { ProblemAlert } from '../../common/ProblemAlert'
import { useNear } from '../../common/useNear'
import { Ago } from '../../fields/Ago'
import { isBlank, textOf } from '../../fields/change'
import { useMay } from '../../session/session'
import classes from './LogTab.module.css'
import type { TabProps } from './tab'

type Line = Schemas['AccountsLine']

/** What happened to the account and what it did, newest first, with the notes about it. */
export default function LogTab({ account }: TabProps) {
  const [typed, setTyped] = useState({ kind: '', by: '', from: '', to: '' })
  const [filters] = useDebouncedValue(typed, 300)
  const may = useMay()
  const query: Record<string, string> = Object.fromEntries(
    Object.entries(filters).flatMap(([name, text]) => (text.trim() === '' ? [] : [[name, text.trim()]])),
  )
  const filtered = Object.keys(query).length > 0
  const kinds = useQuery({
    queryKey: ['log', 'kinds'],
    queryFn: async () => (await ask(api.GET('/api/accounts/log/kinds'))).items,
    staleTime: Infinity,
  })
  const log = useInfiniteQuery({
    queryKey: ['tab', account.id, 'log', query],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/accounts/{id}/log', {
          params: { path: { id: account.id }, query: { limit: 50, ...query, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  const lines = log.data?.pages.flatMap((p) => p.items) ?? []
  const more = useNear<HTMLDivElement>(
    () => void log.fetchNextPage(),
    log.hasNextPage && !log.isFetchingNextPage && !log.error,
  )
  const set = (name: keyof typeof typed) => (value: string) => setTyped((f) => ({ ...f, [name]: value }))
  const words = (kinds.data ?? [])
    .map((k) => ({ value: k.kind, label: k.text }))
    .sort((a, b) => a.label.localeCompare(b.label))
  return (
    <Stack>
      {may('account.note') && <NewNote id={account.id} />}
      <div className={classes.filters} role="group" aria-label="Filter the log">
        <Select
          label="Kind"
          clearable
          searchable
          placeholder="All"
          data={words}
          value={typed.kind || null}
          onChange={(v) => set('kind')(v ?? '')}
        />
        <TextInput
          label="Done by"
          placeholder="Username"
          maxLength={50}
          value={typed.by}
          onChange={(e) => set('by')(e.currentTarget.value)}
        />
        <TextInput label="From" type="date" value={typed.from} onChange={(e) => set('from')(e.currentTarget.value)} />
        <TextInput label="Up to" type="date" value={typed.to} onChange={(e) => set('to')(e.currentTarget.value)} />
      </div>
      <Group justify="space-between">
        {filtered ? (
          <Button variant="subtle" size="compact-sm" onClick={() => setTyped({ kind: '', by: '', from: '', to: '' })}>
            Clear filters
          </Button>
        ) : (
          <span />
        )}
        <Export id={account.id} query={query} />
      </Group>
      <ProblemAlert error={log.error} />
      {log.isPending && !log.error && <Loading what="Loading the log" />}
      {log.data && lines.length === 0 && !log.hasNextPage && (
        <Message icon={IconHistory} order={3} title="Nothing in the log fits">
          {filtered && 'Take a filter away to see more.'}
        </Message>
      )}
      {lines.length > 0 && (
        <Timeline bulletSize={24} lineWidth={2} active={-1} aria-label="Log, newest first">
          {lines.map((line) => (
            <Entry key={line.id} line={line} />
          ))}
        </Timeline>
      )}
      {log.hasNextPage && (
        <div ref={more}>
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Load more
          </Button>
        </div>
      )}
    </Stack>
  )
}

function Entry({ line }: { line: Line }) {
  const where = [line.address, line.client, line.row ? `import, row ${line.row}` : ''].filter(Boolean)
  return (
    <Timeline.Item
      bullet={line.kind === 'note' ? <IconNote size={15} aria-hidden /> : <IconPoint size={15} aria-hidden />}
      title={
        <Text span size="sm" fw={600}>
          {line.text}
          {line.subject && ` (${line.subject})`}
        </Text>
      }
    >
      <Text size="xs" c="dimmed" component="div" className={classes.meta}>
        <Ago at={line.at} /> · {line.by || 'the system'}
        {where.map((w) => ` · ${w}`)}
      </Text>
      {line.note && <p className={classes.note}>{line.note}</p>}
      {line.changes && (
        <dl className={classes.changes}>
          {line.changes.map((c, i) => [
            <dt key={`${i} field`}>{c.label}</dt>,
            <dd key={i}>
              <Plain value={c.from} old />
              <IconArrowRight size={14} aria-label="became" />
              <Plain value={c.to} />
            </dd>,
          ])}
        </dl>
      )}
    </Timeline.Item>
  )
}

/** One side of a change. */
function Plain({ value, old }: { value: unknown; old?: boolean }) {
  return <span className={isBlank(value) ? classes.blank : old ? classes.old : undefined}>{textOf(value)}</span>
}

/** Saves what the filters let through as a file. */
function Export({ id, query }: { id: string; query: Record<string, string> }) {
  const save = useMutation({
    mutationFn: async () => {
      // The body is a file, not the JSON that ask expects.
      const { data, error, response } = await api.GET('/api/accounts/{id}/log/export', {
        params: { path: { id }, query },
        parseAs: 'blob',
      })
      if (!response.ok) throw problemOf(response, error)
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
          ? { color: 'green', message: `${lines} ${lines === 1 ? 'line is' : 'lines are'} exported.` }
          : {
              color: 'orange',
              autoClose: false,
              title: `The newest ${lines} lines are exported`,
              message: 'There are older ones: export these with an earlier day under Up to.',
            },
      ),
    onError: (error) =>
      notifications.show({ color: 'red', title: asProblem(error).title, message: asProblem(error).message }),
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

function NewNote({ id }: { id: string }) {
  const [text, setText] = useState('')
  const write = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/accounts/{id}/notes', { params: { path: { id }, header: once() }, body: { text } })),
    onSuccess: () => {
      setText('')
      return queries.invalidateQueries({ queryKey: ['tab', id, 'log'] })
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
          error={write.error ? asProblem(write.error).of('text') : undefined}
        />
        <ProblemAlert error={write.error} shown={['text']} />
        <Group>
          <Button type="submit" size="sm" variant="light" disabled={!text.trim()} loading={write.isPending}>
            Add note
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
