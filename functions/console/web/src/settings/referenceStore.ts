// One interface for the families of reference data, so that one page serves all kinds.
import { api, unwrap, ifMatch, idempotencyKey } from '../api/client'
import { toForm } from '../fields/fields'
import type { Field, FormFields, Section, Value } from '../fields/fields'
import type { ReferenceKind } from './referenceKinds'

export type Values = Record<string, Value>

/** One licence, role, department, resource and so on; the fields of its kind describe its members. */
export interface Entry extends Values {
  version: number
  code: string
  active: boolean
}

export interface ListQuery {
  find: string
  active: boolean | undefined
  cursor: string
}

export interface ReferenceStore {
  form: () => Promise<FormFields>
  list: (query: ListQuery) => Promise<{ items: Entry[]; next?: string }>
  read: (code: string) => Promise<Entry>
  create: (values: Values) => Promise<Entry>
  change: (entry: Entry, patch: Values) => Promise<Entry>
  lock: (entry: Entry, active: boolean) => Promise<Entry>
  remove: (entry: Entry) => Promise<unknown>
}

type AccessKind = 'licences' | 'roles' | 'groups' | 'dac-groups'
type ReferenceKindName = 'resource-groups' | 'departments' | 'cost-centres' | 'payment-methods' | 'payment-terms'

const listParams = ({ find, active, cursor }: ListQuery) => ({
  limit: 50,
  ...(find && { find }),
  ...(active !== undefined && { active }),
  ...(cursor && { cursor }),
})
const toEntry = (of: unknown) => of as Entry
const toPage = (of: { items: unknown[]; next?: string | undefined }) => of as { items: Entry[]; next?: string }
const entryParams = (kind: string, of: Entry) =>
  ({ path: { kind, code: of.code }, header: ifMatch(of.version) }) as {
    path: { kind: never; code: string }
    header: { 'If-Match': string }
  }

/** Removes "Roles only: " from the start of a help text: only the reference of all kinds needs it. */
const withoutKindPrefix = (f: Field): Field => ({
  ...f,
  ...(f.help && { help: f.help.replace(/^[A-Z][A-Za-z ]* only: (.)/, (_, c: string) => c.toUpperCase()) }),
})

/** The form of one kind, among those of its family. */
function formOf(kinds: { kind: string; fields: Field[]; sections: Section[] }[], kind: string): FormFields {
  const found = kinds.find((k) => k.kind === kind)
  return { fields: found?.fields.map(withoutKindPrefix) ?? [], sections: found?.sections ?? [] }
}

export function storeFor({ family, kind }: ReferenceKind): ReferenceStore {
  if (family === 'resources') return resourceStore
  if (family === 'applications') return applicationStore
  return family === 'access' ? accessStore(kind as AccessKind) : referenceStore(kind as ReferenceKindName)
}

function accessStore(kind: AccessKind): ReferenceStore {
  return {
    form: async () => formOf((await unwrap(api.GET('/api/access/fields'))).items, kind),
    list: async (query) =>
      toPage(await unwrap(api.GET('/api/access/{kind}', { params: { path: { kind }, query: listParams(query) } }))),
    read: async (code) =>
      toEntry(await unwrap(api.GET('/api/access/{kind}/{code}', { params: { path: { kind, code } } }))),
    create: async (body) =>
      toEntry(
        await unwrap(
          api.POST('/api/access/{kind}', { params: { path: { kind }, header: idempotencyKey() }, body: body as never }),
        ),
      ),
    change: async (e, body) =>
      toEntry(
        await unwrap(api.PATCH('/api/access/{kind}/{code}', { params: entryParams(kind, e), body: body as never })),
      ),
    lock: async (e, active) =>
      toEntry(await unwrap(api.PATCH('/api/access/{kind}/{code}', { params: entryParams(kind, e), body: { active } }))),
    remove: (e) => unwrap(api.DELETE('/api/access/{kind}/{code}', { params: entryParams(kind, e) })),
  }
}

function referenceStore(kind: ReferenceKindName): ReferenceStore {
  return {
    form: async () => formOf((await unwrap(api.GET('/api/reference/fields'))).items, kind),
    list: async (query) =>
      toPage(await unwrap(api.GET('/api/reference/{kind}', { params: { path: { kind }, query: listParams(query) } }))),
    read: async (code) =>
      toEntry(await unwrap(api.GET('/api/reference/{kind}/{code}', { params: { path: { kind, code } } }))),
    create: async (body) =>
      toEntry(
        await unwrap(
          api.POST('/api/reference/{kind}', {
            params: { path: { kind }, header: idempotencyKey() },
            body: body as never,
          }),
        ),
      ),
    change: async (e, body) =>
      toEntry(
        await unwrap(api.PATCH('/api/reference/{kind}/{code}', { params: entryParams(kind, e), body: body as never })),
      ),
    lock: async (e, active) =>
      toEntry(
        await unwrap(api.PATCH('/api/reference/{kind}/{code}', { params: entryParams(kind, e), body: { active } })),
      ),
    remove: (e) => unwrap(api.DELETE('/api/reference/{kind}/{code}', { params: entryParams(kind, e) })),
  }
}

export const resourceStore: ReferenceStore = {
  form: async () => toForm(await unwrap(api.GET('/api/resources/fields'))),
  list: async (query) => toPage(await unwrap(api.GET('/api/resources', { params: { query: listParams(query) } }))),
  read: async (code) => toEntry(await unwrap(api.GET('/api/resources/{code}', { params: { path: { code } } }))),
  create: async (body) =>
    toEntry(await unwrap(api.POST('/api/resources', { params: { header: idempotencyKey() }, body: body as never }))),
  change: async (e, body) =>
    toEntry(
      await unwrap(
        api.PATCH('/api/resources/{code}', {
          params: { path: { code: e.code }, header: ifMatch(e.version) },
          body: body as never,
        }),
      ),
    ),
  lock: async ({ code, version }, active) => {
    const params = { path: { code }, header: ifMatch(version) }
    return toEntry(
      await (active
        ? unwrap(api.POST('/api/resources/{code}/unlock', { params }))
        : unwrap(api.POST('/api/resources/{code}/lock', { params }))),
    )
  },
  remove: (e) =>
    unwrap(api.DELETE('/api/resources/{code}', { params: { path: { code: e.code }, header: ifMatch(e.version) } })),
}

const applicationParams = (e: Entry) => ({ path: { code: e.code }, header: ifMatch(e.version) })

const applicationStore: ReferenceStore = {
  form: async () => formOf((await unwrap(api.GET('/api/applications/fields'))).items, 'applications'),
  list: async (query) => toPage(await unwrap(api.GET('/api/applications', { params: { query: listParams(query) } }))),
  read: async (code) => toEntry(await unwrap(api.GET('/api/applications/{code}', { params: { path: { code } } }))),
  create: async (body) =>
    toEntry(await unwrap(api.POST('/api/applications', { params: { header: idempotencyKey() }, body: body as never }))),
  change: async (e, body) =>
    toEntry(await unwrap(api.PATCH('/api/applications/{code}', { params: applicationParams(e), body: body as never }))),
  lock: async (e, active) =>
    toEntry(await unwrap(api.PATCH('/api/applications/{code}', { params: applicationParams(e), body: { active } }))),
  remove: (e) => unwrap(api.DELETE('/api/applications/{code}', { params: applicationParams(e) })),
}
