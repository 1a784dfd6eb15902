package account

import (
	"slices"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
)

// EffectiveAccess is what an account may do, and where each part of it comes from.
type EffectiveAccess struct {
	Roles       []EffectiveRole
	Permissions []EffectivePermission
	// Licence bounds the roles. A licence without roles allows all.
	Licence catalogue.Entry
}

// EffectiveRole is a role that an account holds, directly, by groups, or both.
type EffectiveRole struct {
	Code   string
	Direct bool
	// Paths lead from a group of the account to one that gives the role, through nesting: the shortest for each such
	// group.
	Paths [][]string
	// WithinLicence is false for one that the licence does not allow; it is in force all the same until it is removed.
	WithinLicence bool
}

// EffectivePermission is something the account may do, and the roles that give it.
type EffectivePermission struct {
	Permission access.Permission
	Roles      []string
}

// ResolveEffectiveAccess returns what an account with these codes may do. It agrees with access.EffectiveRoles, by
// which requests are judged: what is not in use gives nothing, and a circle of groups ends.
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
		given := map[string]bool{} // a group may name a role in two spellings
		for _, code := range group.Roles {
			if r := role(code); !given[r.Code] {
				given[r.Code] = true
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

// groupPaths returns the shortest way to each group in use that is reached, those of the account first.
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

func permissionsOf(c *catalogue.Catalogue, roles []EffectiveRole) []EffectivePermission {
	by := map[access.Permission][]string{}
	set := access.Set{}
	for _, r := range roles {
		e, _ := c.Find(catalogue.Role, r.Code)
		for _, p := range e.Permissions {
			permission := access.Permission(p)
			if !slices.Contains(by[permission], r.Code) {
				by[permission] = append(by[permission], r.Code)
			}
			set[permission] = struct{}{}
		}
	}
	var out []EffectivePermission
	for _, p := range set.Sorted() {
		out = append(out, EffectivePermission{Permission: p, Roles: by[p]})
	}
	return out
}
