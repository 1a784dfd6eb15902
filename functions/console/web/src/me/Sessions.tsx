import { Badge, Button, Checkbox, Skeleton, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { formatUtc, Instant } from '../fields/Instant'

const key = ['me', 'sessions']

/** The user's sessions, which can be closed here. */
export function Sessions() {
  const [showClosed, setShowClosed] = useState(false)
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/api/sessions', { params: { query: { limit: 50, ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const showError = (error: unknown) =>
    notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message })
  const close = useMutation({
    mutationFn: (sessionId: string) =>
      unwrap(api.DELETE('/api/sessions/{sessionId}', { params: { path: { sessionId } } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: key }),
    onError: showError,
  })
  const others = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/sessions')),
    onSuccess: ({ closed }) => {
      notifications.show({
        color: 'green',
        message: closed === 1 ? 'One session was closed.' : `${closed} sessions were closed.`,
      })
      return queryClient.invalidateQueries({ queryKey: key })
    },
    onError: showError,
  })
  const all = list.data?.pages.flatMap((p) => p.items) ?? []
  const rows = showClosed ? all : all.filter((s) => !s.closed)
  return (
    <Panel
      title="Sessions"
      help="Where you are signed in. If you do not recognise a session, close it and change your password."
      actions={
        <Button variant="default" loading={others.isPending} onClick={() => others.mutate()}>
          Close all others
        </Button>
      }
    >
      <ProblemAlert error={list.error} />
      {list.isPending && <Skeleton h={80} role="status" aria-label="Loading sessions" />}
      {list.data && (
        <>
          <Checkbox
            size="sm"
            mb="xs"
            label="Show closed sessions"
            checked={showClosed}
            onChange={(e) => setShowClosed(e.currentTarget.checked)}
          />
          {rows.length === 0 ? (
            <Text size="sm" c="dimmed">
              No open sessions among those listed.
            </Text>
          ) : (
            <ResponsiveTable
              label="Sessions"
              rows={rows}
              rowKey={(s) => s.id}
              columns={[
                {
                  label: 'Client application',
                  cell: (s) => (
                    <span>
                      {s.client || 'unknown client'}
                      {s.current && (
                        <Badge ml="xs" variant="light" tt="none">
                          this session
                        </Badge>
                      )}
                      <Text size="xs" c="dimmed" lineClamp={1} title={s.userAgent}>
                        {s.userAgent}
                      </Text>
                    </span>
                  ),
                },
                { label: 'Start date', cell: (s) => <Instant at={s.start} /> },
                {
                  label: 'Closed date',
                  cell: (s) =>
                    s.closed ? (
                      <Instant at={s.closed} />
                    ) : (
                      <Badge color="green" variant="light" tt="none">
                        open
                      </Badge>
                    ),
                },
                { label: 'Session refresh due', cell: (s) => <Instant at={s.refreshDue} /> },
                { label: 'Location', cell: (s) => s.location },
                {
                  label: 'Close',
                  labelHidden: true,
                  cell: (s) =>
                    !s.closed &&
                    !s.current && (
                      <Button
                        size="compact-sm"
                        variant="light"
                        color="red"
                        loading={close.isPending && close.variables === s.id}
                        aria-label={`Close the session of ${s.client || 'a client'} started ${formatUtc(s.start)}`}
                        onClick={() => close.mutate(s.id)}
                      >
                        Close
                      </Button>
                    ),
                },
              ]}
            />
          )}
          {list.hasNextPage && (
            <Button
              mt="sm"
              variant="default"
              onClick={() => void list.fetchNextPage()}
              loading={list.isFetchingNextPage}
            >
              Load more
            </Button>
          )}
        </>
      )}
    </Panel>
  )
}
