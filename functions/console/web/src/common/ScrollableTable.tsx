import type { ReactNode } from 'react'
import classes from './ScrollableTable.module.css'

/** Makes a table that is too wide or too long scroll, by keyboard too. */
export function ScrollableTable({
  label,
  maxHeight,
  children,
}: {
  label: string
  maxHeight?: number
  children: ReactNode
}) {
  return (
    <div className={classes.scroll} role="region" aria-label={label} tabIndex={0} style={{ maxHeight }}>
      {children}
    </div>
  )
}
