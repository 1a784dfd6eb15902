import { Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useRouteError } from 'react-router'
import { toProblem } from '../api/problem'
import { StatusMessage } from './StatusMessage'

/** What is shown in place of a page that broke. */
export function ErrorPage() {
  const problem = toProblem(useRouteError())
  // A page whose code is gone was replaced by a newer build: loading anew gets that.
  return (
    <StatusMessage icon={IconAlertTriangle} title={problem.title} colour="red" order={1}>
      <p>{problem.message}</p>
      <Button onClick={() => window.location.reload()}>Reload the page</Button>
    </StatusMessage>
  )
}
