// Walks through the API with openapi-fetch and the types that openapi-typescript made.
import { readFileSync } from 'node:fs'
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Problem = components['schemas']['Problem']

const { URL: baseUrl = '', ADMIN_PASSWORD: password = '', WORKBOOK: workbook = '' } = process.env
const api = createClient<paths>({ baseUrl, querySerializer: { array: { style: 'form', explode: false } } })

function check(ok: unknown, what: string, detail?: unknown): asserts ok {
  if (!ok) throw new Error(`${what}: ${JSON.stringify(detail)}`)
}

const signedIn = await api.POST('/api/login', { body: { identifier: 'admin', password } })
const token = signedIn.data?.accessToken
check(token, 'sign in', signedIn.error)
api.use({
  onRequest({ request }) {
    request.headers.set('Authorization', `Bearer ${token}`)
  },
})

const create = (username: string) =>
  api.POST('/api/accounts', {
    body: { username, name: 'TS Journey', email: `${username}@example.com`, userType: 'FULL', roles: ['VIEWER'] },
  })
const first = await create('tsjourney1')
check(first.data, 'create', first.error)
check((await create('tsjourney2')).data, 'create')
const taken = await create('tsjourney1')
check(taken.response.status === 409 && taken.error?.code === 'taken', '409', taken.error)

let seen = 0
let cursor: string | undefined
do {
  const page = await api.GET('/api/accounts', {
    params: { query: { limit: 1, roles: ['ADMIN', 'VIEWER'], find: 'journey', ...(cursor && { cursor }) } },
  })
  check(page.data, 'list', page.error)
  seen += page.data.items.length
  cursor = page.data.next
} while (cursor)
check(seen >= 2, 'pages', seen)

const { id, version } = first.data
const change = (tag: string, name: string) =>
  api.PATCH('/api/accounts/{id}', { params: { path: { id }, header: { 'If-Match': tag } }, body: { name } })
const tag = first.response.headers.get('ETag')!
const changed = await change(tag, 'TS Changed')
check(changed.data && changed.data.version > version, 'change', changed.error)
const stale = await change(tag, 'TS Stale')
const problem: Problem | undefined = stale.error // one type for every problem of every operation
check(stale.response.status === 412 && problem?.code === 'stale', '412', problem)
const invalid = await change(changed.response.headers.get('ETag')!, '   ')
check(invalid.response.status === 422 && invalid.error?.fields?.length === 1, '422', invalid.error)

const bulk = await api.POST('/api/accounts/bulk', {
  body: { action: 'block', ids: [id], arguments: { reason: 'Left' } },
})
check(bulk.data?.items.length === 1, 'bulk', bulk.error)

const begun = await api.POST('/api/imports', { body: { dateFormat: 'iso' } })
check(begun.data, 'import', begun.error)
const form = new FormData()
for (const [name, value] of Object.entries(begun.data.form.fields)) form.append(name, value)
form.append('file', new Blob([readFileSync(workbook)]), 'joiners.xlsx')
check((await fetch(begun.data.form.url, { method: 'POST', body: form })).ok, 'upload')
const job = { params: { path: { id: begun.data.job.id } } }
const submitted = await api.POST('/api/imports/{id}/submit', job)
check(submitted.response.ok, 'submit', submitted.error)
let state: string | undefined
for (let tries = 0; state !== 'done' && tries < 60; tries++) {
  await new Promise((done) => setTimeout(done, 1000))
  state = (await api.GET('/api/jobs/{id}', job)).data?.state
}
check(state === 'done', 'the import did not end', state)
check((await api.GET('/api/jobs/{id}/rows', job)).data?.items.length, 'rows')
console.log('the TypeScript client works')
