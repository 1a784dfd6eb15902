import { Anchor, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconId } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link } from 'react-router'
import { api, ask, once } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem } from '../../api/problem'
import { Message } from '../../common/Message'
import { ProblemAlert } from '../../common/ProblemAlert'
import { FieldFacts, FieldForm } from '../../fields/FieldForm'
import type { Field, Value } from '../../fields/fields'
import { useMay } from '../../session/session'
import { resources } from '../../settings/store'
import { nameOf, refreshed } from '../account'
import type { TabProps } from './tab'

type Values = Record<string, Value>

/** The person as staff: the resource that the account has, or making it. */
export default function ResourceTab({ account }: TabProps) {
  const may = useMay()
  const [making, setMaking] = useState(false)
  const code = account.resource ?? ''
  const fields = useQuery({ queryKey: ['fields', 'resources'], queryFn: resources.fields, staleTime: Infinity })
  const read = useQuery({
    queryKey: ['tab', account.id, 'resource', code],
    queryFn: () => resources.read(code),
    enabled: code !== '',
  })
  if (fields.error ?? read.error) return <ProblemAlert error={fields.error ?? read.error} />
  if (!fields.data || (code && !read.data)) return <Skeleton h={200} aria-label="Loading the resource" />
  if (read.data) {
    const found = read.data
    return (
      <Stack>
        <FieldFacts fields={fields.data.filter((f) => f.name !== 'account')} valueOf={(f) => found[f.name]} />
        {may('resource.write') && (
          <Group>
            <Button variant="default" component={Link} to={`/settings/resources?open=${encodeURIComponent(code)}`}>
              Edit the resource
            </Button>
          </Group>
        )}
      </Stack>
    )
  }
  if (making) return <Create account={account} fields={fields.data} cancel={() => setMaking(false)} />
  return (
    <Message icon={IconId} title="No resource" order={3}>
      <Stack align="center" gap="sm">
        <span>This account is not a resource: it has no timesheets or expenses of its own.</span>
        {may('resource.write') && may('account.update') && (
          <Button onClick={() => setMaking(true)}>Create resource</Button>
        )}
      </Stack>
    </Message>
  )
}

function Create({ account, fields, cancel }: { account: TabProps['account']; fields: Field[]; cancel: () => void }) {
  const [values, setValues] = useState<Values>({})
  const group = values['resourceGroup']
  const params = { path: { id: account.id } }
  // What the service would fill in: the resource group's defaults, the environment's country, the account's name.
  const preview = useQuery({
    queryKey: ['tab', account.id, 'resource preview', group],
    queryFn: () =>
      ask(
        api.POST('/api/accounts/{id}/resource', {
          params: { ...params, header: once() },
          body: { preview: true, resourceGroup: String(group) },
        }),
      ),
    enabled: Boolean(group),
    retry: false,
    staleTime: 0,
  })
  const create = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/accounts/{id}/resource', {
          params: { ...params, header: once() },
          body: values as unknown as Schemas['AccountResourceCreate'],
        }),
      ),
    onSuccess: (made) => {
      refreshed(account.id)
      notifications.show({ color: 'green', title: nameOf(account), message: `The resource ${made.code} is created.` })
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
  const would = preview.data as unknown as Values | undefined
  const problem = create.error ? asProblem(create.error) : undefined
  const set = (f: Field, value: Value) => {
    if (f.name === 'resourceGroup') create.reset() // what was wrong with other defaults says nothing of these
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
          first: it fills in the rest. Then edit, and press Create.
        </Text>
        <ProblemAlert error={create.error} shown={writable.map((f) => f.name)} />
        <ProblemAlert error={preview.error} />
        <FieldForm
          fields={ordered}
          valueOf={(f) => (f.name in values ? values[f.name] : would?.[f.name])}
          set={set}
          problem={problem}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={cancel}>
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
