import type { Schemas } from '../api/client'

export type Directory = Schemas['SsoDirectory']

// In memory only: it lists people, and is gone with the page.
let kept: Directory | undefined

export const keepDirectory = (directory: Directory | undefined) => (kept = directory)

/** The directory that was signed in to, as long as that counts. */
export const keptDirectory = () => (kept && Date.parse(kept.expires) > Date.now() ? kept : undefined)
