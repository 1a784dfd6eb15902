// Package api is the routes of the sso function: sign-in with a provider, the providers, and the links of accounts.
package api

import (
	"maps"
	"slices"

	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/signin"
	"useraccounts/internal/sso"
)

const tag = "Single sign-on"

// Services are what the routes call.
type Services struct {
	Limiter     *signin.RateLimiter
	SignIn      *signin.ProviderService
	Providers   *sso.Providers
	Flow        *sso.Flow
	Identities  *sso.Identities
	SelfService *sso.SelfService
	Wizard      *sso.Wizard
	Files       *sso.LinkFiles
	// RedirectURL is the redirect address to register with providers.
	RedirectURL string
}

type handlers struct{ Services }

// Routes returns the route table over the services.
func Routes(s Services) []httpapi.Route {
	h := handlers{s}
	return httpapi.ProtectPublicRoutes(s.Limiter,
		slices.Concat(h.signInRoutes(), h.providerRoutes(), h.linkRoutes(), h.ownRoutes(), h.wizardRoutes(), h.fileRoutes()))
}

// Problems of several routes.
var (
	providerNotFound = httpapi.Problem{Kind: fault.NotFound, Code: "notFound", When: "There is no such provider."}
	unknownRequest   = httpapi.Problem{
		Kind: fault.Unauthenticated, Code: "attempt",
		When: "The state is forged, used, older than ten minutes, of another browser or person, or the provider was " +
			"disabled since.",
	}
	//nolint:gosec // codes of problems, no credentials
	providerFailed = providerProblems(map[string]string{
		"unreachable": "The provider cannot be reached.", "slow": "The provider did not answer in time.",
		"notFound": "There is no provider at the address.", "issuer": "The provider says that it is another issuer.",
		"keys": "The provider's keys cannot be read.", "client": "The provider refuses the client id or secret.",
		"consent": "An administrator of the provider has not agreed.", "code": "The provider refuses its own code.",
		"token": "The provider's token is invalid.", "clock": "The token is too old, or of the future.",
		"claims": "The token lacks a claim, or has a wrong one.", "tenant": "The person is of another tenant.",
		"cancelled": "The person cancelled at the provider.", "refused": "The provider refused the person.",
		"signInAgain": "The sign-in to the directory has expired; sign in to it again.",
		"directory":   "The provider's directory cannot be read.",
	})
	proofProblems = []httpapi.Problem{
		{
			Kind: fault.Forbidden, Code: "proofNeeded",
			When: "You last confirmed who you are longer ago than the setting confirmAgainMinutes says, and sent no " +
				"password. Confirm by POST /api/me/proof and repeat the request.",
		},
		{Kind: fault.Invalid, Code: "invalid", When: "The password is wrong; it counts as a failed try."},
	}
	guardProblems = []httpapi.Problem{
		{
			Kind: fault.Forbidden, Code: "administrator",
			When: "The account is an administrator's, and the caller is not an administrator.",
		},
		{Kind: fault.Forbidden, Code: "aboveOwnRights", When: "The account has permissions that the caller does not have."},
	}
	linkProblems = []httpapi.Problem{
		{Kind: fault.Conflict, Code: "linkedToAnother", When: "The identity is linked to another account."},
		{Kind: fault.Conflict, Code: "hasLink", When: "The account is linked to another identity at the provider."},
		{Kind: fault.Conflict, Code: "busy", When: "Somebody else is changing the same link; try again."},
	}
)

func problems(more ...[]httpapi.Problem) []httpapi.Problem { return slices.Concat(more...) }

// providerProblems are the failures of a provider, by what failed.
func providerProblems(when map[string]string) []httpapi.Problem {
	var out []httpapi.Problem
	for _, what := range slices.Sorted(maps.Keys(when)) {
		out = append(out, httpapi.Problem{Kind: fault.Conflict, Code: "provider." + what, When: when[what]})
	}
	return out
}
