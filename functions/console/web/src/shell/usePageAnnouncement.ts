import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { NavigationType, useLocation, useMatches, useNavigationType } from 'react-router'
import type { Page } from '../page'

/** Identifies a page. The tabs of a page share one key, so that changing tabs keeps its state. */
export function usePageKey(): string {
  const match = useMatches().at(-1)
  const { pathname } = useLocation()
  const page = match?.handle as Page | undefined
  if (!page?.path.includes(':tab')) return pathname
  const { tab: _, ...params } = match?.params ?? {}
  return `${page.path} ${JSON.stringify(params)}`
}

/** After navigation: sets the title, scrolls to the top, moves the focus, and returns text for screen readers. */
export function usePageAnnouncement(page: Page | undefined): string {
  const key = usePageKey()
  const navigationType = useNavigationType()
  const previousKey = useRef(key)
  const [announcement, setAnnouncement] = useState('')
  // Before the effects of the page, which can set a more specific title.
  useLayoutEffect(() => {
    document.title = page ? `${page.title} · User Accounts` : 'User Accounts'
  }, [page, key])
  useEffect(() => {
    if (previousKey.current === key) return
    previousKey.current = key
    // If the page has focused something itself, such as its first input, that stays.
    const main = document.getElementById('main')
    if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true })
    if (navigationType !== NavigationType.Pop) window.scrollTo(0, 0)
    setAnnouncement(page?.title ?? '')
  }, [key, navigationType, page])
  return announcement
}

/** Sets a more specific title than that of the page's row, such as the name of what it shows. */
export function usePageTitle(title: string | undefined) {
  useEffect(() => {
    if (title) document.title = `${title} · User Accounts`
  }, [title])
}
