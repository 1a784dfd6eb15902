import { Component } from 'react'
import type { ReactNode } from 'react'
import { FailedPage } from '../common/ErrorPage'

/** Keeps the shell when a page fails, and shows the error in the page's place. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {}

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <FailedPage error={this.state.error} />
  }
}
