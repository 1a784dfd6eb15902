import { Anchor, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconId } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link } from 'react-router'
import { api, unwrap, idempotencyKey } from '../../api/client'
import type { Schemas } from '../../api/client'
import { toProblem } from '../../api/problem'
import { ProblemAlert } from '../../common/ProblemAlert'
import { StatusMessage } from '../../common/StatusMessage'
import { useUnsavedChanges } from '../../common/unsavedChanges'
import { FieldDetails, FieldForm } from '../../fields/FieldForm'
import { toText } from '../../fields/fields'
import type { Field, FormFields, Value } from '../../fields/fields'
import { useHasPermission } from '../../session/session'
import { resourceStore } from '../../settings/referenceStore'
import { accountName, updateAccountCache } from '../account'
import type { TabProps } from './tab'

type Values = Record<string, Value>

/** The resource of the account, or a form to create one. */
export default function ResourceTab({ account }: TabProps) {
  const hasPermission = useHasPermission()
  const [creating, setCreating] = useState(false)
  const code = account.resource ?? ''
  const form = useQuery({ queryKey: ['fields', 'resources'], queryFn: resourceStore.form, staleTime: Infinity })
  const resource = useQuery({
    queryKey: ['tab', account.id, 'resource', code],
    queryFn: () => resourceStore.read(code),
    enabled: code !== '',
  })
  if (form.error ?? resource.error) return <ProblemAlert error={form.error ?? resource.error} />
  if (!form.data || (code && !resource.data))
    return <Skeleton h={200} role="status" aria-label="Loading the resource" />
  if (resource.data) {
    const found = resource.data
    return (
      <Stack>
        <FieldDetails fields={form.data.fields.filter((f) => f.name !== 'account')} valueOf={(f) => found[f.name]} />
        {hasPermission('resource.write') && (
          <Group>
            <Button variant="default" component={Link} to={`/settings/resources?open=${encodeURIComponent(code)}`}>
              Edit the resource
            </Button>
          </Group>
        )}
      </Stack>
    )
  }
  if (creating) return <CreateResource account={account} form={form.data} onCancel={() => setCreating(false)} />
  return (
    <StatusMessage icon={IconId} title="No resource" order={3}>
      <Stack align="center" gap="sm">
        <span>This account is not a resource: it has no timesheets or expenses of its own.</span>
        {hasPermission('resource.write') && hasPermission('account.update') && (
          <Button onClick={() => setCreating(true)}>Create resource</Button>
        )}
      </Stack>
    </StatusMessage>
  )
}

function CreateResource({
  account,
  form: { fields, sections },
  onCancel,
}: {
  account: TabProps['account']
  form: FormFields
  onCancel: () => void
}) {
  const [values, setValues] = useState<Values>({})
  useUnsavedChanges(Object.keys(values).length > 0, 'address')
  const group = values['resourceGroup']
  const params = { path: { id: account.id } }
  // What the API would fill in: the resource group's defaults, the environment's country, the account's name.
  const preview = useQuery({
    queryKey: ['tab', account.id, 'resource preview', group],
    queryFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/resource', {
          params: { ...params, header: idempotencyKey() },
          body: { preview: true, resourceGroup: toText(group) },
        }),
      ),
    enabled: Boolean(group),
    retry: false,
    staleTime: 0,
  })
  const create = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts/{id}/resource', {
          params: { ...params, header: idempotencyKey() },
          body: values as unknown as Schemas['AccountResourceCreate'],
        }),
      ),
    onSuccess: (created) => {
      updateAccountCache(account.id)
      notifications.show({
        color: 'green',
        title: accountName(account),
        message: `The resource ${created.code} was created.`,
      })
    },
  })
  const writable = fields
    .filter((f) => !f.readOnly && f.name !== 'active')
    .map((f) => (f.name === 'description' ? { ...f, required: false } : f))
  // The group comes first, because it gives the others their defaults.
  const ordered = [
    ...writable.filter((f) => f.name === 'resourceGroup'),
    ...writable.filter((f) => f.name !== 'resourceGroup'),
  ]
  const defaults = preview.data as unknown as Values | undefined
  const problem = create.error ? toProblem(create.error) : undefined
  const setValue = (f: Field, value: Value) => {
    if (f.name === 'resourceGroup') create.reset() // problems with the other group's defaults no longer apply
    setValues({ ...values, [f.name]: value === '' ? null : value })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!create.isPending) create.mutate()
  }
  return (
    <form onSubmit={submit} noValidate aria-label="Create resource">
      <Stack maw={640}>
        <Text size="sm" c="dimmed">
          Choose the{' '}
          <Anchor component={Link} to="/settings/resource-groups" inherit underline="always">
            resource group
          </Anchor>{' '}
          first; it fills in the rest. Then make your changes and select Create.
        </Text>
        <ProblemAlert error={create.error} inlineFields={writable.map((f) => f.name)} />
        <ProblemAlert error={preview.error} />
        <FieldForm
          fields={ordered}
          sections={sections}
          valueOf={(f) => (f.name in values ? values[f.name] : defaults?.[f.name])}
          onChange={setValue}
          problem={problem}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
