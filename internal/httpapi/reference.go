package httpapi

import (
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// serverProblem is a fault that this package returns by itself, and the routes to which it applies.
type serverProblem struct {
	Problem
	appliesTo func(Route) bool
}

func anyRoute(Route) bool          { return true }
func withBody(r Route) bool        { return r.Doc.Body != nil }
func notGet(r Route) bool          { return r.Method() != "GET" }
func withoutBody(r Route) bool     { return r.Doc.Body == nil && notGet(r) }
func hasIDs(r Route) bool          { return strings.Contains(r.Key, "{") }
func needsSession(r Route) bool    { return r.Needs != access.Public }
func peopleOnly(r Route) bool      { return needsSession(r) && r.RefusesKeys() }
func needsPermission(r Route) bool { return needsSession(r) && r.Needs != access.SignedIn }
func readsIfMatch(r Route) bool    { return r.Doc.IfMatch || r.Doc.IfMatchOptional }
func requiresIfMatch(r Route) bool { return r.Doc.IfMatch }
func idempotent(r Route) bool      { return r.Idempotent }
func paged(r Route) bool {
	return slices.ContainsFunc(r.Query, func(p Param) bool { return p.Kind == cursorParam })
}

// serverProblems lists all of them. A test checks the list against the code.
var serverProblems = []serverProblem{
	{Problem{fault.Malformed, "query", "A query parameter is unknown, repeated or malformed."}, anyRoute},
	{Problem{
		fault.Malformed, "cursor",
		"The cursor is damaged, older than a day, or was made for another caller, filter or order.",
	}, paged},
	{Problem{fault.Malformed, "json", "The body is not one JSON object in UTF-8."}, notGet},
	{Problem{fault.Malformed, "body", "A member of the body is unknown, repeated, missing or of another type."}, withBody},
	{
		Problem{fault.Malformed, "bodyRequired", "The body is missing."},
		func(r Route) bool { return withBody(r) && !r.Doc.BodyOptional },
	},
	{
		Problem{fault.Malformed, "bodyUnexpected", "The request has a body, which this operation does not accept."},
		withoutBody,
	},
	{Problem{fault.Malformed, "ifMatch", "If-Match is not one strong ETag."}, readsIfMatch},
	{Problem{fault.Malformed, "idempotencyKey", "Idempotency-Key is not 1 to 200 visible ASCII characters."}, idempotent},
	{
		Problem{fault.Unauthenticated, "sessionRequired", "The access token is missing or malformed."},
		needsSession,
	},
	{Problem{fault.Forbidden, "forbidden", "The caller lacks the permission; the detail names it."}, needsPermission},
	{Problem{
		fault.Forbidden, "crossOrigin",
		"The request comes with a cookie or X-UA-Client: web, but not from the service's own pages.",
	}, notGet},
	{Problem{
		fault.Forbidden, "keyNotAllowed",
		"The caller uses an API key. API keys manage no credentials, keys or administrators.",
	}, peopleOnly},
	{Problem{fault.NotFound, "notFound", "There is nothing with this id in the caller's environment."}, hasIDs},
	{
		Problem{fault.NotFound, "noRoute", "There is no such address."},
		func(r Route) bool { return r.Key == "$default" },
	},
	{
		Problem{fault.MethodNotAllowed, "method", "The address supports other methods; Allow lists them."},
		func(r Route) bool { return r.Key == "$default" },
	},
	{Problem{fault.Conflict, "idempotencyRunning", "The same request is still running."}, idempotent},
	{Problem{
		fault.Conflict, "idempotencyAnswerGone",
		"The same request ran before; its response is lost, as the environment's key was replaced.",
	}, idempotent},
	{Problem{fault.TooLarge, "bodyTooLarge", "The body is longer than 65,536 bytes."}, notGet},
	{Problem{fault.Unsupported, "contentType", "The body is not sent as application/json in UTF-8."}, notGet},
	{Problem{fault.Invalid, "idempotencyKeyReused", "The Idempotency-Key was used with another request."}, idempotent},
	{Problem{fault.VersionRequired, "ifMatchRequired", "The If-Match header is missing."}, requiresIfMatch},
	{Problem{fault.Internal, "internal", "An internal error; support finds it by the request id."}, anyRoute},
	{Problem{fault.Unavailable, "timeout", "The request took too long and was cancelled."}, anyRoute},
}

// ServerProblems returns the problems that the server itself can return on a route, besides those of its Doc.
func ServerProblems(r Route) []Problem {
	var out []Problem
	for _, p := range serverProblems {
		if p.appliesTo(r) {
			out = append(out, p.Problem)
		}
	}
	return out
}

// TitleOf returns the title of the problems of a kind.
func TitleOf(kind fault.Kind) string { return statuses[kind].title }
