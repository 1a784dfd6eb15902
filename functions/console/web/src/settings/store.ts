// One face for the three families of reference data, so that one page does for all kinds.
import { api, ask, ifMatch, once } from '../api/client'
import type { Field, Value } from '../fields/fields'
import type { Kind } from './kinds'

export type Values = Record<string, Value>

/** One licence, role, department, resource and so on; what it holds is said by the fields of its kind. */
export interface Entry extends Values {
  version: number
  code: string
  active: boolean
}

export interface Query {
  find: string
  active: boolean | undefined
  cursor: string
}

export interface Store {
  fields: () => Promise<Field[]>
  list: (query: Query) => Promise<{ items: Entry[]; next?: string }>
  read: (code: string) => Promise<Entry>
  create: (values: Values) => Promise<Entry>
  change: (entry: Entry, patch: Values) => Promise<Entry>
  lock: (entry: Entry, active: boolean) => Promise<Entry>
  remove: (entry: Entry) => Promise<unknown>
}

type Accesses = 'licences' | 'roles' | 'groups' | 'dac-groups'
type References = 'resource-groups' | 'departments' | 'cost-centres' | 'payment-methods' | 'payment-terms'

const asked = ({ find, active, cursor }: Query) => ({
  limit: 50,
  ...(find && { find }),
  ...(active !== undefined && { active }),
  ...(cursor && { cursor }),
})
const entry = (of: unknown) => of as Entry
const page = (of: { items: unknown[]; next?: string | undefined }) => of as { items: Entry[]; next?: string }
const at = (kind: string, of: Entry) =>
  ({ path: { kind, code: of.code }, header: ifMatch(of.version) }) as {
    path: { kind: never; code: string }
    header: { 'If-Match': string }
  }

/** Help that starts by naming the kind, as the reference of all kinds needs it, without that start. */
const shorter = (f: Field): Field => ({
  ...f,
  ...(f.help && { help: f.help.replace(/^[A-Z][A-Za-z ]* only: (.)/, (_, c: string) => c.toUpperCase()) }),
})

export function storeOf({ family, kind }: Kind): Store {
  if (family === 'resources') return resources
  return family === 'access' ? access(kind as Accesses) : reference(kind as References)
}

function access(kind: Accesses): Store {
  return {
    fields: async () =>
      (await ask(api.GET('/api/access/fields'))).items.find((k) => k.kind === kind)?.fields.map(shorter) ?? [],
    list: async (query) =>
      page(await ask(api.GET('/api/access/{kind}', { params: { path: { kind }, query: asked(query) } }))),
    read: async (code) => entry(await ask(api.GET('/api/access/{kind}/{code}', { params: { path: { kind, code } } }))),
    create: async (body) =>
      entry(
        await ask(api.POST('/api/access/{kind}', { params: { path: { kind }, header: once() }, body: body as never })),
      ),
    change: async (e, body) =>
      entry(await ask(api.PATCH('/api/access/{kind}/{code}', { params: at(kind, e), body: body as never }))),
    lock: async (e, active) =>
      entry(await ask(api.PATCH('/api/access/{kind}/{code}', { params: at(kind, e), body: { active } }))),
    remove: (e) => ask(api.DELETE('/api/access/{kind}/{code}', { params: at(kind, e) })),
  }
}

function reference(kind: References): Store {
  return {
    fields: async () =>
      (await ask(api.GET('/api/reference/fields'))).items.find((k) => k.kind === kind)?.fields.map(shorter) ?? [],
    list: async (query) =>
      page(await ask(api.GET('/api/reference/{kind}', { params: { path: { kind }, query: asked(query) } }))),
    read: async (code) =>
      entry(await ask(api.GET('/api/reference/{kind}/{code}', { params: { path: { kind, code } } }))),
    create: async (body) =>
      entry(
        await ask(
          api.POST('/api/reference/{kind}', { params: { path: { kind }, header: once() }, body: body as never }),
        ),
      ),
    change: async (e, body) =>
      entry(await ask(api.PATCH('/api/reference/{kind}/{code}', { params: at(kind, e), body: body as never }))),
    lock: async (e, active) =>
      entry(await ask(api.PATCH('/api/reference/{kind}/{code}', { params: at(kind, e), body: { active } }))),
    remove: (e) => ask(api.DELETE('/api/reference/{kind}/{code}', { params: at(kind, e) })),
  }
}

export const resources: Store = {
  fields: async () => (await ask(api.GET('/api/resources/fields'))).items,
  list: async (query) => page(await ask(api.GET('/api/resources', { params: { query: asked(query) } }))),
  read: async (code) => entry(await ask(api.GET('/api/resources/{code}', { params: { path: { code } } }))),
  create: async (body) =>
    entry(await ask(api.POST('/api/resources', { params: { header: once() }, body: body as never }))),
  change: async (e, body) =>
    entry(
      await ask(
        api.PATCH('/api/resources/{code}', {
          params: { path: { code: e.code }, header: ifMatch(e.version) },
          body: body as never,
        }),
      ),
    ),
  lock: async ({ code, version }, active) => {
    const params = { path: { code }, header: ifMatch(version) }
    return entry(
      await (active
        ? ask(api.POST('/api/resources/{code}/unlock', { params }))
        : ask(api.POST('/api/resources/{code}/lock', { params }))),
    )
  },
  remove: (e) =>
    ask(api.DELETE('/api/resources/{code}', { params: { path: { code: e.code }, header: ifMatch(e.version) } })),
}
