import { useEffect, useEffectEvent, useRef } from 'react'

/** Calls onEndReached when the element with the returned ref scrolls near the viewport. */
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
