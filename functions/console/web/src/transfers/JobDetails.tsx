import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Panel } from '../common/Panel'
import { useAccountFields } from '../fields/fields'
import { Instant } from '../fields/Instant'
import { describeFilter } from '../grid/gridState'
import { dateFormats, formatDuration } from './job'
import type { Job } from './job'
import classes from './Transfers.module.css'

/** The options of a job, who started it and when. */
export function JobDetails({ job }: { job: Job }) {
  const fields = useAccountFields() ?? []
  const format = dateFormats.find((f) => f.value === job.dateFormat)
  const filters = Object.entries(job.filters ?? {})
  const yesNo = (on: boolean | undefined) => (on ? 'Yes' : 'No')
  const rows: [string, ReactNode][] = [
    ['By', job.by],
    ['Started', <Instant key="c" at={job.created} />],
    ...(job.ended ? [['Finished', <Instant key="e" at={job.ended} />] as [string, ReactNode]] : []),
    ...(job.durationMs !== undefined ? [['Duration', formatDuration(job.durationMs)] as [string, ReactNode]] : []),
    ...(job.undoes
      ? [
          [
            'Undoes',
            <Anchor key="u" component={Link} to={`/jobs/${job.undoes}`} inherit>
              the import
            </Anchor>,
          ] as [string, ReactNode],
        ]
      : []),
    ...(job.undoneBy
      ? [
          [
            'Undone by',
            <Anchor key="b" component={Link} to={`/jobs/${job.undoneBy}`} inherit>
              this job
            </Anchor>,
          ] as [string, ReactNode],
        ]
      : []),
  ]
  if (job.kind !== 'undo')
    rows.push(
      ['Date format', format ? `${format.label}, ${format.example}` : job.dateFormat],
      ['Queue', yesNo(job.queue)],
    )
  if (job.kind === 'import') {
    rows.push(
      ['Check only', yesNo(job.dryRun)],
      ['Skip errors', yesNo(job.skipErrors)],
      ['Reset from Resource group', yesNo(job.resetFromGroup)],
      ['Resource group', job.resourceGroup || '–'],
      ['Copy user roles from user', job.copyRolesFrom || '–'],
    )
  }
  if (job.kind === 'export') {
    rows.push([
      'User accounts',
      job.chosen
        ? `${job.chosen.toLocaleString('en-GB')} selected`
        : job.set
          ? `The user accounts of the Set ${job.set}`
          : filters.length > 0
            ? filters
                .map(([name, text]) => (name === 'find' ? `Search: “${text}”` : describeFilter(fields, name, text)))
                .join('; ')
            : 'All',
    ])
  }
  return (
    <Panel title="Details">
      <dl className={classes.asked}>
        {rows.flatMap(([label, value]) => [<dt key={label}>{label}</dt>, <dd key={`${label}.`}>{value}</dd>])}
      </dl>
    </Panel>
  )
}
