import { Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useRouteError } from 'react-router'
import { toProblem } from '../api/problem'
import { StatusMessage } from './StatusMessage'

/** Shown in place of a page that failed. */
export function ErrorPage() {
  const problem = toProblem(useRouteError())
  // If the code of a page is gone, there is a newer build: reloading gets it.
  return (
    <StatusMessage icon={IconAlertTriangle} title={problem.title} colour="red" order={1}>
      <p>{problem.message}</p>
      <Button onClick={() => window.location.reload()}>Reload the page</Button>
    </StatusMessage>
  )
}
