// The system under test, and its API for what a test needs to be there beforehand.
export const origin = process.env.E2E_URL ?? 'http://127.0.0.1:3000'
export const administrator = { username: 'admin', password: process.env.E2E_PASSWORD ?? '' }

let token
async function bearer() {
  if (token) return token
  const answer = await fetch(`${origin}/api/login`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ identifier: administrator.username, password: administrator.password, client: 'browser tests' }),
  })
  if (!answer.ok) throw new Error(`signing in by the API: ${answer.status} ${await answer.text()}`)
  token = (await answer.json()).accessToken
  return token
}

/** Calls the API as the administrator: the body of the answer, or an error that says what came. */
export async function call(method, path, body, headers = {}) {
  const answer = await fetch(origin + path, {
    method, headers: { Authorization: `Bearer ${await bearer()}`, ...(body && { 'Content-Type': 'application/json' }), ...headers },
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
  const made = await call('POST', '/api/accounts', { username, name: 'Pat Walker', email: `${username}@example.com`, userType: 'FULL', ...values })
  if (password) await call('POST', `/api/accounts/${made.id}/password`, { password, forceChange: false, unlock: true })
  return made
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
