import { Progress as Bar, Stack, Text } from '@mantine/core'
import { percentDone, hasEnded } from './job'
import type { Job } from './job'

const formatNumber = (n: number) => n.toLocaleString('en-GB')
const formatRows = (n: number) => (n === 1 ? '1 row' : `${formatNumber(n)} rows`)

/** The progress of a job, or its result, in one line. */
export function progressText(job: Job): string {
  const { total, checked, written } = job.progress
  if (job.state === 'created') return 'The upload was not finished'
  if (job.state === 'submitted') return job.queue ? 'Waiting for earlier jobs' : 'About to start'
  if (job.state === 'cancelled') return 'Nothing was changed'
  if (job.state === 'refused' || job.state === 'failed')
    return job.kind === 'export'
      ? 'No file was made'
      : job.counts.failed > 0
        ? `${formatRows(job.counts.failed)} with errors, nothing was changed`
        : 'Nothing was changed'
  if (job.kind === 'export')
    return hasEnded(job)
      ? `${formatRows(job.counts.rows || total)} in ${job.files === 1 ? '1 file' : `${formatNumber(job.files ?? 0)} files`}`
      : `${formatRows(total)} so far`
  if (hasEnded(job))
    return job.counts.failed + job.counts.skipped > 0
      ? `${formatRows(job.counts.rows)}, ${formatNumber(job.counts.failed + job.counts.skipped)} not imported`
      : formatRows(job.counts.rows)
  return `${formatRows(total)} read, ${formatNumber(checked)} checked${job.dryRun ? '' : `, ${formatNumber(written)} written`}`
}

/** The progress bar of a running job. */
export function JobProgress({ job }: { job: Job }) {
  const percent = percentDone(job)
  return (
    <Stack gap={6}>
      <Text size="sm" id="progress" aria-live="polite">
        {progressText(job)}
      </Text>
      <Bar.Root size="lg">
        <Bar.Section
          value={percent ?? 100}
          striped={percent === undefined}
          animated={percent === undefined}
          aria-labelledby="progress"
          {...(percent === undefined && { 'aria-valuetext': 'in progress' })}
        />
      </Bar.Root>
    </Stack>
  )
}
