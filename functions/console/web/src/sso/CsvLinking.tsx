import { Alert, Anchor, Badge, Button, FileInput, Group, Progress, Stack, Text } from '@mantine/core'
import { IconFileTypeCsv } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { Problem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import classes from './LinkWizard.module.css'
import { OutcomeBadge, outcomes } from './OutcomeBadge'

type Line = Schemas['SsoLine']

interface CheckedFile {
  fileId: string
  version: string
  lines: Line[]
  total: number
  applied: boolean
}

/** Reads all results of a file, part by part. */
async function readParts(
  readPart: (from: number, version: string) => Promise<Schemas['SsoPart']>,
  onProgress: (done: number, total: number) => void,
) {
  const lines: Line[] = []
  let version = ''
  let from = 0
  let total: number
  do {
    const part = await readPart(from, version)
    lines.push(...part.items)
    version = part.version
    total = part.lines
    from = part.next ?? 0
    onProgress(lines.length, total)
  } while (from)
  return { version, lines, total }
}

/** Links by a CSV file: a preview with a result for each line, then Apply. */
export function CsvLinking({ providerId }: { providerId: string }) {
  const [file, setFile] = useState<File | null>(null)
  const [checked, setChecked] = useState<CheckedFile>()
  const [progress, setProgress] = useState<number>()
  const [shown, setShown] = useState(100)
  const showProgress = (done: number, total: number) => setProgress(total ? (100 * done) / total : 100)
  const check = useMutation({
    mutationFn: async () => {
      const form = await unwrap(
        api.POST('/api/sso-providers/{id}/link-files', { params: { path: { id: providerId } } }),
      )
      await postFile(form, file)
      const path = { id: providerId, fileId: form.fileId }
      const found = await readParts(
        (from, version) =>
          unwrap(
            api.POST('/api/sso-providers/{id}/link-files/{fileId}/check', {
              params: { path },
              body: { ...(version && { version }), ...(from && { from }) },
            }),
          ),
        showProgress,
      )
      return { ...found, fileId: form.fileId, applied: false }
    },
    onSuccess: setChecked,
    onSettled: () => setProgress(undefined),
  })
  const apply = useMutation({
    mutationFn: async (of: CheckedFile) => {
      const path = { id: providerId, fileId: of.fileId }
      const done = await readParts(
        (from) =>
          unwrap(
            api.POST('/api/sso-providers/{id}/link-files/{fileId}/apply', {
              params: { path },
              body: { version: of.version, ...(from && { from }) },
            }),
          ),
        showProgress,
      )
      return { ...done, fileId: of.fileId, applied: true }
    },
    onSuccess: (done) => {
      setChecked(done)
      void queryClient.invalidateQueries({ queryKey: ['accounts'] })
      void queryClient.invalidateQueries({ queryKey: ['tab'] })
    },
    onSettled: () => setProgress(undefined),
  })
  const counts = new Map<Line['outcome'], number>()
  for (const l of checked?.lines ?? []) counts.set(l.outcome, (counts.get(l.outcome) ?? 0) + 1)
  const linkable = counts.get('linkable') ?? 0
  return (
    <Stack>
      <Text size="sm">
        A CSV file in UTF-8 with these columns. The email must be that of the user account; the object id comes from the
        provider.
      </Text>
      <pre className={classes.sample} tabIndex={0} aria-label="Example of the file">
        {'email,object_id\nj.doe@example.com,7b3e2f0a-55c1-4c1e-9d55-2a0b6f1d1c11'}
      </pre>
      <Group align="end">
        <FileInput
          label="CSV file"
          placeholder="Choose a file"
          accept=".csv,text/csv"
          w="min(100%, 22rem)"
          clearable
          leftSection={<IconFileTypeCsv size={18} aria-hidden />}
          value={file}
          clearButtonProps={{ 'aria-label': 'Remove the file' }}
          onChange={(next) => {
            setFile(next)
            setChecked(undefined)
            check.reset()
            apply.reset()
          }}
        />
        <Button
          disabled={!file || apply.isPending}
          loading={check.isPending}
          onClick={() => {
            apply.reset()
            check.mutate()
          }}
        >
          Continue
        </Button>
      </Group>
      {progress !== undefined && <Progress value={progress} aria-label="Lines checked" />}
      <ProblemAlert error={apply.error ?? check.error} />
      {checked && (
        <>
          <Group justify="space-between">
            <Group gap="xs" role="status">
              <Text size="sm" fw={600}>
                {checked.total === 1 ? '1 line' : `${checked.total.toLocaleString()} lines`}
              </Text>
              {[...counts].map(([outcome, n]) => (
                <Badge key={outcome} variant="light" tt="none" color={outcomes[outcome].colour}>
                  {outcomes[outcome].label}: {n}
                </Badge>
              ))}
            </Group>
            {!checked.applied && (
              <Button disabled={linkable === 0} loading={apply.isPending} onClick={() => apply.mutate(checked)}>
                Apply
              </Button>
            )}
          </Group>
          {checked.applied && (
            <Alert color="green" title="Applied">
              {(counts.get('linked') ?? 0) === 1
                ? 'One account was linked.'
                : `${counts.get('linked') ?? 0} accounts were linked.`}{' '}
              The other lines made no changes.
            </Alert>
          )}
          <ResponsiveTable
            label="Result of each line"
            rows={checked.lines.slice(0, shown)}
            rowKey={(l) => String(l.line)}
            columns={[
              { label: 'Line', cell: (l) => l.line },
              { label: 'Email', cell: (l) => l.email ?? '–' },
              { label: 'Object id', cell: (l) => l.objectId ?? '–' },
              {
                label: 'User account',
                cell: (l) =>
                  l.accountId ? (
                    <Anchor component={Link} to={`/accounts/${l.accountId}`} inherit>
                      {l.username || 'open'}
                    </Anchor>
                  ) : (
                    '–'
                  ),
              },
              { label: 'Result', cell: (l) => <OutcomeBadge match={l} /> },
            ]}
          />
          {checked.lines.length > shown && (
            <Group>
              <Button variant="default" onClick={() => setShown(shown + 500)}>
                Show more
              </Button>
            </Group>
          )}
        </>
      )}
    </Stack>
  )
}

/** Posts the file to the bucket, without the session's cookies. */
async function postFile(form: Schemas['SsoForm'], file: File | null) {
  const body = new FormData()
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value)
  if (file) body.append('file', file)
  const response = await fetch(form.url, { method: 'POST', body, credentials: 'omit' })
  if (!response.ok)
    throw new Problem({
      status: response.status,
      code: 'upload',
      title: 'The upload failed',
      detail: 'The file is larger than 10 MB, or the upload took too long. Choose it again.',
    })
}
