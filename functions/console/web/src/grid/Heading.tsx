import { ActionIcon, Popover, Table, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconFilter, IconFilterFilled } from '@tabler/icons-react'
import { useState } from 'react'
import type { PointerEvent } from 'react'
import type { Field } from '../fields/fields'
import classes from './DataGrid.module.css'
import { FilterForm } from './FilterForm'
import { activeFilterNames, clampWidth, nextSort, replaceFilters } from './gridState'
import type { GridState } from './gridState'

interface Props {
  field: Field
  state: GridState
  onChange: (state: GridState) => void
  width: number
  pinned: boolean
  dropTarget: boolean
  onResize: (width: number, done: boolean) => void
  /** The heading that a dragged one is over; undefined if it left. */
  onDragTo: (field: string | undefined) => void
  onDrop: (dragged: string) => void
}

const dragType = 'application/x-column'

/** A heading: sorts by a click, filters, moves by drag; its grip changes the width, or fits it by a double click. */
export function Heading({ field, state, onChange, width, pinned, dropTarget, onResize, onDragTo, onDrop }: Props) {
  const sorted = state.sort === field.name ? 'ascending' : state.sort === `-${field.name}` ? 'descending' : 'none'
  return (
    <Table.Th
      style={{ width }}
      aria-sort={sorted}
      className={classes.heading}
      data-field={field.name}
      data-pinned={pinned || undefined}
      data-drop={dropTarget || undefined}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move'
        event.dataTransfer.setData(dragType, field.name)
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(dragType)) return
        event.preventDefault()
        onDragTo(field.name)
      }}
      onDragLeave={() => onDragTo(undefined)}
      onDragEnd={() => onDragTo(undefined)}
      onDrop={(event) => {
        event.preventDefault()
        onDrop(event.dataTransfer.getData(dragType))
      }}
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
        {(field.filters?.length ?? 0) > 0 && <HeadingFilter field={field} state={state} onChange={onChange} />}
      </div>
      <Grip field={field.name} width={width} onResize={onResize} />
    </Table.Th>
  )
}

/** The edge of a column, to drag. The column chooser does the same by keyboard. */
function Grip({ field, width, onResize }: { field: string; width: number; onResize: Props['onResize'] }) {
  const [start, setStart] = useState<{ x: number; width: number }>()
  const widthAt = (event: PointerEvent) => clampWidth(start!.width + event.clientX - start!.x)
  return (
    <div
      className={classes.grip}
      aria-hidden
      data-busy={start ? true : undefined}
      // Else the drag would take the whole heading along.
      draggable
      onDragStart={(event) => {
        event.preventDefault()
        event.stopPropagation()
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        setStart({ x: event.clientX, width })
      }}
      onPointerMove={(event) => start && onResize(widthAt(event), false)}
      onPointerUp={(event) => {
        if (start && event.clientX !== start.x) onResize(widthAt(event), true)
        setStart(undefined)
      }}
      onPointerCancel={() => start && (onResize(start.width, true), setStart(undefined))}
      onDoubleClick={(event) => onResize(fittingWidth(event.currentTarget.closest('table')!, field), true)}
    />
  )
}

/** The room that the arrow and the filter take beside the text of a heading. */
const headingIcons = 52

/** The width at which no shown cell of a column is cut. */
function fittingWidth(table: HTMLTableElement, field: string): number {
  const widths = [...table.querySelectorAll(`[data-field="${CSS.escape(field)}"]`)].map((cell) => {
    const range = document.createRange()
    range.selectNodeContents(cell.querySelector(`.${classes.headingText}`) ?? cell)
    const { paddingLeft, paddingRight } = getComputedStyle(cell)
    const padding = parseFloat(paddingLeft) + parseFloat(paddingRight)
    const heading = cell.tagName === 'TH'
    const cut = !heading && cell.scrollWidth > cell.clientWidth
    return (
      Math.max(range.getBoundingClientRect().width + padding, cut ? cell.scrollWidth : 0) + (heading ? headingIcons : 2)
    )
  })
  return clampWidth(Math.ceil(Math.max(...widths)))
}

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
