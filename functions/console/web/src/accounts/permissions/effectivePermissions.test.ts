import { expect, test } from 'vitest'
import {
  permissionDifference,
  groupDisabledReason,
  permissionsOf,
  rebaseSelection,
  roleDisabledReason,
  rolesOfGroups,
} from './effectivePermissions'
import type { Catalogue } from './effectivePermissions'

const catalogue: Catalogue = {
  roles: [
    { code: 'VIEWER', description: '', active: true, permissions: ['account.read'] },
    { code: 'HELPDESK', description: '', active: true, permissions: ['account.read', 'account.block'] },
    { code: 'OLD', description: '', active: false, permissions: ['settings.write'] },
  ],
  groups: [
    { code: 'DESK', description: '', active: true, roles: ['helpdesk', 'OLD'], groups: ['STAFF'] },
    { code: 'STAFF', description: '', active: true, roles: ['VIEWER'], groups: ['DESK'] },
    { code: 'GONE', description: '', active: false, roles: ['HELPDESK'] },
  ],
}
const team = { code: 'TEAM', allRoles: false, roles: ['VIEWER'] }

test('groups give roles by nesting; a circle ends, what is locked gives nothing', () => {
  expect(rolesOfGroups(catalogue, ['desk'])).toEqual(['HELPDESK', 'VIEWER'])
  expect(rolesOfGroups(catalogue, ['GONE', 'nothing'])).toEqual([])
})

test('what a change gives and takes', () => {
  const before = permissionsOf(catalogue, ['VIEWER'], [])
  expect(permissionDifference(before, permissionsOf(catalogue, [], ['DESK']))).toEqual({
    gained: ['account.block'],
    lost: [],
  })
  expect(permissionDifference(before, permissionsOf(catalogue, ['OLD'], []))).toEqual({
    gained: [],
    lost: ['account.read'],
  })
})

test('what the licence refuses, and why', () => {
  expect(roleDisabledReason(team, catalogue.roles[0]!)).toBeUndefined()
  expect(roleDisabledReason(team, catalogue.roles[1]!)).toMatch(/TEAM/)
  expect(roleDisabledReason({ ...team, allRoles: true }, catalogue.roles[2]!)).toBe('Locked')
  expect(groupDisabledReason(catalogue, team, catalogue.groups[1]!)).toMatch(/HELPDESK/)
  expect(groupDisabledReason(catalogue, { ...team, allRoles: true }, catalogue.groups[0]!)).toBeUndefined()
})

test('a choice on an older state is kept upon a newer one', () => {
  expect(rebaseSelection(['A', 'B'], ['A', 'C'], ['A', 'B', 'D'])).toEqual(['A', 'D', 'C'])
})
