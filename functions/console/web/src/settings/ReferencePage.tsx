import { Anchor, Badge, Button, Group, SegmentedControl, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArchive, IconCircleCheck, IconListDetails, IconPlus, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import type { Column } from '../common/ResponsiveTable'
import { StatusMessage } from '../common/StatusMessage'
import type { Field } from '../fields/fields'
import { FieldValue } from '../fields/FieldValue'
import { useHasPermission } from '../session/session'
import { EntryDrawer } from './EntryDrawer'
import { writePermissions } from './referenceKinds'
import type { ReferenceKind } from './referenceKinds'
import { storeFor } from './referenceStore'
import type { Entry } from './referenceStore'
import { Seats, useSeats } from './Seats'
import classes from './Settings.module.css'

/** The page for one kind of reference data, built from the fields that the API describes. */
export const referencePage = (kind: ReferenceKind) => () => <Reference key={kind.kind} kind={kind} />

function Reference({ kind }: { kind: ReferenceKind }) {
  const store = storeFor(kind)
  const hasPermission = useHasPermission()
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 300)
  const [shown, setShown] = useState('active')
  const [params, setParams] = useSearchParams()
  const form = useQuery({ queryKey: ['fields', kind.kind], queryFn: store.form, staleTime: Infinity })
  const list = useInfiniteQuery({
    queryKey: ['reference', kind.kind, search, shown],
    queryFn: ({ pageParam }) =>
      store.list({ find: search, active: shown === 'all' ? undefined : shown === 'active', cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  const seats = useSeats(kind.kind === 'licences')
  const rows = list.data?.pages.flatMap((p) => p.items) ?? []
  const canWrite = hasPermission(writePermissions[kind.family])
  const open = params.get('open') ?? undefined
  return (
    <Stack>
      <Group justify="space-between" align="start">
        <div className={classes.words}>
          <Title order={1} size="h2">
            {kind.title}
          </Title>
          <Text c="dimmed">{kind.help}</Text>
        </div>
        {canWrite && (
          <Button leftSection={<IconPlus size={18} />} onClick={() => setParams({ new: '' })}>
            New
          </Button>
        )}
      </Group>
      <Group gap="sm">
        <TextInput
          className={classes.find}
          type="search"
          aria-label="Search by code or description"
          placeholder="Code or description"
          leftSection={<IconSearch size={18} aria-hidden />}
          maxLength={100}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
        />
        <SegmentedControl
          aria-label="Which to show"
          value={shown}
          onChange={setShown}
          data={[
            { value: 'active', label: 'Active' },
            { value: 'locked', label: 'Locked' },
            { value: 'all', label: 'All' },
          ]}
        />
      </Group>
      <ProblemAlert error={list.error ?? form.error} />
      {(list.isPending || form.isPending) && !list.error && !form.error && (
        <Skeleton h={280} role="status" aria-label={`Loading ${kind.title}`} />
      )}
      {list.data &&
        form.data &&
        (rows.length === 0 ? (
          <StatusMessage icon={IconListDetails} title={search || shown !== 'active' ? 'No matches' : 'None yet'}>
            {search || shown !== 'active'
              ? 'Show all entries, or search for something else.'
              : canWrite
                ? 'Select New to create the first one.'
                : ''}
          </StatusMessage>
        ) : (
          <div className={classes.sheet}>
            <ResponsiveTable
              label={kind.title}
              rows={rows}
              rowKey={(e) => e.code}
              columns={columnsOf(
                form.data.fields,
                kind.kind === 'licences'
                  ? (code) => <Seats seat={seats?.find((s) => s.licence === code)} />
                  : undefined,
              )}
            />
          </div>
        ))}
      {list.hasNextPage && (
        <Group>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </Button>
        </Group>
      )}
      {form.data && (open !== undefined || params.has('new')) && (
        <EntryDrawer
          key={open ?? ''}
          kind={kind}
          store={store}
          form={form.data}
          code={open}
          canWrite={canWrite}
          onClose={() => setParams({})}
        />
      )}
    </Stack>
  )
}

const maxCodes = 5

function columnsOf(fields: Field[], seats?: (code: string) => React.ReactNode): Column<Entry>[] {
  const graded = fields.some((f) => f.defaultGrid)
  const inGrid = fields.filter(
    (f) =>
      !['code', 'active'].includes(f.name) &&
      (graded ? f.defaultGrid : f.section !== 'defaults' || (f.kind === 'code' && f.name !== 'manager')),
  )
  return [
    {
      label: 'Code',
      cell: (e) => (
        <Anchor component={Link} to={`?open=${encodeURIComponent(e.code)}`} fw={600} inherit>
          {e.code}
        </Anchor>
      ),
    },
    ...inGrid.map((f) => ({
      label: f.label,
      cell: (e: Entry) => {
        if (f.name === 'seats' && seats) return seats(e.code)
        const value = e[f.name]
        if (!Array.isArray(value) || value.length <= maxCodes) return <FieldValue field={f} value={value} />
        return (
          <Group gap={4} display="inline-flex">
            <FieldValue field={f} value={value.slice(0, maxCodes)} />
            <Text span size="sm" c="dimmed">
              and {value.length - maxCodes} more
            </Text>
          </Group>
        )
      },
    })),
    {
      label: 'State',
      cell: (e) =>
        e.active ? (
          <Badge color="green" variant="light" tt="none" leftSection={<IconCircleCheck size={13} aria-hidden />}>
            Active
          </Badge>
        ) : (
          <Badge color="gray" variant="light" tt="none" leftSection={<IconArchive size={13} aria-hidden />}>
            Locked
          </Badge>
        ),
    },
  ]
}
