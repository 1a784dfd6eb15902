import {
  Button,
  Checkbox,
  Group,
  NumberInput,
  ScrollArea,
  SegmentedControl,
  Select,
  Stack,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { labelOf, useCodes } from '../fields/fields'
import type { Field } from '../fields/fields'

interface Props {
  field: Field
  filters: Record<string, string>
  apply: (filters: Record<string, string>) => void
}

/** The filters of one field, as far as the service offers them for its kind. */
export function FilterForm({ field, filters, apply }: Props) {
  const [draft, setDraft] = useState(filters)
  const codes = useCodes(field.refers)
  const ops = field.filters ?? []
  const set = (name: string, text: string) => setDraft((now) => ({ ...now, [name]: text }))
  const at = (op: string) => (op === 'equals' ? field.name : `${field.name}.${op}`)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    apply(draft)
  }
  const type = field.kind === 'date' || field.kind === 'instant' ? 'date' : 'text'
  return (
    <form onSubmit={submit} aria-label={`Filter by ${field.label}`}>
      <Stack gap="sm">
        {ops.includes('equals') && field.kind === 'yesNo' && (
          <SegmentedControl
            fullWidth
            aria-label={field.label}
            value={draft[field.name] ?? ''}
            onChange={(v) => set(field.name, v)}
            data={
              field.name === 'active'
                ? [
                    { label: 'Yes', value: '' },
                    { label: 'No', value: 'false' },
                    { label: 'Any', value: 'any' },
                  ]
                : [
                    { label: 'Any', value: '' },
                    { label: 'Yes', value: 'true' },
                    { label: 'No', value: 'false' },
                  ]
            }
          />
        )}
        {ops.includes('contains') && (
          <TextInput
            label={`${field.label} has`}
            value={draft[at('contains')] ?? ''}
            onChange={(e) => set(at('contains'), e.currentTarget.value)}
            data-autofocus
          />
        )}
        {ops.includes('equals') && (field.kind === 'code' || field.kind === 'codes') && codes && (
          <Checkbox.Group
            label={`${field.label} is one of`}
            value={(draft[field.name] ?? '').split(';').filter(Boolean)}
            onChange={(v) => set(field.name, v.join(';'))}
          >
            <ScrollArea.Autosize mah={200} type="auto" mt="xs">
              <Stack gap={8} p={2}>
                {codes.map((c) => (
                  <Checkbox key={c.code} size="xs" value={c.code} label={labelOf(c, field.refers)} />
                ))}
              </Stack>
            </ScrollArea.Autosize>
          </Checkbox.Group>
        )}
        {ops.includes('equals') && field.kind !== 'yesNo' && !(codes && field.refers) && (
          <TextInput
            label={`${field.label} is exactly`}
            value={draft[field.name] ?? ''}
            onChange={(e) => set(field.name, e.currentTarget.value)}
          />
        )}
        {ops.includes('from') &&
          (['from', 'to'] as const).map((op) => {
            const label = `${field.label} ${op === 'from' ? 'from' : 'up to'}`
            return field.kind === 'number' ? (
              <NumberInput
                key={op}
                label={label}
                allowDecimal={false}
                value={draft[at(op)] ?? ''}
                onChange={(v) => set(at(op), String(v))}
              />
            ) : (
              <TextInput
                key={op}
                type={type}
                label={label}
                value={draft[at(op)] ?? ''}
                onChange={(e) => set(at(op), e.currentTarget.value)}
              />
            )
          })}
        {ops.includes('empty') && (
          <Select
            label="Blank"
            comboboxProps={{ withinPortal: false }}
            allowDeselect={false}
            value={draft[at('empty')] ?? ''}
            onChange={(v) => set(at('empty'), v ?? '')}
            data={[
              { value: '', label: 'Blank or not' },
              { value: 'true', label: 'Only blank' },
              { value: 'false', label: 'Only not blank' },
            ]}
          />
        )}
        <Group justify="space-between">
          <Button variant="subtle" color="gray" size="sm" onClick={() => apply({})}>
            Clear
          </Button>
          <Button type="submit" size="sm">
            Apply
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
