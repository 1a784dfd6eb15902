import { formatUtc } from './Instant'

/** Whether a value of a change is blank. */
export const isBlank = (value: unknown) =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

/** Formats a value of a change in a log. */
export function formatValue(value: unknown): string {
  if (isBlank(value)) return 'blank'
  if (value === true) return 'Yes'
  if (value === false) return 'No'
  if (Array.isArray(value)) return value.map(formatValue).join(', ')
  if (typeof value === 'string') return instant.test(value) ? formatUtc(value) : value
  return JSON.stringify(value)
}
