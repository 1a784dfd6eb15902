import { pages } from '../pages'

const path = 'export'

/** The page that exports accounts, where there is one. */
export const exportPage = pages.find((p) => p.path === path)

/** Where accounts are exported: those named in ids, or those that the list shows with these query parameters. */
export function exportAddress(of: { ids: string[] } | { filters: Record<string, string> }): string {
  const query = new URLSearchParams('ids' in of ? { ids: of.ids.join(',') } : of.filters).toString()
  return `/${path}${query && `?${query}`}`
}
