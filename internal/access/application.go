package access

import "useraccounts/internal/catalogue"

// Describe returns what a permission allows, of this product or of an application; empty if there is none.
func Describe(c *catalogue.Catalogue, p Permission) string {
	if text, ok := All()[p]; ok {
		return text
	}
	e, name, ok := c.ApplicationPermission(string(p))
	if !ok {
		return ""
	}
	return e.Application.Permissions[name]
}

// AllWithApplications returns every permission that a role can hold, and what it allows.
func AllWithApplications(c *catalogue.Catalogue) map[Permission]string {
	out := All()
	for _, e := range c.All(catalogue.Application) {
		for name, description := range e.Application.Permissions {
			out[Permission(e.PermissionName(name))] = description
		}
	}
	return out
}

// AboveOwnRights returns those of the permissions that the caller may not give (V61). Of this product, one gives only
// what one holds. A permission of an application is given by whoever may give roles, unless the application is
// guarded: then by who holds it, or administers everybody's access.
func AboveOwnRights(c *catalogue.Catalogue, caller Caller, granted Set) []Permission {
	var out []Permission
	for _, p := range caller.Permissions.Missing(granted) {
		e, _, ofApplication := c.ApplicationPermission(string(p))
		if ofApplication && (!e.Application.Guarded || caller.May(AccountAdmin)) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// OfApplication returns the names of those permissions of the set that belong to an application.
func (s Set) OfApplication(e catalogue.Entry) []string {
	var out []string
	for _, p := range s.Sorted() {
		if name, ok := e.HeldPermission(string(p)); ok {
			out = append(out, name)
		}
	}
	return out
}
