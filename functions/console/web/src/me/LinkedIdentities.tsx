import { Button, Group, Skeleton, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../api/client'
import { queryClient } from '../api/queryClient'
import { ConfirmDialog } from '../common/ConfirmDialog'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { ResponsiveTable } from '../common/ResponsiveTable'
import { Instant } from '../fields/Instant'
import { redirectToProvider } from '../signin/providerRedirect'
import { useProviderNames } from '../sso/useProviderNames'

interface Provider {
  id: string
  name: string
}

/** The user's links to identity providers. */
export function LinkedIdentities() {
  const identities = useQuery({
    queryKey: ['me', 'links'],
    queryFn: async () => (await unwrap(api.GET('/api/me/links'))).items,
  })
  const { choices: providers, nameOf: providerName } = useProviderNames()
  const [linking, setLinking] = useState<Provider>()
  const [removing, setRemoving] = useState<Provider>()
  if (identities.data?.length === 0 && providers.length === 0) return null // the environment has no providers
  const linkable = providers.filter((c) => !identities.data?.some((l) => l.providerId === c.id))
  return (
    <Panel title="Single sign-on" help="Accounts at other providers that you can sign in with.">
      <ProblemAlert error={identities.error} />
      {identities.isPending && <Skeleton h={40} role="status" aria-label="Loading your links" />}
      {identities.data && identities.data.length === 0 && (
        <Text size="sm" c="dimmed" mb="sm">
          No accounts are linked.
        </Text>
      )}
      {identities.data && identities.data.length > 0 && (
        <ResponsiveTable
          label="Linked providers"
          rows={identities.data}
          rowKey={(l) => l.providerId}
          columns={[
            { label: 'Provider', cell: (l) => providerName(l.providerId) },
            { label: 'Linked', cell: (l) => <Instant at={l.at} /> },
            { label: 'By', cell: (l) => l.by },
            {
              label: 'Remove',
              labelHidden: true,
              cell: (l) => (
                <Button
                  size="compact-sm"
                  variant="light"
                  color="red"
                  aria-label={`Remove link to ${providerName(l.providerId)}`}
                  onClick={() => setRemoving({ id: l.providerId, name: providerName(l.providerId) })}
                >
                  Remove link
                </Button>
              ),
            },
          ]}
        />
      )}
      {identities.data && linkable.length > 0 && (
        <Group gap="xs" mt="xs">
          {linkable.map((c) => (
            <Button key={c.id} variant="default" onClick={() => setLinking(c)}>
              Link {c.name}
            </Button>
          ))}
        </Group>
      )}
      {linking && (
        <ConfirmDialog
          title={`Link ${linking.name}`}
          confirmLabel="Continue"
          onClose={() => setLinking(undefined)}
          onSuccess={() => undefined}
          action={async () =>
            redirectToProvider(
              await unwrap(
                api.POST('/api/me/links/{providerId}/depart', { params: { path: { providerId: linking.id } } }),
              ),
              { purpose: 'link', back: '/me' },
            )
          }
        >
          <Text size="sm">You sign in to {linking.name} and return here. After that, you can sign in with it.</Text>
        </ConfirmDialog>
      )}
      {removing && (
        <ConfirmDialog
          title={`Remove the link to ${removing.name}`}
          confirmLabel="Remove link"
          danger
          onClose={() => setRemoving(undefined)}
          action={() =>
            unwrap(api.POST('/api/me/links/{providerId}/remove', { params: { path: { providerId: removing.id } } }))
          }
          onSuccess={() => {
            setRemoving(undefined)
            void queryClient.invalidateQueries({ queryKey: ['me', 'links'] })
            notifications.show({ color: 'green', message: 'The link was removed.' })
          }}
        >
          <Text size="sm">You can no longer sign in with it. Open sessions continue.</Text>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
