import { Button, Group, Radio, Select, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { useSets } from '../accounts/SetsMenu'
import { api, unwrap, idempotencyKey } from '../api/client'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { useAccountFields } from '../fields/fields'
import { describeFilter } from '../grid/gridState'
import { DateFormatInput } from './DateFormatInput'
import type { DateFormat } from './job'
import { SubmitButton } from './SubmitButton'
import classes from './Transfers.module.css'

const maxIds = 1000 // how many ids one export takes

/** Starts an export: accounts, date format, and Submit or Queue. The list leads here with its filters or selection. */
export function ExportPage() {
  const [params] = useSearchParams()
  const navigate = useNavigate()
  const sets = useSets()
  const fields = useAccountFields() ?? []
  const ids = params.get('ids')?.split(',').filter(Boolean) ?? []
  const filters = Object.fromEntries([...params].filter(([name]) => !['ids', 'set', 'sort'].includes(name)))
  const filtered = Object.keys(filters).length > 0
  const [scope, setScope] = useState(ids.length > 0 ? 'ids' : filtered ? 'filters' : params.has('set') ? 'set' : 'all')
  const [set, setSet] = useState<string | null>(params.get('set'))
  const [dateFormat, setDateFormat] = useState<DateFormat>('british')
  const start = useMutation({
    mutationFn: (queue: boolean) =>
      unwrap(
        api.POST('/api/exports', {
          params: { header: idempotencyKey() },
          body: {
            dateFormat,
            ...(queue && { queue }),
            ...(scope === 'ids' && { ids }),
            ...(scope === 'filters' && { filters }),
            ...(scope === 'set' && set && { set }),
          },
        }),
      ),
    onSuccess: (job) => navigate(`/jobs/${job.id}`),
  })
  const tooMany = scope === 'ids' && ids.length > maxIds
  const ready = (scope !== 'set' || set !== null) && !tooMany
  const submit = (queue: boolean) => {
    if (ready && !start.isPending) start.mutate(queue)
  }
  return (
    <form
      className={classes.form}
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        submit(false)
      }}
    >
      <Stack>
        <div>
          <Title order={1} size="h2">
            Export User Accounts
          </Title>
          <Text c="dimmed">Creates Excel files of up to 5,000 rows each, which you can edit and import again.</Text>
        </div>
        <Panel title="What to export">
          <Radio.Group aria-label="What to export" value={scope} onChange={setScope}>
            <Stack gap="sm">
              {ids.length > 0 && (
                <Radio
                  value="ids"
                  label={
                    ids.length === 1
                      ? 'The selected user account'
                      : `The ${ids.length.toLocaleString()} selected user accounts`
                  }
                  error={
                    tooMany
                      ? `You can export at most ${maxIds.toLocaleString()} selected accounts at a time. Use a filter instead.`
                      : undefined
                  }
                />
              )}
              {filtered && (
                <Radio
                  value="filters"
                  label="The user accounts in the list"
                  description={
                    <>
                      {Object.entries(filters).map(([name, text]) => (
                        <Text span display="block" inherit key={name}>
                          {name === 'find' ? `Search: “${text}”` : describeFilter(fields, name, text)}
                        </Text>
                      ))}
                    </>
                  }
                />
              )}
              <Radio
                value="set"
                label="The user accounts of a Set"
                disabled={!sets.data?.length}
                description={
                  sets.data?.length === 0
                    ? 'There are no Sets yet. Save the filters of the list as a Set first.'
                    : undefined
                }
              />
              {scope === 'set' && (
                <Select
                  label="Set"
                  searchable
                  value={set}
                  onChange={setSet}
                  data={(sets.data ?? []).map((s) => ({ value: s.id, label: s.name }))}
                />
              )}
              <Radio value="all" label="All user accounts" description="Including locked ones." />
            </Stack>
          </Radio.Group>
        </Panel>
        <Panel title="Format">
          <DateFormatInput value={dateFormat} onChange={setDateFormat} help="How the sheet shows dates." />
        </Panel>
        <ProblemAlert error={start.error ?? sets.error} />
        <Group>
          <SubmitButton busy={start.isPending} disabled={!ready} onSubmit={submit} />
          <Button variant="default" component={Link} to="/accounts">
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
