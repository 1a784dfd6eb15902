import { VisuallyHidden } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './ResponsiveTable.module.css'

export interface Column<T> {
  label: string
  /** The label is for screen readers only. */
  labelHidden?: boolean
  cell: (row: T) => ReactNode
}

/** A table whose rows become cards on a narrow screen. */
export function ResponsiveTable<T>({
  label,
  columns,
  rows,
  rowKey,
}: {
  label: string
  columns: Column<T>[]
  rows: T[]
  rowKey: (row: T) => string
}) {
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.label} scope="col">
              {c.labelHidden ? <VisuallyHidden>{c.label}</VisuallyHidden> : c.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((c) => (
              <td key={c.label} data-label={c.labelHidden ? undefined : c.label}>
                {c.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
