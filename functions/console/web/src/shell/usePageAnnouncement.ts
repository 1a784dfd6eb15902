import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { NavigationType, useLocation, useMatches, useNavigationType } from 'react-router'
import type { Page } from '../page'

/** What makes one page of another: its tabs do not, so that they keep what is on it. */
export function usePageKey(): string {
  const match = useMatches().at(-1)
  const { pathname } = useLocation()
  const page = match?.handle as Page | undefined
  if (!page?.path.includes(':tab')) return pathname
  const { tab: _, ...params } = match?.params ?? {}
  return `${page.path} ${JSON.stringify(params)}`
}

/** After the way to another page: its title, its beginning, the keyboard at it, and words for people who hear the page. */
export function usePageAnnouncement(page: Page | undefined): string {
  const key = usePageKey()
  const navigationType = useNavigationType()
  const previousKey = useRef(key)
  const [announcement, setAnnouncement] = useState('')
  // Ahead of the effects in the page, which can name it more closely.
  useLayoutEffect(() => {
    document.title = page ? `${page.title} · User Accounts` : 'User Accounts'
  }, [page, key])
  useEffect(() => {
    if (previousKey.current === key) return
    previousKey.current = key
    // What a page focuses itself, such as its first input, stays.
    const main = document.getElementById('main')
    if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true })
    if (navigationType !== NavigationType.Pop) window.scrollTo(0, 0)
    setAnnouncement(page?.title ?? '')
  }, [key, navigationType, page])
  return announcement
}

/** Names the page more closely than its row does, such as by what it shows. */
export function usePageTitle(title: string | undefined) {
  useEffect(() => {
    if (title) document.title = `${title} · User Accounts`
  }, [title])
}
