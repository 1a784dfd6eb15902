import { Alert, List, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { asProblem } from '../api/problem'

/** A problem in words. Fields that are shown on the form beside it are not said twice. */
export function ProblemAlert({ error, shown = [] }: { error: unknown; shown?: string[] }) {
  if (!error) return null
  const problem = asProblem(error)
  const rest = problem.fields.filter((f) => !shown.includes(f.field))
  return (
    <Alert role="alert" color="red" icon={<IconAlertTriangle aria-hidden />} title={problem.title}>
      <Text size="sm">{problem.message}</Text>
      {rest.length > 0 && (
        <List size="sm" mt="xs">
          {rest.map((f, i) => (
            <List.Item key={i}>{f.message}</List.Item>
          ))}
        </List>
      )}
      {problem.status >= 500 && problem.request && (
        <Text size="xs" mt="xs">
          Request {problem.request}
        </Text>
      )}
    </Alert>
  )
}
