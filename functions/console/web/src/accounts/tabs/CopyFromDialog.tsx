import { Alert, Badge, Checkbox, Group, List, Loader, Select, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import { ActionDialog } from '../../common/ActionDialog'
import { ProblemAlert } from '../../common/ProblemAlert'
import { updateAccountCache } from '../account'
import type { Account } from '../account'

/** Copies roles and groups from another account, after a preview. */
export function CopyFromDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 250)
  const [from, setFrom] = useState<string | null>(null)
  const [dacGroups, setDacGroups] = useState(false)
  const accounts = useQuery({
    queryKey: ['accounts', 'pick', search],
    queryFn: async () =>
      (await unwrap(api.GET('/api/accounts', { params: { query: { limit: 20, ...(search && { find: search }) } } })))
        .items,
    placeholderData: (before) => before,
  })
  const copy = (preview: boolean) =>
    unwrap(
      api.POST('/api/accounts/{id}/copy-from', {
        params: { path: { id: account.id } },
        body: { from: from ?? '', dacGroups, skipRefused: true, preview },
      }),
    )
  const preview = useQuery({
    queryKey: ['tab', account.id, 'copy', from, dacGroups, account.version],
    queryFn: () => copy(true),
    enabled: from !== null,
    retry: false,
  })
  const apply = useMutation({
    mutationFn: () => copy(false),
    onSuccess: () => {
      updateAccountCache(account.id)
      notifications.show({ color: 'green', message: 'The access was copied.' })
      onClose()
    },
  })
  const p = preview.data
  const added = p ? [...p.roles, ...p.groups, ...p.dacGroups] : []
  return (
    <ActionDialog
      title="Copy from"
      confirmLabel="Apply"
      canConfirm={added.length > 0}
      busy={apply.isPending}
      error={apply.error}
      onClose={onClose}
      onConfirm={() => apply.mutate()}
    >
      <Text size="sm">Adds the other user’s roles and groups to the existing ones. Nothing is removed.</Text>
      <Select
        label="User"
        searchable
        data-autofocus
        placeholder="Type a name or username"
        value={from}
        onChange={setFrom}
        searchValue={typed}
        onSearchChange={setTyped}
        filter={({ options }) => options}
        rightSection={accounts.isFetching ? <Loader size={16} /> : undefined}
        data={(accounts.data ?? [])
          .filter((a) => a.id !== account.id)
          .map((a) => ({ value: a.id, label: `${a.username} – ${a.name}` }))}
      />
      <Checkbox
        label="DAC groups as well"
        checked={dacGroups}
        onChange={(e) => setDacGroups(e.currentTarget.checked)}
      />
      <ProblemAlert error={preview.error} />
      {p && (
        <Alert
          color={added.length > 0 ? 'blue' : 'gray'}
          role="status"
          title={added.length > 0 ? 'This would add' : 'This would add nothing'}
        >
          <Stack gap="xs">
            <Group gap={6}>
              {added.map((code) => (
                <Badge key={code} variant="white" tt="none" radius="sm">
                  {code}
                </Badge>
              ))}
            </Group>
            {p.refused.length > 0 && (
              <>
                <Text size="sm">Not added:</Text>
                <List size="sm">
                  {p.refused.map((r) => (
                    <List.Item key={r.field + r.code}>{r.message}</List.Item>
                  ))}
                </List>
              </>
            )}
          </Stack>
        </Alert>
      )}
    </ActionDialog>
  )
}
