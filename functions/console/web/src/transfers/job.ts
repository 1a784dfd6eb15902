import type { Schemas } from '../api/client'

export type Job = Schemas['TransfersJob']
export type Row = Schemas['TransferRow']
export type DateFormat = Job['dateFormat']

/** The date formats of the sheet, with an example of each. */
export const dateFormats: { value: DateFormat; label: string; example: string }[] = [
  { value: 'british', label: 'British', example: '31/12/2026' },
  { value: 'european', label: 'European', example: '31.12.2026' },
  { value: 'american', label: 'American', example: '12/31/2026' },
  { value: 'iso', label: 'ISO', example: '2026-12-31' },
]

export const isDateFormat = (text: string | null): text is DateFormat => dateFormats.some((f) => f.value === text)

export const kindLabels: Record<Job['kind'], string> = { import: 'Import', export: 'Export', undo: 'Undo' }

/** The label of a job; a dry run has the guide's name. */
export const jobName = (job: Job) => (job.dryRun ? 'Import, check only' : kindLabels[job.kind])

const endStates = new Set<Job['state']>(['done', 'refused', 'cancelled', 'failed'])

export const hasEnded = (job: Job) => endStates.has(job.state)

/** Whether the job can still be cancelled. */
export const canCancel = (job: Job) => !hasEnded(job) && job.state !== 'rollingBack'

/** The label and colour of a job's state. */
export function jobState(job: Job): { label: string; colour: 'gray' | 'blue' | 'green' | 'red' | 'orange' } {
  switch (job.state) {
    case 'created':
      return { label: 'No file yet', colour: 'gray' }
    case 'submitted':
      return { label: job.queue ? 'Queued' : 'Submitted', colour: 'gray' }
    case 'checking':
      return { label: job.kind === 'export' ? 'Reading' : 'Checking', colour: 'blue' }
    case 'writing':
      return { label: 'Writing', colour: 'blue' }
    case 'rollingBack':
      return { label: 'Rolling back', colour: 'orange' }
    case 'done':
      return job.dryRun ? { label: 'Checked', colour: 'green' } : { label: 'Done', colour: 'green' }
    case 'refused':
      return { label: 'Rejected', colour: 'red' }
    case 'cancelled':
      return { label: 'Cancelled', colour: 'gray' }
    default:
      return { label: 'Failed', colour: 'red' }
  }
}

/** Formats a duration. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return '< 1 s'
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** The interval before the next poll, which grows with their number. Polling pauses while the page is hidden. */
export const pollInterval = (polls: number) => Math.min(10_000, Math.round(700 * 1.2 ** polls))

export const jobKey = (id: string) => ['job', id]

/** The progress of a job in per cent; undefined while it is unknown. */
export function percentDone(job: Job): number | undefined {
  const { total, checked, written } = job.progress
  if (hasEnded(job)) return 100
  if (total === 0 || job.kind === 'export') return undefined
  return Math.round((100 * (checked + written)) / (job.dryRun ? total : 2 * total))
}

/** The query that opens the import page with the options of a job. */
export function importOptionsQuery(job: Job): string {
  const query = new URLSearchParams({ dateFormat: job.dateFormat })
  for (const name of ['skipErrors', 'resetFromGroup', 'dryRun'] as const) if (job[name]) query.set(name, 'true')
  for (const name of ['resourceGroup', 'copyRolesFrom'] as const) if (job[name]) query.set(name, job[name])
  return query.toString()
}
