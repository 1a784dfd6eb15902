import { lazy } from 'react'
import type { ComponentType } from 'react'
import type { Account } from '../account'
import type { TabProps } from './tab'

interface Tab {
  value: string
  label: string
  permission?: string
  /** The tab is shown only for accounts of which this is true. */
  when?: (account: Account) => boolean
  Panel: ComponentType<TabProps>
}

/** The tabs of an account, in the guide's order. A new one adds a row and a file. */
export const tabs: Tab[] = [
  { value: 'permissions', label: 'Permissions', Panel: lazy(() => import('./PermissionsTab')) },
  { value: 'delegation', label: 'Delegation', Panel: lazy(() => import('./DelegationTab')) },
  { value: 'sessions', label: 'Sessions', permission: 'account.session', Panel: lazy(() => import('./SessionsTab')) },
  { value: 'contact', label: 'Contact', Panel: lazy(() => import('./ContactTab')) },
  { value: 'resource', label: 'Resource', permission: 'resource.read', Panel: lazy(() => import('./ResourceTab')) },
  { value: 'factor', label: 'Multi-factor', Panel: lazy(() => import('./SecondFactorTab')) },
  { value: 'links', label: 'Single sign-on', Panel: lazy(() => import('./IdentitiesTab')) },
  { value: 'keys', label: 'API keys', Panel: lazy(() => import('./ApiKeysTab')) },
  { value: 'log', label: 'Log', Panel: lazy(() => import('./LogTab')) },
]
