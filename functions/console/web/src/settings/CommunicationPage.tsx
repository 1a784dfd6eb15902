import { Anchor, Badge, Button, Group, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconMail } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import type { paths } from '../api/schema'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { StatusMessage } from '../common/StatusMessage'
import { Instant } from '../fields/Instant'
import { useHasPermission } from '../session/session'
import classes from './Settings.module.css'

type Mail = Schemas['SettingsCommunication']
type Query = NonNullable<paths['/api/communications']['get']['parameters']['query']>

type Kind = NonNullable<Query['kind']>

const states = {
  queued: { label: 'Queued', colour: 'orange' },
  sent: { label: 'Sent', colour: 'green' },
  failed: { label: 'Failed', colour: 'red' },
} as const

/** The labels of the kinds of email. */
const kindLabels: Record<Kind, string> = {
  welcome: 'Welcome',
  passwordLink: 'Set-password link',
  forgottenPassword: 'Forgotten password',
  passwordChanged: 'Password changed',
  blockedByTries: 'Blocked by failed tries',
  factorAdded: 'Second factor set up',
  factorRemoved: 'Second factor removed',
  factorNotEnforced: 'Second factor not enforced',
  devicesRemoved: 'Devices removed',
  linkAdded: 'Sign-in link added',
  linkRemoved: 'Sign-in link removed',
  emailChanged: 'Email changed',
  usernameChanged: 'Username changed',
  code: 'Code',
  keyExpires: 'API key expires',
  keyCreated: 'API key created',
  keyLocked: 'API key locked',
}
const filters = ['kind', 'state', 'account', 'from', 'to'] as const

/** The log of emails, sent and queued. */
export function CommunicationPage() {
  const hasPermission = useHasPermission()
  const [params, setParams] = useSearchParams()
  const query = Object.fromEntries(filters.flatMap((name) => (params.get(name) ? [[name, params.get(name)]] : [])))
  const setFilter = (name: (typeof filters)[number]) => (value: string | null) => {
    const next = new URLSearchParams(params)
    if (value) next.set(name, value)
    else next.delete(name)
    setParams(next, { replace: true })
  }
  const list = useInfiniteQuery({
    queryKey: ['communications', query],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/communications', {
          params: { query: { limit: 50, ...query, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  })
  const rows = list.data?.pages.flatMap((p) => p.items) ?? []
  return (
    <Stack>
      <div className={classes.intro}>
        <Title order={1} size="h2">
          Communication log
        </Title>
        <Text c="dimmed">
          Emails that were sent or are waiting to be sent, newest first. Their content is not kept.
        </Text>
      </div>
      <Group align="end" gap="sm" role="group" aria-label="Filter the log">
        <Select
          label="About"
          clearable
          placeholder="All"
          w={190}
          data={Object.entries(kindLabels).map(([value, label]) => ({ value, label }))}
          value={params.get('kind')}
          onChange={setFilter('kind')}
        />
        <Select
          label="State"
          clearable
          placeholder="All"
          w={140}
          data={Object.entries(states).map(([value, { label }]) => ({ value, label }))}
          value={params.get('state')}
          onChange={setFilter('state')}
        />
        <TextInput
          label="From"
          type="date"
          value={params.get('from') ?? ''}
          onChange={(e) => setFilter('from')(e.currentTarget.value)}
        />
        <TextInput
          label="Up to"
          type="date"
          value={params.get('to') ?? ''}
          onChange={(e) => setFilter('to')(e.currentTarget.value)}
        />
        {Object.keys(query).length > 0 && (
          <Button variant="subtle" onClick={() => setParams({}, { replace: true })}>
            Clear all
          </Button>
        )}
      </Group>
      <ProblemAlert error={list.error} />
      {list.isPending && !list.error && <Skeleton h={280} role="status" aria-label="Loading the communication log" />}
      {list.data &&
        (rows.length === 0 && !list.hasNextPage ? (
          <StatusMessage icon={IconMail} title={Object.keys(query).length > 0 ? 'No matching emails' : 'No emails yet'}>
            {Object.keys(query).length > 0
              ? 'Remove a filter to see more.'
              : 'Emails appear here as soon as they are queued.'}
          </StatusMessage>
        ) : (
          <div className={classes.sheet}>
            <ResponsiveTable
              label="Emails"
              rows={rows}
              rowKey={(m) => m.id}
              columns={[
                {
                  label: 'Recipient',
                  cell: (m: Mail) => (
                    <span>
                      {m.recipient}
                      <Text size="xs" c="dimmed" fw={400}>
                        {hasPermission('account.read') ? (
                          <Anchor component={Link} to={`/accounts/${m.accountId}`} inherit>
                            {m.username}
                          </Anchor>
                        ) : (
                          m.username
                        )}
                      </Text>
                    </span>
                  ),
                },
                { label: 'Subject', cell: (m) => m.subject },
                { label: 'Time', cell: (m) => <Instant at={m.at} /> },
                { label: 'Delivery', cell: (m) => <Delivery mail={m} /> },
                {
                  label: 'Confirmation',
                  cell: (m) =>
                    m.confirmation ? (
                      <span>
                        <Instant at={m.confirmation.delivered} />
                        <Text size="xs" c="dimmed">
                          {m.confirmation.messageId}
                        </Text>
                      </span>
                    ) : (
                      <Text span inherit c="dimmed" aria-label="none">
                        –
                      </Text>
                    ),
                },
              ]}
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
    </Stack>
  )
}

function Delivery({ mail }: { mail: Mail }) {
  return (
    <span>
      <Badge variant="light" tt="none" color={states[mail.state].colour}>
        {states[mail.state].label}
      </Badge>
      <Text size="xs" c="dimmed">
        {mail.ended && <Instant at={mail.ended} />}
        {mail.attempts > 1 && ` after ${mail.attempts} attempts`}
      </Text>
      {mail.reason && <Text size="xs">{mail.reason}</Text>}
    </span>
  )
}
