import { Alert, Anchor, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import { useEffect } from 'react'
import { Link, useParams } from 'react-router'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { NotFound } from '../common/NotFound'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { useMe } from '../session/session'
import { usePageTitle } from '../shell/usePageAnnouncement'
import { CancelButton } from './CancelButton'
import { ExportFiles } from './ExportFiles'
import { ImportNextSteps } from './ImportNextSteps'
import { hasEnded, jobName, importOptionsQuery } from './job'
import type { Job } from './job'
import { JobCounts } from './JobCounts'
import { JobDetails } from './JobDetails'
import { JobProgress } from './JobProgress'
import { JobRows } from './JobRows'
import { JobStateBadge } from './JobStateBadge'
import classes from './Transfers.module.css'
import { useJob } from './useJob'

/** A job: its progress and result. */
export function JobPage() {
  const { id = '' } = useParams()
  const job = useJob(id)
  if (job.data) return <JobView key={id} job={job.data} />
  if (job.error && toProblem(job.error).status === 404) return <NotFound what="Job" />
  return (
    <Stack>
      <Title order={1} size="h2">
        Job
      </Title>
      {job.error ? <ProblemAlert error={job.error} /> : <Skeleton h={280} role="status" aria-label="Loading the job" />}
    </Stack>
  )
}

function JobView({ job }: { job: Job }) {
  const me = useMe()
  const ended = hasEnded(job)
  usePageTitle(jobName(job))
  useEffect(() => {
    if (!ended) return
    void queryClient.invalidateQueries({ queryKey: ['jobs'] })
    if (job.kind !== 'export' && !job.dryRun) void queryClient.invalidateQueries({ queryKey: ['accounts'] })
  }, [ended, job.kind, job.dryRun])
  const own = job.by === me.username
  const errorCount = job.counts.failed
  return (
    <Stack className={classes.page}>
      <Group justify="space-between" align="start">
        <div>
          <Anchor component={Link} to="/jobs" size="sm">
            Jobs
          </Anchor>
          <Group gap="sm">
            <Title order={1} size="h2">
              {jobName(job)}
            </Title>
            <JobStateBadge job={job} />
          </Group>
        </div>
        <CancelButton job={job} />
      </Group>
      {!ended && job.state !== 'created' && (
        <Panel
          title="Progress"
          help="You can leave this page. The job continues, and you can return to it from the list of jobs."
        >
          <JobProgress job={job} />
        </Panel>
      )}
      {job.state === 'created' && (
        <Alert color="gray" icon={<IconInfoCircle aria-hidden />} title="The file was not uploaded">
          The upload was not finished, so nothing was imported.{' '}
          <Anchor component={Link} to={`/import?${importOptionsQuery(job)}`} inherit underline="always">
            Choose the file again
          </Anchor>
          .
        </Alert>
      )}
      <JobResult job={job} errorCount={errorCount} />
      {ended && job.kind !== 'export' && job.counts.rows > 0 && <JobCounts job={job} />}
      {ended && own && <ImportNextSteps job={job} />}
      {job.kind === 'export' &&
        job.state === 'done' &&
        (own ? <ExportFiles job={job} /> : <Text c="dimmed">Only {job.by} can download the files.</Text>)}
      {ended &&
        job.kind !== 'export' &&
        job.counts.rows > 0 &&
        (own ? <JobRows job={job} /> : <Text c="dimmed">Only {job.by} can see the result of each row.</Text>)}
      <JobDetails job={job} />
    </Stack>
  )
}

/** The result of a job that failed, or notes about its file. */
function JobResult({ job, errorCount }: { job: Job; errorCount: number }) {
  if (!hasEnded(job)) return null
  if (job.state === 'cancelled')
    return (
      <Alert color="gray" icon={<IconInfoCircle aria-hidden />} title="The job was cancelled">
        {job.kind === 'export' ? 'No file was made.' : 'Nothing was changed.'}
      </Alert>
    )
  const notes = (
    <>
      {(job.otherSheets?.length ?? 0) > 0 && (
        <Text size="sm">Only the first worksheet was read. Ignored: {job.otherSheets?.join(', ')}.</Text>
      )}
      {job.hiddenSheet && <Text size="sm">The first worksheet, which was read, is hidden.</Text>}
      {(job.hiddenRows ?? 0) > 0 && (
        <Text size="sm">
          {job.hiddenRows === 1
            ? '1 hidden row was read too.'
            : `${job.hiddenRows?.toLocaleString()} hidden rows were read too.`}{' '}
          If a filter hides rows that you do not mean to import, delete them from the file.
        </Text>
      )}
      {(job.droppedTimes?.length ?? 0) > 0 && (
        <Text size="sm">Only the date was taken of dates with a time of day: {job.droppedTimes?.join(', ')}.</Text>
      )}
    </>
  )
  if (job.problem || job.state !== 'done') {
    return (
      <Alert
        role="alert"
        color="red"
        icon={<IconAlertTriangle aria-hidden />}
        title={
          job.kind === 'export'
            ? 'Nothing was exported'
            : job.dryRun
              ? 'The file cannot be imported as it is'
              : 'Nothing was imported'
        }
      >
        <Text size="sm">
          {job.problem?.detail ??
            `${errorCount.toLocaleString()} ${errorCount === 1 ? 'row has an error' : 'rows have errors'}.`}
        </Text>
        {job.problem?.fields?.map((f, i) => (
          <Text size="sm" key={i}>
            {f.message}
          </Text>
        ))}
        {notes}
      </Alert>
    )
  }
  return (job.otherSheets?.length ?? 0) > 0 || job.hiddenSheet || job.hiddenRows || job.droppedTimes ? (
    <Alert color="blue" icon={<IconInfoCircle aria-hidden />} title="About the file">
      {notes}
    </Alert>
  ) : null
}
