import { ActionIcon, Button, Checkbox, Group, NumberInput, Popover, ScrollArea, Stack, Text } from '@mantine/core'
import { IconChevronDown, IconChevronUp, IconColumns3 } from '@tabler/icons-react'
import type { Field } from '../fields/fields'
import classes from './ColumnChooser.module.css'
import { defaultColumns, minWidth, moveColumn, defaultWidth, columnWidth } from './gridState'
import type { Column, GridState } from './gridState'

/** Chooses the columns, their order and width, by keyboard too. */
export function ColumnChooser({
  fields,
  state,
  onChange,
}: {
  fields: Field[]
  state: GridState
  onChange: (state: GridState) => void
}) {
  const setColumns = (columns: Column[]) => onChange({ ...state, columns })
  const shown = state.columns.flatMap((c) => {
    const field = fields.find((f) => f.name === c.field)
    return field ? [{ ...c, label: field.label }] : []
  })
  const hidden = fields.filter((f) => !state.columns.some((c) => c.field === f.name))
  return (
    <Popover width={360} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<IconColumns3 size={18} />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <Group justify="space-between" px="xs" pb="xs">
          <Text fw={600} size="sm">
            Columns
          </Text>
          <Button variant="subtle" size="compact-sm" onClick={() => setColumns(defaultColumns(fields))}>
            Reset columns
          </Button>
        </Group>
        <ScrollArea.Autosize mah={420} type="auto">
          <Stack gap={2} component="ul" className={classes.list}>
            {shown.map((column, i) => (
              <li key={column.field} className={classes.row}>
                <Checkbox
                  className={classes.name}
                  label={column.label}
                  checked
                  disabled={shown.length === 1}
                  onChange={() => setColumns(state.columns.filter((c) => c.field !== column.field))}
                />
                <NumberInput
                  className={classes.width}
                  size="xs"
                  aria-label={`Width of ${column.label}`}
                  value={column.width ?? defaultWidth}
                  min={minWidth}
                  max={800}
                  step={10}
                  hideControls
                  onChange={(v) =>
                    typeof v === 'number' &&
                    v >= minWidth &&
                    setColumns(state.columns.map((c) => (c.field === column.field ? { ...c, width: v } : c)))
                  }
                />
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  disabled={i === 0}
                  aria-label={`Move ${column.label} left`}
                  onClick={() => setColumns(moveColumn(state.columns, column.field, -1))}
                >
                  <IconChevronUp size={16} />
                </ActionIcon>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  disabled={i === shown.length - 1}
                  aria-label={`Move ${column.label} right`}
                  onClick={() => setColumns(moveColumn(state.columns, column.field, 1))}
                >
                  <IconChevronDown size={16} />
                </ActionIcon>
              </li>
            ))}
            {hidden.map((field) => (
              <li key={field.name} className={classes.row}>
                <Checkbox
                  className={classes.name}
                  label={field.label}
                  checked={false}
                  onChange={() => setColumns([...state.columns, { field: field.name, width: columnWidth(field) }])}
                />
              </li>
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  )
}
