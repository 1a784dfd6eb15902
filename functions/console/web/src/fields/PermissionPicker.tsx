import { Button, Checkbox, Group, Input, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import classes from './FieldForm.module.css'
import type { Field, Value } from './fields'

const families: Record<string, string> = {
  account: 'User accounts',
  access: 'Licences, roles and groups',
  reference: 'Reference data',
  resource: 'Resources',
  settings: 'Settings',
  set: 'Sets',
  communication: 'Communication log',
}

export function usePermissions() {
  return useQuery({
    queryKey: ['permissions'],
    queryFn: async () => (await ask(api.GET('/api/access/permissions'))).items,
    staleTime: Infinity,
  })
}

/** What a role allows: every permission in words, to be ticked. */
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
  const have = Array.isArray(value) ? value : []
  const names = [...new Set(all.map((p) => p.permission.split('.')[0] ?? ''))]
  const toggle = (codes: string[], on: boolean) =>
    onChange(on ? [...new Set([...have, ...codes])].sort() : have.filter((c) => !codes.includes(c)))
  return (
    <Input.Wrapper label={field.label} description={field.help} error={error} labelElement="div">
      <div className={classes.permissions}>
        {names.map((name) => {
          const own = all.filter((p) => p.permission.startsWith(`${name}.`))
          const codes = own.map((p) => p.permission)
          const every = codes.every((c) => have.includes(c))
          return (
            <div key={name} className={classes.family} role="group" aria-label={families[name] ?? name}>
              <Group justify="space-between" gap="xs">
                <Text size="sm" fw={600}>
                  {families[name] ?? name}
                </Text>
                {codes.length > 1 && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    aria-label={`${every ? 'None of' : 'All of'} ${families[name] ?? name}`}
                    onClick={() => toggle(codes, !every)}
                  >
                    {every ? 'None' : 'All'}
                  </Button>
                )}
              </Group>
              {own.map((p) => (
                <Checkbox
                  key={p.permission}
                  size="sm"
                  label={p.allows}
                  description={p.permission}
                  checked={have.includes(p.permission)}
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
