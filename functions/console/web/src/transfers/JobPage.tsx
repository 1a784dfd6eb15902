import { Alert, Anchor, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import { useEffect } from 'react'
import { Link, useParams } from 'react-router'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { NotFound } from '../common/NotFound'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { useMe } from '../session/session'
import { useTitle } from '../shell/useArrival'
import { Asked } from './Asked'
import { CancelButton } from './CancelButton'
import { Counts } from './Counts'
import { Files } from './Files'
import { hasEnded, nameOf, optionsOf } from './job'
import type { Job } from './job'
import { NextSteps } from './NextSteps'
import { Progress } from './Progress'
import { Rows } from './Rows'
import { StateBadge } from './StateBadge'
import classes from './Transfers.module.css'
import { useJob } from './useJob'

/** A job: how far it is, and what came of it. */
export function JobPage() {
  const { id = '' } = useParams()
  const job = useJob(id)
  if (job.data) return <Shown key={id} job={job.data} />
  if (job.error && asProblem(job.error).status === 404) return <NotFound />
  return (
    <Stack>
      <Title order={1} size="h2">
        Job
      </Title>
      {job.error ? <ProblemAlert error={job.error} /> : <Skeleton h={280} aria-label="Loading the job" />}
    </Stack>
  )
}

function Shown({ job }: { job: Job }) {
  const me = useMe()
  const ended = hasEnded(job)
  useTitle(nameOf(job))
  useEffect(() => {
    if (!ended) return
    void queries.invalidateQueries({ queryKey: ['jobs'] })
    if (job.kind !== 'export' && !job.dryRun) void queries.invalidateQueries({ queryKey: ['accounts'] })
  }, [ended, job.kind, job.dryRun])
  const own = job.by === me.username
  const wrong = job.counts.failed
  return (
    <Stack className={classes.page}>
      <Group justify="space-between" align="start">
        <div>
          <Anchor component={Link} to="/jobs" size="sm">
            Jobs
          </Anchor>
          <Group gap="sm">
            <Title order={1} size="h2">
              {nameOf(job)}
            </Title>
            <StateBadge job={job} />
          </Group>
        </div>
        <CancelButton job={job} />
      </Group>
      {!ended && job.state !== 'created' && (
        <Panel title="Progress" help="You can leave this page; the job goes on, and the list of jobs leads back here.">
          <Progress job={job} />
        </Panel>
      )}
      {job.state === 'created' && (
        <Alert color="gray" icon={<IconInfoCircle aria-hidden />} title="Its file has not arrived">
          The upload was not finished, so nothing was imported.{' '}
          <Anchor component={Link} to={`/import?${optionsOf(job)}`} inherit underline="always">
            Choose the file again
          </Anchor>
          .
        </Alert>
      )}
      <Verdict job={job} wrong={wrong} />
      {ended && job.kind !== 'export' && job.counts.rows > 0 && <Counts job={job} />}
      {ended && own && <NextSteps job={job} />}
      {job.kind === 'export' &&
        job.state === 'done' &&
        (own ? <Files job={job} /> : <Text c="dimmed">Only {job.by} can download the files.</Text>)}
      {ended &&
        job.kind !== 'export' &&
        job.counts.rows > 0 &&
        (own ? <Rows job={job} /> : <Text c="dimmed">Only {job.by} can see the result of each row.</Text>)}
      <Asked job={job} />
    </Stack>
  )
}

/** What came of it, in words. */
function Verdict({ job, wrong }: { job: Job; wrong: number }) {
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
        <Text size="sm">Only the first worksheet was read. Left alone: {job.otherSheets?.join(', ')}.</Text>
      )}
      {job.hiddenSheet && <Text size="sm">The first worksheet, which was read, is a hidden one.</Text>}
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
          {job.problem?.detail ?? `${wrong.toLocaleString()} ${wrong === 1 ? 'row has an error' : 'rows have errors'}.`}
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
  return (job.otherSheets?.length ?? 0) > 0 || job.hiddenSheet ? (
    <Alert color="blue" icon={<IconInfoCircle aria-hidden />} title="About the file">
      {notes}
    </Alert>
  ) : null
}
