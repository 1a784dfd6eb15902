package httpapi

import (
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// serverProblem is a fault that this package returns by itself, and the routes that can answer with it.
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

// serverProblems are all of them; a test holds the list against the code.
var serverProblems = []serverProblem{
	{Problem{fault.Malformed, "query", "A query parameter is unknown, doubled or not of its form."}, anyRoute},
	{Problem{fault.Malformed, "cursor",
		"The cursor is damaged, older than a day, or was made for another caller, filter or order."}, paged},
	{Problem{fault.Malformed, "json", "The body is not one JSON object in UTF-8."}, notGet},
	{Problem{fault.Malformed, "body", "A member of the body is unknown, doubled, missing or of another type."}, withBody},
	{Problem{fault.Malformed, "bodyRequired", "There is no body."},
		func(r Route) bool { return withBody(r) && !r.Doc.BodyOptional }},
	{Problem{fault.Malformed, "bodyUnexpected", "There is a body where none is taken."}, withoutBody},
	{Problem{fault.Malformed, "ifMatch", "If-Match is not one strong ETag."}, readsIfMatch},
	{Problem{fault.Malformed, "idempotencyKey", "Idempotency-Key is not 1 to 200 visible ASCII characters."}, idempotent},
	{Problem{fault.Unauthenticated, "sessionRequired", "There is no access token, or what was sent is none."},
		needsSession},
	{Problem{fault.Forbidden, "forbidden", "The caller lacks the permission; the detail names it."}, needsPermission},
	{Problem{fault.Forbidden, "crossOrigin",
		"The request comes with a cookie, or says that it is from our own page, and does not prove to be."}, notGet},
	{Problem{fault.Forbidden, "keyNotAllowed",
		"The caller comes by an API key, and keys manage no credentials, keys or administrators."}, peopleOnly},
	{Problem{fault.NotFound, "notFound", "The id names nothing that the caller may see."}, hasIDs},
	{Problem{fault.NotFound, "noRoute", "There is nothing at this address."},
		func(r Route) bool { return r.Key == "$default" }},
	{Problem{fault.MethodNotAllowed, "method", "The address takes other methods; Allow names them."},
		func(r Route) bool { return r.Key == "$default" }},
	{Problem{fault.Conflict, "idempotencyRunning", "The same request is still running."}, idempotent},
	{Problem{fault.Conflict, "idempotencyAnswerGone",
		"The same request ran, and the key that its answer was sealed with was replaced since."}, idempotent},
	{Problem{fault.TooLarge, "bodyTooLarge", "The body is longer than 65,536 bytes."}, notGet},
	{Problem{fault.Unsupported, "contentType", "The body is not sent as application/json in UTF-8."}, notGet},
	{Problem{fault.Invalid, "idempotencyKeyReused", "The Idempotency-Key came with another request before."}, idempotent},
	{Problem{fault.VersionRequired, "ifMatchRequired", "There is no If-Match."}, requiresIfMatch},
	{Problem{fault.Internal, "internal", "Something went wrong here; support finds it by the request id."}, anyRoute},
	{Problem{fault.Unavailable, "timeout", "It took too long and was given up."}, anyRoute},
}

// ServerProblems returns the problems that the server itself can answer a route with, besides those of its Doc.
func ServerProblems(r Route) []Problem {
	var out []Problem
	for _, p := range serverProblems {
		if p.appliesTo(r) {
			out = append(out, p.Problem)
		}
	}
	return out
}

// TitleOf returns the title of a kind's problems.
func TitleOf(kind fault.Kind) string { return statuses[kind].title }
