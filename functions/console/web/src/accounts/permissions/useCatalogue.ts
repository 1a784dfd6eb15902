import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import type { Catalogue, CatalogueEntry } from './effectivePermissions'

async function fetchAll(kind: 'roles' | 'groups' | 'dac-groups'): Promise<CatalogueEntry[]> {
  const all: CatalogueEntry[] = []
  let cursor: string | undefined
  do {
    const page = await unwrap(
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

interface FullCatalogue extends Catalogue {
  dacGroups: CatalogueEntry[]
  /** What each permission allows. */
  permissionLabels: Map<string, string>
}

/** All roles and groups with what they grant, and the labels of permissions. */
export function useCatalogue() {
  return useQuery({
    queryKey: ['catalogue'],
    queryFn: async (): Promise<FullCatalogue> => {
      const [roles, groups, dacGroups, permissions] = await Promise.all([
        fetchAll('roles'),
        fetchAll('groups'),
        fetchAll('dac-groups'),
        unwrap(api.GET('/api/access/permissions')),
      ])
      return {
        roles,
        groups,
        dacGroups,
        permissionLabels: new Map(permissions.items.map((p) => [p.permission, p.allows])),
      }
    },
    staleTime: 30_000,
    retry: false,
  })
}
