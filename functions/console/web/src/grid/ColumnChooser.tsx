import { ActionIcon, Button, Checkbox, Group, Popover, ScrollArea, Stack, Text } from '@mantine/core'
import { IconChevronDown, IconChevronUp, IconColumns3 } from '@tabler/icons-react'
import { useState } from 'react'
import type { Field } from '../fields/fields'
import { WholeNumberInput } from '../fields/WholeNumberInput'
import classes from './ColumnChooser.module.css'
import { defaultColumns, maxWidth, minWidth, moveColumn, defaultWidth, columnWidth } from './gridState'
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
                <WidthInput
                  label={`Width of ${column.label}`}
                  width={column.width ?? defaultWidth}
                  onChange={(width) =>
                    setColumns(state.columns.map((c) => (c.field === column.field ? { ...c, width } : c)))
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

/** The width of a column. It is taken once it is within its bounds. */
function WidthInput({ label, width, onChange }: { label: string; width: number; onChange: (width: number) => void }) {
  const [typed, setTyped] = useState<number | ''>()
  return (
    <WholeNumberInput
      className={classes.width}
      size="xs"
      aria-label={label}
      value={typed ?? width}
      min={minWidth}
      max={maxWidth}
      step={10}
      hideControls
      onChange={(next) => {
        const taken = next !== '' && next >= minWidth && next <= maxWidth
        setTyped(taken ? undefined : next)
        if (taken) onChange(next)
      }}
    />
  )
}
