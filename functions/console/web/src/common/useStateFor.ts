import { useState } from 'react'

/** State that starts over whenever its key changes. */
export function useStateFor<T>(key: string, initial: T): [T, (value: T) => void] {
  const [held, setHeld] = useState({ key, value: initial })
  return [held.key === key ? held.value : initial, (value) => setHeld({ key, value })]
}
