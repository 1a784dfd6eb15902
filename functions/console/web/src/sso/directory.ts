import type { Schemas } from '../api/client'

export type Directory = Schemas['SsoDirectory']

// In memory only: it lists people, and is gone with the page.
let directorySession: Directory | undefined

export const storeDirectory = (directory: Directory | undefined) => (directorySession = directory)

/** The directory that was signed in to, as long as that counts. */
export const storedDirectory = () =>
  directorySession && Date.parse(directorySession.expires) > Date.now() ? directorySession : undefined
