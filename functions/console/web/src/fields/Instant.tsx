import { Tooltip } from '@mantine/core'

/** Formats an instant in UTC: 2026-01-31 08:15 UTC. */
export const formatUtc = (at: string) => `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`

/** Formats an instant in the user's own time. */
export const formatLocal = (at: string) =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'short' })

/** An instant in UTC, with local time in the tooltip. */
export function Instant({ at }: { at: string | null | undefined }) {
  if (!at) return <span aria-label="none">–</span>
  return (
    <Tooltip label={`${formatLocal(at)}, your time`}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {formatUtc(at)}
      </time>
    </Tooltip>
  )
}
