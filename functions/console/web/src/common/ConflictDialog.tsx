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
import { ScrollableTable } from './ScrollableTable'

interface Props<T> {
  /** The noun after "this", such as "account". */
  subject: string
  /** Reads the current version. */
  load: () => Promise<T>
  fields: Field[]
  /** The problem with status 412: it names the fields that changed, by whom and when. */
  problem: Problem
  base: T
  mine: Record<string, Value>
  onCancel: () => void
  /** Continues from the current version, with those of the user's changes that are to be saved. */
  onResolve: (current: T, changes: Record<string, Value>) => void
}

/** Shown when someone else saved first: what they changed, and a choice for each field that both changed. */
export function ConflictDialog<T extends object>({
  subject,
  load,
  fields,
  problem,
  base,
  mine,
  onCancel,
  onResolve,
}: Props<T>) {
  const latest = useQuery({ queryKey: ['now', problem.requestId], queryFn: load, staleTime: 0, gcTime: 0 })
  const [theirs, setTheirs] = useState<Record<string, boolean>>({})
  const current: object | undefined = latest.data
  const changed = fields.flatMap((field) => {
    const conflict = problem.fields.findLast((f) => f.field === field.name)
    return conflict || (current !== undefined && differs(valueOf(base, field), valueOf(current, field)))
      ? [{ field, told: conflict }]
      : []
  })
  const overlapping = changed.filter((c) => c.field.name in mine)
  return (
    <Dialog onClose={onCancel} size="xl" title="Changed by someone else">
      <Stack>
        <Text size="sm">
          Someone saved this {subject} after you started editing it. Your changes are not lost: check what changed, then
          save again.
        </Text>
        <ProblemAlert error={latest.error} />
        {latest.isPending ? (
          <Loading />
        ) : (
          latest.data && (
            <ScrollableTable label="What changed">
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Field</Table.Th>
                    <Table.Th>Before</Table.Th>
                    <Table.Th>Now</Table.Th>
                    <Table.Th>Changed by</Table.Th>
                    <Table.Th>Your change</Table.Th>
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
                        <FieldValue field={field} value={valueOf(current ?? {}, field)} />
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
                            aria-label={`Value to keep for ${field.label}`}
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
                              <Radio value="theirs" label="Use theirs" />
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
            </ScrollableTable>
          )
        )}
        {overlapping.length === 0 && <Text size="sm">You changed different fields, so both changes can be kept.</Text>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Back to editing
          </Button>
          <Button
            disabled={!latest.data}
            onClick={() =>
              latest.data &&
              onResolve(latest.data, Object.fromEntries(Object.entries(mine).filter(([name]) => !theirs[name])))
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
