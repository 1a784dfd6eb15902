import { Loader, Select, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../api/client'
import { useCodeOptions } from '../fields/fields'
import { useHasPermission } from '../session/session'

interface Props {
  value: string | undefined
  onChange: (value: string | undefined) => void
  error?: string | undefined
}

/** The resource group for rows without one; a text input if the user may not read the list. */
export function ResourceGroupInput({ value, onChange, error }: Props) {
  const codes = useCodeOptions('resourceGroup')
  const common = { label: 'Resource group', description: 'For new resources whose row does not specify one.', error }
  if (!codes)
    return (
      <TextInput
        {...common}
        maxLength={50}
        value={value ?? ''}
        onChange={(e) => onChange(e.currentTarget.value.trim() || undefined)}
      />
    )
  return (
    <Select
      {...common}
      searchable
      clearable
      value={value ?? null}
      onChange={(next) => onChange(next ?? undefined)}
      clearButtonProps={{ 'aria-label': 'Clear the Resource group' }}
      data={codes
        .filter((c) => c.active || c.code === value)
        .map((c) => ({ value: c.code, label: c.description ? `${c.code} – ${c.description}` : c.code }))}
    />
  )
}

/** The user whose roles new users get; a text input if the user may not read accounts. */
export function CopyRolesInput({ value, onChange, error }: Props) {
  const hasPermission = useHasPermission()
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.split(' – ')[0]!.trim(), 250)
  const canReadAccounts = hasPermission('account.read')
  const accounts = useQuery({
    queryKey: ['accounts', 'pick', search],
    queryFn: async () =>
      (await unwrap(api.GET('/api/accounts', { params: { query: { limit: 20, ...(search && { find: search }) } } })))
        .items,
    placeholderData: (before) => before,
    enabled: canReadAccounts,
  })
  const common = {
    label: 'Copy user roles from user',
    description: 'New users whose row has no User roles get those of the selected user.',
    error,
  }
  if (!canReadAccounts)
    return (
      <TextInput
        {...common}
        maxLength={50}
        value={value ?? ''}
        onChange={(e) => onChange(e.currentTarget.value.trim() || undefined)}
      />
    )
  const options = (accounts.data ?? [])
    .map((a) => ({ value: a.username ?? '', label: `${a.username} – ${a.name}` }))
    .filter((o) => o.value)
  const data = value && !options.some((o) => o.value === value) ? [{ value, label: value }, ...options] : options
  return (
    <Select
      {...common}
      searchable
      clearable
      placeholder="Type a name or username"
      value={value ?? null}
      onChange={(next) => onChange(next ?? undefined)}
      searchValue={typed}
      onSearchChange={setTyped}
      filter={({ options }) => options}
      rightSection={accounts.isFetching ? <Loader size={16} /> : undefined}
      data={data}
      clearButtonProps={{ 'aria-label': 'Clear the user' }}
    />
  )
}
