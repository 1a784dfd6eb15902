import type { Job } from './job'
import classes from './Transfers.module.css'

/** How many rows became what. */
export function Counts({ job }: { job: Job }) {
  const c = job.counts
  const would = job.dryRun
  const of: [label: string, count: number, wrong?: boolean][] = [
    ['Rows', c.rows],
    [would ? 'To be created' : 'Created', c.created],
    [would ? 'To be updated' : 'Updated', c.updated],
    ['Unchanged', c.unchanged],
    ['Skipped', c.skipped],
    ['With errors', c.failed, c.failed > 0],
  ]
  const undone: [string, number][] = [
    ['Rows', c.rows],
    ['Unchanged', c.unchanged],
    ['Left alone', c.skipped + c.failed],
  ]
  return (
    <dl className={classes.counts} aria-label="Result">
      {(job.kind === 'undo' ? undone.map(([l, n]): [string, number, boolean?] => [l, n]) : of).map(
        ([label, count, wrong]) => (
          <div key={label} className={classes.count} data-wrong={wrong || undefined}>
            <dt>{label}</dt>
            <dd>{count.toLocaleString('en-GB')}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
