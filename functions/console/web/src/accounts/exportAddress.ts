/** The page that exports accounts. */
export const exportPath = 'export'

/** Where accounts are exported: those named in ids, or those that the list shows with these query parameters. */
export function exportAddress(selection: { ids: string[] } | { filters: Record<string, string> }): string {
  const query = new URLSearchParams(
    'ids' in selection ? { ids: selection.ids.join(',') } : selection.filters,
  ).toString()
  return `/${exportPath}${query && `?${query}`}`
}
