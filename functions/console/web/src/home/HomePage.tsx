import { Anchor, Badge, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconHome } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { StatusMessage } from '../common/StatusMessage'
import { Instant } from '../fields/Instant'
import { useHasPermission, useMe } from '../session/session'
import classes from './Home.module.css'
import { SignInChart } from './SignInChart'

type Overview = Schemas['AccountsOverview']

/** The overview; each figure links to the accounts that it counts. */
export function HomePage() {
  const me = useMe()
  const canReadAccounts = useHasPermission()('account.read')
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => unwrap(api.GET('/api/overview')),
    enabled: canReadAccounts,
    staleTime: 30_000,
    refetchInterval: 60_000,
  })
  if (!canReadAccounts) {
    return (
      <StatusMessage icon={IconHome} title={`Welcome, ${me.username}`} order={1}>
        Your own password, second factor and sessions are under{' '}
        <Anchor component={Link} to="/me" underline="always">
          My account
        </Anchor>
        . Everything else that you can use is in the navigation.
      </StatusMessage>
    )
  }
  return (
    <Stack>
      <Group justify="space-between" align="end">
        <Title order={1} size="h2">
          Home
        </Title>
        {overview.data && (
          <Text size="sm" c="dimmed">
            As of <Instant at={overview.data.counted} />
          </Text>
        )}
      </Group>
      <ProblemAlert error={overview.error} />
      {overview.isPending && !overview.error && (
        <div className={classes.grid} role="status" aria-label="Loading the figures">
          {[1, 2, 3, 4].map((n) => (
            <Skeleton key={n} h={180} />
          ))}
        </div>
      )}
      {overview.data && <Figures overview={overview.data} />}
    </Stack>
  )
}

function Figures({ overview }: { overview: Overview }) {
  const { accounts } = overview
  const tiles = [
    { label: 'Access allowed', n: accounts.allowed, to: '/accounts?accessLocked=false', tone: 'good' },
    {
      label: 'Not yet allowed',
      n: accounts.notYetAllowed,
      to: '/accounts?status=notYetAllowed',
      tone: '',
    },
    {
      label: 'Blocked by an administrator',
      n: accounts.blocked,
      to: '/accounts?status=blocked',
      tone: accounts.blocked ? 'bad' : '',
    },
    {
      label: 'Blocked by failed tries',
      n: accounts.blockedByTries,
      to: '/accounts?status=tooManyTries',
      tone: accounts.blockedByTries ? 'bad' : '',
    },
    {
      label: 'Second factor missing',
      n: accounts.secondFactorMissing,
      to: '/accounts?mfaEnabled=false',
      tone: accounts.secondFactorMissing ? 'warn' : '',
    },
    { label: 'Locked', n: accounts.locked, to: '/accounts?active=false', tone: '' },
  ]
  return (
    <>
      <ul className={classes.tiles} aria-label="User accounts by state">
        {tiles.map((t) => (
          <li key={t.label}>
            <Link className={classes.tile} to={t.to} data-tone={t.tone || undefined}>
              <span className={classes.number}>{t.n.toLocaleString()}</span>
              <span>{t.label}</span>
            </Link>
          </li>
        ))}
      </ul>
      <div className={classes.grid}>
        <div className={classes.broad}>
          <SignInChart days={overview.signIns} />
        </div>
        <Panel title="Seats" help="Accounts that use each access licence.">
          {overview.seats.length === 0 ? (
            <Text size="sm" c="dimmed">
              There are no licences.
            </Text>
          ) : (
            <ul className={classes.seats}>
              {overview.seats.map((s) => (
                <SeatUsage key={s.licence} seat={s} />
              ))}
            </ul>
          )}
        </Panel>
        <AccountsPanel
          title="Starting in the next 7 days"
          accounts={overview.starts}
          emptyText="No account starts in the next 7 days."
        />
        <AccountsPanel
          title="Ending in the next 7 days"
          accounts={overview.ends}
          emptyText="No account ends in the next 7 days."
        />
        <Panel title="Running jobs">
          {overview.jobs.length === 0 ? (
            <Text size="sm" c="dimmed">
              No imports or exports are running or waiting.
            </Text>
          ) : (
            <ul className={classes.list}>
              {overview.jobs.map((j) => (
                <li key={j.id}>
                  <span>
                    {j.kind === 'import' ? 'Import' : j.kind === 'export' ? 'Export' : 'Undo'} by {j.by}
                    <Text size="xs" c="dimmed">
                      <Instant at={j.submitted} />
                    </Text>
                  </span>
                  <Badge variant="light" tt="none">
                    {jobStates[j.state] ?? j.state}
                  </Badge>
                </li>
              ))}
            </ul>
          )}
        </Panel>
        {overview.keys && (
          <Panel title="API keys about to expire" help="Within 14 days.">
            {overview.keys.count === 0 ? (
              <Text size="sm" c="dimmed">
                None.
              </Text>
            ) : (
              <ul className={classes.list}>
                {overview.keys.items.map((k) => (
                  <li key={k.id}>
                    <span>
                      <Anchor component={Link} to={`/accounts/${k.accountId}/keys`} inherit>
                        {k.description}
                      </Anchor>
                      <Text size="xs" c="dimmed">
                        {k.username}
                      </Text>
                    </span>
                    <Instant at={k.expires} />
                  </li>
                ))}
                {overview.keys.count > overview.keys.items.length && (
                  <li>
                    <Text size="sm" c="dimmed">
                      and {overview.keys.count - overview.keys.items.length} more
                    </Text>
                  </li>
                )}
              </ul>
            )}
          </Panel>
        )}
      </div>
    </>
  )
}

const jobStates: Record<string, string> = {
  submitted: 'waiting',
  checking: 'checking',
  writing: 'writing',
  rollingBack: 'undoing',
}

function SeatUsage({ seat }: { seat: Schemas['AccountsSeat'] }) {
  const share = seat.seats ? Math.min(1, seat.used / seat.seats) : 0
  return (
    <li>
      <Group justify="space-between" gap="xs" fz="sm">
        <Anchor component={Link} to={`/accounts?userType=${encodeURIComponent(seat.licence)}`} inherit>
          {seat.description || seat.licence}
        </Anchor>
        <span>
          {seat.used.toLocaleString()}{' '}
          {seat.seats ? (
            `of ${seat.seats.toLocaleString()}`
          ) : (
            <Text span inherit c="dimmed">
              no limit
            </Text>
          )}
        </span>
      </Group>
      {seat.seats ? (
        <div className={classes.bar} data-full={share >= 0.9 || undefined} aria-hidden>
          <span style={{ width: `${share * 100}%` }} />
        </div>
      ) : null}
    </li>
  )
}

function AccountsPanel({
  title,
  accounts,
  emptyText,
}: {
  title: string
  accounts: Schemas['AccountsUpcoming']
  emptyText: string
}) {
  return (
    <Panel title={title}>
      {accounts.count === 0 ? (
        <Text size="sm" c="dimmed">
          {emptyText}
        </Text>
      ) : (
        <ul className={classes.list}>
          {accounts.items.slice(0, 8).map((p) => (
            <li key={p.id}>
              <span>
                <Anchor component={Link} to={`/accounts/${p.id}`} inherit>
                  {p.name || p.username}
                </Anchor>
                <Text size="xs" c="dimmed">
                  {p.username}
                </Text>
              </span>
              <time dateTime={p.date}>{p.date}</time>
            </li>
          ))}
          {accounts.count > Math.min(8, accounts.items.length) && (
            <li>
              <Text size="sm" c="dimmed">
                and {accounts.count - Math.min(8, accounts.items.length)} more
              </Text>
            </li>
          )}
        </ul>
      )}
    </Panel>
  )
}
