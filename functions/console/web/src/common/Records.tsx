import { VisuallyHidden } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './Records.module.css'

export interface Column<T> {
  label: string
  /** The label is only for those who do not see the column. */
  quiet?: boolean
  cell: (row: T) => ReactNode
}

/** A table that becomes a card for each row where there is no room for columns. */
export function Records<T>({
  label,
  columns,
  rows,
  idOf,
}: {
  label: string
  columns: Column<T>[]
  rows: T[]
  idOf: (row: T) => string
}) {
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.label} scope="col">
              {c.quiet ? <VisuallyHidden>{c.label}</VisuallyHidden> : c.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={idOf(row)}>
            {columns.map((c) => (
              <td key={c.label} data-label={c.quiet ? undefined : c.label}>
                {c.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
