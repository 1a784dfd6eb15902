import { Accordion, Button, Drawer, Group, Indicator, Select, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconAdjustmentsHorizontal } from '@tabler/icons-react'
import { useState } from 'react'
import type { Field } from '../fields/fields'
import { FilterForm } from './FilterForm'
import { describeFilter, activeFilterNames, replaceFilters } from './gridState'
import type { GridState } from './gridState'

/** All filters and the sort, for narrow screens, which have no headings, and for fields that are not a column. */
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
  const [openItem, setOpenItem] = useState<string | null>(null)
  const filterable = fields.filter((f) => (f.filters?.length ?? 0) > 0)
  const activeCount = filterable.filter((f) => activeFilterNames(state.filters, f.name).length > 0).length
  const sortable = fields.filter((f) => f.sortable)
  return (
    <>
      <Indicator label={activeCount} size={18} disabled={activeCount === 0} color="indigo">
        <Button
          variant="default"
          leftSection={<IconAdjustmentsHorizontal size={18} aria-hidden />}
          onClick={drawer.open}
          aria-label={activeCount > 0 ? `Filters, ${activeCount} active` : 'Filters'}
        >
          Filters
        </Button>
      </Indicator>
      <Drawer opened={opened} onClose={drawer.close} title="Filters" position="right" size={400}>
        <Stack>
          <Select
            label="Sort by"
            value={state.sort || null}
            placeholder="Username"
            clearable
            onChange={(sort) => onChange({ ...state, sort: sort ?? '' })}
            data={sortable.flatMap((f) => [
              { value: f.name, label: `${f.label}, ascending` },
              { value: `-${f.name}`, label: `${f.label}, descending` },
            ])}
          />
          <Accordion value={openItem} onChange={setOpenItem} variant="separated" order={3}>
            {filterable.map((f) => {
              const names = activeFilterNames(state.filters, f.name)
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
                    {openItem === f.name && (
                      <FilterForm
                        field={f}
                        filters={Object.fromEntries(names.map((n) => [n, state.filters[n] ?? '']))}
                        onApply={(filters) => {
                          setOpenItem(null)
                          onChange({ ...state, filters: replaceFilters(state.filters, f.name, filters) })
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
            <Button onClick={drawer.close}>Show results</Button>
          </Group>
        </Stack>
      </Drawer>
    </>
  )
}
