import { Button, Checkbox, Group, ScrollArea, SegmentedControl, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { codeLabel, useCodeOptions } from '../fields/fields'
import type { Field } from '../fields/fields'
import { WholeNumberInput } from '../fields/WholeNumberInput'

interface Props {
  field: Field
  filters: Record<string, string>
  onApply: (filters: Record<string, string>) => void
}

/** The form for the filters of one field, as the API offers them. */
export function FilterForm({ field, filters, onApply }: Props) {
  const [draft, setDraft] = useState(filters)
  const codes = useCodeOptions(field.refers)
  const operators = field.filters ?? []
  const setFilter = (name: string, text: string) => setDraft((now) => ({ ...now, [name]: text }))
  const parameter = (op: string) => (op === 'equals' ? field.name : `${field.name}.${op}`)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onApply(draft)
  }
  const type = field.kind === 'date' || field.kind === 'instant' ? 'date' : 'text'
  return (
    <form onSubmit={submit} aria-label={`Filter by ${field.label}`}>
      <Stack gap="sm">
        {operators.includes('equals') && field.kind === 'yesNo' && (
          <SegmentedControl
            fullWidth
            aria-label={field.label}
            value={draft[field.name] ?? ''}
            onChange={(v) => setFilter(field.name, v)}
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
        {operators.includes('contains') && (
          <TextInput
            label={`${field.label} contains`}
            value={draft[parameter('contains')] ?? ''}
            onChange={(e) => setFilter(parameter('contains'), e.currentTarget.value)}
            data-autofocus
          />
        )}
        {operators.includes('equals') && (field.kind === 'code' || field.kind === 'codes') && codes && (
          <Checkbox.Group
            label={`${field.label} is one of`}
            value={(draft[field.name] ?? '').split(';').filter(Boolean)}
            onChange={(v) => setFilter(field.name, v.join(';'))}
          >
            <ScrollArea.Autosize mah={200} type="auto" mt="xs">
              <Stack gap={8} p={2}>
                {codes.map((c) => (
                  <Checkbox key={c.code} size="xs" value={c.code} label={codeLabel(c, field.refers)} />
                ))}
              </Stack>
            </ScrollArea.Autosize>
          </Checkbox.Group>
        )}
        {field.kind === 'choice' && (
          <Checkbox.Group
            label={`${field.label} is one of`}
            value={(draft[field.name] ?? '').split(';').filter(Boolean)}
            onChange={(v) => setFilter(field.name, v.join(';'))}
          >
            <Stack gap={8} p={2} mt="xs">
              {field.choices?.map((c) => (
                <Checkbox key={c.value} size="xs" value={c.value} label={c.label} />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
        {operators.includes('equals') && !['yesNo', 'choice'].includes(field.kind) && !(codes && field.refers) && (
          <TextInput
            label={`${field.label} is exactly`}
            value={draft[field.name] ?? ''}
            onChange={(e) => setFilter(field.name, e.currentTarget.value)}
          />
        )}
        {operators.includes('from') &&
          (['from', 'to'] as const).map((op) => {
            const label = `${field.label} ${op === 'from' ? 'from' : 'up to'}`
            return field.kind === 'number' ? (
              <WholeNumberInput
                key={op}
                label={label}
                value={draft[parameter(op)] ?? ''}
                onChange={(v) => setFilter(parameter(op), String(v))}
              />
            ) : (
              <TextInput
                key={op}
                type={type}
                label={label}
                value={draft[parameter(op)] ?? ''}
                onChange={(e) => setFilter(parameter(op), e.currentTarget.value)}
              />
            )
          })}
        {operators.includes('empty') && (
          <Select
            label="Blank values"
            comboboxProps={{ withinPortal: false }}
            allowDeselect={false}
            value={draft[parameter('empty')] ?? ''}
            onChange={(v) => setFilter(parameter('empty'), v ?? '')}
            data={[
              { value: '', label: 'Any' },
              { value: 'true', label: 'Blank' },
              { value: 'false', label: 'Not blank' },
            ]}
          />
        )}
        <Group justify="space-between">
          <Button variant="subtle" color="gray" size="sm" onClick={() => onApply({})}>
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
