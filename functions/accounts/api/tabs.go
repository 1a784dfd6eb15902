package api

import (
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// Tabs are the services behind the tabs of an account.
type Tabs struct {
	Log         *auditlog.Reader
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
func notFoundProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.NotFound, Code: "notFound", When: "There is no such account."}
}

func administratorProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Forbidden, Code: "administrator",
		When: "The account is an administrator's and you are none."}
}

func invalidProblem(when string) httpapi.Problem {
	return httpapi.Problem{Kind: fault.Invalid, Code: "invalid", When: when}
}
