import { useEffect, useEffectEvent, useRef } from 'react'

/** Calls reached when the element it is put on comes near the visible part of the page: for lists that read on by themselves. */
export function useInfiniteScroll<E extends HTMLElement>(onEndReached: () => void, enabled: boolean) {
  const element = useRef<E>(null)
  const onNear = useEffectEvent(onEndReached)
  useEffect(() => {
    if (!enabled || !element.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((s) => s.isIntersecting)) onNear()
      },
      { rootMargin: '400px' },
    )
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [enabled])
  return element
}
