import { Tooltip } from '@mantine/core'
import { formatLocal, formatUtc } from './Instant'

const units: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]
const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** How long ago an instant was, in words. */
export function relativeTime(at: string, now = Date.now()): string {
  const seconds = (Date.parse(at) - now) / 1000
  const step = units.find(([, size]) => Math.abs(seconds) >= size)
  return step ? format.format(Math.trunc(seconds / step[1]), step[0]) : 'just now'
}

/** A relative time; the tooltip, which opens by keyboard too, has UTC and local time. */
export function RelativeTime({ at }: { at: string }) {
  return (
    <Tooltip
      label={`${formatUtc(at)} · ${formatLocal(at)}, your time`}
      events={{ hover: true, focus: true, touch: true }}
      multiline
      maw={320}
    >
      <time dateTime={at} tabIndex={0} aria-label={`${relativeTime(at)}, ${formatUtc(at)}`}>
        {relativeTime(at)}
      </time>
    </Tooltip>
  )
}
