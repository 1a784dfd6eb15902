import type { ReactNode } from 'react'
import classes from './ScrollableTable.module.css'

/** Lets a table be scrolled that is wider than the screen, or longer than it should be; by keyboard too. */
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
