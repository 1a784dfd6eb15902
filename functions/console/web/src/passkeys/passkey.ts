// Passkeys by WebAuthn. The options from the API and the credential from the browser are passed on as JSON.
import { Problem } from '../api/problem'

/** Whether this browser supports passkeys with options in JSON. */
export const passkeysSupported = () =>
  typeof PublicKeyCredential !== 'undefined' &&
  'parseCreationOptionsFromJSON' in PublicKeyCredential &&
  window.isSecureContext

const dismissed = new Problem({
  status: 0,
  code: 'dismissed',
  title: 'No passkey was used',
  detail:
    'It was cancelled or took too long, or this device has no suitable passkey. Try again, or use another method.',
})

async function credentialJson(request: Promise<Credential | null>): Promise<unknown> {
  const credential = await request.catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'InvalidStateError')
      throw new Problem({
        status: 0,
        code: 'known',
        title: 'Passkey already exists',
        detail: 'This device already has a passkey for your account.',
      })
    throw dismissed
  })
  if (!(credential instanceof PublicKeyCredential)) throw dismissed
  return credential.toJSON()
}

/** Registers a passkey: the credential, as the API takes it. */
export const createPasskey = (publicKey: unknown) =>
  credentialJson(
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey as PublicKeyCredentialCreationOptionsJSON),
    }),
  )

/** Signs a challenge with a passkey: the assertion, as the API takes it. */
export const getPasskeyAssertion = (publicKey: unknown) =>
  credentialJson(
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey as PublicKeyCredentialRequestOptionsJSON),
    }),
  )
