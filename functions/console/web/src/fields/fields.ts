import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'

/** A field as the API describes it: label, help, kind, bounds. The console states none of this itself. */
export type Field = Schemas['FieldMeta'] & Partial<Pick<Schemas['AccountsField'], 'filters' | 'sortable'>>

/** A value of a field, as in the API. */
export type Value = string | number | boolean | string[] | Record<string, string> | null | undefined

/** The text of a value that an input shows as text. */
export const toText = (value: Value) => (typeof value === 'object' || value === undefined ? '' : String(value))

/** A section of a form, as the API lists it. */
export type Section = Schemas['FieldSection']

/** The fields of a form, and its sections in order. */
export interface FormFields {
  fields: Field[]
  sections: Section[]
}

/** The fields of accounts and the sections of their form. They change only with a new version of the service. */
export function useAccountForm(): FormFields | undefined {
  return useQuery({
    queryKey: ['fields', 'accounts'],
    queryFn: async (): Promise<FormFields> => toForm(await unwrap(api.GET('/api/accounts/fields'))),
    staleTime: Infinity,
  }).data
}

/** The fields of accounts. */
export const useAccountFields = () => useAccountForm()?.fields

/** The settings of the environment as fields. */
export function useSettingsForm() {
  return useQuery({
    queryKey: ['fields', 'settings'],
    queryFn: async (): Promise<FormFields> => toForm(await unwrap(api.GET('/api/settings/fields'))),
    staleTime: Infinity,
  })
}

export const toForm = ({ items, sections }: { items: Field[]; sections: Section[] }): FormFields => ({
  fields: items,
  sections,
})

export interface CodeOption {
  code: string
  description: string
  active: boolean
}

const accessKinds = { licence: 'licences', role: 'roles', group: 'groups', dacGroup: 'dac-groups' } as const
const referenceKinds = {
  resourceGroup: 'resource-groups',
  department: 'departments',
  costCentre: 'cost-centres',
  paymentMethod: 'payment-methods',
  paymentTerms: 'payment-terms',
} as const

/** The codes that a field can have, if it refers to reference data that the user may read; else undefined. */
export function useCodeOptions(refers: string | undefined): CodeOption[] | undefined {
  return useQuery({
    queryKey: ['codes', refers],
    queryFn: () => fetchCodeOptions(refers ?? ''),
    enabled: refers !== undefined && (refers === 'provider' || refers in accessKinds || refers in referenceKinds),
    staleTime: 60_000,
    retry: false,
  }).data
}

/** The label of a code. A provider's is its name alone, because its code is a generated id. */
export const codeLabel = (entry: CodeOption, refers: string | undefined) =>
  refers === 'provider' ? entry.description : entry.description ? `${entry.code} – ${entry.description}` : entry.code

async function fetchCodeOptions(refers: string): Promise<CodeOption[]> {
  if (refers === 'provider')
    return (await unwrap(api.GET('/api/sso/providers'))).items.map((p) => ({
      code: p.id,
      description: p.name,
      active: true,
    }))
  const all: CodeOption[] = []
  let cursor: string | undefined
  do {
    const query = { limit: 1000, ...(cursor && { cursor }) }
    const page =
      refers in accessKinds
        ? await unwrap(
            api.GET('/api/access/{kind}', {
              params: { path: { kind: accessKinds[refers as keyof typeof accessKinds] }, query },
            }),
          )
        : await unwrap(
            api.GET('/api/reference/{kind}', {
              params: { path: { kind: referenceKinds[refers as keyof typeof referenceKinds] }, query },
            }),
          )
    for (const entry of page.items)
      all.push({ code: entry.code ?? '', description: entry.description ?? '', active: entry.active ?? true })
    cursor = page.next
  } while (cursor)
  return all
}
