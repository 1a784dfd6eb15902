import { Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useRouteError } from 'react-router'
import { toProblem } from '../api/problem'
import { StatusMessage } from './StatusMessage'

/** Shown in place of a page that failed. */
export function ErrorPage() {
  return <FailedPage error={useRouteError()} />
}

/** What failed, and a way to try again. Without a connection a reload would lose the page, so it waits for one. */
export function FailedPage({ error }: { error: unknown }) {
  const problem = toProblem(error)
  return (
    <StatusMessage icon={IconAlertTriangle} title={problem.title} colour="red" order={1}>
      <p>{problem.message}</p>
      {/* If the code of a page is gone, there is a newer build: reloading gets it. */}
      <Button onClick={() => navigator.onLine && window.location.reload()}>Try again</Button>
    </StatusMessage>
  )
}
