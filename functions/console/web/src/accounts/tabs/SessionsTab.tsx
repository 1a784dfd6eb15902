import { Badge, Button, Stack, Table, Text, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDevices } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import { toProblem } from '../../api/problem'
import { queryClient } from '../../api/queryClient'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ScrollableTable } from '../../common/ScrollableTable'
import { StatusMessage } from '../../common/StatusMessage'
import { formatUtc, Instant } from '../../fields/Instant'
import type { TabProps } from './tab'

const endReasons: Record<string, string> = {
  signedOut: 'signed out',
  closedByOwner: 'closed by the owner',
  closedByAdministrator: 'closed by an administrator',
  refreshReused: 'closed for security: a sign-in token was used twice',
  expired: 'expired',
}

export default function SessionsTab({ account }: TabProps) {
  const key = ['tab', account.id, 'sessions']
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/accounts/{id}/sessions', {
          params: { path: { id: account.id }, query: { limit: 20, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const close = useMutation({
    mutationFn: (sessionId: string) =>
      unwrap(
        api.DELETE('/api/accounts/{id}/sessions/{sessionId}', { params: { path: { id: account.id, sessionId } } }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: key }),
    onError: (error) =>
      notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message }),
  })
  if (list.isPending) return <Loading label="Loading sessions" />
  if (list.error) return <ProblemAlert error={list.error} />
  const sessions = list.data.pages.flatMap((p) => p.items)
  if (sessions.length === 0)
    return (
      <StatusMessage icon={IconDevices} title="No sessions" order={3}>
        The account has not signed in.
      </StatusMessage>
    )
  return (
    <Stack>
      <ScrollableTable label="Sessions">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Client application</Table.Th>
              <Table.Th>Start date</Table.Th>
              <Table.Th>Closed date</Table.Th>
              <Table.Th>Session refresh due</Table.Th>
              <Table.Th>Location</Table.Th>
              <Table.Th>
                <VisuallyHidden>Close</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sessions.map((s) => (
              <Table.Tr key={s.id}>
                <Table.Td>
                  {s.client || 'unknown client'}
                  {s.current && (
                    <Badge ml="xs" variant="light" tt="none">
                      this session
                    </Badge>
                  )}
                  <Text size="xs" c="dimmed" maw={320} truncate title={s.userAgent}>
                    {s.userAgent}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Instant at={s.start} />
                </Table.Td>
                <Table.Td>
                  {s.closed ? (
                    <>
                      <Instant at={s.closed} />
                      <Text size="xs" c="dimmed">
                        {endReasons[s.reason ?? ''] ?? s.reason}
                      </Text>
                    </>
                  ) : (
                    <Badge color="green" variant="light" tt="none">
                      open
                    </Badge>
                  )}
                </Table.Td>
                <Table.Td>
                  <Instant at={s.refreshDue} />
                </Table.Td>
                <Table.Td>{s.location}</Table.Td>
                <Table.Td>
                  {!s.closed && (
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
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollableTable>
      {list.hasNextPage && (
        <Button variant="default" onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage}>
          Load more
        </Button>
      )}
    </Stack>
  )
}
