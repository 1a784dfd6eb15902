import { Anchor, Breadcrumbs, Skeleton, Stack, Tabs, Text } from '@mantine/core'
import { Suspense, useEffect, useRef } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { asProblem } from '../api/problem'
import { Loading } from '../common/Loading'
import { NotFound } from '../common/NotFound'
import { ProblemAlert } from '../common/ProblemAlert'
import { useAccountFields } from '../fields/fields'
import { useMay } from '../session/session'
import { useTitle } from '../shell/useArrival'
import { nameOf, useAccount } from './account'
import classes from './AccountPage.module.css'
import { Details } from './Details'
import { tabs } from './tabs'

/** One account: its sections, what can be done to it, and its tabs. */
export function AccountPage() {
  const { id = '', tab } = useParams()
  const account = useAccount(id)
  const fields = useAccountFields()
  const may = useMay()
  const navigate = useNavigate()
  useTitle(account.data && nameOf(account.data))
  const strip = useRef<HTMLDivElement>(null)
  const shown = Boolean(account.data && fields)
  // On a narrow screen the tab that is open may be off the end of the strip. Only the strip moves, not the page.
  useEffect(() => {
    const at = strip.current?.querySelector<HTMLElement>('[aria-selected=true]')
    if (at && strip.current) strip.current.scrollLeft = at.offsetLeft - (strip.current.clientWidth - at.offsetWidth) / 2
  }, [tab, shown])

  if (account.error && [400, 404].includes(asProblem(account.error).status)) return <NotFound what="user account" />
  if (account.error && !account.data) return <ProblemAlert error={account.error} />
  if (!account.data || !fields)
    return (
      <Stack>
        <Skeleton h={60} />
        <Skeleton h={280} />
      </Stack>
    )

  const open = tabs.filter((t) => (!t.needs || may(t.needs)) && (!t.when || t.when(account.data)))
  const current = open.find((t) => t.value === tab) ?? open[0]
  return (
    <Stack gap="lg">
      <Breadcrumbs separator="›">
        <Anchor component={Link} to="/accounts" size="sm">
          User accounts
        </Anchor>
        <Text size="sm" c="dimmed">
          {account.data.username}
        </Text>
      </Breadcrumbs>
      <Details key={id} account={account.data} fields={fields} />
      {current && (
        <Tabs
          value={current.value}
          onChange={(value) => void navigate(`/accounts/${id}/${value}`, { replace: true, preventScrollReset: true })}
          className={classes.tabs}
        >
          <Tabs.List ref={strip} className={classes.tabList} aria-label="More of this account">
            {open.map((t) => (
              <Tabs.Tab key={t.value} value={t.value}>
                {t.label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={current.value} pt="md">
            <Suspense fallback={<Loading />}>
              <current.Panel key={id} account={account.data} fields={fields} />
            </Suspense>
          </Tabs.Panel>
        </Tabs>
      )}
    </Stack>
  )
}
