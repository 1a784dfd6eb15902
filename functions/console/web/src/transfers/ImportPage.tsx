import { Alert, Anchor, Button, Checkbox, Fieldset, Group, Progress, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { FormEvent } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { idempotencyKey } from '../api/client'
import { toProblem } from '../api/problem'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { useUnsavedChanges } from '../common/unsavedChanges'
import { useHasPermission } from '../session/session'
import { DateFormatInput } from './DateFormatInput'
import { FileDropzone } from './FileDropzone'
import { ResourceGroupInput, CopyRolesInput } from './ImportOptionInputs'
import { isDateFormat } from './job'
import { SubmitButton } from './SubmitButton'
import classes from './Transfers.module.css'
import { runImport, fileError } from './upload'
import type { ImportOptions } from './upload'

/** Starts an import: a file, the guide's options, and Submit or Queue. */
export function ImportPage() {
  const [params] = useSearchParams()
  const hasPermission = useHasPermission()
  const navigate = useNavigate()
  const format = params.get('dateFormat')
  const [file, setFile] = useState<File>()
  const endGuard = useUnsavedChanges(file !== undefined)
  const [options, setOptions] = useState<ImportOptions>(() => ({
    dateFormat: isDateFormat(format) ? format : 'british',
    skipErrors: params.has('skipErrors'),
    dryRun: params.has('dryRun'),
    resetFromGroup: params.has('resetFromGroup'),
    ...(params.get('resourceGroup') && { resourceGroup: params.get('resourceGroup')! }),
    ...(params.get('copyRolesFrom') && { copyRolesFrom: params.get('copyRolesFrom')! }),
  }))
  const [progress, setProgress] = useState(0)
  const [stopped, setStopped] = useState(false)
  const abort = useRef<AbortController>(null)
  useEffect(() => () => abort.current?.abort(), [])
  const set = (change: Partial<ImportOptions>) => setOptions((before) => ({ ...before, ...change }))
  const start = useMutation({
    mutationFn: (queue: boolean) => {
      abort.current = new AbortController()
      setProgress(0)
      setStopped(false)
      return runImport(
        file!,
        { ...options, ...(queue && { queue }) },
        idempotencyKey(),
        setProgress,
        abort.current.signal,
      )
    },
    onSuccess: (id) => {
      endGuard()
      return navigate(`/jobs/${id}`)
    },
  })
  const ready = file !== undefined && fileError(file) === undefined
  const submit = (queue: boolean) => {
    if (ready && !start.isPending) start.mutate(queue)
  }
  const problem = start.error && !stopped ? toProblem(start.error) : undefined
  return (
    <form
      className={classes.form}
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        submit(false)
      }}
    >
      <Stack>
        <div>
          <Title order={1} size="h2">
            Import User Accounts
          </Title>
          <Text c="dimmed">
            To get a file with the correct field names and formatting,{' '}
            {hasPermission('account.export') ? (
              <Anchor component={Link} to="/export" underline="always">
                export one first
              </Anchor>
            ) : (
              'export one first'
            )}{' '}
            and add your details to it.
          </Text>
        </div>
        <Panel title="Excel file">
          <FileDropzone
            file={file}
            onFile={(next) => {
              setFile(next)
              start.reset()
            }}
            disabled={start.isPending}
          />
        </Panel>
        <Panel title="Options">
          <Fieldset variant="unstyled" m={0} p={0} disabled={start.isPending}>
            <Stack gap="md">
              <Checkbox
                label="Check only"
                description="Shows what each row would change, without changing anything."
                checked={options.dryRun ?? false}
                onChange={(e) => set({ dryRun: e.currentTarget.checked })}
              />
              <Checkbox
                label="Skip errors"
                checked={options.skipErrors ?? false}
                onChange={(e) => set({ skipErrors: e.currentTarget.checked })}
                description="If ticked, correct rows are imported and rows with errors are skipped. If not ticked, nothing is imported if there is an error."
              />
              <DateFormatInput
                value={options.dateFormat}
                onChange={(dateFormat) => set({ dateFormat })}
                help="How dates that are stored as text in the sheet are written."
              />
              <Checkbox
                label="Reset from Resource group"
                description="Resets the settings of the resources to those of their Resource group, except where the sheet has a value."
                checked={options.resetFromGroup ?? false}
                onChange={(e) => set({ resetFromGroup: e.currentTarget.checked })}
              />
              <ResourceGroupInput
                value={options.resourceGroup}
                onChange={(resourceGroup) =>
                  setOptions(({ resourceGroup: _, ...rest }) => ({ ...rest, ...(resourceGroup && { resourceGroup }) }))
                }
                error={problem?.messageFor('resourceGroup')}
              />
              <CopyRolesInput
                value={options.copyRolesFrom}
                onChange={(copyRolesFrom) =>
                  setOptions(({ copyRolesFrom: _, ...rest }) => ({ ...rest, ...(copyRolesFrom && { copyRolesFrom }) }))
                }
                error={problem?.messageFor('copyRolesFrom')}
              />
            </Stack>
          </Fieldset>
        </Panel>
        <ProblemAlert error={problem} inlineFields={['resourceGroup', 'copyRolesFrom']} />
        {stopped && !start.isPending && (
          <Alert color="gray" role="status">
            The upload was stopped. Nothing was imported.
          </Alert>
        )}
        {start.isPending && (
          <Stack gap={6}>
            <Text size="sm" id="sent" role="status">
              {progress < 1 ? `Uploading, ${Math.round(progress * 100)}%` : 'Uploaded, submitting'}
            </Text>
            <Progress.Root size="lg">
              <Progress.Section value={progress * 100} aria-labelledby="sent" />
            </Progress.Root>
          </Stack>
        )}
        <Group>
          <SubmitButton busy={start.isPending} disabled={!ready} onSubmit={submit} />
          {start.isPending ? (
            <Button
              variant="default"
              onClick={() => {
                setStopped(true)
                abort.current?.abort()
              }}
            >
              Stop
            </Button>
          ) : (
            <Button variant="default" component={Link} to="/accounts">
              Cancel
            </Button>
          )}
          {!ready && (
            <Text size="sm" c="dimmed">
              Choose a file first.
            </Text>
          )}
        </Group>
      </Stack>
    </form>
  )
}
