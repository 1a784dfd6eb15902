import { Button, Group, Skeleton, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../api/client'
import { queries } from '../api/queries'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { ProofDialog } from '../common/ProofDialog'
import { Records } from '../common/Records'
import { Instant } from '../fields/Instant'
import { go } from '../signin/departure'
import { useProviderNames } from '../sso/providers'

interface Named {
  id: string
  name: string
}

/** One's own links to identity providers. */
export function Links() {
  const links = useQuery({
    queryKey: ['me', 'links'],
    queryFn: async () => (await ask(api.GET('/api/me/links'))).items,
  })
  const { choices, nameOf } = useProviderNames()
  const [linking, setLinking] = useState<Named>()
  const [removing, setRemoving] = useState<Named>()
  if (links.data?.length === 0 && choices.length === 0) return null // the environment has no providers
  const open = choices.filter((c) => !links.data?.some((l) => l.providerId === c.id))
  return (
    <Panel title="Single sign-on" help="Accounts elsewhere that you can sign in with.">
      <ProblemAlert error={links.error} />
      {links.isPending && <Skeleton h={40} aria-label="Loading your links" />}
      {links.data && links.data.length === 0 && (
        <Text size="sm" c="dimmed" mb="sm">
          None is linked.
        </Text>
      )}
      {links.data && links.data.length > 0 && (
        <Records
          label="Linked providers"
          rows={links.data}
          idOf={(l) => l.providerId}
          columns={[
            { label: 'Provider', cell: (l) => nameOf(l.providerId) },
            { label: 'Linked', cell: (l) => <Instant at={l.at} /> },
            { label: 'By', cell: (l) => l.by },
            {
              label: 'Remove',
              quiet: true,
              cell: (l) => (
                <Button
                  size="compact-sm"
                  variant="light"
                  color="red"
                  aria-label={`Remove link to ${nameOf(l.providerId)}`}
                  onClick={() => setRemoving({ id: l.providerId, name: nameOf(l.providerId) })}
                >
                  Remove link
                </Button>
              ),
            },
          ]}
        />
      )}
      {links.data && open.length > 0 && (
        <Group gap="xs" mt="xs">
          {open.map((c) => (
            <Button key={c.id} variant="default" onClick={() => setLinking(c)}>
              Link {c.name}
            </Button>
          ))}
        </Group>
      )}
      {linking && (
        <ProofDialog
          title={`Link ${linking.name}`}
          apply="Continue"
          close={() => setLinking(undefined)}
          done={() => undefined}
          act={async (body) =>
            go(
              await ask(
                api.POST('/api/me/links/{providerId}/depart', { params: { path: { providerId: linking.id } }, body }),
              ),
              { to: 'link', back: '/me' },
            )
          }
        >
          <Text size="sm">You sign in at {linking.name} and come back here. From then on you can sign in with it.</Text>
        </ProofDialog>
      )}
      {removing && (
        <ProofDialog
          title={`Remove the link to ${removing.name}`}
          apply="Remove link"
          danger
          close={() => setRemoving(undefined)}
          act={(body) =>
            ask(api.POST('/api/me/links/{providerId}/remove', { params: { path: { providerId: removing.id } }, body }))
          }
          done={() => {
            setRemoving(undefined)
            void queries.invalidateQueries({ queryKey: ['me', 'links'] })
            notifications.show({ color: 'green', message: 'The link is removed.' })
          }}
        >
          <Text size="sm">You cannot sign in with it any more. Open sessions go on.</Text>
        </ProofDialog>
      )}
    </Panel>
  )
}
