import { Group, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { useId } from 'react'
import classes from './Panel.module.css'

/** A section of a page with its own heading. */
export function Panel({
  title,
  help,
  actions,
  children,
}: {
  title: string
  help?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}) {
  const id = useId()
  return (
    <section className={classes.panel} aria-labelledby={id}>
      <Group justify="space-between" align="start" gap="sm" mb={children ? 'sm' : 0}>
        <div className={classes.words}>
          <Title order={2} size="h4" id={id}>
            {title}
          </Title>
          {help && (
            <Text size="sm" c="dimmed" component="div">
              {help}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </section>
  )
}
