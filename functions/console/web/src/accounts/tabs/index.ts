import { lazy } from 'react'
import type { ComponentType } from 'react'
import type { Account } from '../account'
import type { TabProps } from './tab'

interface Tab {
  value: string
  label: string
  needs?: string
  /** Only for accounts of which this holds. */
  when?: (account: Account) => boolean
  Panel: ComponentType<TabProps>
}

/** The tabs of an account, in the guide's order. A new one adds a row and a file. */
export const tabs: Tab[] = [
  { value: 'permissions', label: 'Permissions', Panel: lazy(() => import('./PermissionsTab')) },
  { value: 'delegation', label: 'Delegation', Panel: lazy(() => import('./DelegationTab')) },
  { value: 'sessions', label: 'Sessions', needs: 'account.session', Panel: lazy(() => import('./SessionsTab')) },
  { value: 'contact', label: 'Contact', Panel: lazy(() => import('./ContactTab')) },
  { value: 'resource', label: 'Resource', needs: 'resource.read', Panel: lazy(() => import('./ResourceTab')) },
  { value: 'factor', label: 'Multi-factor', Panel: lazy(() => import('./FactorTab')) },
  { value: 'links', label: 'Single sign-on', Panel: lazy(() => import('./LinksTab')) },
  { value: 'keys', label: 'API keys', Panel: lazy(() => import('./KeysTab')) },
  { value: 'log', label: 'Log', Panel: lazy(() => import('./LogTab')) },
]
