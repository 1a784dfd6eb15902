import type { ComponentType } from 'react'
import type { TablerIcon } from '@tabler/icons-react'
import { IconUsers } from '@tabler/icons-react'

/** One page of the console: where it is, who may see it, and from where people get to it. */
export interface Page {
  path: string
  /** The page's name, for the window's title. */
  title: string
  /** The permission without which the page says that it is not for this person. */
  needs?: string
  /** Its entry in the navigation, in the order of this file. */
  nav?: { label: string; icon: TablerIcon; group: string }
  /** Its entry in the ⋯ menu of another page. */
  menu?: { of: 'accounts'; label: string }
  lazy: () => Promise<{ Component: ComponentType }>
}

/** Every page. A new one adds a row; its code is loaded when somebody goes there. */
export const pages: Page[] = [
  {
    path: 'accounts',
    title: 'User accounts',
    needs: 'account.read',
    nav: { label: 'User accounts', icon: IconUsers, group: 'User access' },
    lazy: async () => ({ Component: (await import('./accounts/AccountsPage')).AccountsPage }),
  },
  {
    path: 'accounts/new',
    title: 'New user account',
    needs: 'account.create',
    lazy: async () => ({ Component: (await import('./accounts/NewAccountPage')).NewAccountPage }),
  },
  {
    path: 'accounts/:id/:tab?',
    title: 'User account',
    needs: 'account.read',
    lazy: async () => ({ Component: (await import('./accounts/AccountPage')).AccountPage }),
  },
]
