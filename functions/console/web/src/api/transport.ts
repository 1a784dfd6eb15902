// How a session is carried. The only file that knows: the rest of the console asks, and hears when the session is over.
//
// The service gives this client HttpOnly cookies, which no script can read, when it says who it is by X-UA-Client. Where a
// deployment answers with tokens in the body instead, they stay in this module's memory and are gone with the page; nothing
// secret is ever put into storage.
import type { components } from './schema'

export type LoginStep = components['schemas']['LoginStep']

const clientHeader = 'X-UA-Client'
const hintKey = 'ua.session' // says that there is a session, and until when; no secret
// Where a 401 is about what was sent, not about a session.
const publicPaths = /^\/api\/(login|password|sso\/(providers|return))(\/|$)/
const activityEvents = ['pointerdown', 'keydown', 'visibilitychange'] as const

let accessToken: string | undefined
let refreshToken: string | undefined
let lastActivity = Date.now()
let lastRenewal = Date.now()
let renewal: Promise<boolean> | undefined
let sessionEnded: () => void = () => undefined

/** Says what is to happen when the session has ended without being asked to. */
export function onSessionEnd(listener: () => void) {
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

/** Takes in the answer to a step of signing in: from a step that is done the session's means are kept. */
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

/** Forgets the session, here and in other tabs. */
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

/** Sends a request of the API; a session that has run out is renewed once and the request sent again. */
export async function sendRequest(request: Request): Promise<Response> {
  const retry = request.clone()
  const response = await fetch(withCredentials(request))
  if (response.status !== 401 || publicPaths.test(new URL(request.url).pathname)) return response
  if (!mayBeSignedIn()) return response
  // Refused with a session that was just renewed, it is the request that is wrong, not the session.
  if (await renewSession()) return fetch(withCredentials(retry))
  endSession()
  sessionEnded()
  return response
}

/** Renews the session; one renewal at a time, in this tab and among tabs, because a refresh token works once. */
function renewSession(): Promise<boolean> {
  renewal ??= withLock(async () => {
    const before = readHint()
    if (!accessToken && before && before.renewed > lastRenewal) {
      lastRenewal = before.renewed // another tab did it while this session waited
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

// A session lasts as long as somebody is there: it is renewed ahead of its end only if the person did something since the
// last time. Left alone, it ends when the environment says.
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

/** Watches over the session for as long as the page is open. */
export function watchSession() {
  for (const name of activityEvents) addEventListener(name, () => (lastActivity = Date.now()), { passive: true })
  addEventListener('storage', (event) => {
    if (event.key === hintKey && event.newValue === null) {
      accessToken = refreshToken = undefined
      sessionEnded()
    }
  })
  setInterval(renewIfDue, 15_000)
}
