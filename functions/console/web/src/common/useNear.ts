import { useEffect, useEffectEvent, useRef } from 'react'

/** Calls reached when the element it is put on comes near the visible part of the page: for lists that read on by themselves. */
export function useNear<E extends HTMLElement>(reached: () => void, on: boolean) {
  const element = useRef<E>(null)
  const onNear = useEffectEvent(reached)
  useEffect(() => {
    if (!on || !element.current) return
    const watch = new IntersectionObserver(
      (seen) => {
        if (seen.some((s) => s.isIntersecting)) onNear()
      },
      { rootMargin: '400px' },
    )
    watch.observe(element.current)
    return () => watch.disconnect()
  }, [on])
  return element
}
