import { Badge, Button, Group, Skeleton, Stack, Text, Timeline, Title } from '@mantine/core'
import { IconArrowRight, IconHistory, IconPoint } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { ProblemAlert } from '../common/ProblemAlert'
import { StatusMessage } from '../common/StatusMessage'
import { useSettingsForm } from '../fields/fields'
import { formatValue } from '../fields/formatValue'
import { Instant } from '../fields/Instant'
import classes from './Settings.module.css'

/** The label of a kind of event: resourceGroup.changed is "Resource group changed". */
const kindLabel = (kind: string) => {
  const text = kind
    .replace(/[.:]/g, ' ')
    .replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** The heading of an event: "Role DESK: changed". Providers are left out, because their subject is only an id. */
const heading = (kind: string, subject: string | undefined) => {
  const [subjectKind = '', code = ''] = (subject ?? '').split('/')
  if (!subjectKind || subjectKind === 'ssoProvider') return kindLabel(kind)
  return `${subjectKind === 'settings' ? 'Environment defaults' : `${kindLabel(subjectKind)} ${code}`.trim()}: ${kindLabel(kind).toLowerCase()}`
}

/** The audit log of the environment: settings, reference data, providers. */
export function EnvironmentLogPage() {
  const log = useInfiniteQuery({
    queryKey: ['environment log'],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/settings/log', { params: { query: { limit: 50, ...(pageParam && { cursor: pageParam }) } } }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  })
  const settings = useSettingsForm().data
  const events = log.data?.pages.flatMap((p) => p.items) ?? []
  const label = (name: string) => settings?.fields.find((f) => f.name === name)?.label ?? kindLabel(name)
  return (
    <Stack>
      <div className={classes.intro}>
        <Title order={1} size="h2">
          Environment log
        </Title>
        <Text c="dimmed">Changes of environment defaults and reference data, newest first.</Text>
      </div>
      <ProblemAlert error={log.error} />
      {log.isPending && !log.error && <Skeleton h={280} role="status" aria-label="Loading the log" />}
      {log.data && events.length === 0 && !log.hasNextPage && (
        <StatusMessage icon={IconHistory} title="No changes yet" />
      )}
      {events.length > 0 && (
        <div className={classes.section}>
          <Timeline bulletSize={24} lineWidth={2} active={-1}>
            {events.map((event) => (
              <Timeline.Item
                key={event.id}
                bullet={<IconPoint size={15} aria-hidden />}
                title={
                  <Text span size="sm" fw={600}>
                    {heading(event.kind, event.subject)}
                  </Text>
                }
              >
                <Text size="xs" c="dimmed" component="div">
                  <Instant at={event.at} /> · {event.by || 'the system'}
                  {event.address && ` · ${event.address}`}
                </Text>
                {event.note && (
                  <Text size="sm" mt={4}>
                    {event.note}
                  </Text>
                )}
                {event.changes?.map((c, i) => (
                  <Group key={i} gap={6} mt={4} fz="sm" wrap="wrap">
                    <Badge variant="light" color="gray" tt="none" radius="sm">
                      {label(c.field)}
                    </Badge>
                    <span>{formatValue(c.from)}</span>
                    <IconArrowRight size={14} aria-label="to" />
                    <span>{formatValue(c.to)}</span>
                  </Group>
                ))}
              </Timeline.Item>
            ))}
          </Timeline>
        </div>
      )}
      {log.hasNextPage && (
        <Group>
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Load more
          </Button>
        </Group>
      )}
    </Stack>
  )
}
