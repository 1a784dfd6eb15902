import { Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { Component } from 'react'
import type { ReactNode } from 'react'
import { toProblem } from '../api/problem'
import { StatusMessage } from '../common/StatusMessage'

/** Keeps the shell when a page fails, and shows the error in the page's place. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {}

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    if (this.state.error === undefined) return this.props.children
    const problem = toProblem(this.state.error)
    return (
      <StatusMessage icon={IconAlertTriangle} title={problem.title} colour="red" order={1}>
        <p>{problem.message}</p>
        <Button onClick={() => window.location.reload()}>Reload the page</Button>
      </StatusMessage>
    )
  }
}
