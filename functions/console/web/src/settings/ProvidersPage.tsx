import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  CopyButton,
  Drawer,
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
import { api, ask, ifMatch, once } from '../api/client'
import type { Schemas } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { ActionDialog } from '../common/ActionDialog'
import { ConflictDialog } from '../common/ConflictDialog'
import { Message } from '../common/Message'
import { ProblemAlert } from '../common/ProblemAlert'
import { Records } from '../common/Records'
import { FieldFacts, FieldForm } from '../fields/FieldForm'
import type { Field, Value } from '../fields/fields'
import { useMay } from '../session/session'
import classes from './Settings.module.css'

type Provider = Schemas['SsoProvider']
type Values = Record<string, Value>

const key = ['sso providers']
const kinds: Record<string, string> = {
  azure: 'Azure AD (Microsoft Entra ID)',
  google: 'Google',
  onelogin: 'OneLogin',
  oidc: 'Another OpenID provider',
}
const valueIn = (of: Provider | undefined, f: Field): Value => (of as unknown as Values | undefined)?.[f.name]

function changed() {
  void queries.invalidateQueries({ queryKey: key })
  void queries.invalidateQueries({ queryKey: ['sso choices'] })
}

/** The providers that people can sign in by. */
export function ProvidersPage() {
  const may = useMay()
  const list = useQuery({ queryKey: key, queryFn: async () => (await ask(api.GET('/api/sso-providers'))).items })
  const fields = useQuery({
    queryKey: ['fields', 'sso'],
    queryFn: async () => (await ask(api.GET('/api/sso-providers/fields'))).items as Field[],
    staleTime: Infinity,
  })
  const [open, setOpen] = useState<Provider | 'new'>()
  const check = useMutation({
    mutationFn: (p: Provider) => ask(api.POST('/api/sso-providers/{id}/check', { params: { path: { id: p.id } } })),
    onSuccess: (_, p) =>
      notifications.show({ color: 'green', title: p.name ?? '', message: 'It answers as it should.' }),
    onError: (error, p) =>
      notifications.show({ color: 'red', title: p.name ?? '', message: asProblem(error).message, autoClose: 15_000 }),
  })
  const write = may('settings.write')
  const rows = list.data ?? []
  return (
    <Stack>
      <Group justify="space-between" align="start">
        <div className={classes.words}>
          <Title order={1} size="h2">
            Single sign-on
          </Title>
          <Text c="dimmed">
            Providers that people can sign in by, once they are linked. The SSO Link Wizard in the user accounts' menu
            links many at once.
          </Text>
        </div>
        {write && (
          <Button leftSection={<IconPlus size={18} />} onClick={() => setOpen('new')}>
            New
          </Button>
        )}
      </Group>
      <ProblemAlert error={list.error ?? fields.error} />
      {(list.isPending || fields.isPending) && !list.error && !fields.error && (
        <Skeleton h={160} aria-label="Loading providers" />
      )}
      {list.data &&
        (rows.length === 0 ? (
          <Message icon={IconPlugConnected} title="No providers yet">
            People sign in with their passwords. Azure AD, Google, OneLogin and any other OpenID provider can be added.
          </Message>
        ) : (
          <div className={classes.sheet}>
            <Records
              label="Providers"
              rows={rows}
              idOf={(p) => p.id}
              columns={[
                {
                  label: 'Name',
                  cell: (p) => (
                    <Anchor component="button" type="button" fw={600} inherit onClick={() => setOpen(p)}>
                      {p.name}
                    </Anchor>
                  ),
                },
                { label: 'Kind', cell: (p) => kinds[p.kind ?? ''] ?? p.kind },
                {
                  label: 'State',
                  cell: (p) => (
                    <Badge variant="light" tt="none" color={p.enabled ? 'green' : 'gray'}>
                      {p.enabled ? 'Enabled' : 'Turned off'}
                    </Badge>
                  ),
                },
                {
                  label: 'Client secret',
                  cell: (p) =>
                    p.hasSecret ? (
                      'Kept'
                    ) : (
                      <Text span inherit c="dimmed">
                        None
                      </Text>
                    ),
                },
                {
                  label: 'Check',
                  quiet: true,
                  cell: (p) =>
                    write && (
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
        <Drawer
          opened
          onClose={() => setOpen(undefined)}
          position="right"
          size="lg"
          title={open === 'new' ? 'New provider' : open.name}
        >
          <Form
            key={open === 'new' ? 'new' : open.id}
            provider={open === 'new' ? undefined : open}
            fields={fields.data}
            write={write}
            close={() => setOpen(undefined)}
          />
        </Drawer>
      )}
    </Stack>
  )
}

function Form({
  provider,
  fields,
  write,
  close,
}: {
  provider: Provider | undefined
  fields: Field[]
  write: boolean
  close: () => void
}) {
  const [base, setBase] = useState(provider)
  const [patch, setPatch] = useState<Values>({})
  const [secret, setSecret] = useState<string>() // only ever sent; the service never shows it
  const [deleting, setDeleting] = useState(false)
  const save = useMutation({
    mutationFn: ({ of, values }: { of: Provider | undefined; values: Values }) => {
      const body = { ...values, ...(secret !== undefined && { clientSecret: secret }) }
      return of
        ? ask(
            api.PATCH('/api/sso-providers/{id}', {
              params: { path: { id: of.id }, header: ifMatch(of.version) },
              body,
            }),
          )
        : ask(api.POST('/api/sso-providers', { params: { header: once() }, body: body as Schemas['SsoProviderNew'] }))
    },
    onSuccess: (saved) => {
      changed()
      notifications.show({ color: 'green', message: `${saved.name} is saved.` })
      close()
    },
    gcTime: 0,
  })
  const remove = useMutation({
    mutationFn: (of: Provider) =>
      ask(api.DELETE('/api/sso-providers/{id}', { params: { path: { id: of.id }, header: ifMatch(of.version) } })),
    onSuccess: () => {
      changed()
      notifications.show({ color: 'green', message: 'The provider is deleted.' })
      close()
    },
  })
  const problem = save.error ? asProblem(save.error) : undefined
  const now = (f: Field) => (f.name in patch ? patch[f.name] : valueIn(base, f))
  const set = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = patch
    setPatch((value ?? '') === (valueIn(base, f) ?? '') ? rest : { ...rest, [f.name]: value === '' ? null : value })
  }
  const kind = fields.find((f) => f.name === 'kind')
  const dirty = Object.keys(patch).length > 0 || secret !== undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (dirty && !save.isPending) save.mutate({ of: base, values: patch })
  }
  if (!write) return <FieldFacts fields={fields} valueOf={(f) => valueIn(base, f)} />
  return (
    <>
      <form onSubmit={submit} noValidate aria-label={base?.name ?? 'New provider'}>
        <Stack>
          {base && <Redirect url={base.redirectUrl} />}
          <ProblemAlert
            error={problem?.status === 412 ? undefined : save.error}
            shown={[...fields.map((f) => f.name), 'clientSecret']}
          />
          {kind && !base && (
            <Select
              label={kind.label}
              description={kind.help}
              withAsterisk
              data={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
              value={String(now(kind) ?? '') || null}
              onChange={(v) => set(kind, v)}
              error={problem?.of('kind')}
            />
          )}
          <FieldForm
            fields={fields.filter((f) => f.name !== 'kind' && !f.readOnly)}
            valueOf={now}
            set={set}
            problem={problem}
          />
          <PasswordInput
            label="Client secret"
            description={
              base?.hasSecret
                ? 'One is kept, sealed. Type here only to replace it.'
                : 'It is sealed and never shown again.'
            }
            autoComplete="off"
            maxLength={1000}
            value={secret ?? ''}
            onChange={(e) => setSecret(e.currentTarget.value || undefined)}
            error={problem?.of('clientSecret')}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the client secret', tabIndex: 0 }}
          />
          <div className={classes.bar}>
            {base && (
              <Button mr="auto" variant="subtle" color="red" onClick={() => setDeleting(true)}>
                Delete
              </Button>
            )}
            <Button variant="default" onClick={close}>
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
          apply="Delete"
          danger
          busy={remove.isPending}
          error={remove.error}
          close={() => setDeleting(false)}
          onApply={() => remove.mutate(base)}
        >
          <Text size="sm">Only a provider that nobody is linked to can be deleted. Turn off one that people use.</Text>
        </ActionDialog>
      )}
      {base && problem?.status === 412 && (
        <ConflictDialog
          what="provider"
          read={() => ask(api.GET('/api/sso-providers/{id}', { params: { path: { id: base.id } } }))}
          fields={fields}
          problem={problem}
          base={base}
          mine={patch}
          cancel={() => save.reset()}
          resolve={(fresh, kept) => {
            setBase(fresh)
            setPatch(kept)
            save.reset()
            if (Object.keys(kept).length > 0 || secret !== undefined) save.mutate({ of: fresh, values: kept })
          }}
        />
      )}
    </>
  )
}

/** The address to register with the provider. */
function Redirect({ url }: { url: string }) {
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
