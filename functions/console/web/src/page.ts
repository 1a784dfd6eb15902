import type { TablerIcon } from '@tabler/icons-react'
import { createContext, use } from 'react'
import type { ComponentType } from 'react'

/** One page of the console: its address, who may see it, and from where people get to it. */
export interface Page {
  path: string
  /** The page's name, for the window's title. */
  title: string
  /** The permission that the page needs; without it the page says so. */
  permission?: string
  /** Its entry in the navigation, in the order of pages.tsx. */
  nav?: { label: string; icon: TablerIcon; group: string }
  /** Its entry in the ⋯ menu of another page. */
  menu?: { of: 'accounts'; label: string }
  lazy: () => Promise<{ Component: ComponentType }>
}

/** Every page. A page that leads to others reads them here, because pages.tsx imports all pages. */
export const PagesContext = createContext<Page[]>([])

export const usePages = () => use(PagesContext)
