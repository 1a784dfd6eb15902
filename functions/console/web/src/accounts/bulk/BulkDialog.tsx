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
import { api, ask, once } from '../../api/client'
import { queries } from '../../api/queries'
import { Dialog } from '../../common/Dialog'
import { ProblemAlert } from '../../common/ProblemAlert'
import { TableScroll } from '../../common/TableScroll'
import { useCodes } from '../../fields/fields'
import type { bulkActions, BulkBody, BulkResult } from './actions'

interface Props {
  action: (typeof bulkActions)[number]
  ids: string[]
  filter: Record<string, string> | undefined
  close: () => void
}

type Outcome = BulkResult['items'][number]
interface Sum {
  changed: number
  unchanged: number
  problems: number
  items: Outcome[]
  more: boolean
}

const atOnce = 200

/** Does something to many accounts: first a preview of how many it would change, then the result for each. */
export default function BulkDialog({ action, ids, filter, close }: Props) {
  const [reason, setReason] = useState('')
  const [codes, setCodes] = useState<string[]>([])
  const [done, setDone] = useState(0)
  const offered = useCodes(action.asks === 'roles' ? 'role' : action.asks === 'groups' ? 'group' : undefined)
  const ready = !action.asks || (action.asks === 'reason' ? reason.trim() !== '' : codes.length > 0)
  const args = {
    ...(action.asks === 'reason' && { reason }),
    ...(action.asks === 'roles' && { roles: codes }),
    ...(action.asks === 'groups' && { groups: codes }),
  }

  const send = (body: BulkBody, cursor: string) =>
    ask(
      api.POST('/api/accounts/bulk', {
        params: { query: { limit: atOnce, ...(cursor && { cursor }) }, ...(!body.preview && { header: once() }) },
        body,
      }),
    )

  const walk = async (preview: boolean): Promise<Sum> => {
    const sum: Sum = { changed: 0, unchanged: 0, problems: 0, items: [], more: false }
    const take = (r: BulkResult) => {
      sum.changed += r.changed
      sum.unchanged += r.unchanged
      sum.problems += r.problems
      sum.items.push(...r.items)
    }
    setDone(0)
    if (filter) {
      let cursor = ''
      do {
        const r = await send({ action: action.action, filter, arguments: args, preview }, cursor)
        take(r)
        setDone(sum.items.length / (sum.items.length + r.remaining || 1))
        cursor = r.next ?? ''
      } while (cursor)
      return sum
    }
    for (let at = 0; at < ids.length; at += atOnce) {
      let part = ids.slice(at, at + atOnce)
      while (part.length > 0) {
        const r = await send({ action: action.action, ids: part, arguments: args, preview }, '')
        // Those there was no time for are sent again, as long as each call gets some done.
        const later = r.items.filter((o) => o.code === 'later').map((o) => o.id)
        const again = later.length < part.length ? later : []
        take(
          again.length > 0
            ? { ...r, problems: r.problems - again.length, items: r.items.filter((o) => !again.includes(o.id)) }
            : r,
        )
        part = again
      }
      setDone(Math.min(1, (at + atOnce) / ids.length))
    }
    return sum
  }
  const preview = useMutation({ mutationFn: () => walk(true) })
  const apply = useMutation({
    mutationFn: () => walk(false),
    onSettled: () => queries.invalidateQueries({ queryKey: ['accounts'] }),
  })
  const busy = preview.isPending || apply.isPending
  const shown = apply.data ?? preview.data
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!busy && ready) preview.mutate()
  }
  return (
    <Dialog onClose={close} title={action.label} size="lg" closeOnClickOutside={!busy}>
      <form onSubmit={submit}>
        <Stack>
          {!shown && (
            <>
              <Text size="sm">
                {filter
                  ? 'For all accounts that match the filters.'
                  : `For the ${ids.length} accounts that are picked.`}{' '}
                First you see what it would do.
              </Text>
              {action.asks === 'reason' && (
                <TextInput
                  label="Reason"
                  description="Shown beside each account, and kept in its log."
                  required
                  maxLength={200}
                  data-autofocus
                  value={reason}
                  onChange={(e) => setReason(e.currentTarget.value)}
                />
              )}
              {(action.asks === 'roles' || action.asks === 'groups') &&
                (offered ? (
                  <MultiSelect
                    label={action.asks === 'roles' ? 'Roles' : 'Groups'}
                    searchable
                    required
                    data-autofocus
                    data={offered.map((c) => ({ value: c.code, label: `${c.code} – ${c.description}` }))}
                    value={codes}
                    onChange={setCodes}
                  />
                ) : (
                  <TagsInput label="Codes" required data-autofocus value={codes} onChange={setCodes} />
                ))}
            </>
          )}
          {busy && <Progress value={100 * done} animated aria-label="Progress" />}
          {shown && <Outcomes sum={shown} applied={Boolean(apply.data)} />}
          <ProblemAlert error={preview.error ?? apply.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close} disabled={busy}>
              {apply.data ? 'Close' : 'Cancel'}
            </Button>
            {!shown && (
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

function Outcomes({ sum, applied }: { sum: Sum; applied: boolean }) {
  const problems = sum.items.filter((o) => o.result === 'problem')
  const words = { ok: applied ? 'Changed' : 'Would change', unchanged: 'As it was', problem: 'Problem' }
  const colours = { ok: 'green', unchanged: 'gray', problem: 'red' }
  return (
    <Stack gap="sm">
      <Alert
        role="status"
        color={sum.problems > 0 ? 'orange' : applied ? 'green' : 'blue'}
        title={applied ? `${sum.changed} changed` : `${sum.changed} would change`}
      >
        {sum.unchanged} already so{sum.problems > 0 && `, ${sum.problems} not possible`}.
        {!applied && ' Nothing is changed yet.'}
      </Alert>
      <TableScroll label="Result for each account" most={280}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Username</Table.Th>
              <Table.Th>Result</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...problems, ...sum.items.filter((o) => o.result !== 'problem')].slice(0, 500).map((o) => (
              <Table.Tr key={o.id}>
                <Table.Td>{o.username ?? o.id}</Table.Td>
                <Table.Td>
                  <Badge variant="light" tt="none" color={colours[o.result]}>
                    {words[o.result]}
                  </Badge>
                  {o.detail && (
                    <Text size="sm" mt={2}>
                      {o.detail}
                    </Text>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </TableScroll>
    </Stack>
  )
}
