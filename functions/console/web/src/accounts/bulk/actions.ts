import type { Schemas } from '../../api/client'

export type BulkBody = Schemas['AccountsBulk']
export type BulkResult = Schemas['AccountsBulkResult']

/** What can be done to many accounts: the guide's words, the permission it takes, what has to be said with it. */
export const bulkActions: {
  action: BulkBody['action']
  label: string
  needs: string
  asks?: 'reason' | 'roles' | 'groups'
  group: string
  danger?: boolean
}[] = [
  { action: 'allow', label: 'Allow login access', needs: 'account.block', group: 'Access' },
  {
    action: 'block',
    label: 'Block login access',
    needs: 'account.block',
    asks: 'reason',
    group: 'Access',
    danger: true,
  },
  { action: 'resetTries', label: 'Reset try count', needs: 'account.block', group: 'Access' },
  { action: 'forcePasswordChange', label: 'Force password change', needs: 'account.password', group: 'Access' },
  { action: 'lock', label: 'Lock', needs: 'account.lock', group: 'Use', danger: true },
  { action: 'unlock', label: 'Unlock', needs: 'account.lock', group: 'Use' },
  { action: 'addRoles', label: 'Add roles', needs: 'account.update', asks: 'roles', group: 'Permissions' },
  { action: 'removeRoles', label: 'Remove roles', needs: 'account.update', asks: 'roles', group: 'Permissions' },
  { action: 'addGroups', label: 'Add groups', needs: 'account.update', asks: 'groups', group: 'Permissions' },
  { action: 'removeGroups', label: 'Remove groups', needs: 'account.update', asks: 'groups', group: 'Permissions' },
]
