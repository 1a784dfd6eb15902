import { Badge, Group, Text } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { toText, useCodeOptions } from './fields'
import type { Field, Value } from './fields'
import { isBlank } from './formatValue'
import { Instant } from './Instant'

/** A field's value, read-only. */
export function FieldValue({ field, value }: { field: Field; value: Value }) {
  const providers = useCodeOptions(field.refers === 'provider' ? 'provider' : undefined)
  if (field.kind === 'yesNo') {
    return value ? (
      <Group gap={4} wrap="nowrap" display="inline-flex">
        <IconCheck size={17} stroke={2.2} aria-hidden color="var(--mantine-color-green-text)" />
        <span>Yes</span>
      </Group>
    ) : (
      <Text span inherit c="dimmed">
        No
      </Text>
    )
  }
  if (isBlank(value) || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) {
    return (
      <Text span inherit c="dimmed" aria-label="blank">
        –
      </Text>
    )
  }
  if (Array.isArray(value)) {
    return (
      <Group gap={4} display="inline-flex">
        {value.map((code) => (
          <Badge key={code} variant="light" color="gray" tt="none" radius="sm">
            {field.refers === 'provider' ? (providers?.find((p) => p.code === code)?.description ?? 'Disabled') : code}
          </Badge>
        ))}
      </Group>
    )
  }
  if (field.kind === 'choice') return <>{field.choices?.find((c) => c.value === value)?.label ?? toText(value)}</>
  if (typeof value === 'object' && value !== null) {
    return (
      <Group gap={4} display="inline-flex">
        {Object.entries(value).map(([name, description]) => (
          <Badge key={name} variant="light" color="gray" tt="none" radius="sm" title={description}>
            {name}
          </Badge>
        ))}
      </Group>
    )
  }
  if (field.kind === 'instant') return <Instant at={String(value)} />
  return <>{toText(value)}</>
}
