// Package api is the routes of the sso function: signing in by a provider, the providers, and the links of accounts.
package api

import (
	"slices"

	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
)

const tag = "Single sign-on"

// Services are what the routes call.
type Services struct {
	SignIn      *signin.Service
	Providers   *sso.Providers
	Flow        *sso.Flow
	Identities  *sso.Identities
	SelfService *sso.SelfService
	Wizard      *sso.Wizard
	Files       *sso.LinkFiles
	// RedirectURL is what has to be registered with a provider.
	RedirectURL string
}

type handlers struct{ Services }

// Routes returns the route table over the services.
func Routes(s Services) []httpapi.Route {
	h := handlers{s}
	return httpapi.ProtectPublicRoutes(s.SignIn,
		slices.Concat(h.signInRoutes(), h.providerRoutes(), h.linkRoutes(), h.ownRoutes(), h.wizardRoutes(), h.fileRoutes()))
}

// What several routes answer.
var (
	providerNotFound = httpapi.Problem{Kind: fault.NotFound, Code: "notFound", When: "There is no such provider."}
	unknownRequest   = httpapi.Problem{Kind: fault.Unauthenticated, Code: "attempt",
		When: "The state is forged, used, older than ten minutes, of another browser or person, or the provider was " +
			"turned off since."}
	providerFailed = httpapi.Problem{Kind: fault.Conflict, Code: "provider.{what}",
		When: "The provider did not do its part: unreachable, slow, notFound, issuer, keys, client, consent, code, token, " +
			"clock, claims, tenant, cancelled, refused, directory."}
	proofProblems = []httpapi.Problem{
		{Kind: fault.Forbidden, Code: "proofNeeded", When: "You signed in more than five minutes ago and sent no password."},
		{Kind: fault.Invalid, Code: "invalid", When: "The password is not right; it counts as a failed sign-in."},
	}
	guardProblems = []httpapi.Problem{
		{Kind: fault.Forbidden, Code: "administrator", When: "The account is an administrator's and you are none."},
		{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account holds permissions that you do not."},
	}
	linkProblems = []httpapi.Problem{
		{Kind: fault.Conflict, Code: "linkedToAnother", When: "The identity is linked to another account."},
		{Kind: fault.Conflict, Code: "hasLink", When: "The account is linked to another identity at the provider."},
		{Kind: fault.Conflict, Code: "busy", When: "Somebody else is linking the same just now; try again."},
	}
)

func problems(more ...[]httpapi.Problem) []httpapi.Problem { return slices.Concat(more...) }
