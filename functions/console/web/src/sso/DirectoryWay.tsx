import { Alert, Anchor, Button, Checkbox, Group, Select, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBrandWindows, IconUsers } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { ActionDialog } from '../common/ActionDialog'
import { Loading } from '../common/Loading'
import { Message } from '../common/Message'
import { ProblemAlert } from '../common/ProblemAlert'
import { Records } from '../common/Records'
import { Instant } from '../fields/Instant'
import { go } from '../signin/departure'
import { keepDirectory, keptDirectory } from './directory'
import type { Directory } from './directory'
import { Outcome } from './outcomes'
import classes from './Wizard.module.css'

type Choice = Schemas['SsoChoice']
type Person = Schemas['SsoPerson']

/** Linking by the directory: sign in to it, look at its people, tick whom to link. */
export function DirectoryWay({ providers }: { providers: Choice[] }) {
  const [directory, setDirectory] = useState(keptDirectory)
  const [picked, setPicked] = useState(providers[0]?.id ?? null)
  const depart = useMutation({
    mutationFn: async (id: string) =>
      go(await ask(api.POST('/api/sso-providers/{id}/directory/depart', { params: { path: { id } } })), {
        to: 'directory',
        back: '/accounts/sso-links?way=directory',
      }),
  })
  if (directory)
    return (
      <People
        directory={directory}
        leave={() => {
          keepDirectory(undefined)
          setDirectory(undefined)
        }}
      />
    )
  return (
    <Stack align="start">
      <Text size="sm">
        Sign in to Azure with an account that may read the directory. Its people are then listed and matched by email;
        nothing is linked before you say so.
      </Text>
      {providers.length > 1 && (
        <Select
          label="Provider"
          allowDeselect={false}
          data={providers.map((p) => ({ value: p.id, label: p.name }))}
          value={picked}
          onChange={setPicked}
        />
      )}
      <ProblemAlert error={depart.error} />
      <Button
        leftSection={<IconBrandWindows size={18} />}
        disabled={!picked}
        loading={depart.isPending}
        onClick={() => picked && depart.mutate(picked)}
      >
        Login AzureAD
      </Button>
    </Stack>
  )
}

function People({ directory, leave }: { directory: Directory; leave: () => void }) {
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const [removing, setRemoving] = useState<Person>()
  const [results, setResults] = useState<Record<string, Schemas['SsoMatched']>>({})
  const list = useInfiniteQuery({
    queryKey: ['directory', directory.directory.slice(-24)],
    queryFn: ({ pageParam }) =>
      ask(
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
  const matched = people.filter((p) => p.outcome === 'linkable' && p.objectId)
  const took = (all: Schemas['SsoMatched'][], of: (m: Schemas['SsoMatched']) => string | undefined) => {
    setResults((before) => ({
      ...before,
      ...Object.fromEntries(
        all.flatMap((m) => {
          const id = of(m)
          return id ? [[id, { outcome: m.outcome, detail: m.detail ?? '' }]] : []
        }),
      ),
    }))
    void queries.invalidateQueries({ queryKey: ['accounts'] })
    void queries.invalidateQueries({ queryKey: ['tab'] })
  }
  const link = useMutation({
    mutationFn: async (wanted: Person[]) => {
      const done: Schemas['SsoMatched'][] = []
      for (let i = 0; i < wanted.length; i += 500) {
        const pairs = wanted.slice(i, i + 500).map((p) => ({
          objectId: p.objectId ?? '',
          ...(p.accountId ? { accountId: p.accountId } : { email: p.email ?? '' }),
        }))
        done.push(
          ...(
            await ask(
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
      took(done, (m) => m.objectId)
      setTicked(new Set())
      const linked = done.filter((m) => m.outcome === 'linked').length
      notifications.show({
        color: linked === done.length ? 'green' : 'orange',
        message: `${linked} of ${done.length} linked.`,
      })
    },
  })
  const unlink = useMutation({
    mutationFn: (p: Person) =>
      ask(
        api.POST('/api/sso-providers/{id}/links/remove', {
          params: { path: { id: directory.providerId } },
          body: { accountIds: [p.accountId ?? ''] },
        }),
      ),
    onSuccess: ({ items }, p) => {
      took(items, () => p.objectId)
      setRemoving(undefined)
    },
  })
  const tick = (p: Person, on: boolean) => {
    const next = new Set(ticked)
    if (on) next.add(p.objectId ?? '')
    else next.delete(p.objectId ?? '')
    setTicked(next)
  }
  const wanted = matched.filter((p) => ticked.has(p.objectId ?? ''))
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Signed in to the directory until <Instant at={directory.expires} />
        </Text>
        <Button variant="subtle" size="compact-sm" onClick={leave}>
          Sign in to it anew
        </Button>
      </Group>
      <ProblemAlert error={list.error ?? link.error} />
      {list.error && asProblem(list.error).status < 500 && (
        <Group>
          <Button onClick={leave}>Login AzureAD</Button>
        </Group>
      )}
      {list.isPending && <Loading what="Reading the directory" />}
      {list.data && people.length === 0 && !list.hasNextPage && (
        <Message icon={IconUsers} title="The directory has nobody" order={3} />
      )}
      {people.length > 0 && (
        <>
          <Group justify="space-between">
            <Checkbox
              label={`All matched (${matched.length})`}
              disabled={matched.length === 0}
              checked={matched.length > 0 && wanted.length === matched.length}
              indeterminate={wanted.length > 0 && wanted.length < matched.length}
              onChange={(e) =>
                setTicked(e.currentTarget.checked ? new Set(matched.map((p) => p.objectId ?? '')) : new Set())
              }
            />
            <Button disabled={wanted.length === 0} loading={link.isPending} onClick={() => link.mutate(wanted)}>
              {wanted.length === 0 ? 'Link' : `Link ${wanted.length}`}
            </Button>
          </Group>
          <Records
            label="People of the directory"
            rows={people}
            idOf={(p) => p.objectId ?? p.email ?? p.name}
            columns={[
              {
                label: 'Person',
                cell: (p) => (
                  <span>
                    {p.name}
                    {p.disabled && (
                      <Text size="xs" c="dimmed" fw={400}>
                        turned off in the directory
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
              { label: 'State', cell: (p) => <Outcome of={p} /> },
              {
                label: 'Link',
                cell: (p) =>
                  p.outcome === 'linkable' ? (
                    <Checkbox
                      className={classes.add}
                      label="Add link"
                      aria-label={`Add link for ${p.name}`}
                      checked={ticked.has(p.objectId ?? '')}
                      onChange={(e) => tick(p, e.currentTarget.checked)}
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
          {list.hasNextPage && <Alert color="gray">“All matched” means those listed so far.</Alert>}
        </>
      )}
      {removing && (
        <ActionDialog
          title="Remove Link"
          apply="Remove Link"
          danger
          busy={unlink.isPending}
          error={unlink.error}
          close={() => setRemoving(undefined)}
          onApply={() => unlink.mutate(removing)}
        >
          <Text size="sm">{removing.name} can no longer sign in with this provider. Open sessions go on.</Text>
        </ActionDialog>
      )}
    </Stack>
  )
}
