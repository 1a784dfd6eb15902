import type { Value } from './fields'

/** Names and descriptions, a line each: "invoice.approve: Approve invoices". */
export const toLines = (value: Value) =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.entries(value)
        .map(([name, description]) => (description ? `${name}: ${description}` : name))
        .join('\n')
    : ''

/** What such lines say. */
export const fromLines = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => {
        const colon = line.indexOf(':')
        return colon < 0 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
      }),
  )
