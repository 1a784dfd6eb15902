import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  CopyButton,
  Group,
  PasswordInput,
  Select,
  Skeleton,
  Stack,
  Text,
  Title,
  Tooltip,
} from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconCheck, IconCopy, IconPlugConnected, IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap, ifMatch, idempotencyKey } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { ActionDialog } from '../common/ActionDialog'
import { ConflictDialog } from '../common/ConflictDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { SideDrawer } from '../common/SideDrawer'
import { StatusMessage } from '../common/StatusMessage'
import { useUnsavedChanges } from '../common/unsavedChanges'
import { FieldDetails, FieldForm } from '../fields/FieldForm'
import { toText } from '../fields/fields'
import type { Field, Value } from '../fields/fields'
import { useHasPermission } from '../session/session'
import classes from './Settings.module.css'

type Provider = Schemas['SsoProvider']
type Values = Record<string, Value>

const key = ['sso providers']
const kindLabels: Record<string, string> = {
  azure: 'Azure AD (Microsoft Entra ID)',
  google: 'Google',
  onelogin: 'OneLogin',
  oidc: 'Another OpenID provider',
}
const valueIn = (of: Provider | undefined, f: Field): Value => (of as unknown as Values | undefined)?.[f.name]

function invalidateProviders() {
  void queryClient.invalidateQueries({ queryKey: key })
  void queryClient.invalidateQueries({ queryKey: ['sso choices'] })
}

/** The identity providers of the environment. */
export function ProvidersPage() {
  const hasPermission = useHasPermission()
  const list = useQuery({ queryKey: key, queryFn: async () => (await unwrap(api.GET('/api/sso-providers'))).items })
  const fields = useQuery({
    queryKey: ['fields', 'sso'],
    queryFn: async () => (await unwrap(api.GET('/api/sso-providers/fields'))).items as Field[],
    staleTime: Infinity,
  })
  const [open, setOpen] = useState<Provider | 'new'>()
  const check = useMutation({
    mutationFn: (p: Provider) => unwrap(api.POST('/api/sso-providers/{id}/check', { params: { path: { id: p.id } } })),
    onSuccess: (_, p) =>
      notifications.show({ color: 'green', title: p.name ?? '', message: 'The provider is responding correctly.' }),
    onError: (error, p) =>
      notifications.show({ color: 'red', title: p.name ?? '', message: toProblem(error).message, autoClose: 15_000 }),
  })
  const canWrite = hasPermission('settings.write')
  const rows = list.data ?? []
  return (
    <Stack>
      <Group justify="space-between" align="start">
        <div className={classes.words}>
          <Title order={1} size="h2">
            Single sign-on
          </Title>
          <Text c="dimmed">
            Providers that people can sign in with once their accounts are linked. The SSO Link Wizard in the menu of
            the user accounts links many at once.
          </Text>
        </div>
        {canWrite && (
          <Button leftSection={<IconPlus size={18} />} onClick={() => setOpen('new')}>
            New
          </Button>
        )}
      </Group>
      <ProblemAlert error={list.error ?? fields.error} />
      {(list.isPending || fields.isPending) && !list.error && !fields.error && (
        <Skeleton h={160} role="status" aria-label="Loading providers" />
      )}
      {list.data &&
        (rows.length === 0 ? (
          <StatusMessage icon={IconPlugConnected} title="No providers yet">
            People sign in with their passwords. Azure AD, Google, OneLogin and any other OpenID provider can be added.
          </StatusMessage>
        ) : (
          <div className={classes.sheet}>
            <ResponsiveTable
              label="Providers"
              rows={rows}
              rowKey={(p) => p.id}
              columns={[
                {
                  label: 'Name',
                  cell: (p) => (
                    <Anchor component="button" type="button" fw={600} inherit onClick={() => setOpen(p)}>
                      {p.name}
                    </Anchor>
                  ),
                },
                { label: 'Kind', cell: (p) => kindLabels[p.kind ?? ''] ?? p.kind },
                {
                  label: 'State',
                  cell: (p) => (
                    <Badge variant="light" tt="none" color={p.enabled ? 'green' : 'gray'}>
                      {p.enabled ? 'Enabled' : 'Disabled'}
                    </Badge>
                  ),
                },
                {
                  label: 'Client secret',
                  cell: (p) =>
                    p.hasSecret ? (
                      'Saved'
                    ) : (
                      <Text span inherit c="dimmed">
                        None
                      </Text>
                    ),
                },
                {
                  label: 'Check',
                  labelHidden: true,
                  cell: (p) =>
                    canWrite && (
                      <Button
                        size="compact-sm"
                        variant="light"
                        loading={check.isPending && check.variables.id === p.id}
                        aria-label={`Check ${p.name}`}
                        onClick={() => check.mutate(p)}
                      >
                        Check
                      </Button>
                    ),
                },
              ]}
            />
          </div>
        ))}
      {open && fields.data && (
        <SideDrawer onClose={() => setOpen(undefined)} title={open === 'new' ? 'New provider' : open.name}>
          <ProviderForm
            key={open === 'new' ? 'new' : open.id}
            provider={open === 'new' ? undefined : open}
            fields={fields.data}
            canWrite={canWrite}
            onClose={() => setOpen(undefined)}
          />
        </SideDrawer>
      )}
    </Stack>
  )
}

function ProviderForm({
  provider,
  fields,
  canWrite,
  onClose,
}: {
  provider: Provider | undefined
  fields: Field[]
  canWrite: boolean
  onClose: () => void
}) {
  const [base, setBase] = useState(provider)
  const [patch, setPatch] = useState<Values>({})
  const [secret, setSecret] = useState<string>() // write-only: the API never returns it
  const [deleting, setDeleting] = useState(false)
  const save = useMutation({
    mutationFn: ({ provider, values }: { provider: Provider | undefined; values: Values }) => {
      const body = { ...values, ...(secret !== undefined && { clientSecret: secret }) }
      return provider
        ? unwrap(
            api.PATCH('/api/sso-providers/{id}', {
              params: { path: { id: provider.id }, header: ifMatch(provider.version) },
              body,
            }),
          )
        : unwrap(
            api.POST('/api/sso-providers', {
              params: { header: idempotencyKey() },
              body: body as Schemas['SsoProviderNew'],
            }),
          )
    },
    onSuccess: (saved) => {
      invalidateProviders()
      notifications.show({ color: 'green', message: `${saved.name} was saved.` })
      onClose()
    },
    gcTime: 0,
  })
  const remove = useMutation({
    mutationFn: (provider: Provider) =>
      unwrap(
        api.DELETE('/api/sso-providers/{id}', {
          params: { path: { id: provider.id }, header: ifMatch(provider.version) },
        }),
      ),
    onSuccess: () => {
      invalidateProviders()
      notifications.show({ color: 'green', message: 'The provider was deleted.' })
      onClose()
    },
  })
  const problem = save.error ? toProblem(save.error) : undefined
  const currentValue = (f: Field) => (f.name in patch ? patch[f.name] : valueIn(base, f))
  const setValue = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = patch
    setPatch((value ?? '') === (valueIn(base, f) ?? '') ? rest : { ...rest, [f.name]: value === '' ? null : value })
  }
  const kind = fields.find((f) => f.name === 'kind')
  const dirty = Object.keys(patch).length > 0 || secret !== undefined
  useUnsavedChanges(dirty)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (dirty && !save.isPending) save.mutate({ provider: base, values: patch })
  }
  if (!canWrite) return <FieldDetails fields={fields} valueOf={(f) => valueIn(base, f)} />
  return (
    <>
      <form onSubmit={submit} noValidate aria-label={base?.name ?? 'New provider'}>
        <Stack>
          {base && <RedirectUrl url={base.redirectUrl} />}
          <ProblemAlert
            error={problem?.status === 412 ? undefined : save.error}
            inlineFields={[...fields.map((f) => f.name), 'clientSecret']}
          />
          {kind && !base && (
            <Select
              label={kind.label}
              description={kind.help}
              withAsterisk
              data={Object.entries(kindLabels).map(([value, label]) => ({ value, label }))}
              value={toText(currentValue(kind)) || null}
              onChange={(v) => setValue(kind, v)}
              error={problem?.messageFor('kind')}
            />
          )}
          <FieldForm
            fields={fields.filter((f) => f.name !== 'kind' && !f.readOnly)}
            valueOf={currentValue}
            onChange={setValue}
            problem={problem}
          />
          <PasswordInput
            label="Client secret"
            description={
              base?.hasSecret
                ? 'A secret is saved in encrypted form. Enter a new one only to replace it.'
                : 'It is stored in encrypted form and never shown again.'
            }
            autoComplete="off"
            maxLength={1000}
            value={secret ?? ''}
            onChange={(e) => setSecret(e.currentTarget.value || undefined)}
            error={problem?.messageFor('clientSecret')}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the client secret', tabIndex: 0 }}
          />
          <div className={classes.bar}>
            {base && (
              <Button mr="auto" variant="subtle" color="red" onClick={() => setDeleting(true)}>
                Delete
              </Button>
            )}
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!dirty}>
              {base ? 'Save' : 'Create'}
            </Button>
          </div>
        </Stack>
      </form>
      {deleting && base && (
        <ActionDialog
          title={`Delete ${base.name}`}
          confirmLabel="Delete"
          danger
          busy={remove.isPending}
          error={remove.error}
          onClose={() => setDeleting(false)}
          onConfirm={() => remove.mutate(base)}
        >
          <Text size="sm">
            Only a provider without linked accounts can be deleted. If people use it, disable it instead.
          </Text>
        </ActionDialog>
      )}
      {base && problem?.status === 412 && (
        <ConflictDialog
          subject="provider"
          load={() => unwrap(api.GET('/api/sso-providers/{id}', { params: { path: { id: base.id } } }))}
          fields={fields}
          problem={problem}
          base={base}
          mine={patch}
          onCancel={() => save.reset()}
          onResolve={(fresh, changes) => {
            setBase(fresh)
            setPatch(changes)
            save.reset()
            if (Object.keys(changes).length > 0 || secret !== undefined)
              save.mutate({ provider: fresh, values: changes })
          }}
        />
      )}
    </>
  )
}

/** The address to register with the provider. */
function RedirectUrl({ url }: { url: string }) {
  return (
    <div>
      <Text size="sm" fw={600}>
        Register this address with the provider
      </Text>
      <Group gap="xs" wrap="nowrap">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {url}
        </Text>
        <CopyButton value={url}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? 'Copied' : 'Copy'}>
              <ActionIcon variant="subtle" onClick={copy} aria-label="Copy the address">
                {copied ? <IconCheck size={17} /> : <IconCopy size={17} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </Group>
    </div>
  )
}
