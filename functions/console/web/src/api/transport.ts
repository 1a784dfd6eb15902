// How a session is carried. The only file that knows: the rest of the console asks, and hears when the session is over.
//
// The service gives this client HttpOnly cookies, which no script can read, when it says who it is by X-UA-Client. Where a
// deployment answers with tokens in the body instead, they stay in this module's memory and are gone with the page; nothing
// secret is ever put into storage.
import type { components } from './schema'

export type Step = components['schemas']['LoginStep']

const clientHeader = 'X-UA-Client'
const mark = 'ua.session' // says that there is a session, and until when; no secret
// Where a 401 is about what was sent, not about a session.
const withoutSession = /^\/api\/(login|password|sso\/(providers|return))(\/|$)/
const activityEvents = ['pointerdown', 'keydown', 'visibilitychange'] as const

let accessToken: string | undefined
let refreshToken: string | undefined
let lastActivity = Date.now()
let lastRenewal = Date.now()
let renewing: Promise<boolean> | undefined
let onOver: () => void = () => undefined

/** Says what is to happen when the session has ended without being asked to. */
export function whenOver(act: () => void) {
  onOver = act
}

interface Mark {
  refreshDue: string
  renewed: number
}

function readMark(): Mark | undefined {
  try {
    return (JSON.parse(localStorage.getItem(mark) ?? 'null') as Mark | null) ?? undefined
  } catch {
    return undefined
  }
}

/** Whether there may be a session, as far as this browser knows. */
export const mayBeSignedIn = () => readMark() !== undefined

/** Takes in the answer to a step of signing in: from a step that is done the session's means are kept. */
export function opened(step: Step) {
  if (step.next !== 'done') return
  accessToken = step.accessToken
  refreshToken = step.refreshToken
  lastRenewal = Date.now()
  if (step.session)
    localStorage.setItem(
      mark,
      JSON.stringify({ refreshDue: step.session.refreshDue, renewed: lastRenewal } satisfies Mark),
    )
}

/** Forgets the session, here and in other tabs. */
export function forget() {
  accessToken = refreshToken = undefined
  localStorage.removeItem(mark)
}

function prepared(request: Request): Request {
  const out = new Request(request)
  out.headers.set(clientHeader, 'web')
  if (accessToken) out.headers.set('Authorization', `Bearer ${accessToken}`)
  return out
}

/** Sends a request of the API; a session that has run out is renewed once and the request sent again. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone()
  const response = await fetch(prepared(request))
  if (response.status !== 401 || withoutSession.test(new URL(request.url).pathname)) return response
  if (!mayBeSignedIn()) return response
  // Refused with a session that was just renewed, it is the request that is wrong, not the session.
  if (await renew()) return fetch(prepared(again))
  forget()
  onOver()
  return response
}

/** Renews the session; one renewal at a time, in this tab and among tabs, because a refresh token works once. */
function renew(): Promise<boolean> {
  renewing ??= locked(async () => {
    const before = readMark()
    if (!accessToken && before && before.renewed > lastRenewal) {
      lastRenewal = before.renewed // another tab did it while this one waited
      return true
    }
    const response = await fetch('/api/login/refresh', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', [clientHeader]: 'web' },
      body: JSON.stringify(refreshToken ? { refreshToken } : {}),
    })
    if (!response.ok) return false
    opened((await response.json()) as Step)
    return true
  })
    .catch(() => false)
    .finally(() => (renewing = undefined))
  return renewing
}

function locked<T>(act: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request('ua.renew', act) as Promise<T>) : act()
}

// A session lasts as long as somebody is there: it is renewed ahead of its end only if the person did something since the
// last time. Left alone, it ends when the environment says.
function tick() {
  const now = readMark()
  if (!now) return
  const due = Date.parse(now.refreshDue)
  const window = Math.max(60_000, (due - now.renewed) / 3)
  if (Date.now() >= due) {
    if (lastActivity > due) void send(new Request('/api/me'))
  } else if (Date.now() > due - window && lastActivity > now.renewed) {
    void renew()
  }
}

/** Watches over the session for as long as the page is open. */
export function watch() {
  for (const name of activityEvents) addEventListener(name, () => (lastActivity = Date.now()), { passive: true })
  addEventListener('storage', (event) => {
    if (event.key === mark && event.newValue === null) {
      accessToken = refreshToken = undefined
      onOver()
    }
  })
  setInterval(tick, 15_000)
}
