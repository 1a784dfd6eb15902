import { Button, Group, Progress, Stack, Text } from '@mantine/core'
import { IconArrowBackUp, IconFileDownload, IconFileImport } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, unwrap, idempotencyKey } from '../api/client'
import { queryClient } from '../api/queryClient'
import { ActionDialog } from '../common/ActionDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { Instant } from '../fields/Instant'
import { useHasPermission } from '../session/session'
import { download } from './download'
import { jobKey, importOptionsQuery } from './job'
import type { Job } from './job'
import { rememberedFile, runImport } from './upload'

/** What can follow an import: download the marked sheet, import after a check, upload again, undo. */
export function ImportNextSteps({ job }: { job: Job }) {
  const hasPermission = useHasPermission()
  const navigate = useNavigate()
  const [undoing, setUndoing] = useState(false)
  const [progress, setProgress] = useState(0)
  const [now] = useState(() => Date.now())
  const sheet = useMutation({
    mutationFn: () => unwrap(api.GET('/api/jobs/{id}/sheet', { params: { path: { id: job.id } } })),
    onSuccess: (link) => download(link.url, link.name),
  })
  const file = rememberedFile(job.id)
  const importNow = useMutation({
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
        idempotencyKey(),
        setProgress,
        new AbortController().signal,
      ),
    onSuccess: (id) => navigate(`/jobs/${id}`),
  })
  const undo = useMutation({
    mutationFn: () => unwrap(api.POST('/api/jobs/{id}/undo', { params: { path: { id: job.id } } })),
    onSuccess: (undoJob) => {
      void queryClient.invalidateQueries({ queryKey: jobKey(job.id) })
      void queryClient.invalidateQueries({ queryKey: ['jobs'] })
      return navigate(`/jobs/${undoJob.id}`)
    },
  })
  if (job.kind !== 'import') return null
  const hasErrors = job.counts.failed + job.counts.skipped > 0
  const canImport = hasPermission('account.import')
  const readyToImport =
    job.state === 'done' &&
    job.dryRun === true &&
    job.counts.failed === 0 &&
    job.counts.created + job.counts.updated > 0
  const canRetry = canImport && !readyToImport && (hasErrors || job.state !== 'done')
  const canUndo = canImport && job.undoableUntil && !job.undoneBy && Date.parse(job.undoableUntil) > now
  const importQuery = new URLSearchParams(importOptionsQuery(job))
  if (readyToImport) importQuery.delete('dryRun')
  if (!job.sheet && !readyToImport && !canRetry && !canUndo) return null
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {canImport &&
          readyToImport &&
          (file ? (
            <Button
              leftSection={<IconFileImport size={18} />}
              loading={importNow.isPending}
              onClick={() => importNow.mutate()}
            >
              Import now
            </Button>
          ) : (
            <Button leftSection={<IconFileImport size={18} />} component={Link} to={`/import?${importQuery}`}>
              Import now
            </Button>
          ))}
        {job.sheet && (
          <Button
            variant={hasErrors ? 'filled' : 'default'}
            leftSection={<IconFileDownload size={18} />}
            loading={sheet.isPending}
            onClick={() => sheet.mutate()}
          >
            Download the sheet with its results
          </Button>
        )}
        {canRetry && (
          <Button
            variant="default"
            leftSection={<IconFileImport size={18} />}
            component={Link}
            to={`/import?${importQuery}`}
          >
            Upload again
          </Button>
        )}
        {canUndo && (
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
      {canRetry && job.sheet && (
        <Text size="sm" c="dimmed">
          Each cell with an error is marked, with a note that says what to do. Fix these cells and upload the sheet
          again. The columns Result and Errors are ignored.
        </Text>
      )}
      {canImport && readyToImport && !file && (
        <Text size="sm" c="dimmed">
          Choose the file again. The options are kept.
        </Text>
      )}
      {importNow.isPending && <Progress value={progress * 100} aria-label="Uploading" />}
      <ProblemAlert error={sheet.error ?? importNow.error} />
      {undoing && (
        <ActionDialog
          title="Undo the import"
          confirmLabel="Undo"
          danger
          busy={undo.isPending}
          error={undo.error}
          onClose={() => setUndoing(false)}
          onConfirm={() => undo.mutate()}
        >
          <Text size="sm">
            User accounts that the import created and that have not been used since are deleted. The others get their
            previous values back, except those that have been edited since. You can undo the import until{' '}
            <Instant at={job.undoableUntil} />.
          </Text>
        </ActionDialog>
      )}
    </Stack>
  )
}
