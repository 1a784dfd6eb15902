import { Autocomplete } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { useHasPermission } from '../session/session'
import { toText } from './fields'
import type { Field, Value } from './fields'

/** The code of a resource: typed, or searched by code or name. */
export function ResourceInput({
  field,
  value,
  onChange,
  error,
}: {
  field: Field
  value: Value
  onChange: (value: Value) => void
  error?: string | undefined
}) {
  const text = toText(value)
  const [search] = useDebouncedValue(text, 250)
  const hasPermission = useHasPermission()
  const resources = useQuery({
    queryKey: ['resources', 'find', search],
    queryFn: () =>
      unwrap(
        api.GET('/api/resources', { params: { query: { limit: 10, active: true, ...(search && { find: search }) } } }),
      ),
    enabled: hasPermission('resource.read'),
    placeholderData: (before) => before,
    retry: false,
  })
  const descriptions = new Map((resources.data?.items ?? []).map((r) => [r.code ?? '', r.description ?? '']))
  return (
    <Autocomplete
      label={field.label}
      description={field.help}
      error={error}
      withAsterisk={field.required}
      maxLength={field.max || undefined}
      autoComplete="off"
      comboboxProps={{ shadow: 'md' }}
      data={[...descriptions.keys()]}
      filter={({ options }) => options}
      value={text}
      onChange={(next) => onChange(next || null)}
      renderOption={({ option }) => `${option.value} – ${descriptions.get(option.value) ?? ''}`}
    />
  )
}
