import { Button, Group, Progress, Stack, Text } from '@mantine/core'
import { IconArrowBackUp, IconFileDownload, IconFileImport } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, ask, once } from '../api/client'
import { queries } from '../api/queries'
import { ActionDialog } from '../common/ActionDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { Instant } from '../fields/Instant'
import { useMay } from '../session/session'
import { follow } from './download'
import { jobKey, optionsOf } from './job'
import type { Job } from './job'
import { keptFile, runImport } from './upload'

/** What can be done next with an import that has ended: its marked sheet, the real run after a check, mending, undoing. */
export function NextSteps({ job }: { job: Job }) {
  const may = useMay()
  const navigate = useNavigate()
  const [undoing, setUndoing] = useState(false)
  const [share, setShare] = useState(0)
  const [now] = useState(() => Date.now())
  const sheet = useMutation({
    mutationFn: () => ask(api.GET('/api/jobs/{id}/sheet', { params: { path: { id: job.id } } })),
    onSuccess: (link) => follow(link.url, link.name),
  })
  const file = keptFile(job.id)
  const real = useMutation({
    mutationFn: () =>
      runImport(
        file!,
        {
          dateFormat: job.dateFormat,
          skipErrors: job.skipErrors,
          resetFromGroup: job.resetFromGroup ?? false,
          ...(job.resourceGroup && { resourceGroup: job.resourceGroup }),
          ...(job.copyRolesFrom && { copyRolesFrom: job.copyRolesFrom }),
        },
        once(),
        setShare,
        new AbortController().signal,
      ),
    onSuccess: (id) => navigate(`/jobs/${id}`),
  })
  const undo = useMutation({
    mutationFn: () => ask(api.POST('/api/jobs/{id}/undo', { params: { path: { id: job.id } } })),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: jobKey(job.id) })
      void queries.invalidateQueries({ queryKey: ['jobs'] })
      return navigate(`/jobs/${made.id}`)
    },
  })
  if (job.kind !== 'import') return null
  const wrong = job.counts.failed + job.counts.skipped > 0
  const imports = may('account.import')
  const clean =
    job.state === 'done' &&
    job.dryRun === true &&
    job.counts.failed === 0 &&
    job.counts.created + job.counts.updated > 0
  const again = imports && !clean && (wrong || job.state !== 'done')
  const undoable = imports && job.undoableUntil && !job.undoneBy && Date.parse(job.undoableUntil) > now
  const afresh = new URLSearchParams(optionsOf(job))
  if (clean) afresh.delete('dryRun')
  if (!job.sheet && !clean && !again && !undoable) return null
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {imports &&
          clean &&
          (file ? (
            <Button leftSection={<IconFileImport size={18} />} loading={real.isPending} onClick={() => real.mutate()}>
              Import for real
            </Button>
          ) : (
            <Button leftSection={<IconFileImport size={18} />} component={Link} to={`/import?${afresh}`}>
              Import for real
            </Button>
          ))}
        {job.sheet && (
          <Button
            variant={wrong ? 'filled' : 'default'}
            leftSection={<IconFileDownload size={18} />}
            loading={sheet.isPending}
            onClick={() => sheet.mutate()}
          >
            Download the sheet with its results
          </Button>
        )}
        {again && (
          <Button
            variant="default"
            leftSection={<IconFileImport size={18} />}
            component={Link}
            to={`/import?${afresh}`}
          >
            Upload again
          </Button>
        )}
        {undoable && (
          <Button
            variant="default"
            color="red"
            leftSection={<IconArrowBackUp size={18} />}
            onClick={() => setUndoing(true)}
          >
            Undo
          </Button>
        )}
      </Group>
      {again && job.sheet && (
        <Text size="sm" c="dimmed">
          Each wrong cell is marked, with a note that says what to do. Mend them and upload the sheet as it is; the
          columns Result and Errors are not read.
        </Text>
      )}
      {imports && clean && !file && (
        <Text size="sm" c="dimmed">
          Choose the file again; the options stay as they were.
        </Text>
      )}
      {real.isPending && <Progress value={share * 100} aria-label="Uploading" />}
      <ProblemAlert error={sheet.error ?? real.error} />
      {undoing && (
        <ActionDialog
          title="Undo the import"
          apply="Undo"
          danger
          busy={undo.isPending}
          error={undo.error}
          close={() => setUndoing(false)}
          onApply={() => undo.mutate()}
        >
          <Text size="sm">
            User accounts that the import made and that were not used since are deleted, the others get their former
            values back. Those that were edited since are left alone. It can be undone until{' '}
            <Instant at={job.undoableUntil} />.
          </Text>
        </ActionDialog>
      )}
    </Stack>
  )
}
