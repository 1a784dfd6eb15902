import { Anchor, Breadcrumbs, Skeleton, Stack, Tabs, Text } from '@mantine/core'
import { Suspense, useEffect, useRef } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { toProblem } from '../api/problem'
import { Loading } from '../common/Loading'
import { NotFound } from '../common/NotFound'
import { ProblemAlert } from '../common/ProblemAlert'
import { useAccountForm } from '../fields/fields'
import { useHasPermission } from '../session/session'
import { usePageTitle } from '../shell/usePageAnnouncement'
import { accountName, useAccount } from './account'
import { AccountDetails } from './AccountDetails'
import classes from './AccountPage.module.css'
import { listAddress } from './lastList'
import { tabs } from './tabs'

/** One account: its details, actions and tabs. */
export function AccountPage() {
  const { id = '', tab } = useParams()
  const account = useAccount(id)
  const form = useAccountForm()
  const hasPermission = useHasPermission()
  const navigate = useNavigate()
  usePageTitle(account.data && accountName(account.data))
  const tabList = useRef<HTMLDivElement>(null)
  const loaded = Boolean(account.data && form)
  // On a narrow screen the active tab may be out of view. Only the tab list scrolls, not the page.
  useEffect(() => {
    const activeTab = tabList.current?.querySelector<HTMLElement>('[aria-selected=true]')
    if (activeTab && tabList.current)
      tabList.current.scrollLeft = activeTab.offsetLeft - (tabList.current.clientWidth - activeTab.offsetWidth) / 2
  }, [tab, loaded])

  if (account.error && [400, 404].includes(toProblem(account.error).status)) return <NotFound what="User account" />
  if (account.error && !account.data) return <ProblemAlert error={account.error} />
  if (!account.data || !form)
    return (
      <Stack>
        <Skeleton h={60} />
        <Skeleton h={280} />
      </Stack>
    )

  const visibleTabs = tabs.filter(
    (t) => (!t.permission || hasPermission(t.permission)) && (!t.when || t.when(account.data)),
  )
  const current = visibleTabs.find((t) => t.value === tab) ?? visibleTabs[0]
  return (
    <Stack gap="lg">
      <Breadcrumbs separator="›">
        <Anchor component={Link} to={listAddress()} size="sm">
          User accounts
        </Anchor>
        <Text size="sm" c="dimmed">
          {account.data.username}
        </Text>
      </Breadcrumbs>
      <AccountDetails key={id} account={account.data} form={form} />
      {current && (
        <Tabs
          value={current.value}
          onChange={(value) => void navigate(`/accounts/${id}/${value}`, { replace: true, preventScrollReset: true })}
          className={classes.tabs}
        >
          <Tabs.List ref={tabList} className={classes.tabList} aria-label="More of this account">
            {visibleTabs.map((t) => (
              <Tabs.Tab key={t.value} value={t.value}>
                {t.label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={current.value} pt="md">
            <Suspense fallback={<Loading />}>
              <current.Panel key={id} account={account.data} fields={form.fields} />
            </Suspense>
          </Tabs.Panel>
        </Tabs>
      )}
    </Stack>
  )
}
