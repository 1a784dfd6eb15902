import { Alert, List, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { toProblem } from '../api/problem'

/** Shows a problem. Messages of fields that show their own (inlineFields) are left out. */
export function ProblemAlert({ error, inlineFields = [] }: { error: unknown; inlineFields?: string[] }) {
  if (!error) return null
  const problem = toProblem(error)
  const otherFields = problem.fields.filter((f) => !inlineFields.includes(f.field))
  return (
    <Alert role="alert" color="red" icon={<IconAlertTriangle aria-hidden />} title={problem.title}>
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
    </Alert>
  )
}
