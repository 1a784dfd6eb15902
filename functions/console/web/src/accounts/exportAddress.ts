/** The path of the export page. */
export const exportPath = 'export'

/** The address of the export page, for accounts by id or by the filters of the list. */
export function exportAddress(selection: { ids: string[] } | { filters: Record<string, string> }): string {
  const query = new URLSearchParams(
    'ids' in selection ? { ids: selection.ids.join(',') } : selection.filters,
  ).toString()
  return `/${exportPath}${query && `?${query}`}`
}
