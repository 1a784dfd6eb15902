import { Accordion, Button, Drawer, Group, Indicator, Select, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconAdjustmentsHorizontal } from '@tabler/icons-react'
import { useState } from 'react'
import type { Field } from '../fields/fields'
import { FilterForm } from './FilterForm'
import { describeFilter, filtersOf, withFilters } from './state'
import type { GridState } from './state'

/** Every filter and the order in one place: for small screens, which have no headings, and for fields that are no column. */
export function FilterDrawer({
  fields,
  state,
  onChange,
}: {
  fields: Field[]
  state: GridState
  onChange: (state: GridState) => void
}) {
  const [opened, drawer] = useDisclosure(false)
  const [open, setOpen] = useState<string | null>(null)
  const offered = fields.filter((f) => (f.filters?.length ?? 0) > 0)
  const set = offered.filter((f) => filtersOf(state.filters, f.name).length > 0).length
  const sortable = fields.filter((f) => f.sortable)
  return (
    <>
      <Indicator label={set} size={18} disabled={set === 0} color="indigo">
        <Button
          variant="default"
          leftSection={<IconAdjustmentsHorizontal size={18} aria-hidden />}
          onClick={drawer.open}
          aria-label={set > 0 ? `Filters, ${set} in force` : 'Filters'}
        >
          Filters
        </Button>
      </Indicator>
      <Drawer opened={opened} onClose={drawer.close} title="Filters" position="right" size={400}>
        <Stack>
          <Select
            label="Order"
            value={state.sort || null}
            placeholder="By username"
            clearable
            onChange={(sort) => onChange({ ...state, sort: sort ?? '' })}
            data={sortable.flatMap((f) => [
              { value: f.name, label: `${f.label}, ascending` },
              { value: `-${f.name}`, label: `${f.label}, descending` },
            ])}
          />
          <Accordion value={open} onChange={setOpen} variant="separated" order={3}>
            {offered.map((f) => {
              const names = filtersOf(state.filters, f.name)
              return (
                <Accordion.Item key={f.name} value={f.name}>
                  <Accordion.Control>
                    {f.label}
                    {names.length > 0 && (
                      <Text size="sm" c="indigo" component="span" display="block">
                        {names.map((n) => describeFilter(fields, n, state.filters[n] ?? '')).join(', ')}
                      </Text>
                    )}
                  </Accordion.Control>
                  <Accordion.Panel>
                    {open === f.name && (
                      <FilterForm
                        field={f}
                        filters={Object.fromEntries(names.map((n) => [n, state.filters[n] ?? '']))}
                        apply={(filters) => {
                          setOpen(null)
                          onChange({ ...state, filters: withFilters(state.filters, f.name, filters) })
                        }}
                      />
                    )}
                  </Accordion.Panel>
                </Accordion.Item>
              )
            })}
          </Accordion>
          <Group justify="space-between">
            <Button
              variant="subtle"
              disabled={Object.keys(state.filters).length === 0}
              onClick={() => onChange({ ...state, filters: {} })}
            >
              Clear all
            </Button>
            <Button onClick={drawer.close}>Show</Button>
          </Group>
        </Stack>
      </Drawer>
    </>
  )
}
