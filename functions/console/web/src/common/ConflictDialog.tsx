import { Button, Group, Radio, Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Problem } from '../api/problem'
import type { Field, Value } from '../fields/fields'
import { FieldValue } from '../fields/FieldValue'
import { Instant } from '../fields/Instant'
import { Dialog } from './Dialog'
import { Loading } from './Loading'
import { ProblemAlert } from './ProblemAlert'
import { TableScroll } from './TableScroll'

interface Props<T> {
  /** What it is that was changed, after "this". */
  what: string
  /** Reads it as it is now. */
  read: () => Promise<T>
  fields: Field[]
  /** The refusal: it names the fields that changed, by whom and when. */
  problem: Problem
  base: T
  mine: Record<string, Value>
  cancel: () => void
  /** Goes on from what is there now, with what is kept of one's own changes. */
  resolve: (fresh: T, kept: Record<string, Value>) => void
}

/** Somebody else saved first: what they changed, and for each field that both changed whose value is to stand. */
export function ConflictDialog<T extends object>({
  what,
  read,
  fields,
  problem,
  base,
  mine,
  cancel,
  resolve,
}: Props<T>) {
  const now = useQuery({ queryKey: ['now', problem.request], queryFn: read, staleTime: 0, gcTime: 0 })
  const [theirs, setTheirs] = useState<Record<string, boolean>>({})
  const fresh: object | undefined = now.data
  const changed = fields.flatMap((field) => {
    const told = problem.fields.findLast((f) => f.field === field.name)
    return told || (fresh !== undefined && differs(valueOf(base, field), valueOf(fresh, field)))
      ? [{ field, told }]
      : []
  })
  const both = changed.filter((c) => c.field.name in mine)
  return (
    <Dialog onClose={cancel} size="xl" title="Changed meanwhile">
      <Stack>
        <Text size="sm">
          Somebody saved this {what} after you began to edit it. Nothing of yours is lost: look at what changed, then
          save again.
        </Text>
        <ProblemAlert error={now.error} />
        {now.isPending ? (
          <Loading />
        ) : (
          now.data && (
            <TableScroll label="What changed">
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Field</Table.Th>
                    <Table.Th>Was</Table.Th>
                    <Table.Th>Is now</Table.Th>
                    <Table.Th>By</Table.Th>
                    <Table.Th>Yours</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {changed.map(({ field, told }) => (
                    <Table.Tr key={field.name}>
                      <Table.Td>{field.label}</Table.Td>
                      <Table.Td>
                        <FieldValue field={field} value={valueOf(base, field)} />
                      </Table.Td>
                      <Table.Td>
                        <FieldValue field={field} value={valueOf(fresh ?? {}, field)} />
                      </Table.Td>
                      <Table.Td>
                        {told ? told.by || 'the system' : '–'}
                        {told?.at && (
                          <>
                            <br />
                            <Text span size="xs" c="dimmed">
                              <Instant at={told.at} />
                            </Text>
                          </>
                        )}
                      </Table.Td>
                      <Table.Td>
                        {field.name in mine ? (
                          <Radio.Group
                            aria-label={`Whose ${field.label}`}
                            value={theirs[field.name] ? 'theirs' : 'mine'}
                            onChange={(v) => setTheirs({ ...theirs, [field.name]: v === 'theirs' })}
                          >
                            <Stack gap={6}>
                              <Radio
                                value="mine"
                                label={
                                  <>
                                    Keep mine: <FieldValue field={field} value={mine[field.name]} />
                                  </>
                                }
                              />
                              <Radio value="theirs" label="Take theirs" />
                            </Stack>
                          </Radio.Group>
                        ) : (
                          <Text size="sm" c="dimmed">
                            not changed
                          </Text>
                        )}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </TableScroll>
          )
        )}
        {both.length === 0 && <Text size="sm">You changed other fields, so both changes can stand.</Text>}
        <Group justify="flex-end">
          <Button variant="default" onClick={cancel}>
            Back to the form
          </Button>
          <Button
            disabled={!now.data}
            onClick={() =>
              now.data && resolve(now.data, Object.fromEntries(Object.entries(mine).filter(([name]) => !theirs[name])))
            }
          >
            Save
          </Button>
        </Group>
      </Stack>
    </Dialog>
  )
}

const valueOf = (of: object, field: Field): Value => (of as Record<string, Value>)[field.name]
const differs = (a: Value, b: Value) => JSON.stringify(a ?? null) !== JSON.stringify(b ?? null)
