import { Badge, Button, Group, Select, Stack, Text, Textarea, TextInput, Timeline } from '@mantine/core'
import { IconArrowRight, IconNote, IconPoint } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, once } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem } from '../../api/problem'
import { queries } from '../../api/queries'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { Instant } from '../../fields/Instant'
import { useMay } from '../../session/session'
import type { TabProps } from '.'

type Line = Schemas['AccountsLine']

const plain = (value: unknown) => (value === null || value === undefined || value === '' ? 'blank' : value === true ? 'yes' : value === false ? 'no' : Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value))

export default function LogTab({ account }: TabProps) {
  const [filters, setFilters] = useState({ by: '', from: '', to: '', kind: '' })
  const may = useMay()
  const query = Object.fromEntries(Object.entries(filters).filter(([, v]) => v.trim() !== ''))
  const log = useInfiniteQuery({
    queryKey: ['tab', account.id, 'log', query],
    queryFn: ({ pageParam }) => ask(api.GET('/api/accounts/{id}/log', { params: { path: { id: account.id }, query: { limit: 50, ...query, ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  const lines = log.data?.pages.flatMap((p) => p.items) ?? []
  const set = (name: keyof typeof filters) => (value: string) => setFilters((f) => ({ ...f, [name]: value }))
  return (
    <Stack>
      {may('account.note') && <NewNote id={account.id} />}
      <Group align="end" gap="sm" role="group" aria-label="Filter the log">
        <Select label="Kind" clearable w={150} data={[{ value: 'note', label: 'Notes' }]} placeholder="All" value={filters.kind || null} onChange={(v) => set('kind')(v ?? '')} />
        <TextInput label="Done by" placeholder="Username" w={160} value={filters.by} onChange={(e) => set('by')(e.currentTarget.value)} />
        <TextInput label="From" type="date" value={filters.from} onChange={(e) => set('from')(e.currentTarget.value)} />
        <TextInput label="Up to" type="date" value={filters.to} onChange={(e) => set('to')(e.currentTarget.value)} />
      </Group>
      <ProblemAlert error={log.error} />
      {log.isPending && <Loading what="Loading the log" />}
      {log.data && lines.length === 0 && !log.hasNextPage && <Text c="dimmed">Nothing in the log fits.</Text>}
      <Timeline bulletSize={24} lineWidth={2} active={-1}>
        {lines.map((line) => (
          <Timeline.Item key={line.id} bullet={line.kind === 'note' ? <IconNote size={15} /> : <IconPoint size={15} />} title={<Title line={line} />}>
            <Text size="xs" c="dimmed" component="div"><Instant at={line.at} /> · {line.by || 'the system'}{line.address && ` · ${line.address}`}{line.client && ` · ${line.client}`}{line.row ? ` · import, row ${line.row}` : ''}</Text>
            {line.note && <Text size="sm" mt={4} style={{ whiteSpace: 'pre-wrap' }}>{line.note}</Text>}
            {line.changes?.map((c, i) => (
              <Group key={i} gap={6} mt={4} fz="sm" wrap="wrap">
                <Badge variant="light" color="gray" tt="none" radius="sm">{c.label}</Badge>
                <span>{plain(c.from)}</span><IconArrowRight size={14} aria-label="to" /><span>{plain(c.to)}</span>
              </Group>
            ))}
          </Timeline.Item>
        ))}
      </Timeline>
      {log.hasNextPage && <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>Load more</Button>}
    </Stack>
  )
}

function Title({ line }: { line: Line }) {
  return <Text span size="sm" fw={600}>{line.text}{line.subject && ` (${line.subject})`}</Text>
}

function NewNote({ id }: { id: string }) {
  const [text, setText] = useState('')
  const write = useMutation({
    mutationFn: () => ask(api.POST('/api/accounts/{id}/notes', { params: { path: { id }, header: once() }, body: { text } })),
    onSuccess: () => {
      setText('')
      return queries.invalidateQueries({ queryKey: ['tab', id, 'log'] })
    },
  })
  return (
    <form onSubmit={(e) => { e.preventDefault(); if (text.trim() && !write.isPending) write.mutate() }}>
      <Stack gap="xs">
        <Textarea label="New note" description="Notes cannot be changed or deleted." maxLength={2000} rows={2} value={text} onChange={(e) => setText(e.currentTarget.value)} error={write.error ? asProblem(write.error).of('text') : undefined} />
        <ProblemAlert error={write.error} shown={['text']} />
        <Group><Button type="submit" size="sm" variant="light" disabled={!text.trim()} loading={write.isPending}>Add note</Button></Group>
      </Stack>
    </form>
  )
}
