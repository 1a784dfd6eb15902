import { ActionIcon, Button, Group, Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBan, IconChevronDown, IconCircleCheck, IconDots, IconKey } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import type { ComponentType } from 'react'
import { api, unwrap } from '../../api/client'
import { toProblem } from '../../api/problem'
import { useHasPermission } from '../../session/session'
import { accountName, updateAccountCache } from '../account'
import type { Account } from '../account'
import type { DialogProps } from './dialog'

/** The dialogs of the actions that have one. */
const dialogs: Record<string, ComponentType<DialogProps>> = {
  block: lazy(() => import('./BlockDialog')),
  password: lazy(() => import('./PasswordDialog')),
  autoMail: lazy(() => import('./AutoMailDialog')),
  removeFactor: lazy(() => import('./RemoveFactorDialog')),
  doNotEnforce: lazy(() => import('./DoNotEnforceDialog')),
  devices: lazy(() => import('./DeleteDevicesDialog')),
  autoReset: lazy(() => import('./AutoResetDialog')),
  forceChange: lazy(() => import('./ForceChangeDialog')),
  lock: lazy(() => import('./LockDialog')),
  delete: lazy(() => import('./DeleteDialog')),
}

/** The actions on an account, in the guide's words; those without permission are hidden. */
export function AccountActions({ account }: { account: Account }) {
  const [dialog, setDialog] = useState<string>()
  const hasPermission = useHasPermission()
  const path = { path: { id: account.id } }
  const act = useMutation({
    mutationFn: (what: 'allow' | 'unlock' | 'reset') => {
      if (what === 'allow') return unwrap(api.POST('/api/accounts/{id}/allow', { params: path }))
      if (what === 'unlock') return unwrap(api.POST('/api/accounts/{id}/unlock', { params: path }))
      return unwrap(api.POST('/api/accounts/{id}/reset-tries', { params: path }))
    },
    onSuccess: (changed, what) => {
      updateAccountCache(account.id, changed)
      const words = {
        allow: 'Login access is allowed.',
        unlock: 'The account was unlocked.',
        reset: 'The try count is reset.',
      }
      notifications.show({ color: 'green', title: accountName(changed), message: words[what] })
    },
    onError: (error) =>
      notifications.show({
        color: 'red',
        title: toProblem(error).title,
        message: toProblem(error).message,
        autoClose: 10_000,
      }),
  })
  const Dialog = dialog ? dialogs[dialog] : undefined
  return (
    <Group gap="xs">
      {hasPermission('account.block') &&
        (account.accessLocked ? (
          <Button
            leftSection={<IconCircleCheck size={18} />}
            loading={act.isPending}
            onClick={() => act.mutate('allow')}
          >
            Allow login access
          </Button>
        ) : (
          <Button variant="light" color="red" leftSection={<IconBan size={18} />} onClick={() => setDialog('block')}>
            Block login access
          </Button>
        ))}
      {hasPermission('account.password') && (
        <Button.Group>
          <Button variant="default" leftSection={<IconKey size={18} />} onClick={() => setDialog('password')}>
            Set password
          </Button>
          <Menu width={230}>
            <Menu.Target>
              <Button variant="default" px={8} aria-label="More password actions">
                <IconChevronDown size={16} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => setDialog('autoMail')}>Auto mail new password</Menu.Item>
              <Menu.Item onClick={() => setDialog('autoReset')}>Auto reset password</Menu.Item>
              <Menu.Item onClick={() => setDialog('forceChange')}>Force password change</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Button.Group>
      )}
      {['lock', 'block', 'delete', 'password', 'session'].some((what) => hasPermission(`account.${what}`)) && (
        <Menu width={230}>
          <Menu.Target>
            <ActionIcon variant="default" size={36} aria-label="More actions">
              <IconDots size={20} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {hasPermission('account.lock') &&
              (account.active === false ? (
                <Menu.Item onClick={() => act.mutate('unlock')}>Unlock</Menu.Item>
              ) : (
                <Menu.Item onClick={() => setDialog('lock')}>Lock</Menu.Item>
              ))}
            {hasPermission('account.block') && (
              <Menu.Item onClick={() => act.mutate('reset')}>Reset try count</Menu.Item>
            )}
            {hasPermission('account.password') && (
              <>
                <Menu.Divider />
                <Menu.Label>Multi-factor authentication</Menu.Label>
                <Menu.Item onClick={() => setDialog('removeFactor')}>Remove</Menu.Item>
                <Menu.Item onClick={() => setDialog('doNotEnforce')}>Do not enforce</Menu.Item>
                <Menu.Item onClick={() => setDialog('devices')}>Delete trusted devices</Menu.Item>
              </>
            )}
            {hasPermission('account.delete') && (
              <>
                <Menu.Divider />
                <Menu.Item data-danger onClick={() => setDialog('delete')}>
                  Delete
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {Dialog && (
        <Suspense>
          <Dialog account={account} onClose={() => setDialog(undefined)} />
        </Suspense>
      )}
    </Group>
  )
}
