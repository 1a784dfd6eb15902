import { Button, Checkbox, Group, Input, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import classes from './FieldForm.module.css'
import type { Field, Value } from './fields'

const groupLabels: Record<string, string> = {
  account: 'User accounts',
  access: 'Licences, roles and groups',
  reference: 'Reference data',
  resource: 'Resources',
  settings: 'Settings',
  set: 'Sets',
  communication: 'Communication log',
  application: 'Applications',
}

/** The group of a permission: the application before the colon, or the part before the dot. */
const groupOf = (permission: string) => permission.split(permission.includes(':') ? ':' : '.')[0] ?? ''

const labelOf = (permission: string) =>
  permission.includes(':')
    ? `Application ${groupOf(permission)}`
    : (groupLabels[groupOf(permission)] ?? groupOf(permission))

export function usePermissions() {
  return useQuery({
    queryKey: ['permissions'],
    queryFn: async () => (await unwrap(api.GET('/api/access/permissions'))).items,
    staleTime: Infinity,
  })
}

/** Checkboxes for all permissions, with what each allows. */
export function PermissionPicker({
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
  const all = usePermissions().data ?? []
  const selected = Array.isArray(value) ? value : []
  const names = [...new Set(all.map((p) => labelOf(p.permission)))]
  const toggle = (codes: string[], on: boolean) =>
    onChange(on ? [...new Set([...selected, ...codes])].sort() : selected.filter((c) => !codes.includes(c)))
  return (
    <Input.Wrapper label={field.label} description={field.help} error={error} labelElement="div">
      <div className={classes.permissions}>
        {names.map((name) => {
          const permissions = all.filter((p) => labelOf(p.permission) === name)
          const codes = permissions.map((p) => p.permission)
          const allSelected = codes.every((c) => selected.includes(c))
          return (
            <div key={name} className={classes.family} role="group" aria-label={name}>
              <Group justify="space-between" gap="xs">
                <Text size="sm" fw={600}>
                  {name}
                </Text>
                {codes.length > 1 && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    aria-label={`${allSelected ? 'None of' : 'All of'} ${name}`}
                    onClick={() => toggle(codes, !allSelected)}
                  >
                    {allSelected ? 'None' : 'All'}
                  </Button>
                )}
              </Group>
              {permissions.map((p) => (
                <Checkbox
                  key={p.permission}
                  size="sm"
                  label={p.allows || p.permission}
                  description={p.permission}
                  checked={selected.includes(p.permission)}
                  onChange={(e) => toggle([p.permission], e.currentTarget.checked)}
                />
              ))}
            </div>
          )
        })}
      </div>
    </Input.Wrapper>
  )
}
