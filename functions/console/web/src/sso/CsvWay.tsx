import { Alert, Anchor, Badge, Button, FileInput, Group, Progress, Stack, Text } from '@mantine/core'
import { IconFileTypeCsv } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { Problem } from '../api/problem'
import { queries } from '../api/queries'
import { ProblemAlert } from '../common/ProblemAlert'
import { Records } from '../common/Records'
import { Outcome, outcomes } from './outcomes'
import classes from './Wizard.module.css'

type Line = Schemas['SsoLine']

interface Judged {
  fileId: string
  version: string
  lines: Line[]
  all: number
  applied: boolean
}

/** Walks through a file, a thousand lines at a time. */
async function walk(
  part: (from: number, version: string) => Promise<Schemas['SsoPart']>,
  told: (done: number, all: number) => void,
) {
  const lines: Line[] = []
  let version = ''
  let from = 0
  let all: number
  do {
    const got = await part(from, version)
    lines.push(...got.items)
    version = got.version
    all = got.lines
    from = got.next ?? 0
    told(lines.length, all)
  } while (from)
  return { version, lines, all }
}

/** Linking by a file: provider, file, a preview with a result for each line, and only then Apply. */
export function CsvWay({ providerId }: { providerId: string }) {
  const [file, setFile] = useState<File | null>(null)
  const [judged, setJudged] = useState<Judged>()
  const [progress, setProgress] = useState<number>()
  const [shown, setShown] = useState(100)
  const told = (done: number, all: number) => setProgress(all ? (100 * done) / all : 100)
  const check = useMutation({
    mutationFn: async () => {
      const form = await ask(api.POST('/api/sso-providers/{id}/link-files', { params: { path: { id: providerId } } }))
      await send(form, file)
      const path = { id: providerId, fileId: form.fileId }
      const found = await walk(
        (from, version) =>
          ask(
            api.POST('/api/sso-providers/{id}/link-files/{fileId}/check', {
              params: { path },
              body: { ...(version && { version }), ...(from && { from }) },
            }),
          ),
        told,
      )
      return { ...found, fileId: form.fileId, applied: false }
    },
    onSuccess: setJudged,
    onSettled: () => setProgress(undefined),
  })
  const apply = useMutation({
    mutationFn: async (of: Judged) => {
      const path = { id: providerId, fileId: of.fileId }
      const done = await walk(
        (from) =>
          ask(
            api.POST('/api/sso-providers/{id}/link-files/{fileId}/apply', {
              params: { path },
              body: { version: of.version, ...(from && { from }) },
            }),
          ),
        told,
      )
      return { ...done, fileId: of.fileId, applied: true }
    },
    onSuccess: (done) => {
      setJudged(done)
      void queries.invalidateQueries({ queryKey: ['accounts'] })
      void queries.invalidateQueries({ queryKey: ['tab'] })
    },
    onSettled: () => setProgress(undefined),
  })
  const counts = new Map<Line['outcome'], number>()
  for (const l of judged?.lines ?? []) counts.set(l.outcome, (counts.get(l.outcome) ?? 0) + 1)
  const linkable = counts.get('linkable') ?? 0
  return (
    <Stack>
      <Text size="sm">
        A CSV file in UTF-8 with these columns. The email must be the one on the user account; the object id is what the
        provider gives.
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
          clearButtonProps={{ 'aria-label': 'Take the file away' }}
          onChange={(next) => {
            setFile(next)
            setJudged(undefined)
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
      {progress !== undefined && <Progress value={progress} aria-label="Lines looked at" />}
      <ProblemAlert error={apply.error ?? check.error} />
      {judged && (
        <>
          <Group justify="space-between">
            <Group gap="xs" role="status">
              <Text size="sm" fw={600}>
                {judged.all === 1 ? '1 line' : `${judged.all.toLocaleString()} lines`}
              </Text>
              {[...counts].map(([outcome, n]) => (
                <Badge key={outcome} variant="light" tt="none" color={outcomes[outcome].colour}>
                  {outcomes[outcome].label}: {n}
                </Badge>
              ))}
            </Group>
            {!judged.applied && (
              <Button disabled={linkable === 0} loading={apply.isPending} onClick={() => apply.mutate(judged)}>
                Apply
              </Button>
            )}
          </Group>
          {judged.applied && (
            <Alert color="green" title="Applied">
              {(counts.get('linked') ?? 0) === 1
                ? 'One account is linked.'
                : `${counts.get('linked') ?? 0} accounts are linked.`}{' '}
              The other lines changed nothing.
            </Alert>
          )}
          <Records
            label="Result of each line"
            rows={judged.lines.slice(0, shown)}
            idOf={(l) => String(l.line)}
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
              { label: 'Result', cell: (l) => <Outcome of={l} /> },
            ]}
          />
          {judged.lines.length > shown && (
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

/** Posts the file to where the service says, as imports do; no session goes there. */
async function send(form: Schemas['SsoForm'], file: File | null) {
  const parts = new FormData()
  for (const [name, value] of Object.entries(form.fields)) parts.append(name, value)
  if (file) parts.append('file', file)
  const answer = await fetch(form.url, { method: 'POST', body: parts, credentials: 'omit' })
  if (!answer.ok)
    throw new Problem({
      status: answer.status,
      code: 'upload',
      title: 'The file was not taken',
      detail: 'It is larger than 10 MB, or the time to send it is over. Choose it once more.',
    })
}
