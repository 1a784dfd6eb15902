import { Paper, Title } from '@mantine/core'
import { useEffect } from 'react'
import type { ReactNode } from 'react'
import classes from './SignIn.module.css'

/** The card around every page that needs no session. */
export function SignInLayout({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · User Accounts`
  }, [title])
  return (
    <main className={classes.page}>
      <div className={classes.column}>
        <div className={classes.brand}>
          <img src="/icon.svg" alt="" width={44} height={44} />
          <Title order={1} size="h2">
            {title}
          </Title>
        </div>
        <Paper className={classes.card} withBorder shadow="sm">
          {children}
        </Paper>
      </div>
    </main>
  )
}
