package access

import (
	"slices"

	"useraccounts/internal/catalogue"
)

// EffectiveRoles returns the direct roles and those of all groups, through nesting, each once, sorted. Locked roles and
// groups give nothing. Cycles of groups, which changes refuse, end the walk.
func EffectiveRoles(c *catalogue.Catalogue, roles, groups []string) []string {
	found := map[string]string{}
	add := func(codes []string) {
		for _, code := range codes {
			if e, ok := c.Find(catalogue.Role, code); ok && e.Active {
				found[catalogue.Fold(code)] = e.Code
			}
		}
	}
	add(roles)
	seen := map[string]bool{}
	queue := slices.Clone(groups)
	for len(queue) > 0 {
		code := queue[0]
		queue = queue[1:]
		e, ok := c.Find(catalogue.Group, code)
		if !ok || !e.Active || seen[catalogue.Fold(code)] {
			continue
		}
		seen[catalogue.Fold(code)] = true
		add(e.Roles)
		queue = append(queue, e.Groups...)
	}
	out := make([]string, 0, len(found))
	for _, code := range found {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

// Permissions returns the permissions of direct roles and groups together.
func Permissions(c *catalogue.Catalogue, roles, groups []string) Set {
	set := Set{}
	for _, code := range EffectiveRoles(c, roles, groups) {
		role, _ := c.Find(catalogue.Role, code)
		for _, p := range role.Permissions {
			set[Permission(p)] = struct{}{}
		}
	}
	return set
}

// OutsideLicence returns the effective roles that a licence does not allow, sorted. A licence without roles allows all.
func OutsideLicence(c *catalogue.Catalogue, licence catalogue.Entry, roles, groups []string) []string {
	if len(licence.Roles) == 0 {
		return nil
	}
	var out []string
	for _, code := range EffectiveRoles(c, roles, groups) {
		if !slices.ContainsFunc(licence.Roles, func(allowed string) bool {
			return catalogue.Fold(allowed) == catalogue.Fold(code)
		}) {
			out = append(out, code)
		}
	}
	return out
}
