import { Anchor, Breadcrumbs, Select, Stack, Tabs, Text, Title } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { api, ask } from '../api/client'
import { Loading } from '../common/Loading'
import { Message } from '../common/Message'
import { ProblemAlert } from '../common/ProblemAlert'
import { useMay } from '../session/session'
import { CsvWay } from './CsvWay'
import { DirectoryWay } from './DirectoryWay'
import classes from './Wizard.module.css'

/** Links many accounts to the people of a provider: by its directory, or by a file. */
export function WizardPage() {
  const may = useMay()
  const [address, setAddress] = useSearchParams()
  const [picked, setPicked] = useState<string | null>(null)
  const choices = useQuery({
    queryKey: ['sso choices'],
    queryFn: () => ask(api.GET('/api/sso/providers')),
    staleTime: 60_000,
  })
  const all = choices.data?.items ?? []
  const directories = all.filter((p) => p.kind === 'azure')
  const way = address.get('way') ?? (choices.data && directories.length === 0 ? 'csv' : 'directory')
  const provider = all.find((p) => p.id === picked) ?? all[0]
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
        <Text c="dimmed">Links user accounts to the people of a provider, so that they can sign in with it.</Text>
      </div>
      <ProblemAlert error={choices.error} />
      {choices.isPending && <Loading what="Loading providers" />}
      {choices.data && all.length === 0 && (
        <Message icon={IconPlugConnected} title="No provider is enabled">
          {may('settings.read') ? (
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
        </Message>
      )}
      {choices.data && all.length > 0 && (
        <Tabs
          className={classes.tabs}
          value={way}
          onChange={(next) => setAddress(next ? { way: next } : {}, { replace: true })}
        >
          <Tabs.List aria-label="Ways to link">
            <Tabs.Tab value="directory">Azure AD</Tabs.Tab>
            <Tabs.Tab value="csv">Import CSV</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="directory" pt="md">
            {directories.length === 0 ? (
              <Message icon={IconPlugConnected} title="No Azure AD provider is enabled" order={3}>
                Use Import CSV for the others.
              </Message>
            ) : (
              <DirectoryWay providers={directories} />
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
                onChange={setPicked}
              />
              {provider && <CsvWay key={provider.id} providerId={provider.id} />}
            </Stack>
          </Tabs.Panel>
        </Tabs>
      )}
    </Stack>
  )
}
