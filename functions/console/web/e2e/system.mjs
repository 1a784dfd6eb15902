// The system under test, and helpers that prepare data through its API.
export const origin = process.env.E2E_URL ?? 'http://127.0.0.1:3000'
export const administrator = { username: 'admin', password: process.env.E2E_PASSWORD ?? '' }

/** The identity providers beside the system; undefined if not started. */
export const providers = process.env.E2E_PROVIDERS && JSON.parse(process.env.E2E_PROVIDERS)
/** The mailbox of the system; undefined if it has none. */
export const mailbox = process.env.E2E_MAILBOX

let token
async function bearer() {
  if (token) return token
  const answer = await fetch(`${origin}/api/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      identifier: administrator.username,
      password: administrator.password,
      client: 'browser tests',
    }),
  })
  if (!answer.ok) throw new Error(`signing in by the API: ${answer.status} ${await answer.text()}`)
  token = (await answer.json()).accessToken
  return token
}

/** Calls the API as the administrator: returns the body, or throws an error with the answer. */
export async function call(method, path, body, headers = {}) {
  const answer = await fetch(origin + path, {
    method,
    headers: {
      Authorization: `Bearer ${await bearer()}`,
      ...(body && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

/** A name that is unique to a test. */
export const uniqueName = (stem) => `${stem}${Math.random().toString(36).slice(2, 8)}`

/** Creates an account; with a password it can sign in. */
export async function createAccount(values = {}, password) {
  const username = values.username ?? uniqueName('e2e')
  const made = await call('POST', '/api/accounts', {
    username,
    name: 'Pat Walker',
    email: `${username}@example.com`,
    userType: 'FULL',
    ...values,
  })
  if (password) await call('POST', `/api/accounts/${made.id}/password`, { password, forceChange: false, unlock: true })
  return made
}

/** Waits for an email to an address whose subject and text match, and returns the newest one's text. */
export async function waitForMail(to, subject, within = () => true) {
  for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((done) => setTimeout(done, 200))) {
    const { emails } = await (await fetch(`${mailbox}/store`)).json()
    const found = emails.filter((m) => m.destination.to[0] === to && subject.test(m.subject) && within(m.body.text))
    if (found.length > 0) return found.at(-1).body.text
  }
  throw new Error(`no mail to ${to} about ${subject}`)
}

/** Sets what a fake provider answers: its /person, or the directory's /people. */
export async function setResponse(address, content) {
  const answer = await fetch(address, { method: 'PUT', body: JSON.stringify(content) })
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`)
}

/** Changes settings of the environment; returns a function that restores them. */
export async function changeSettings(values) {
  const put = async (wanted) => {
    const now = await call('GET', '/api/settings')
    await call('PATCH', '/api/settings', wanted, { 'If-Match': `"${now.version}"` })
    return Object.fromEntries(Object.keys(wanted).map((name) => [name, now[name]]))
  }
  const before = await put(values)
  return () => put(before)
}

let crowdPromise
/** Creates thousands of accounts with a common prefix, once in a run, eight at a time. */
export function manyAccounts(many = Number(process.env.E2E_CROWD ?? 5000)) {
  crowdPromise ??= (async () => {
    const stem = uniqueName('crowd')
    let n = 0
    const one = async () => {
      while (n < many) {
        const name = `${stem}${String(n++).padStart(5, '0')}`
        await createAccount({ username: name, name: `Crowd ${name.slice(-5)}` })
      }
    }
    await Promise.all(Array.from({ length: 8 }, one))
    return { stem, many }
  })()
  return crowdPromise
}
