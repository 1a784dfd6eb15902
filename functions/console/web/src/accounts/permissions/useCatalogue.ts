import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../../api/client'
import type { Catalogue, Entry } from './rights'

async function read(kind: 'roles' | 'groups' | 'dac-groups'): Promise<Entry[]> {
  const all: Entry[] = []
  let cursor: string | undefined
  do {
    const page = await ask(
      api.GET('/api/access/{kind}', { params: { path: { kind }, query: { limit: 1000, ...(cursor && { cursor }) } } }),
    )
    for (const e of page.items) {
      all.push({
        code: e.code ?? '',
        description: e.description ?? '',
        active: e.active ?? true,
        roles: e.roles,
        groups: e.groups,
        permissions: e.permissions,
      })
    }
    cursor = page.next
  } while (cursor)
  return all
}

interface Known extends Catalogue {
  dacGroups: Entry[]
  /** What each permission allows, in words. */
  words: Map<string, string>
}

/** Every role and group with what it gives, and the words for permissions. */
export function useCatalogue() {
  return useQuery({
    queryKey: ['catalogue'],
    queryFn: async (): Promise<Known> => {
      const [roles, groups, dacGroups, permissions] = await Promise.all([
        read('roles'),
        read('groups'),
        read('dac-groups'),
        ask(api.GET('/api/access/permissions')),
      ])
      return { roles, groups, dacGroups, words: new Map(permissions.items.map((p) => [p.permission, p.allows])) }
    },
    staleTime: 30_000,
    retry: false,
  })
}
