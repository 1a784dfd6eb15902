import { Alert, Button, List, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'

/**
 * Shows a problem. Messages of fields that show their own (inlineFields) are left out. Where reading something failed
 * for now, it can be tried again. A refusal that leaves the focus nowhere takes it.
 */
export function ProblemAlert({ error, inlineFields = [] }: { error: unknown; inlineFields?: string[] }) {
  const alert = useRef<HTMLDivElement>(null)
  const [retrying, setRetrying] = useState(false)
  useEffect(() => {
    // After the button that was pressed is enabled again, or gone.
    const timer = window.setTimeout(() => {
      if (error && (!document.activeElement || document.activeElement === document.body)) alert.current?.focus()
    })
    return () => window.clearTimeout(timer)
  }, [error])
  if (!error) return null
  const problem = toProblem(error)
  const otherFields = problem.fields.filter((f) => !inlineFields.includes(f.field))
  const failed = queryClient.getQueryCache().findAll({ predicate: (q) => q.state.error === error })
  const retry = async () => {
    setRetrying(true)
    await Promise.allSettled(failed.map((q) => q.fetch()))
    setRetrying(false)
  }
  return (
    <Alert
      ref={alert}
      role="alert"
      tabIndex={-1}
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={problem.title}
    >
      <Text size="sm">{problem.message}</Text>
      {otherFields.length > 0 && (
        <List size="sm" mt="xs">
          {otherFields.map((f, i) => (
            <List.Item key={i}>{f.message}</List.Item>
          ))}
        </List>
      )}
      {problem.status >= 500 && problem.requestId && (
        <Text size="xs" mt="xs">
          Reference for support: {problem.requestId}
        </Text>
      )}
      {failed.length > 0 && (problem.status === 0 || problem.status === 429 || problem.status >= 500) && (
        <Button size="compact-sm" variant="default" mt="xs" loading={retrying} onClick={() => void retry()}>
          Try again
        </Button>
      )}
    </Alert>
  )
}
