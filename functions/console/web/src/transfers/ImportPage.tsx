import { Alert, Anchor, Button, Checkbox, Fieldset, Group, Progress, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { FormEvent } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { once } from '../api/client'
import { asProblem } from '../api/problem'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { useMay } from '../session/session'
import { DateFormatInput } from './DateFormatInput'
import { FileDrop } from './FileDrop'
import { isDateFormat } from './job'
import { GroupInput, UserInput } from './OptionInputs'
import { SubmitButton } from './SubmitButton'
import classes from './Transfers.module.css'
import { runImport, unfit } from './upload'
import type { ImportOptions } from './upload'

/** Import: a file, the guide's options, and Submit or Queue. */
export function ImportPage() {
  const [asked] = useSearchParams()
  const may = useMay()
  const navigate = useNavigate()
  const format = asked.get('dateFormat')
  const [file, setFile] = useState<File>()
  const [options, setOptions] = useState<ImportOptions>(() => ({
    dateFormat: isDateFormat(format) ? format : 'british',
    skipErrors: asked.has('skipErrors'),
    dryRun: asked.has('dryRun'),
    resetFromGroup: asked.has('resetFromGroup'),
    ...(asked.get('resourceGroup') && { resourceGroup: asked.get('resourceGroup')! }),
    ...(asked.get('copyRolesFrom') && { copyRolesFrom: asked.get('copyRolesFrom')! }),
  }))
  const [share, setShare] = useState(0)
  const [stopped, setStopped] = useState(false)
  const stop = useRef<AbortController>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const set = (change: Partial<ImportOptions>) => setOptions((before) => ({ ...before, ...change }))
  const run = useMutation({
    mutationFn: (queue: boolean) => {
      stop.current = new AbortController()
      setShare(0)
      setStopped(false)
      return runImport(file!, { ...options, ...(queue && { queue }) }, once(), setShare, stop.current.signal)
    },
    onSuccess: (id) => navigate(`/jobs/${id}`),
  })
  const ready = file !== undefined && unfit(file) === undefined
  const send = (queue: boolean) => {
    if (ready && !run.isPending) run.mutate(queue)
  }
  const problem = run.error && !stopped ? asProblem(run.error) : undefined
  return (
    <form
      className={classes.form}
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        send(false)
      }}
    >
      <Stack>
        <div>
          <Title order={1} size="h2">
            Import User Accounts
          </Title>
          <Text c="dimmed">
            To have a file with the correct field names and formatting,{' '}
            {may('account.export') ? (
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
          <FileDrop
            file={file}
            onFile={(next) => {
              setFile(next)
              run.reset()
            }}
            disabled={run.isPending}
          />
        </Panel>
        <Panel title="Options">
          <Fieldset variant="unstyled" m={0} p={0} disabled={run.isPending}>
            <Stack gap="md">
              <Checkbox
                label="Check only"
                description="Tells what each row would change, and changes nothing."
                checked={options.dryRun ?? false}
                onChange={(e) => set({ dryRun: e.currentTarget.checked })}
              />
              <Checkbox
                label="Skip errors"
                checked={options.skipErrors ?? false}
                onChange={(e) => set({ skipErrors: e.currentTarget.checked })}
                description="Ticked, the correct user accounts are imported and those with an error are not. Not ticked, one error means that none of the entries is imported."
              />
              <DateFormatInput
                value={options.dateFormat}
                onChange={(dateFormat) => set({ dateFormat })}
                help="How dates are written that are text in the sheet."
              />
              <Checkbox
                label="Reset from Resource group"
                description="Resets the settings of the resources to those of their Resource group; a cell that is filled in wins."
                checked={options.resetFromGroup ?? false}
                onChange={(e) => set({ resetFromGroup: e.currentTarget.checked })}
              />
              <GroupInput
                value={options.resourceGroup}
                onChange={(resourceGroup) =>
                  setOptions(({ resourceGroup: _, ...rest }) => ({ ...rest, ...(resourceGroup && { resourceGroup }) }))
                }
                error={problem?.of('resourceGroup')}
              />
              <UserInput
                value={options.copyRolesFrom}
                onChange={(copyRolesFrom) =>
                  setOptions(({ copyRolesFrom: _, ...rest }) => ({ ...rest, ...(copyRolesFrom && { copyRolesFrom }) }))
                }
                error={problem?.of('copyRolesFrom')}
              />
            </Stack>
          </Fieldset>
        </Panel>
        <ProblemAlert error={problem} shown={['resourceGroup', 'copyRolesFrom']} />
        {stopped && !run.isPending && (
          <Alert color="gray" role="status">
            The upload was stopped. Nothing was imported.
          </Alert>
        )}
        {run.isPending && (
          <Stack gap={6}>
            <Text size="sm" id="sent" role="status">
              {share < 1 ? `Uploading, ${Math.round(share * 100)}%` : 'Uploaded, submitting'}
            </Text>
            <Progress.Root size="lg">
              <Progress.Section value={share * 100} aria-labelledby="sent" />
            </Progress.Root>
          </Stack>
        )}
        <Group>
          <SubmitButton busy={run.isPending} disabled={!ready} submit={send} />
          {run.isPending ? (
            <Button
              variant="default"
              onClick={() => {
                setStopped(true)
                stop.current?.abort()
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
