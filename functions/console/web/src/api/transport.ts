// Carries the session; nothing else in the console knows how.
//
// The API gives a client with the header X-UA-Client HttpOnly cookies, which no script can read. Where it answers with
// tokens in the body instead, they stay in this module's memory and are gone with the page. Nothing secret is stored.
import type { components } from './schema'

export type LoginStep = components['schemas']['LoginStep']

const clientHeader = 'X-UA-Client'
const hintKey = 'ua.session' // that there is a session, and until when; no secret
// Paths where a 401 is about what was sent, not about a session.
const publicPaths = /^\/api\/(login|password|sso\/(providers|return))(\/|$)/
const activityEvents = ['pointerdown', 'keydown', 'visibilitychange'] as const

let accessToken: string | undefined
let refreshToken: string | undefined
let lastActivity = Date.now()
let lastRenewal = Date.now()
let renewal: Promise<boolean> | undefined
let sessionEnded: () => Promise<boolean> | undefined = () => undefined
let signInAgain: Promise<boolean> | undefined
let askForProof: () => Promise<boolean> = () => Promise.resolve(false)
let proof: Promise<boolean> | undefined

/**
 * Sets what happens when the session ends other than by signing out. A promise that it returns tells whether the same
 * person has signed in again: then the request that found the session ended is sent again.
 */
export function onSessionEnd(listener: () => Promise<boolean> | undefined) {
  sessionEnded = listener
}

interface SessionHint {
  refreshDue: string
  renewed: number
}

function readHint(): SessionHint | undefined {
  try {
    return (JSON.parse(localStorage.getItem(hintKey) ?? 'null') as SessionHint | null) ?? undefined
  } catch {
    return undefined
  }
}

/** Whether there may be a session, as far as this browser knows. */
export const mayBeSignedIn = () => readHint() !== undefined

/** Starts the session, if this is the answer to the last step of signing in. */
export function startSession(step: LoginStep) {
  if (step.next !== 'done') return
  accessToken = step.accessToken
  refreshToken = step.refreshToken
  lastRenewal = Date.now()
  if (step.session)
    localStorage.setItem(
      hintKey,
      JSON.stringify({ refreshDue: step.session.refreshDue, renewed: lastRenewal } satisfies SessionHint),
    )
}

/** Ends the session in this browser, in other tabs too. */
export function endSession() {
  accessToken = refreshToken = undefined
  localStorage.removeItem(hintKey)
}

function withCredentials(request: Request): Request {
  const out = new Request(request)
  out.headers.set(clientHeader, 'web')
  if (accessToken) out.headers.set('Authorization', `Bearer ${accessToken}`)
  return out
}

/** Sets how the user is asked to confirm who they are; the answer is whether they did. Returns how to end that. */
export function onProofNeeded(ask: () => Promise<boolean>): () => void {
  askForProof = ask
  return () => (askForProof = () => Promise.resolve(false))
}

/** Sends a request. If the API wants a fresh proof of who the user is, asks for it once and sends the request again. */
export async function sendRequest(request: Request): Promise<Response> {
  const response = await sendInSession(request)
  if (response.status !== 403) return response
  const problem = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { code?: string } | undefined
  if (problem?.code !== 'proofNeeded') return response
  proof ??= askForProof().finally(() => (proof = undefined)) // requests at the same time share one question
  return (await proof) ? sendInSession(request) : response
}

/** Sends a request. If the session has expired, renews it once and sends the request again. */
async function sendInSession(request: Request): Promise<Response> {
  const response = await fetch(withCredentials(request.clone()))
  if (response.status !== 401 || publicPaths.test(new URL(request.url).pathname)) return response
  if (!mayBeSignedIn()) return signInAgain && (await signInAgain) ? fetch(withCredentials(request.clone())) : response
  // A 401 right after a renewal is about the request, not about the session.
  if (await renewSession()) return fetch(withCredentials(request.clone()))
  endSession()
  return (await askToSignIn()) ? fetch(withCredentials(request.clone())) : response
}

/** Asks once, however many requests find the session ended. */
function askToSignIn(): Promise<boolean> {
  signInAgain ??= (sessionEnded() ?? Promise.resolve(false)).finally(() => (signInAgain = undefined))
  return signInAgain
}

/** Renews the session. Only one tab does so at a time, because a refresh token works once. */
function renewSession(): Promise<boolean> {
  renewal ??= withLock(async () => {
    const before = readHint()
    if (!accessToken && before && before.renewed > lastRenewal) {
      lastRenewal = before.renewed // another tab renewed it while this one waited
      return true
    }
    const response = await fetch('/api/login/refresh', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', [clientHeader]: 'web' },
      body: JSON.stringify(refreshToken ? { refreshToken } : {}),
    })
    if (!response.ok) return false
    startSession((await response.json()) as LoginStep)
    return true
  })
    .catch(() => false)
    .finally(() => (renewal = undefined))
  return renewal
}

function withLock<T>(action: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request('ua.renew', action) as Promise<T>) : action()
}

// Renews a session before it expires, but only if the user was active since the last renewal. Otherwise it expires when
// the environment says.
function renewIfDue() {
  const now = readHint()
  if (!now) return
  const due = Date.parse(now.refreshDue)
  const window = Math.max(60_000, (due - now.renewed) / 3)
  if (Date.now() >= due) {
    if (lastActivity > due) void sendRequest(new Request('/api/me'))
  } else if (Date.now() > due - window && lastActivity > now.renewed) {
    void renewSession()
  }
}

/** Keeps the session of an active user from expiring while the page is open. */
export function watchSession() {
  for (const name of activityEvents) addEventListener(name, () => (lastActivity = Date.now()), { passive: true })
  addEventListener('storage', (event) => {
    if (event.key === hintKey && event.newValue === null) {
      accessToken = refreshToken = undefined
      void askToSignIn()
    }
  })
  setInterval(renewIfDue, 15_000)
}
