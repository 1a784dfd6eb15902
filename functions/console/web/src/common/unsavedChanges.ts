import { createContext, use, useCallback, useEffect, useState } from 'react'

/** What a form with unsaved changes does not survive: any other address, or only another page. */
export type Lifetime = 'address' | 'page'

const unsaved = new Map<symbol, Lifetime>()

/** The forms with unsaved changes in the nearest dialog or drawer. */
export const UnsavedContext = createContext(new Set<symbol>())

/** Whether anything typed would be lost: on any navigation, or on one that stays on the page. */
export const hasUnsavedChanges = (samePage = false) =>
  [...unsaved.values()].some((lifetime) => !samePage || lifetime === 'address')

/**
 * Has a form guarded while it is dirty: leaving it asks first. The function returned ends the guard before the form is
 * rendered again, for what leads elsewhere once it has saved.
 */
export function useUnsavedChanges(dirty: boolean, lifetime: Lifetime = 'page'): () => void {
  const [key] = useState(() => Symbol())
  const enclosing = use(UnsavedContext)
  const release = useCallback(() => {
    unsaved.delete(key)
    enclosing.delete(key)
  }, [key, enclosing])
  useEffect(() => {
    if (!dirty) return
    unsaved.set(key, lifetime)
    enclosing.add(key)
    return release
  }, [dirty, lifetime, key, enclosing, release])
  return release
}
