import { useState } from 'react'

/** State that starts over whenever its key changes. */
export function useKeyedState<T>(key: string, initial: T): [T, (value: T) => void] {
  const [stored, setStored] = useState({ key, value: initial })
  return [stored.key === key ? stored.value : initial, (value) => setStored({ key, value })]
}
