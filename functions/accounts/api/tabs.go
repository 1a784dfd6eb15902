package api

import (
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/journal"
)

// Tabs are the services behind the tabs of an account.
type Tabs struct {
	Log         *journal.Log
	Notes       *account.Notes
	Contacts    *account.Contacts
	Delegations *account.Delegations
}

// tabHandlers are the handlers of the tabs.
type tabHandlers struct {
	handlers
	tabs Tabs
}

// TabRoutes returns the route table of the tabs: log, permissions, contact and delegations.
func TabRoutes(accounts *account.Service, tabs Tabs) []httpapi.Route {
	h := tabHandlers{handlers{accounts}, tabs}
	return slices.Concat(h.logRoutes(), h.permissionRoutes(), h.contactRoutes(), h.delegationRoutes())
}

// What the writes of every tab can answer.
func missing() httpapi.Problem {
	return httpapi.Problem{Kind: fault.NotFound, Code: "notFound", When: "There is no such account."}
}

func administrators() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are none."}
}

func invalid(when string) httpapi.Problem {
	return httpapi.Problem{Kind: fault.Invalid, Code: "invalid", When: when}
}
