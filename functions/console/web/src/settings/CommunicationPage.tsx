import { Anchor, Badge, Button, Group, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconMail } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'react-router'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import type { paths } from '../api/schema'
import { Message } from '../common/Message'
import { ProblemAlert } from '../common/ProblemAlert'
import { Records } from '../common/Records'
import { Instant } from '../fields/Instant'
import { useMay } from '../session/session'
import classes from './Settings.module.css'

type Mail = Schemas['SettingsCommunication']
type Query = NonNullable<paths['/api/communications']['get']['parameters']['query']>

type Kind = NonNullable<Query['kind']>

const colours = { queued: 'orange', sent: 'green', failed: 'red' } as const

/** The kinds of mail in words; the subject says the same more exactly. */
const about: Record<Kind, string> = {
  welcome: 'Welcome',
  passwordLink: 'Set-password link',
  forgottenPassword: 'Forgotten password',
  passwordChanged: 'Password changed',
  blockedByTries: 'Blocked by tries',
  factorAdded: 'Second factor set up',
  factorRemoved: 'Second factor removed',
  factorNotEnforced: 'Second factor not enforced',
  devicesRemoved: 'Devices removed',
  linkAdded: 'Sign-in link added',
  linkRemoved: 'Sign-in link removed',
  emailChanged: 'Email changed',
  code: 'Code',
  keyExpires: 'API key expires',
}
const filters = ['kind', 'state', 'account', 'from', 'to'] as const

/** The mails that were sent, and those that wait. */
export function CommunicationPage() {
  const may = useMay()
  const [address, setAddress] = useSearchParams()
  const query = Object.fromEntries(filters.flatMap((name) => (address.get(name) ? [[name, address.get(name)]] : [])))
  const set = (name: (typeof filters)[number]) => (value: string | null) => {
    const next = new URLSearchParams(address)
    if (value) next.set(name, value)
    else next.delete(name)
    setAddress(next, { replace: true })
  }
  const list = useInfiniteQuery({
    queryKey: ['communications', query],
    queryFn: ({ pageParam }) =>
      ask(
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
        <Text c="dimmed">Every mail that was sent or waits to be, newest first. What a mail said is not kept.</Text>
      </div>
      <Group align="end" gap="sm" role="group" aria-label="Filter the log">
        <Select
          label="About"
          clearable
          placeholder="All"
          w={190}
          data={Object.entries(about).map(([value, label]) => ({ value, label }))}
          value={address.get('kind')}
          onChange={set('kind')}
        />
        <Select
          label="State"
          clearable
          placeholder="All"
          w={140}
          data={['queued', 'sent', 'failed']}
          value={address.get('state')}
          onChange={set('state')}
        />
        <TextInput
          label="From"
          type="date"
          value={address.get('from') ?? ''}
          onChange={(e) => set('from')(e.currentTarget.value)}
        />
        <TextInput
          label="Up to"
          type="date"
          value={address.get('to') ?? ''}
          onChange={(e) => set('to')(e.currentTarget.value)}
        />
        {Object.keys(query).length > 0 && (
          <Button variant="subtle" onClick={() => setAddress({}, { replace: true })}>
            Clear all
          </Button>
        )}
      </Group>
      <ProblemAlert error={list.error} />
      {list.isPending && !list.error && <Skeleton h={280} aria-label="Loading the communication log" />}
      {list.data &&
        (rows.length === 0 && !list.hasNextPage ? (
          <Message icon={IconMail} title={Object.keys(query).length > 0 ? 'No mail fits' : 'No mails yet'}>
            {Object.keys(query).length > 0
              ? 'Take a filter away to see more.'
              : 'They appear here as soon as one is written.'}
          </Message>
        ) : (
          <div className={classes.sheet}>
            <Records
              label="Mails"
              rows={rows}
              idOf={(m) => m.id}
              columns={[
                {
                  label: 'Recipient',
                  cell: (m: Mail) => (
                    <span>
                      {m.recipient}
                      <Text size="xs" c="dimmed" fw={400}>
                        {may('account.read') ? (
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
                { label: 'Delivery', cell: (m) => <State of={m} /> },
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

function State({ of }: { of: Mail }) {
  return (
    <span>
      <Badge variant="light" tt="none" color={colours[of.state]}>
        {of.state}
      </Badge>
      <Text size="xs" c="dimmed">
        {of.ended && <Instant at={of.ended} />}
        {of.attempts > 1 && ` after ${of.attempts} tries`}
      </Text>
      {of.reason && <Text size="xs">{of.reason}</Text>}
    </span>
  )
}
