import { useLayoutEffect, useState } from 'react'
import type { RefObject } from 'react'

/** A list is drawn whole up to so many rows; of a longer one only what can be seen, and some around it. */
const whole = 120
const step = 20

/** Which rows of a long table have to be drawn, and how much room the others take. Rows are all of the same height. */
export function useVisible(
  count: number,
  scroller: RefObject<HTMLElement | null>,
): { from: number; to: number; before: number; after: number } {
  const [at, setAt] = useState({ from: 0, to: whole, height: 42 })
  const long = count > whole
  useLayoutEffect(() => {
    const box = scroller.current
    if (!box || !long) return
    let frame = 0
    const look = () => {
      frame = 0
      const height = box.querySelector('tbody tr[data-row]')?.getBoundingClientRect().height || 42
      const first = Math.floor(box.scrollTop / height)
      // By steps, so that not every pixel draws anew.
      const from = Math.max(0, Math.floor(first / step) * step - step)
      const to = Math.ceil((first + box.clientHeight / height) / step) * step + step
      setAt((now) => (now.from === from && now.to === to && now.height === height ? now : { from, to, height }))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(look)
    }
    look()
    box.addEventListener('scroll', soon, { passive: true })
    window.addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      box.removeEventListener('scroll', soon)
      window.removeEventListener('resize', soon)
    }
  }, [long, scroller])
  if (!long) return { from: 0, to: count, before: 0, after: 0 }
  const from = Math.min(at.from, Math.max(0, count - step))
  const to = Math.min(count, at.to)
  return { from, to, before: from * at.height, after: (count - to) * at.height }
}
