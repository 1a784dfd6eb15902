import { Button, Group, Menu, Text } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { Link } from 'react-router'
import { usePages } from '../../page'
import { useHasPermission } from '../../session/session'
import classes from '../AccountsPage.module.css'
import { exportAddress, exportPath } from '../exportAddress'
import { bulkActions } from './actions'

const BulkDialog = lazy(() => import('./BulkDialog'))

interface Props {
  ids: string[]
  /** Set if all matching accounts are selected, not only those of ids. */
  filter: Record<string, string> | undefined
  allShown: boolean
  hasMore: boolean
  onSelectAllMatching: () => void
  onClear: () => void
}

/** The actions on the selected accounts. */
export function BulkBar({ ids, filter, allShown, hasMore, onSelectAllMatching, onClear }: Props) {
  const [action, setAction] = useState<(typeof bulkActions)[number]>()
  const hasPermission = useHasPermission()
  const canExport = usePages().some((p) => p.path === exportPath && (!p.permission || hasPermission(p.permission)))
  const allowedActions = bulkActions.filter((a) => hasPermission(a.permission))
  return (
    <div className={classes.bulk} role="region" aria-label="Selected accounts">
      <Group justify="space-between" gap="xs" mih={36}>
        <Group gap="sm">
          <Text fw={600} size="sm" role="status">
            {filter ? 'All matching accounts are selected' : `${ids.length} selected`}
          </Text>
          {!filter && allShown && hasMore && (
            <Button variant="subtle" size="compact-sm" onClick={onSelectAllMatching}>
              Select all matching accounts
            </Button>
          )}
          <Button variant="subtle" color="gray" size="compact-sm" onClick={onClear}>
            Clear
          </Button>
        </Group>
        {(allowedActions.length > 0 || canExport) && (
          <Menu width={240}>
            <Menu.Target>
              <Button size="compact-sm" rightSection={<IconChevronDown size={16} />}>
                Actions
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {[...new Set(allowedActions.map((a) => a.group))].map((group) => [
                <Menu.Label key={group}>{group}</Menu.Label>,
                ...allowedActions
                  .filter((a) => a.group === group)
                  .map((a) => (
                    <Menu.Item key={a.action} data-danger={a.danger || undefined} onClick={() => setAction(a)}>
                      {a.label}
                    </Menu.Item>
                  )),
              ])}
              {canExport && (
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
      {action && (
        <Suspense>
          <BulkDialog action={action} ids={ids} filter={filter} onClose={() => setAction(undefined)} />
        </Suspense>
      )}
    </div>
  )
}
