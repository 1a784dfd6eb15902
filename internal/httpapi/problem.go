package httpapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/fault"
)

// problem is a problem document (RFC 9457). Only this file writes them.
type problem struct {
	// Type is the address of the page about this code. It is relative, so that it works on every deployment without
	// configuration. Programs read Code.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Instance is the request id, as in the logs.
	Instance string        `json:"instance"`
	Code     string        `json:"code"`
	Fields   []fault.Field `json:"fields,omitempty"`
	// RetryAfter is in seconds, as in the header of that name.
	RetryAfter int `json:"retryAfter,omitzero"`
}

// httpStatus is the status and title of a kind of fault.
type httpStatus struct {
	status int
	title  string
}

// statuses is the one place that maps kinds to statuses. Malformed is 400 and Invalid 422, so that a client can tell
// its own mistake from a value that its user typed.
var statuses = map[fault.Kind]httpStatus{
	fault.Internal:         {http.StatusInternalServerError, "Internal error"},
	fault.Malformed:        {http.StatusBadRequest, "The request cannot be read"},
	fault.Invalid:          {http.StatusUnprocessableEntity, "A value is not allowed"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "Not signed in"},
	fault.Forbidden:        {http.StatusForbidden, "Not allowed"},
	fault.NotFound:         {http.StatusNotFound, "Not found"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "Method not supported"},
	fault.Conflict:         {http.StatusConflict, "Not possible in the current state"},
	fault.Stale:            {http.StatusPreconditionFailed, "Changed since it was read"},
	fault.VersionRequired:  {http.StatusPreconditionRequired, "Version required"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "Too large"},
	fault.Unsupported:      {http.StatusUnsupportedMediaType, "Format not supported"},
	fault.TooManyRequests:  {http.StatusTooManyRequests, "Too many requests"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "Not available now"},
}

// StatusOf returns the HTTP status of a kind of fault.
func StatusOf(kind fault.Kind) int { return statuses[kind].status }

// Kinds returns every kind that has a status, in order.
func Kinds() []fault.Kind { return slices.Sorted(maps.Keys(statuses)) }

// ProblemPage returns the path of the page about a problem's code.
func ProblemPage(code string) string { return "/api/docs/problems/" + code }

// internalFault is all that a caller learns of an error that is no fault.
func internalFault(requestID string) *fault.Error {
	return fault.New(fault.Internal, "internal",
		"Something went wrong on our side. Try again; if it happens again, give support the request id %s.",
		requestID)
}

// asFault returns the fault that the response states. Only a *fault.Error is passed on.
func asFault(err error, requestID string) *fault.Error {
	if f := fault.As(err); f != nil {
		if _, known := statuses[f.Kind]; known && f.Kind != fault.Internal {
			return f
		}
		return internalFault(requestID)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, "timeout",
			"This took too long and was cancelled. Try again in a moment.").WithRetryAfter(time.Second)
	}
	return internalFault(requestID)
}

// methodNotAllowed is a fault whose response lists the supported methods.
type methodNotAllowed struct {
	fault *fault.Error
	allow string
}

func (w *methodNotAllowed) Error() string { return w.fault.Error() }

func (w *methodNotAllowed) Unwrap() error { return w.fault }

// MethodNotAllowed is the fault of a request with a method that the address does not support. RFC 9110 15.5.6 requires
// the supported ones in Allow.
func MethodNotAllowed(allow ...string) error {
	list := strings.Join(allow, ", ")
	return &methodNotAllowed{
		fault.New(fault.MethodNotAllowed, "method",
			"This address supports %s only. GET /api/docs lists all routes.", list), list,
	}
}

// problemResponse returns the response that states err.
func problemResponse(err error, requestID string) Response {
	f := asFault(err, requestID)
	status := statuses[f.Kind]
	p := problem{
		Type: ProblemPage(f.Code), Title: status.title, Status: status.status, Detail: f.Detail,
		Instance: url.PathEscape(requestID), Code: f.Code, Fields: f.Fields,
	}
	res := Response{Status: status.status, contentType: "application/problem+json", problem: &p}
	if f.RetryAfter > 0 {
		p.RetryAfter = int((f.RetryAfter + time.Second - 1) / time.Second)
		res = res.setHeader("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if f.Kind == fault.Unauthenticated {
		res = res.setHeader("Www-Authenticate", "Bearer") // RFC 9110 15.5.2 requires it on every 401
	}
	if w := (*methodNotAllowed)(nil); errors.As(err, &w) {
		res = res.setHeader("Allow", w.allow)
	}
	raw, marshalErr := json.Marshal(p, json.Deterministic(true))
	if marshalErr != nil { // a fault whose text is not UTF-8: a bug, but the caller gets a problem
		return problemResponse(marshalErr, requestID)
	}
	res.raw = raw
	return res
}
