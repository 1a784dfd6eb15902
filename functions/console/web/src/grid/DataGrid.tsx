import { Checkbox, Table, Text } from '@mantine/core'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { MouseEvent, ReactNode } from 'react'
import type { Field, Value } from '../fields/fields'
import { FieldValue } from '../fields/FieldValue'
import classes from './DataGrid.module.css'
import { defaultWidth, dropColumn } from './gridState'
import type { GridState } from './gridState'
import { Heading } from './Heading'
import { useKeptPlace } from './useKeptPlace'
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
  /** The column that says which row it is; it stays in view beside the checkboxes. */
  identity: string
  /** Under which name the place is kept while another page is open. */
  placeKey: string
  dense?: boolean
  /** Renders a cell; undefined leaves it to the field's kind. */
  cell?: (row: Row, field: Field) => ReactNode
  /** What stands at the end of a row, such as its actions. */
  rowActions?: (row: Row) => ReactNode
  rowClass?: (row: Row) => string | undefined
  /** Loads the next page, if there is one; called near the end of the list. */
  onEndReached?: (() => void) | undefined
}

const pickWidth = 44
const actionsWidth = 52
/** How many pixels before its end a list loads more: some screens, so that scrolling does not have to wait. */
const loadAhead = 2000

/**
 * A list as a table, which shows a GridState. Headings sort, filter, resize and change places; rows can be selected. A
 * long list loads more while it scrolls, and only its visible rows are rendered.
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
  identity,
  placeKey,
  dense = false,
  cell,
  rowActions,
  rowClass,
  onEndReached,
}: Props<Row>) {
  const scrollBox = useRef<HTMLDivElement>(null)
  useKeptPlace(placeKey, scrollBox) // before the rows are chosen by where it is scrolled to
  const window = useVirtualRows(rows.length, scrollBox, dense)
  // A Set can name a field of an earlier version, so a column may have none.
  const columns = useMemo(
    () =>
      state.columns.flatMap((c) => {
        const field = fields.find((f) => f.name === c.field)
        return field ? [{ field, width: c.width ?? defaultWidth }] : []
      }),
    [state.columns, fields],
  )
  const [resizing, setResizing] = useState<{ field: string; width: number }>()
  const widthOf = (c: (typeof columns)[number]) => (resizing?.field === c.field.name ? resizing.width : c.width)
  const setWidth = (field: string, width: number) =>
    onChange({ ...state, columns: state.columns.map((c) => (c.field === field ? { ...c, width } : c)) })

  const all = rows.length > 0 && rows.every((row) => selected.has(rowId(row)))
  const some = rows.some((row) => selected.has(rowId(row)))
  // The callback never changes, so selecting a row renders only that row.
  const latest = useRef({ selected, onSelect, ids: [] as string[] })
  useEffect(() => {
    latest.current = { selected, onSelect, ids: rows.map(rowId) }
  }, [selected, onSelect, rows, rowId])
  const anchor = useRef<string>(undefined)
  const selectRow = useCallback((id: string, on: boolean, range: boolean) => {
    const { selected, onSelect, ids } = latest.current
    const next = new Set(selected)
    const from = range && anchor.current ? ids.indexOf(anchor.current) : -1
    const to = ids.indexOf(id)
    const picked = from < 0 ? [id] : ids.slice(Math.min(from, to), Math.max(from, to) + 1)
    for (const each of picked) {
      if (on) next.add(each)
      else next.delete(each)
    }
    anchor.current = id
    onSelect(next)
  }, [])
  const shownFields = useMemo(() => columns.map((c) => c.field), [columns])
  const checkEnd = useCallback(() => {
    const box = scrollBox.current
    if (onEndReached && box && box.scrollHeight - box.scrollTop - box.clientHeight < loadAhead) onEndReached()
  }, [onEndReached])
  useEffect(checkEnd, [checkEnd, rows.length])
  const [dropping, setDropping] = useState<string>()
  const width = columns.reduce((sum, c) => sum + widthOf(c), pickWidth + (rowActions ? actionsWidth : 0))
  return (
    <div ref={scrollBox} className={classes.scroller} role="region" aria-label={label} tabIndex={0} onScroll={checkEnd}>
      <Table
        className={classes.table}
        layout="fixed"
        data-dense={dense || undefined}
        style={{ width, minWidth: '100%' }}
        aria-label={label}
        aria-rowcount={onEndReached ? -1 : rows.length + 1}
      >
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            <Table.Th className={classes.pick} style={{ width: pickWidth }}>
              <Checkbox
                aria-label="Select all rows shown"
                checked={all}
                indeterminate={some && !all}
                onChange={() => onSelect(all ? new Set() : new Set([...selected, ...rows.map(rowId)]))}
              />
            </Table.Th>
            {columns.map((c) => (
              <Heading
                key={c.field.name}
                field={c.field}
                state={state}
                onChange={onChange}
                width={widthOf(c)}
                pinned={c.field.name === identity}
                dropTarget={dropping === c.field.name}
                onResize={(next, done) => {
                  setResizing(done ? undefined : { field: c.field.name, width: next })
                  if (done) setWidth(c.field.name, next)
                }}
                onDragTo={setDropping}
                onDrop={(dragged) => {
                  setDropping(undefined)
                  onChange({ ...state, columns: dropColumn(state.columns, dragged, c.field.name) })
                }}
              />
            ))}
            {rowActions && (
              <Table.Th className={classes.actions} style={{ width: actionsWidth }}>
                <span className={classes.unseen}>Actions</span>
              </Table.Th>
            )}
          </Table.Tr>
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
              identity={identity}
              cell={cell}
              actions={rowActions}
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
  identity: string
  cell: ((row: R, field: Field) => ReactNode) | undefined
  actions: ((row: R) => ReactNode) | undefined
  className: string | undefined
  selected: boolean
  onSelect: (id: string, on: boolean, range: boolean) => void
}

const Row = memo(function Row<R extends object>({
  row,
  id,
  name,
  index,
  fields,
  identity,
  cell,
  actions,
  className,
  selected,
  onSelect,
}: RowProps<R>) {
  return (
    <Table.Tr className={className} data-row={id} data-selected={selected || undefined} aria-rowindex={index}>
      <Table.Td className={classes.pick}>
        <Checkbox
          aria-label={`Select ${name}`}
          checked={selected}
          onChange={(e) =>
            onSelect(id, e.currentTarget.checked, (e.nativeEvent as unknown as MouseEvent).shiftKey === true)
          }
        />
      </Table.Td>
      {fields.map((field) => (
        <Table.Td
          key={field.name}
          className={classes.cell}
          data-field={field.name}
          data-pinned={field.name === identity || undefined}
          // A name that is written from the right begins at the right, so that its end is cut and not its beginning.
          dir="auto"
        >
          {cell?.(row, field) ?? <FieldValue field={field} value={(row as Record<string, Value>)[field.name]} />}
        </Table.Td>
      ))}
      {actions && <Table.Td className={classes.actions}>{actions(row)}</Table.Td>}
    </Table.Tr>
  )
}) as <R extends object>(props: RowProps<R>) => ReactNode
