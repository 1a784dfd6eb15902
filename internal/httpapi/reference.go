package httpapi

import (
	"net/http"
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
func shownOnce(r Route) bool       { return r.Idempotent && r.ShownOnce }
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
	{Problem{fault.Malformed, "ifMatch", "If-Match is not an ETag, or a list of them."}, readsIfMatch},
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
	{Problem{
		fault.Conflict, "shownOnce",
		"The same request was done before; its answer held a secret, which is shown once.",
	}, shownOnce},
	{Problem{fault.TooLarge, "bodyTooLarge", "The body is longer than 65,536 bytes."}, notGet},
	{Problem{fault.Unsupported, "contentType",
		"The body is not sent as application/json in UTF-8; a PATCH may be application/merge-patch+json."}, notGet},
	{Problem{fault.Invalid, "idempotencyKeyReused", "The Idempotency-Key was used with another request."}, idempotent},
	{Problem{fault.VersionRequired, "ifMatchRequired", "The If-Match header is missing."}, requiresIfMatch},
	{Problem{fault.Internal, "internal", "An internal error; support finds it by the request id."}, anyRoute},
	{Problem{fault.Unavailable, "timeout", "The request took too long and was cancelled."}, anyRoute},
}

// ServerProblems returns the problems that the server itself can return on a route, besides those of its Doc.
func ServerProblems(r Route) []Problem {
	if r.Doc.Form {
		return formProblems()
	}
	var out []Problem
	for _, p := range serverProblems {
		if p.appliesTo(r) {
			out = append(out, p.Problem)
		}
	}
	return out
}

// TitleAndAdvice returns the title of the problems of a status, and what a program does about them.
func TitleAndAdvice(status int) (title, advice string) {
	for _, s := range statuses {
		if s.status == status {
			title = s.title
		}
	}
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusPreconditionRequired:
		advice = "Correct the program: the request does not fit the reference. Sending it again does not help."
	case http.StatusUnauthorized:
		advice = "Sign in again and repeat the request with the new access token."
	case http.StatusForbidden:
		advice = "The caller may not do this. Ask an administrator for the permission, or sign in as somebody else."
	case http.StatusNotFound:
		advice = "Check the address and the id."
	case http.StatusConflict:
		advice = "Read the detail: the state has to change first. Repeat a busy request after a moment."
	case http.StatusPreconditionFailed:
		advice = "Read the entry again, decide whether the change still fits, and send it with the new ETag."
	case http.StatusUnprocessableEntity:
		advice = "Show the messages in `fields` to the person who entered the values."
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		advice = "Wait for the seconds in Retry-After, or a second if it is missing, and repeat the request."
	default:
		advice = "Repeat the request once. If it fails again, give support the request id in instance."
	}
	return title, advice
}
