import type { Schemas } from '../api/client'

export type MfaMethod = Schemas['Mfa']['methods'][number]

/** The labels of the second factors. */
export const mfaMethodNames: Record<MfaMethod, string> = {
  passkey: 'Passkey',
  totp: 'Authenticator',
  recoveryCode: 'Recovery codes',
  emailCode: 'Code by email',
}
