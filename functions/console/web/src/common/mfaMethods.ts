import type { Schemas } from '../api/client'

export type MfaMethod = Schemas['Mfa']['methods'][number]

/** The ways to prove a second factor, in words. */
export const mfaMethodNames: Record<MfaMethod, string> = {
  passkey: 'Passkey',
  totp: 'Authenticator',
  recoveryCode: 'Recovery codes',
  emailCode: 'Code by email',
}
