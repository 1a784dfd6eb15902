import { Progress as Bar, Stack, Text } from '@mantine/core'
import { doneOf, hasEnded } from './job'
import type { Job } from './job'

const number = (n: number) => n.toLocaleString('en-GB')
const rows = (n: number) => (n === 1 ? '1 row' : `${number(n)} rows`)

/** How far a job is, or what came of it, in one line. */
export function inWords(job: Job): string {
  const { total, checked, written } = job.progress
  if (job.state === 'created') return 'The upload was not finished'
  if (job.state === 'submitted') return job.queue ? 'Waits for the jobs before it' : 'About to start'
  if (job.state === 'cancelled') return 'Nothing was changed'
  if (job.state === 'refused' || job.state === 'failed')
    return job.kind === 'export'
      ? 'No file was made'
      : job.counts.failed > 0
        ? `${rows(job.counts.failed)} with errors, nothing was changed`
        : 'Nothing was changed'
  if (job.kind === 'export')
    return hasEnded(job)
      ? `${rows(job.counts.rows || total)} in ${job.files === 1 ? '1 file' : `${number(job.files ?? 0)} files`}`
      : `${rows(total)} so far`
  if (hasEnded(job))
    return job.counts.failed + job.counts.skipped > 0
      ? `${rows(job.counts.rows)}, ${number(job.counts.failed + job.counts.skipped)} not taken`
      : rows(job.counts.rows)
  return `${rows(total)} read, ${number(checked)} checked${job.dryRun ? '' : `, ${number(written)} written`}`
}

/** The bar of a job that runs. */
export function Progress({ job }: { job: Job }) {
  const done = doneOf(job)
  return (
    <Stack gap={6}>
      <Text size="sm" id="progress" aria-live="polite">
        {inWords(job)}
      </Text>
      <Bar.Root size="lg">
        <Bar.Section
          value={done ?? 100}
          striped={done === undefined}
          animated={done === undefined}
          aria-labelledby="progress"
          {...(done === undefined && { 'aria-valuetext': 'under way' })}
        />
      </Bar.Root>
    </Stack>
  )
}
