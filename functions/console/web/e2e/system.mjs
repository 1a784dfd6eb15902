// The system under test, and its API for what a test needs to be there beforehand.
export const origin = process.env.E2E_URL ?? 'http://127.0.0.1:3000'
export const administrator = { username: 'admin', password: process.env.E2E_PASSWORD ?? '' }

/** What people sign in by beside the system; undefined where nobody started it. */
export const providers = process.env.E2E_PROVIDERS && JSON.parse(process.env.E2E_PROVIDERS)
/** The mailbox of the system; undefined where it has none. */
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

/** Calls the API as the administrator: the body of the answer, or an error that says what came. */
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

/** A name that no other test has. */
export const fresh = (stem) => `${stem}${Math.random().toString(36).slice(2, 8)}`

/** Makes an account; with a password it may sign in. */
export async function account(values = {}, password) {
  const username = values.username ?? fresh('e2e')
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

/** The newest mail to an address whose subject and text fit: its text. Mails take their way through the outbox, so it waits for one. */
export async function mailed(to, subject, within = () => true) {
  for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((done) => setTimeout(done, 200))) {
    const { emails } = await (await fetch(`${mailbox}/store`)).json()
    const found = emails.filter((m) => m.destination.to[0] === to && subject.test(m.subject) && within(m.body.text))
    if (found.length > 0) return found.at(-1).body.text
  }
  throw new Error(`no mail to ${to} about ${subject}`)
}

/** Puts what a stand-in beside the system is to answer with: a provider's /person, or the directory's /people. */
export async function says(address, content) {
  const answer = await fetch(address, { method: 'PUT', body: JSON.stringify(content) })
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`)
}

/** Changes the settings of the environment, and hands over what puts them back. */
export async function settings(values) {
  const put = async (wanted) => {
    const now = await call('GET', '/api/settings')
    await call('PATCH', '/api/settings', wanted, { 'If-Match': `"${now.version}"` })
    return Object.fromEntries(Object.keys(wanted).map((name) => [name, now[name]]))
  }
  const before = await put(values)
  return () => put(before)
}

let crowded
/** Thousands of accounts whose usernames begin alike; made once for a run, several at a time, because two cores do no more. */
export function crowd(many = Number(process.env.E2E_CROWD ?? 5000)) {
  crowded ??= (async () => {
    const stem = fresh('crowd')
    let n = 0
    const one = async () => {
      while (n < many) {
        const name = `${stem}${String(n++).padStart(5, '0')}`
        await account({ username: name, name: `Crowd ${name.slice(-5)}` })
      }
    }
    await Promise.all(Array.from({ length: 8 }, one))
    return { stem, many }
  })()
  return crowded
}
