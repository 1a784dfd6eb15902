import { Alert, Anchor, Button, Checkbox, Group, Select, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBrandWindows, IconUsers } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { ActionDialog } from '../common/ActionDialog'
import { Loading } from '../common/Loading'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { StatusMessage } from '../common/StatusMessage'
import { Instant } from '../fields/Instant'
import { redirectToProvider } from '../signin/providerRedirect'
import { storeDirectory, storedDirectory } from './directory'
import type { Directory } from './directory'
import classes from './LinkWizard.module.css'
import { OutcomeBadge } from './OutcomeBadge'

type Choice = Schemas['SsoChoice']
type Person = Schemas['SsoPerson']

/** Links by directory: sign in to it, list its people, select whom to link. */
export function DirectoryLinking({ providers }: { providers: Choice[] }) {
  const [directory, setDirectory] = useState(storedDirectory)
  const [providerId, setProviderId] = useState(providers[0]?.id ?? null)
  const redirect = useMutation({
    mutationFn: async (id: string) =>
      redirectToProvider(
        await unwrap(api.POST('/api/sso-providers/{id}/directory/depart', { params: { path: { id } } })),
        {
          purpose: 'directory',
          back: '/accounts/sso-links?way=directory',
        },
      ),
  })
  if (directory)
    return (
      <DirectoryPeople
        directory={directory}
        onLeave={() => {
          storeDirectory(undefined)
          setDirectory(undefined)
        }}
      />
    )
  return (
    <Stack align="start">
      <Text size="sm">
        Sign in to Azure with an account that can read the directory. Its people are then listed and matched by email.
        Nothing is linked until you confirm it.
      </Text>
      {providers.length > 1 && (
        <Select
          label="Provider"
          allowDeselect={false}
          data={providers.map((p) => ({ value: p.id, label: p.name }))}
          value={providerId}
          onChange={setProviderId}
        />
      )}
      <ProblemAlert error={redirect.error} />
      <Button
        leftSection={<IconBrandWindows size={18} />}
        disabled={!providerId}
        loading={redirect.isPending}
        onClick={() => providerId && redirect.mutate(providerId)}
      >
        Login AzureAD
      </Button>
    </Stack>
  )
}

function DirectoryPeople({ directory, onLeave }: { directory: Directory; onLeave: () => void }) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [removing, setRemoving] = useState<Person>()
  const [results, setResults] = useState<Record<string, Schemas['SsoMatched']>>({})
  const list = useInfiniteQuery({
    queryKey: ['directory', directory.directory.slice(-24)],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.POST('/api/sso/directory/people', {
          body: { directory: directory.directory, ...(pageParam && { next: pageParam }) },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    staleTime: Infinity,
    gcTime: 0,
  })
  const people = (list.data?.pages.flatMap((p) => p.items) ?? []).map((p) => ({
    ...p,
    ...(p.objectId && results[p.objectId]),
  }))
  const linkable = people.filter((p) => p.outcome === 'linkable' && p.objectId)
  const storeResults = (all: Schemas['SsoMatched'][], objectIdOf: (m: Schemas['SsoMatched']) => string | undefined) => {
    setResults((before) => ({
      ...before,
      ...Object.fromEntries(
        all.flatMap((m) => {
          const id = objectIdOf(m)
          return id ? [[id, { outcome: m.outcome, detail: m.detail ?? '' }]] : []
        }),
      ),
    }))
    void queryClient.invalidateQueries({ queryKey: ['accounts'] })
    void queryClient.invalidateQueries({ queryKey: ['tab'] })
  }
  const link = useMutation({
    mutationFn: async (toLink: Person[]) => {
      const done: Schemas['SsoMatched'][] = []
      for (let i = 0; i < toLink.length; i += 500) {
        const pairs = toLink.slice(i, i + 500).map((p) => ({
          objectId: p.objectId ?? '',
          ...(p.accountId ? { accountId: p.accountId } : { email: p.email ?? '' }),
        }))
        done.push(
          ...(
            await unwrap(
              api.POST('/api/sso-providers/{id}/links', {
                params: { path: { id: directory.providerId } },
                body: { pairs },
              }),
            )
          ).items,
        )
      }
      return done
    },
    onSuccess: (done) => {
      storeResults(done, (m) => m.objectId)
      setSelected(new Set())
      const linked = done.filter((m) => m.outcome === 'linked').length
      notifications.show({
        color: linked === done.length ? 'green' : 'orange',
        message: `${linked} of ${done.length} linked.`,
      })
    },
  })
  const unlink = useMutation({
    mutationFn: (p: Person) =>
      unwrap(
        api.POST('/api/sso-providers/{id}/links/remove', {
          params: { path: { id: directory.providerId } },
          body: { accountIds: [p.accountId ?? ''] },
        }),
      ),
    onSuccess: ({ items }, p) => {
      storeResults(items, () => p.objectId)
      setRemoving(undefined)
    },
  })
  const select = (p: Person, on: boolean) => {
    const next = new Set(selected)
    if (on) next.add(p.objectId ?? '')
    else next.delete(p.objectId ?? '')
    setSelected(next)
  }
  const wanted = linkable.filter((p) => selected.has(p.objectId ?? ''))
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Signed in to the directory until <Instant at={directory.expires} />
        </Text>
        <Button variant="subtle" size="compact-sm" onClick={onLeave}>
          Sign in again
        </Button>
      </Group>
      <ProblemAlert error={list.error ?? link.error} />
      {list.error && toProblem(list.error).status < 500 && (
        <Group>
          <Button onClick={onLeave}>Login AzureAD</Button>
        </Group>
      )}
      {list.isPending && <Loading label="Reading the directory" />}
      {list.data && people.length === 0 && !list.hasNextPage && (
        <StatusMessage icon={IconUsers} title="The directory is empty" order={3} />
      )}
      {people.length > 0 && (
        <>
          <Group justify="space-between">
            <Checkbox
              label={`All matched (${linkable.length})`}
              disabled={linkable.length === 0}
              checked={linkable.length > 0 && wanted.length === linkable.length}
              indeterminate={wanted.length > 0 && wanted.length < linkable.length}
              onChange={(e) =>
                setSelected(e.currentTarget.checked ? new Set(linkable.map((p) => p.objectId ?? '')) : new Set())
              }
            />
            <Button disabled={wanted.length === 0} loading={link.isPending} onClick={() => link.mutate(wanted)}>
              {wanted.length === 0 ? 'Link' : `Link ${wanted.length}`}
            </Button>
          </Group>
          <ResponsiveTable
            label="People of the directory"
            rows={people}
            rowKey={(p) => p.objectId ?? p.email ?? p.name}
            columns={[
              {
                label: 'Person',
                cell: (p) => (
                  <span>
                    {p.name}
                    {p.disabled && (
                      <Text size="xs" c="dimmed" fw={400}>
                        disabled in the directory
                      </Text>
                    )}
                  </span>
                ),
              },
              { label: 'Azure email', cell: (p) => p.email || '–' },
              {
                label: 'User account',
                cell: (p) =>
                  p.accountId ? (
                    <Anchor component={Link} to={`/accounts/${p.accountId}`} inherit>
                      {p.username || 'open'}
                    </Anchor>
                  ) : (
                    '–'
                  ),
              },
              { label: 'State', cell: (p) => <OutcomeBadge match={p} /> },
              {
                label: 'Link',
                cell: (p) =>
                  p.outcome === 'linkable' ? (
                    <Checkbox
                      className={classes.add}
                      label="Add link"
                      aria-label={`Add link for ${p.name}`}
                      checked={selected.has(p.objectId ?? '')}
                      onChange={(e) => select(p, e.currentTarget.checked)}
                    />
                  ) : (p.outcome === 'alreadyLinked' || p.outcome === 'linked') && p.accountId ? (
                    <Button
                      size="compact-sm"
                      variant="light"
                      color="red"
                      aria-label={`Remove link of ${p.name}`}
                      onClick={() => setRemoving(p)}
                    >
                      Remove Link
                    </Button>
                  ) : null,
              },
            ]}
          />
          {list.hasNextPage && (
            <Group>
              <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                Load more
              </Button>
            </Group>
          )}
          {list.hasNextPage && <Alert color="gray">“All matched” covers only the people listed so far.</Alert>}
        </>
      )}
      {removing && (
        <ActionDialog
          title="Remove Link"
          confirmLabel="Remove Link"
          danger
          busy={unlink.isPending}
          error={unlink.error}
          onClose={() => setRemoving(undefined)}
          onConfirm={() => unlink.mutate(removing)}
        >
          <Text size="sm">{removing.name} can no longer sign in with this provider. Open sessions continue.</Text>
        </ActionDialog>
      )}
    </Stack>
  )
}
