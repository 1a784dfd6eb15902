import { Anchor, Breadcrumbs, Select, Stack, Tabs, Text, Title } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { api, unwrap } from '../api/client'
import { Loading } from '../common/Loading'
import { ProblemAlert } from '../common/ProblemAlert'
import { StatusMessage } from '../common/StatusMessage'
import { useHasPermission } from '../session/session'
import { CsvLinking } from './CsvLinking'
import { DirectoryLinking } from './DirectoryLinking'
import classes from './LinkWizard.module.css'

/** Links many accounts to identities of a provider, from its directory or from a CSV file. */
export function LinkWizardPage() {
  const hasPermission = useHasPermission()
  const [address, setAddress] = useSearchParams()
  const [providerId, setProviderId] = useState<string | null>(null)
  const providers = useQuery({
    queryKey: ['sso choices'],
    queryFn: () => unwrap(api.GET('/api/sso/providers')),
    staleTime: 60_000,
  })
  const all = providers.data?.items ?? []
  const directories = all.filter((p) => p.kind === 'azure')
  const method = address.get('way') ?? (providers.data && directories.length === 0 ? 'csv' : 'directory')
  const provider = all.find((p) => p.id === providerId) ?? all[0]
  return (
    <Stack className={classes.page}>
      <Breadcrumbs separator="›">
        <Anchor component={Link} to="/accounts" size="sm">
          User accounts
        </Anchor>
        <Text size="sm" c="dimmed">
          SSO Link Wizard
        </Text>
      </Breadcrumbs>
      <div>
        <Title order={1} size="h2">
          SSO Link Wizard
        </Title>
        <Text c="dimmed">Links user accounts to people at an identity provider, so that they can sign in with it.</Text>
      </div>
      <ProblemAlert error={providers.error} />
      {providers.isPending && <Loading label="Loading providers" />}
      {providers.data && all.length === 0 && (
        <StatusMessage icon={IconPlugConnected} title="No provider is enabled">
          {hasPermission('settings.read') ? (
            <>
              Add one under{' '}
              <Anchor component={Link} to="/settings/providers" underline="always">
                Single sign-on
              </Anchor>{' '}
              and enable it.
            </>
          ) : (
            'An administrator has to add one and enable it.'
          )}
        </StatusMessage>
      )}
      {providers.data && all.length > 0 && (
        <Tabs
          className={classes.tabs}
          value={method}
          onChange={(next) => setAddress(next ? { way: next } : {}, { replace: true })}
        >
          <Tabs.List aria-label="Ways to link">
            <Tabs.Tab value="directory">Azure AD</Tabs.Tab>
            <Tabs.Tab value="csv">Import CSV</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="directory" pt="md">
            {directories.length === 0 ? (
              <StatusMessage icon={IconPlugConnected} title="No Azure AD provider is enabled" order={3}>
                Use Import CSV for other providers.
              </StatusMessage>
            ) : (
              <DirectoryLinking providers={directories} />
            )}
          </Tabs.Panel>
          <Tabs.Panel value="csv" pt="md">
            <Stack>
              <Select
                label="Provider"
                w="min(100%, 22rem)"
                allowDeselect={false}
                data={all.map((p) => ({ value: p.id, label: p.name }))}
                value={provider?.id ?? null}
                onChange={setProviderId}
              />
              {provider && <CsvLinking key={provider.id} providerId={provider.id} />}
            </Stack>
          </Tabs.Panel>
        </Tabs>
      )}
    </Stack>
  )
}
