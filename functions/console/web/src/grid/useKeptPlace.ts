import { useLayoutEffect, useRef } from 'react'
import type { RefObject } from 'react'

interface Place {
  top: number
  left: number
  /** The row that had the focus last. */
  row: string | undefined
}

const places = new Map<string, Place>()

/** Keeps where a grid was scrolled to and which row had the focus, until it is shown again under the same key. */
export function useKeptPlace(key: string, scroller: RefObject<HTMLElement | null>) {
  const shown = useRef(false)
  useLayoutEffect(() => {
    const box = scroller.current
    if (!box) return
    const kept = places.get(key)
    const place: Place = { top: 0, left: 0, row: undefined }
    Object.assign(place, kept)
    box.scrollTo({ top: place.top, left: place.left })
    // Only who comes back from another page is taken to the row, and once it is rendered.
    const back = shown.current ? undefined : kept?.row
    shown.current = true
    const frame = requestAnimationFrame(() => {
      if (back) box.querySelector<HTMLElement>(`[data-row="${CSS.escape(back)}"] a`)?.focus({ preventScroll: true })
    })
    const noteScroll = () => {
      place.top = box.scrollTop
      place.left = box.scrollLeft
    }
    const noteFocus = (event: FocusEvent) => {
      const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
      if (row) place.row = row.dataset['row']
    }
    box.addEventListener('scroll', noteScroll, { passive: true })
    box.addEventListener('focusin', noteFocus)
    return () => {
      cancelAnimationFrame(frame)
      box.removeEventListener('scroll', noteScroll)
      box.removeEventListener('focusin', noteFocus)
      places.set(key, place)
    }
  }, [key, scroller])
}
