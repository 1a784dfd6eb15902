import type { Field } from '../fields/fields'

/** A column, as a Set stores it. */
export interface Column {
  field: string
  width?: number
}

/** What a grid shows, and what a Set stores. Filters are named as the list's query parameters. */
export interface GridState {
  columns: Column[]
  filters: Record<string, string>
  sort: string
}

export const defaultWidth = 160
export const minWidth = 80
export const maxWidth = 800

/** The columns that the API gives a grid to start with. */
export function defaultColumns(fields: Field[]): Column[] {
  return fields
    .filter((f) => f.defaultGrid)
    .sort((a, b) => (a.defaultGrid ?? 0) - (b.defaultGrid ?? 0))
    .map((f) => ({ field: f.name, width: columnWidth(f) }))
}

/** The default width for a field's kind. */
export function columnWidth(field: Field): number {
  switch (field.kind) {
    case 'yesNo':
      return 160
    case 'number':
      return 130
    case 'date':
      return 125
    case 'instant':
      return 175
    case 'code':
      return 125
    case 'email':
      return 230
    default:
      return defaultWidth
  }
}

/** The sort after a click on a heading: ascending, descending, none. */
export function nextSort(current: string, field: string): string {
  if (current === field) return `-${field}`
  return current === `-${field}` ? '' : field
}

/** The names of the active filters of one field. */
export function activeFilterNames(filters: Record<string, string>, field: string): string[] {
  return Object.keys(filters).filter((name) => name === field || name.startsWith(`${field}.`))
}

/** The filters, with those of one field replaced. */
export function replaceFilters(
  filters: Record<string, string>,
  field: string,
  replacements: Record<string, string>,
): Record<string, string> {
  const rest = Object.fromEntries(
    Object.entries(filters).filter(([name]) => name !== field && !name.startsWith(`${field}.`)),
  )
  return { ...rest, ...Object.fromEntries(Object.entries(replacements).filter(([, text]) => text !== '')) }
}

/** The filters as query parameters. Codes are separated by semicolons; one at the end says so to the API. */
export function filterQuery(fields: Field[], filters: Record<string, string>): Record<string, string> {
  const lists = new Set(fields.filter((f) => ['code', 'codes', 'choice'].includes(f.kind)).map((f) => f.name))
  return Object.fromEntries(Object.entries(filters).map(([name, text]) => [name, lists.has(name) ? `${text};` : text]))
}

/** Describes a filter. */
export function describeFilter(fields: Field[], name: string, text: string): string {
  const [fieldName = '', op = 'equals'] = name.split('.')
  const field = fields.find((f) => f.name === fieldName)
  const label = field?.label ?? fieldName
  if (op === 'empty') return text === 'true' ? `${label} is blank` : `${label} is not blank`
  if (op === 'contains') return `${label} contains “${text}”`
  if (op === 'from') return `${label} from ${text}`
  if (op === 'to') return `${label} up to ${text}`
  if (field?.kind === 'yesNo')
    return text === 'any' ? `${label}: any` : text === 'true' ? label : `Not ${label.toLowerCase()}`
  const values = text.split(';').map((value) => field?.choices?.find((c) => c.value === value)?.label ?? value)
  return `${label} is ${values.join(' or ')}`
}

/** Parses stored columns; undefined if they cannot be read. */
export function parseColumns(text: string | null): Column[] | undefined {
  try {
    const stored: unknown = JSON.parse(text ?? 'null')
    if (!Array.isArray(stored)) return undefined
    const columns = stored.flatMap((c: Partial<Column> | null): Column[] =>
      typeof c?.field === 'string'
        ? [{ field: c.field, ...(typeof c.width === 'number' && c.width >= minWidth ? { width: c.width } : {}) }]
        : [],
    )
    return columns.length > 0 ? columns : undefined
  } catch {
    return undefined
  }
}

/** A width within its bounds. */
export const clampWidth = (width: number) => Math.round(Math.min(maxWidth, Math.max(minWidth, width)))

/** Moves a dragged column to the place of the one that it was dropped on. */
export function dropColumn(columns: Column[], dragged: string, target: string): Column[] {
  const from = columns.findIndex((c) => c.field === dragged)
  const to = columns.findIndex((c) => c.field === target)
  return from < 0 || to < 0 ? columns : moveColumn(columns, dragged, to - from)
}

/** Moves a column by an offset. */
export function moveColumn(columns: Column[], field: string, offset: number): Column[] {
  const from = columns.findIndex((c) => c.field === field)
  const to = from + offset
  if (from < 0 || to < 0 || to >= columns.length) return columns
  const result = [...columns]
  const [column] = result.splice(from, 1)
  result.splice(to, 0, column!)
  return result
}

/** Whether two states are the same. */
export function isSameState(a: GridState, b: GridState): boolean {
  const serialise = (s: GridState) =>
    JSON.stringify([s.columns.map((c) => [c.field, c.width]), Object.entries(s.filters).sort(), s.sort])
  return serialise(a) === serialise(b)
}
