/** The page that exports accounts. */
export const exportPath = 'export'

/** Where accounts are exported: those named in ids, or those that the list shows with these query parameters. */
export function exportAddress(of: { ids: string[] } | { filters: Record<string, string> }): string {
  const query = new URLSearchParams('ids' in of ? { ids: of.ids.join(',') } : of.filters).toString()
  return `/${exportPath}${query && `?${query}`}`
}
