import type { Schemas } from '../../api/client'

export type BulkBody = Schemas['AccountsBulk']
export type BulkResult = Schemas['AccountsBulkResult']

/** The bulk actions: label, the permission needed, the argument. */
export const bulkActions: {
  action: BulkBody['action']
  label: string
  permission: string
  argument?: 'reason' | 'roles' | 'groups'
  group: string
  danger?: boolean
}[] = [
  { action: 'allow', label: 'Allow login access', permission: 'account.block', group: 'Access' },
  {
    action: 'block',
    label: 'Block login access',
    permission: 'account.block',
    argument: 'reason',
    group: 'Access',
    danger: true,
  },
  { action: 'resetTries', label: 'Reset try count', permission: 'account.block', group: 'Access' },
  { action: 'forcePasswordChange', label: 'Force password change', permission: 'account.password', group: 'Access' },
  { action: 'lock', label: 'Lock', permission: 'account.lock', group: 'Use', danger: true },
  { action: 'unlock', label: 'Unlock', permission: 'account.lock', group: 'Use' },
  { action: 'addRoles', label: 'Add roles', permission: 'account.update', argument: 'roles', group: 'Permissions' },
  {
    action: 'removeRoles',
    label: 'Remove roles',
    permission: 'account.update',
    argument: 'roles',
    group: 'Permissions',
  },
  { action: 'addGroups', label: 'Add groups', permission: 'account.update', argument: 'groups', group: 'Permissions' },
  {
    action: 'removeGroups',
    label: 'Remove groups',
    permission: 'account.update',
    argument: 'groups',
    group: 'Permissions',
  },
]
