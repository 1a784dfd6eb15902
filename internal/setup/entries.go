package setup

import (
	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
)

// Entries returns the reference data of a new environment: licences, roles and groups, and with tryOut some of every
// other kind, so that everything can be tried. All of it can be changed later.
func Entries(tryOut bool) []catalogue.Entry {
	var out []catalogue.Entry
	add := func(kind catalogue.Kind, code, description string, more ...func(*catalogue.Entry)) {
		e := catalogue.Entry{Kind: kind, Code: code, Description: description, Active: true}
		for _, set := range more {
			set(&e)
		}
		out = append(out, e)
	}
	roles := func(codes ...string) func(*catalogue.Entry) { return func(e *catalogue.Entry) { e.Roles = codes } }
	groups := func(codes ...string) func(*catalogue.Entry) { return func(e *catalogue.Entry) { e.Groups = codes } }
	allows := func(permissions ...access.Permission) func(*catalogue.Entry) {
		return func(e *catalogue.Entry) {
			for _, p := range permissions {
				e.Permissions = append(e.Permissions, string(p))
			}
		}
	}

	add(catalogue.Licence, "FULL", "Full user")
	add(catalogue.Licence, "TEAM", "Team member", roles("VIEWER", "HELPDESK", "SELF"))
	add(catalogue.Licence, "TRANS", "Transaction user", roles("VIEWER", "SELF"))
	add(catalogue.Licence, "CUSTOM", "Custom user")
	add(catalogue.Licence, "API", "API client", func(e *catalogue.Entry) { e.APIOnly = true })

	admin := access.Set{}
	for p := range access.All() {
		admin[p] = struct{}{}
	}
	add(catalogue.Role, "ADMIN", "Administers everybody's access", allows(admin.Sorted()...))
	add(catalogue.Role, "EDITOR", "Creates and changes accounts, imports and exports", allows(
		access.AccountRead, access.AccountCreate, access.AccountUpdate, access.AccountIdentity, access.AccountImport,
		access.AccountExport,
		access.AccountNote,
		access.AccessRead, access.ReferenceRead, access.ResourceRead, access.ResourceWrite))
	add(catalogue.Role, "HELPDESK", "Allows and blocks login access, sets passwords, closes sessions", allows(
		access.AccountRead, access.AccountBlock, access.AccountPassword, access.AccountSession, access.AccountNote,
		access.CommunicationRead))
	add(catalogue.Role, "VIEWER", "Reads accounts", allows(access.AccountRead))
	add(catalogue.Role, "SELF", "Own account only")

	add(catalogue.Group, "STAFF", "All staff", roles("SELF"))
	add(catalogue.Group, "HELPDESK", "Helpdesk", roles("HELPDESK"), groups("STAFF"))
	if !tryOut {
		return out
	}
	add(catalogue.DACGroup, "DAC1", "Head office")
	add(catalogue.DACGroup, "DAC2", "Branches")

	add(catalogue.Department, "SALES", "Sales")
	add(catalogue.Department, "FIN", "Finance")
	add(catalogue.CostCentre, "100", "Head office")
	add(catalogue.CostCentre, "200", "Branches")
	add(catalogue.PaymentMethod, "FP", "Faster payment")
	add(catalogue.PaymentMethod, "BACS", "BACS")
	add(catalogue.PaymentTerms, "1", "1 day")
	add(catalogue.PaymentTerms, "30", "30 days")
	add(catalogue.ResourceGroup, "STAFF", "Staff", func(e *catalogue.Entry) {
		e.Defaults = catalogue.ResourceDefaults{
			Department: "SALES", CostCentre: "100", Currency: "GBP", PaymentMethod: "FP", PaymentTerms: "1",
			AllowTimesheets: true, AllowExpenses: true,
		}
	})
	return out
}
