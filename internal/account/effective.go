package account

import (
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
)

// EffectiveAccess is what an account may do, and why.
type EffectiveAccess struct {
	Roles       []EffectiveRole
	Permissions []EffectivePermission
	// Licence limits the roles. A licence without roles allows all.
	Licence catalogue.Entry
}

// EffectiveRole is a role that an account has, directly, through groups, or both.
type EffectiveRole struct {
	Code   string
	Direct bool
	// Paths go from a group of the account, through nested groups, to one that gives the role: the shortest path to each
	// such group.
	Paths [][]string
	// WithinLicence is false if the licence does not allow the role, which is effective anyway until it is removed.
	WithinLicence bool
}

// EffectivePermission is a permission of the account, and the roles that give it.
type EffectivePermission struct {
	Permission access.Permission
	Roles      []string
}

// ResolveEffectiveAccess returns the effective access of an account. It agrees with access.EffectiveRoles, which
// requests are checked by: locked codes give nothing, and a cycle of groups ends.
func ResolveEffectiveAccess(c *catalogue.Catalogue, a Account) EffectiveAccess {
	out := EffectiveAccess{}
	out.Licence, _ = c.Find(catalogue.Licence, a.UserType)
	found := map[string]*EffectiveRole{}
	role := func(code string) *EffectiveRole {
		e, ok := c.Find(catalogue.Role, code)
		if !ok || !e.Active {
			return &EffectiveRole{}
		}
		if found[e.Code] == nil {
			found[e.Code] = &EffectiveRole{Code: e.Code}
		}
		return found[e.Code]
	}
	for _, code := range a.Roles {
		role(code).Direct = true
	}
	for _, path := range groupPaths(c, a.Groups) {
		group, _ := c.Find(catalogue.Group, path[len(path)-1])
		seen := map[string]bool{} // a group may list a role in two spellings
		for _, code := range group.Roles {
			if r := role(code); !seen[r.Code] {
				seen[r.Code] = true
				r.Paths = append(r.Paths, path)
			}
		}
	}
	outside := access.OutsideLicence(c, out.Licence, a.Roles, a.Groups)
	for _, code := range access.EffectiveRoles(c, a.Roles, a.Groups) {
		r := found[code]
		r.WithinLicence = !slices.Contains(outside, code)
		out.Roles = append(out.Roles, *r)
	}
	out.Permissions = permissionsOf(c, out.Roles)
	return out
}

// groupPaths returns the shortest path to each active group that is reached, the groups of the account first.
func groupPaths(c *catalogue.Catalogue, groups []string) [][]string {
	var out [][]string
	seen := map[string]bool{}
	var queue [][]string
	for _, code := range groups {
		queue = append(queue, []string{code})
	}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		e, ok := c.Find(catalogue.Group, path[len(path)-1])
		if !ok || !e.Active || seen[catalogue.Fold(e.Code)] {
			continue
		}
		seen[catalogue.Fold(e.Code)] = true
		path[len(path)-1] = e.Code // as the catalogue spells it
		out = append(out, path)
		for _, next := range e.Groups {
			queue = append(queue, append(slices.Clone(path), next))
		}
	}
	return out
}

// permissionsOf returns the permissions that roles give, and which roles give each.
func permissionsOf(c *catalogue.Catalogue, roles []EffectiveRole) []EffectivePermission {
	givenBy := map[access.Permission][]string{}
	set := access.Set{}
	for _, r := range roles {
		e, _ := c.Find(catalogue.Role, r.Code)
		for _, p := range e.Permissions {
			permission := access.Permission(p)
			if !slices.Contains(givenBy[permission], r.Code) {
				givenBy[permission] = append(givenBy[permission], r.Code)
			}
			set[permission] = struct{}{}
		}
	}
	var out []EffectivePermission
	for _, p := range set.Sorted() {
		out = append(out, EffectivePermission{Permission: p, Roles: givenBy[p]})
	}
	return out
}
