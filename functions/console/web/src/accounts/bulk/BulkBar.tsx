import { Button, Group, Menu, Paper, Text } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { Link } from 'react-router'
import { usePages } from '../../page'
import { useMay } from '../../session/session'
import { exportAddress, exportPath } from '../exporting'
import { bulkActions } from './actions'

const BulkDialog = lazy(() => import('./BulkDialog'))

interface Props {
  ids: string[]
  /** Set when all that match are meant, not only those picked. */
  filter: Record<string, string> | undefined
  allShown: boolean
  couldBeMore: boolean
  everything: () => void
  clear: () => void
}

/** What can be done with the accounts that are picked. */
export function BulkBar({ ids, filter, allShown, couldBeMore, everything, clear }: Props) {
  const [chosen, setChosen] = useState<(typeof bulkActions)[number]>()
  const may = useMay()
  const exports = usePages().some((p) => p.path === exportPath && (!p.needs || may(p.needs)))
  const open = bulkActions.filter((a) => may(a.needs))
  return (
    <Paper withBorder px="md" py="xs" role="region" aria-label="Picked accounts">
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Text fw={600} size="sm" role="status">
            {filter ? 'All that match are picked' : `${ids.length} picked`}
          </Text>
          {!filter && allShown && couldBeMore && (
            <Button variant="subtle" size="compact-sm" onClick={everything}>
              Pick all that match
            </Button>
          )}
          <Button variant="subtle" color="gray" size="compact-sm" onClick={clear}>
            Clear
          </Button>
        </Group>
        {(open.length > 0 || exports) && (
          <Menu width={240}>
            <Menu.Target>
              <Button size="sm" rightSection={<IconChevronDown size={16} />}>
                Actions
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {[...new Set(open.map((a) => a.group))].map((group) => [
                <Menu.Label key={group}>{group}</Menu.Label>,
                ...open
                  .filter((a) => a.group === group)
                  .map((a) => (
                    <Menu.Item key={a.action} data-danger={a.danger || undefined} onClick={() => setChosen(a)}>
                      {a.label}
                    </Menu.Item>
                  )),
              ])}
              {exports && (
                <>
                  <Menu.Label>File</Menu.Label>
                  <Menu.Item component={Link} to={exportAddress(filter ? { filters: filter } : { ids })}>
                    Export
                  </Menu.Item>
                </>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </Group>
      {chosen && (
        <Suspense>
          <BulkDialog action={chosen} ids={ids} filter={filter} close={() => setChosen(undefined)} />
        </Suspense>
      )}
    </Paper>
  )
}
