import { useLayoutEffect, useState } from 'react'
import type { RefObject } from 'react'

/** Lists up to this length are rendered whole; of longer ones only the visible rows and some around them. */
const virtualiseAbove = 120
const stepRows = 20

/** Which rows of a long table to render, and the height of those left out. All rows have the same height. */
export function useVirtualRows(
  count: number,
  scroller: RefObject<HTMLElement | null>,
  dense: boolean,
): { from: number; to: number; before: number; after: number } {
  const [range, setRange] = useState({ from: 0, to: virtualiseAbove, height: 42 })
  const long = count > virtualiseAbove
  useLayoutEffect(() => {
    const box = scroller.current
    if (!box || !long) return
    let frame = 0
    const measure = () => {
      frame = 0
      const height = box.querySelector('tbody tr[data-row]')?.getBoundingClientRect().height || 42
      const first = Math.floor(box.scrollTop / height)
      // In steps, so that not every pixel renders again.
      const from = Math.max(0, Math.floor(first / stepRows) * stepRows - stepRows)
      const to = Math.ceil((first + box.clientHeight / height) / stepRows) * stepRows + stepRows
      setRange((now) => (now.from === from && now.to === to && now.height === height ? now : { from, to, height }))
    }
    const scheduleMeasure = () => {
      frame ||= requestAnimationFrame(measure)
    }
    measure()
    box.addEventListener('scroll', scheduleMeasure, { passive: true })
    window.addEventListener('resize', scheduleMeasure)
    return () => {
      cancelAnimationFrame(frame)
      box.removeEventListener('scroll', scheduleMeasure)
      window.removeEventListener('resize', scheduleMeasure)
    }
  }, [long, scroller, dense])
  if (!long) return { from: 0, to: count, before: 0, after: 0 }
  const from = Math.min(range.from, Math.max(0, count - stepRows))
  const to = Math.min(count, range.to)
  return { from, to, before: from * range.height, after: (count - to) * range.height }
}
