import {
  Alert,
  Badge,
  Button,
  Group,
  MultiSelect,
  Progress,
  Stack,
  Table,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap, idempotencyKey } from '../../api/client'
import { queryClient } from '../../api/queryClient'
import { Dialog } from '../../common/Dialog'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ScrollableTable } from '../../common/ScrollableTable'
import { useCodeOptions } from '../../fields/fields'
import type { bulkActions, BulkBody, BulkResult } from './actions'

interface Props {
  action: (typeof bulkActions)[number]
  ids: string[]
  filter: Record<string, string> | undefined
  onClose: () => void
}

type Outcome = BulkResult['items'][number]
interface BulkSummary {
  changed: number
  unchanged: number
  problems: number
  items: Outcome[]
  hasMore: boolean
}

const batchSize = 200

/** Runs a bulk action: first a preview, then the result for each account. */
export default function BulkDialog({ action, ids, filter, onClose }: Props) {
  const [reason, setReason] = useState('')
  const [codes, setCodes] = useState<string[]>([])
  const [progress, setProgress] = useState(0)
  const options = useCodeOptions(
    action.argument === 'roles' ? 'role' : action.argument === 'groups' ? 'group' : undefined,
  )
  const ready = !action.argument || (action.argument === 'reason' ? reason.trim() !== '' : codes.length > 0)
  const argumentsBody = {
    ...(action.argument === 'reason' && { reason }),
    ...(action.argument === 'roles' && { roles: codes }),
    ...(action.argument === 'groups' && { groups: codes }),
  }

  const bodyOf = (targets: Pick<BulkBody, 'ids' | 'filter' | 'preview'>) =>
    ({ ...targets, action: action.action, arguments: argumentsBody }) as BulkBody

  const sendBatch = (body: BulkBody, cursor: string) =>
    unwrap(
      api.POST('/api/accounts/bulk', {
        params: {
          query: { limit: batchSize, ...(cursor && { cursor }) },
          ...(!body.preview && { header: idempotencyKey() }),
        },
        body,
      }),
    )

  const runBatches = async (preview: boolean): Promise<BulkSummary> => {
    const summary: BulkSummary = { changed: 0, unchanged: 0, problems: 0, items: [], hasMore: false }
    const addResult = (r: BulkResult) => {
      summary.changed += r.changed
      summary.unchanged += r.unchanged
      summary.problems += r.problems
      summary.items.push(...r.items)
    }
    setProgress(0)
    if (filter) {
      let cursor = ''
      do {
        const r = await sendBatch(bodyOf({ filter, preview }), cursor)
        addResult(r)
        setProgress(summary.items.length / (summary.items.length + r.remaining || 1))
        cursor = r.next ?? ''
      } while (cursor)
      return summary
    }
    for (let at = 0; at < ids.length; at += batchSize) {
      let batch = ids.slice(at, at + batchSize)
      while (batch.length > 0) {
        const r = await sendBatch(bodyOf({ ids: batch, preview }), '')
        // Accounts that there was no time for are sent again, as long as each call completes some.
        const deferred = r.items.filter((o) => o.code === 'later').map((o) => o.id)
        const retry = deferred.length < batch.length ? deferred : []
        addResult(
          retry.length > 0
            ? { ...r, problems: r.problems - retry.length, items: r.items.filter((o) => !retry.includes(o.id)) }
            : r,
        )
        batch = retry
      }
      setProgress(Math.min(1, (at + batchSize) / ids.length))
    }
    return summary
  }
  const preview = useMutation({ mutationFn: () => runBatches(true) })
  const apply = useMutation({
    mutationFn: () => runBatches(false),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['accounts'] }),
  })
  const busy = preview.isPending || apply.isPending
  const summary = apply.data ?? preview.data
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!busy && ready) preview.mutate()
  }
  return (
    <Dialog
      onClose={onClose}
      dirty={apply.data ? false : undefined}
      title={action.label}
      size="lg"
      closeOnClickOutside={!busy}
    >
      <form onSubmit={submit}>
        <Stack>
          {!summary && (
            <>
              <Text size="sm">
                {filter
                  ? 'For all accounts that match the filters.'
                  : `For the ${ids.length} selected ${ids.length === 1 ? 'account' : 'accounts'}.`}{' '}
                You see a preview first.
              </Text>
              {action.argument === 'reason' && (
                <TextInput
                  label="Reason"
                  description="Shown on each account and kept in its log."
                  required
                  maxLength={200}
                  data-autofocus
                  value={reason}
                  onChange={(e) => setReason(e.currentTarget.value)}
                />
              )}
              {(action.argument === 'roles' || action.argument === 'groups') &&
                (options ? (
                  <MultiSelect
                    label={action.argument === 'roles' ? 'Roles' : 'Groups'}
                    searchable
                    required
                    data-autofocus
                    data={options.map((c) => ({ value: c.code, label: `${c.code} – ${c.description}` }))}
                    value={codes}
                    onChange={setCodes}
                  />
                ) : (
                  <TagsInput label="Codes" required data-autofocus value={codes} onChange={setCodes} />
                ))}
            </>
          )}
          {busy && <Progress value={100 * progress} animated aria-label="Progress" />}
          {summary && <BulkOutcomes summary={summary} applied={Boolean(apply.data)} />}
          <ProblemAlert error={preview.error ?? apply.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} disabled={busy}>
              {apply.data ? 'Close' : 'Cancel'}
            </Button>
            {!summary && (
              <Button type="submit" loading={busy} disabled={!ready}>
                Preview
              </Button>
            )}
            {preview.data && !apply.data && (
              <Button
                color={action.danger ? 'red' : undefined}
                loading={apply.isPending}
                disabled={preview.data.changed === 0}
                onClick={() => apply.mutate()}
              >
                {action.label}: {preview.data.changed} {preview.data.changed === 1 ? 'account' : 'accounts'}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}

function BulkOutcomes({ summary, applied }: { summary: BulkSummary; applied: boolean }) {
  const problems = summary.items.filter((o) => o.result === 'problem')
  const labels = { ok: applied ? 'Changed' : 'Would change', unchanged: 'Unchanged', problem: 'Problem' }
  const colours = { ok: 'green', unchanged: 'gray', problem: 'red' }
  return (
    <Stack gap="sm">
      <Alert
        role="status"
        color={summary.problems > 0 ? 'orange' : applied ? 'green' : 'blue'}
        title={applied ? `${summary.changed} changed` : `${summary.changed} would change`}
      >
        {summary.unchanged} unchanged{summary.problems > 0 && `, ${summary.problems} not possible`}.
        {!applied && ' Nothing has been changed yet.'}
      </Alert>
      <ScrollableTable label="Result for each account" maxHeight={280}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Username</Table.Th>
              <Table.Th>Result</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...problems, ...summary.items.filter((o) => o.result !== 'problem')].slice(0, 500).map((o) => (
              <Table.Tr key={o.id}>
                <Table.Td>{o.username ?? o.id}</Table.Td>
                <Table.Td>
                  <Badge variant="light" tt="none" color={colours[o.result]}>
                    {labels[o.result]}
                  </Badge>
                  {o.detail && (
                    <Text size="sm" mt={2}>
                      {o.detail}
                    </Text>
                  )}
                  {o.fields?.map((f) => (
                    <Text key={`${f.field} ${f.code}`} size="sm">
                      {f.message}
                    </Text>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollableTable>
    </Stack>
  )
}
