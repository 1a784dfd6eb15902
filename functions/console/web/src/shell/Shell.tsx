import {
  ActionIcon,
  Avatar,
  Burger,
  Drawer,
  Group,
  Menu,
  Text,
  Tooltip,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react'
import { Suspense, useEffect, useRef, useState } from 'react'
import {
  Link,
  matchPath,
  Navigate,
  NavLink,
  Outlet,
  useBeforeUnload,
  useBlocker,
  useLocation,
  useMatches,
  useNavigate,
} from 'react-router'
import { mayBeSignedIn } from '../api/transport'
import { LeaveDialog } from '../common/LeaveDialog'
import { Loading } from '../common/Loading'
import { NoPermission } from '../common/NoPermission'
import { ProblemAlert } from '../common/ProblemAlert'
import { hasUnsavedChanges } from '../common/unsavedChanges'
import { usePages } from '../page'
import type { Page } from '../page'
import { signOut, useHasPermission, useMe, useMeQuery } from '../session/session'
import { ErrorBoundary } from './ErrorBoundary'
import { useSessionEnd } from './SessionEnded'
import classes from './Shell.module.css'
import { usePageAnnouncement, usePageKey } from './usePageAnnouncement'
import { useSearchShortcut } from './useSearchShortcut'

/** The frame of every page: permission, navigation, the user's menu. */
export function Shell() {
  const me = useMeQuery()
  const location = useLocation()
  const back = location.pathname + location.search
  const { ended, signIn } = useSessionEnd()

  if (!ended && !mayBeSignedIn())
    return <Navigate to="/sign-in" state={{ back: back === '/' ? undefined : back }} replace />
  if (me.isPending) return <Loading label="Loading your account" />
  if (me.error)
    return (
      <div className={classes.broken}>
        <ProblemAlert error={me.error} />
      </div>
    )
  return (
    <>
      <Layout />
      {signIn}
    </>
  )
}

/** Asks before navigation, reload or close would lose what was typed. */
function UnsavedGuard() {
  const pages = usePages()
  const blocker = useBlocker(({ currentLocation, nextLocation }) => {
    const [from, to] = [currentLocation.pathname, nextLocation.pathname]
    return from !== to && to !== '/sign-in' && hasUnsavedChanges(isSamePage(pages, from, to))
  })
  useBeforeUnload((event) => {
    if (hasUnsavedChanges()) event.preventDefault()
  })
  return blocker.state === 'blocked' && <LeaveDialog onStay={() => blocker.reset()} onLeave={() => blocker.proceed()} />
}

/** Whether two addresses differ in the tab only. */
function isSamePage(pages: Page[], from: string, to: string): boolean {
  return pages.some((p) => {
    if (!p.path.includes(':tab')) return false
    const [a, b] = [from, to].map((path) => matchPath(`/${p.path}`, path)?.params['id'])
    return a !== undefined && a === b
  })
}

function Layout() {
  const [opened, { close, toggle }] = useDisclosure(false)
  const location = useLocation()
  const page = useMatches().at(-1)?.handle as Page | undefined
  const hasPermission = useHasPermission()
  useEffect(close, [close, location.pathname])
  const announcement = usePageAnnouncement(page)
  const key = usePageKey()
  useSearchShortcut()

  return (
    <div className={classes.frame}>
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <VisuallyHidden role="status">{announcement}</VisuallyHidden>
      <UnsavedGuard />
      <header className={classes.header}>
        <Group gap="sm" wrap="nowrap">
          <Burger
            className={classes.burger}
            opened={opened}
            onClick={toggle}
            size="sm"
            aria-label="Navigation"
            aria-expanded={opened}
          />
          <Link to="/" className={classes.brand}>
            <img src="/icon.svg" alt="" width={28} height={28} />
            <Text fw={650} size="lg" component="span">
              User Accounts
            </Text>
          </Link>
        </Group>
        <Group gap="xs" wrap="nowrap">
          <ColorSchemeToggle />
          <UserMenu />
        </Group>
      </header>
      <nav className={classes.nav} aria-label="Main">
        <Navigation />
      </nav>
      <Drawer opened={opened} onClose={close} title="User Accounts" size={280}>
        <nav aria-label="Main, on a small screen">
          <Navigation />
        </nav>
      </Drawer>
      <main id="main" className={classes.main} tabIndex={-1}>
        <ErrorBoundary key={key}>
          <Suspense fallback={<Loading />}>
            {page?.permission && !hasPermission(page.permission) ? (
              <NoPermission permission={page.permission} />
            ) : (
              <Outlet />
            )}
          </Suspense>
        </ErrorBoundary>
      </main>
      <footer className={classes.footer}>User Accounts {__VERSION__}</footer>
    </div>
  )
}

function Navigation() {
  const list = useRef<HTMLDivElement>(null)
  const { pathname } = useLocation()
  useEffect(() => {
    list.current?.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest' })
  }, [pathname])
  const hasPermission = useHasPermission()
  const shown = usePages().filter((p) => p.nav && (!p.permission || hasPermission(p.permission)))
  const groups = [...new Set(shown.map((p) => p.nav?.group ?? ''))]
  return (
    <div ref={list}>
      {groups.map((group) => (
        <div key={group} className={classes.group}>
          <Text size="xs" fw={600} c="dimmed" className={classes.groupName}>
            {group}
          </Text>
          {shown
            .filter((p) => p.nav?.group === group)
            .map((p) => {
              const Icon = p.nav!.icon
              return (
                <NavLink key={p.path} to={`/${p.path}`} end={p.path === ''} className={classes.link}>
                  <Icon size={20} stroke={1.7} aria-hidden />
                  {p.nav!.label}
                </NavLink>
              )
            })}
        </div>
      ))}
    </div>
  )
}

function ColorSchemeToggle() {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark'
  const label = dark ? 'Light colours' : 'Dark colours'
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={label}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={20} /> : <IconMoon size={20} />}
      </ActionIcon>
    </Tooltip>
  )
}

function UserMenu() {
  const me = useMe()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const handleSignOut = async () => {
    await signOut().catch(() => undefined)
    void navigate('/sign-in', { replace: true })
  }
  return (
    <>
      <Menu width={220}>
        <Menu.Target>
          <UnstyledButton className={classes.who}>
            <Avatar size={32} radius="xl" color="indigo" aria-hidden>
              {me.username.slice(0, 2).toUpperCase()}
            </Avatar>
            <Text size="sm" fw={550} component="span" className={classes.whoName}>
              {me.username}
            </Text>
            <VisuallyHidden>: your account</VisuallyHidden>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Signed in as {me.username}</Menu.Label>
          <Menu.Item component={Link} to="/me" leftSection={<IconUserCircle size={18} />}>
            My account
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconLogout size={18} />}
            onClick={() => (hasUnsavedChanges() ? setAsking(true) : void handleSignOut())}
          >
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking && <LeaveDialog onStay={() => setAsking(false)} onLeave={() => void handleSignOut()} />}
    </>
  )
}
