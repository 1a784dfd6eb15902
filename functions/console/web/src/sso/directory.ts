import type { Schemas } from '../api/client'

export type Directory = Schemas['SsoDirectory']

// In memory only, because it gives access to the directory.
let directorySession: Directory | undefined

export const storeDirectory = (directory: Directory | undefined) => (directorySession = directory)

/** The directory session, until it expires. */
export const storedDirectory = () =>
  directorySession && Date.parse(directorySession.expires) > Date.now() ? directorySession : undefined
