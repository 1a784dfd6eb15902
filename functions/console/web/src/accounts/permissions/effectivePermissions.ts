/** A role or group of the catalogue, with what it grants. */
export interface CatalogueEntry {
  code: string
  description: string
  active: boolean
  roles?: string[] | undefined
  groups?: string[] | undefined
  permissions?: string[] | undefined
}

export interface Catalogue {
  roles: CatalogueEntry[]
  groups: CatalogueEntry[]
}

const fold = (code: string) => code.toLowerCase()
const findEntry = (entries: CatalogueEntry[], code: string) => entries.find((e) => fold(e.code) === fold(code))

/** The roles that groups grant, with nested groups. Cycles are followed once; locked groups and roles grant nothing. */
export function rolesOfGroups(catalogue: Catalogue, codes: string[]): string[] {
  const roles = new Map<string, string>()
  const seen = new Set<string>()
  const queue = [...codes]
  for (let code = queue.shift(); code !== undefined; code = queue.shift()) {
    const group = findEntry(catalogue.groups, code)
    if (!group?.active || seen.has(fold(code))) continue
    seen.add(fold(code))
    for (const given of group.roles ?? []) {
      const role = findEntry(catalogue.roles, given)
      if (role?.active) roles.set(fold(role.code), role.code)
    }
    queue.push(...(group.groups ?? []))
  }
  return [...roles.values()]
}

/** The permissions that roles and groups grant together. */
export function permissionsOf(catalogue: Catalogue, roles: string[], groups: string[]): Set<string> {
  const permissions = new Set<string>()
  for (const code of [...roles, ...rolesOfGroups(catalogue, groups)]) {
    const role = findEntry(catalogue.roles, code)
    if (role?.active) for (const permission of role.permissions ?? []) permissions.add(permission)
  }
  return permissions
}

/** The permissions that a change adds and removes. */
export function permissionDifference(before: Set<string>, after: Set<string>): { gained: string[]; lost: string[] } {
  return {
    gained: [...after].filter((p) => !before.has(p)).sort(),
    lost: [...before].filter((p) => !after.has(p)).sort(),
  }
}

interface Licence {
  code: string
  allRoles: boolean
  roles: string[]
}

const notLicensed = (licence: Licence, code: string) =>
  !licence.allRoles && !licence.roles.some((r) => fold(r) === fold(code))

/** Why a role cannot be assigned; undefined if it can. */
export function roleDisabledReason(licence: Licence, role: CatalogueEntry): string | undefined {
  if (!role.active) return 'Locked'
  return notLicensed(licence, role.code) ? `The licence ${licence.code} does not allow it` : undefined
}

/** Why a group cannot be assigned; undefined if it can. */
export function groupDisabledReason(catalogue: Catalogue, licence: Licence, group: CatalogueEntry): string | undefined {
  if (!group.active) return 'Locked'
  const unlicensedRoles = rolesOfGroups(catalogue, [group.code]).filter((code) => notLicensed(licence, code))
  return unlicensedRoles.length > 0
    ? `Gives ${unlicensedRoles.join(', ')}, which the licence ${licence.code} does not allow`
    : undefined
}

/** Applies the additions and removals of a selection, made on an older version, to the current version. */
export function rebaseSelection(old: string[], mine: string[], now: string[]): string[] {
  const added = mine.filter((c) => !old.includes(c) && !now.includes(c))
  const removed = old.filter((c) => !mine.includes(c))
  return [...now.filter((c) => !removed.includes(c)), ...added]
}
