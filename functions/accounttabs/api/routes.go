// Package api is the routes of the tabs of an account: decode, call a service, encode.
package api

import (
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// Services are what the handlers call.
type Services struct {
	Accounts    *account.Service
	Log         *auditlog.Reader
	Notes       *account.Notes
	Contacts    *account.Contacts
	Delegations *account.Delegations
}

type handlers struct{ Services }

// Routes returns the route table over the services.
func Routes(s Services) []httpapi.Route {
	h := handlers{s}
	return slices.Concat(h.logRoutes(), h.contactRoutes(), h.delegationRoutes())
}

// These are the problems that several routes can answer.

func notFoundProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.NotFound, Code: "notFound", When: "There is no such account."}
}

func administratorProblem() httpapi.Problem {
	return httpapi.Problem{Kind: fault.Forbidden, Code: "administrator",
		When: "The account belongs to an administrator and you are not one."}
}

func invalidProblem(when string) httpapi.Problem {
	return httpapi.Problem{Kind: fault.Invalid, Code: "invalid", When: when}
}

// writeProblems are the problems that changes of contact and delegations have in common, and more.
func writeProblems(more ...httpapi.Problem) []httpapi.Problem {
	busy := httpapi.Problem{Kind: fault.Conflict, Code: "busy", When: "Others are changing the same thing."}
	return append([]httpapi.Problem{notFoundProblem(), administratorProblem(), busy}, more...)
}
