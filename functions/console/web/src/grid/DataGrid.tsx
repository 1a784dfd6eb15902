import { ActionIcon, Checkbox, Popover, Table, Text, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconFilter, IconFilterFilled } from '@tabler/icons-react'
import { getCoreRowModel, useReactTable } from '@tanstack/react-table'
import type { ColumnDef } from '@tanstack/react-table'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { Field, Value } from '../fields/fields'
import { FieldValue } from '../fields/FieldValue'
import classes from './DataGrid.module.css'
import { FilterForm } from './FilterForm'
import { activeFilterNames, minWidth, nextSort, defaultWidth, replaceFilters } from './gridState'
import type { GridState } from './gridState'
import { useVirtualRows } from './useVirtualRows'

interface Props<Row> {
  /** The name of the grid for screen readers. */
  label: string
  fields: Field[]
  rows: Row[]
  rowId: (row: Row) => string
  rowLabel: (row: Row) => string
  state: GridState
  onChange: (state: GridState) => void
  selected: ReadonlySet<string>
  onSelect: (ids: Set<string>) => void
  /** Renders a cell; undefined leaves it to the field's kind. */
  cell?: (row: Row, field: Field) => ReactNode
  rowClass?: (row: Row) => string | undefined
  /** Loads the next page, if there is one; called near the end of the list. */
  onEndReached?: (() => void) | undefined
}

/**
 * A list as a table, which shows a GridState. Headings sort, filter and resize; rows can be selected. A long list loads
 * more while it scrolls, and only its visible rows are rendered.
 */
export function DataGrid<Row extends object>({
  label,
  fields,
  rows,
  rowId,
  rowLabel,
  state,
  onChange,
  selected,
  onSelect,
  cell,
  rowClass,
  onEndReached,
}: Props<Row>) {
  const scrollBox = useRef<HTMLDivElement>(null)
  const window = useVirtualRows(rows.length, scrollBox)
  const columns = useMemo<ColumnDef<Row>[]>(
    () =>
      state.columns.flatMap(({ field: name, width }) => {
        const field = fields.find((f) => f.name === name)
        if (!field) return [] // a Set can name a field of an earlier version
        return { id: name, size: width ?? defaultWidth, minSize: minWidth, maxSize: 800, meta: field }
      }),
    [state.columns, fields],
  )
  const table = useReactTable({
    data: rows,
    columns,
    getRowId: rowId,
    getCoreRowModel: getCoreRowModel(),
    columnResizeMode: 'onEnd',
    manualSorting: true,
    state: { columnSizing: Object.fromEntries(state.columns.map((c) => [c.field, c.width ?? defaultWidth])) },
    onColumnSizingChange: (update) => {
      const before = Object.fromEntries(state.columns.map((c) => [c.field, c.width ?? defaultWidth]))
      const after = typeof update === 'function' ? update(before) : update
      resize(after)
    },
  })
  const resize = (sizes: Record<string, number>) =>
    onChange({
      ...state,
      columns: state.columns.map((c) => ({
        ...c,
        width: Math.round(Math.max(minWidth, sizes[c.field] ?? c.width ?? defaultWidth)),
      })),
    })
  const all = rows.length > 0 && rows.every((row) => selected.has(rowId(row)))
  const some = rows.some((row) => selected.has(rowId(row)))
  // The callback never changes, so selecting a row renders only that row.
  const latest = useRef({ selected, onSelect })
  useEffect(() => {
    latest.current = { selected, onSelect }
  }, [selected, onSelect])
  const selectRow = useCallback((id: string, on: boolean) => {
    const next = new Set(latest.current.selected)
    if (on) next.add(id)
    else next.delete(id)
    latest.current.onSelect(next)
  }, [])
  const shownFields = useMemo(
    () => state.columns.flatMap((c) => fields.find((f) => f.name === c.field) ?? []),
    [state.columns, fields],
  )
  const checkEnd = useCallback(() => {
    const box = scrollBox.current
    if (onEndReached && box && box.scrollHeight - box.scrollTop - box.clientHeight < 400) onEndReached()
  }, [onEndReached])
  useEffect(checkEnd, [checkEnd, rows.length])
  const width = table.getTotalSize() + 44
  return (
    <div ref={scrollBox} className={classes.scroller} role="region" aria-label={label} tabIndex={0} onScroll={checkEnd}>
      <Table
        className={classes.table}
        layout="fixed"
        style={{ width, minWidth: '100%' }}
        aria-label={label}
        aria-rowcount={onEndReached ? -1 : rows.length + 1}
      >
        <Table.Thead>
          {table.getHeaderGroups().map((group) => (
            <Table.Tr key={group.id} aria-rowindex={1}>
              <Table.Th className={classes.pick} style={{ width: 44 }}>
                <Checkbox
                  aria-label="Select all rows shown"
                  checked={all}
                  indeterminate={some && !all}
                  onChange={() => onSelect(all ? new Set() : new Set([...selected, ...rows.map(rowId)]))}
                />
              </Table.Th>
              {group.headers.map((header) => {
                const field = header.column.columnDef.meta as Field
                const sorted =
                  state.sort === field.name ? 'ascending' : state.sort === `-${field.name}` ? 'descending' : 'none'
                return (
                  <Table.Th
                    key={header.id}
                    style={{ width: header.getSize() }}
                    aria-sort={sorted}
                    className={classes.heading}
                  >
                    <div className={classes.headingRow}>
                      <UnstyledButton
                        className={classes.sort}
                        title={field.help}
                        disabled={!field.sortable}
                        onClick={() => onChange({ ...state, sort: nextSort(state.sort, field.name) })}
                      >
                        <span className={classes.headingText}>{field.label}</span>
                        {sorted === 'ascending' && <IconArrowUp size={15} aria-hidden />}
                        {sorted === 'descending' && <IconArrowDown size={15} aria-hidden />}
                      </UnstyledButton>
                      {(field.filters?.length ?? 0) > 0 && (
                        <HeadingFilter field={field} state={state} onChange={onChange} />
                      )}
                    </div>
                    <div
                      className={classes.grip}
                      aria-hidden
                      data-busy={header.column.getIsResizing() || undefined}
                      onPointerDown={(event) => header.getResizeHandler()(event)}
                      onTouchStart={header.getResizeHandler()}
                    />
                  </Table.Th>
                )
              })}
            </Table.Tr>
          ))}
        </Table.Thead>
        <Table.Tbody>
          {window.before > 0 && (
            <tr aria-hidden style={{ height: window.before }}>
              <td />
            </tr>
          )}
          {rows.slice(window.from, window.to).map((row, i) => (
            <Row
              key={rowId(row)}
              row={row}
              id={rowId(row)}
              name={rowLabel(row)}
              index={window.from + i + 2}
              fields={shownFields}
              cell={cell}
              className={rowClass?.(row)}
              selected={selected.has(rowId(row))}
              onSelect={selectRow}
            />
          ))}
          {window.after > 0 && (
            <tr aria-hidden style={{ height: window.after }}>
              <td />
            </tr>
          )}
        </Table.Tbody>
      </Table>
      {rows.length === 0 && (
        <Text className={classes.none} c="dimmed">
          Nothing to show.
        </Text>
      )}
    </div>
  )
}

interface RowProps<R> {
  row: R
  id: string
  name: string
  /** The position in the whole list, for screen readers. */
  index: number
  fields: Field[]
  cell: ((row: R, field: Field) => ReactNode) | undefined
  className: string | undefined
  selected: boolean
  onSelect: (id: string, on: boolean) => void
}

const Row = memo(function Row<R extends object>({
  row,
  id,
  name,
  index,
  fields,
  cell,
  className,
  selected,
  onSelect,
}: RowProps<R>) {
  return (
    <Table.Tr className={className} data-row data-selected={selected || undefined} aria-rowindex={index}>
      <Table.Td className={classes.pick}>
        <Checkbox
          aria-label={`Select ${name}`}
          checked={selected}
          onChange={(e) => onSelect(id, e.currentTarget.checked)}
        />
      </Table.Td>
      {fields.map((field) => (
        <Table.Td key={field.name} className={classes.cell}>
          {cell?.(row, field) ?? <FieldValue field={field} value={(row as Record<string, Value>)[field.name]} />}
        </Table.Td>
      ))}
    </Table.Tr>
  )
}) as <R extends object>(props: RowProps<R>) => ReactNode

function HeadingFilter({
  field,
  state,
  onChange,
}: {
  field: Field
  state: GridState
  onChange: (state: GridState) => void
}) {
  const [opened, setOpened] = useState(false)
  const activeFilters = activeFilterNames(state.filters, field.name)
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      width={280}
      position="bottom-start"
      trapFocus
      returnFocus
      withinPortal
    >
      <Popover.Target>
        <ActionIcon
          variant={activeFilters.length > 0 ? 'light' : 'subtle'}
          color={activeFilters.length > 0 ? 'indigo' : 'gray'}
          size="sm"
          className={classes.filter}
          data-set={activeFilters.length > 0 || undefined}
          aria-label={`Filter by ${field.label}`}
          onClick={() => setOpened((o) => !o)}
        >
          {activeFilters.length > 0 ? <IconFilterFilled size={14} /> : <IconFilter size={14} />}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <FilterForm
          key={String(opened)}
          field={field}
          filters={Object.fromEntries(activeFilters.map((name) => [name, state.filters[name] ?? '']))}
          onApply={(filters) => {
            setOpened(false)
            onChange({ ...state, filters: replaceFilters(state.filters, field.name, filters) })
          }}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
