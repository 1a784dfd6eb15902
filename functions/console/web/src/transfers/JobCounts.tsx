import type { Job } from './job'
import classes from './Transfers.module.css'

/** How many rows had which outcome. */
export function JobCounts({ job }: { job: Job }) {
  const c = job.counts
  const dryRun = job.dryRun
  const importCounts: [label: string, count: number, wrong?: boolean][] = [
    ['Rows', c.rows],
    [dryRun ? 'To be created' : 'Created', c.created],
    [dryRun ? 'To be updated' : 'Updated', c.updated],
    ['Unchanged', c.unchanged],
    ['Skipped', c.skipped],
    ['With errors', c.failed, c.failed > 0],
  ]
  const undoCounts: [string, number][] = [
    ['Rows', c.rows],
    ['Unchanged', c.unchanged],
    ['Not undone', c.skipped + c.failed],
  ]
  return (
    <dl className={classes.counts} aria-label="Result">
      {(job.kind === 'undo' ? undoCounts.map(([l, n]): [string, number, boolean?] => [l, n]) : importCounts).map(
        ([label, count, isError]) => (
          <div key={label} className={classes.count} data-wrong={isError || undefined}>
            <dt>{label}</dt>
            <dd>{count.toLocaleString('en-GB')}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
