import type { Schemas } from '../api/client'

export type Method = Schemas['Mfa']['methods'][number]

/** The ways to prove a second factor, in words. */
export const methodNames: Record<Method, string> = {
  passkey: 'Passkey',
  totp: 'Authenticator',
  recoveryCode: 'Recovery codes',
  emailCode: 'Code by mail',
}
