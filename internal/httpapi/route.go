// Package httpapi is the edge between API Gateway's HTTP API (payload 2.0) and the functions.
//
// It owns everything a route has in common with every other: who may call it, how a body, a query and a version are
// read, how an answer and a problem are written, what is logged. A function states its routes in a table; a handler
// decodes, calls one service and answers. Nothing below this package knows HTTP.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"useraccounts/internal/access"
)

// HandlerFunc answers one request. The error becomes a problem document; anything that is no *fault.Error a bare 500.
type HandlerFunc func(ctx context.Context, r *Request) (Response, error)

// Route is one row of a function's route table.
type Route struct {
	// Key is method and path as template.yaml has them: "POST /api/accounts/{id}/block".
	Key string
	// Needs is who may call: a permission, access.Public or access.SignedIn. The zero value lets nobody in.
	Needs access.Permission
	// NoKeys refuses callers that come by an API key, for routes that manage credentials of any sort without a permission
	// that only people use; RefusesKeys knows those by itself.
	NoKeys bool
	// Query declares the query parameters there are. Others are refused, these are checked before Handle runs.
	Query []Param
	// Idempotent makes the route honour Idempotency-Key. Only for POST routes that need a session.
	Idempotent bool
	// Page marks a route that answers with a page or a file, whatever query or body it is asked with: an address of the
	// console can carry a query for the script, and what is sent to an address that is none is to hear that it is none.
	Page bool
	// Handle answers.
	Handle HandlerFunc
	// Doc is what the API reference says, and which headers and body the route reads.
	Doc Operation
}

// RefusesKeys reports whether callers that come by an API key are refused (V47).
func (r Route) RefusesKeys() bool { return r.NoKeys || r.Needs.InteractiveOnly() }

// Method returns the method of the route's key.
func (r Route) Method() string { method, _, _ := strings.Cut(r.Key, " "); return method }

// Path returns the path of the route's key, parameters in braces.
func (r Route) Path() string { _, path, _ := strings.Cut(r.Key, " "); return path }

// Authenticate returns what a bearer token opens: the scope of a session that is in force at this moment. A token that
// opens nothing is a fault.Unauthenticated; an account that may no longer sign in is one too.
type Authenticate func(ctx context.Context, bearer string) (access.Scope, error)

// Server is what a function hands over to be served.
type Server struct {
	Routes []Route
	// Authenticate is required as soon as one route is not access.Public.
	Authenticate Authenticate
	// Idempotency is required as soon as one route is Idempotent.
	Idempotency IdempotencyStore
	// PublicURL is the one address that browsers reach us at. Without one no cookie opens anything that changes something.
	PublicURL string
	// Log gets one line per request; the default discards.
	Log *slog.Logger
	// Now and NewID are time.Now and a ULID unless a test says otherwise. NewID names a request that the gateway did not.
	Now   func() time.Time
	NewID func() string
}

// Handler serves a route table.
type Handler struct {
	Server

	routes map[string]*Route
	serve  handlerFunc
}

// keyForm is the form of a route key; "$default" is what the gateway sends where no other route matches.
var keyForm = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) (/|(/([a-z0-9.-]+|\{[a-zA-Z]+\}))+)$|^\$default$`)

// New returns the handler of a route table, or an error that names every row that cannot be served.
func New(s Server) (*Handler, error) {
	h := &Handler{Server: s.withDefaults(), routes: make(map[string]*Route, len(s.Routes))}
	var wrong []error
	for i := range s.Routes {
		route := &s.Routes[i]
		if _, twice := h.routes[route.Key]; twice {
			wrong = append(wrong, fmt.Errorf("route %q is there twice", route.Key))
		}
		if err := h.check(route); err != nil {
			wrong = append(wrong, fmt.Errorf("route %q %w", route.Key, err))
		}
		h.routes[route.Key] = route
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	h.serve = h.chain()
	return h, nil
}

func (s Server) withDefaults() Server {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.NewID == nil {
		s.NewID = newID
	}
	return s
}

func (h *Handler) check(route *Route) error {
	switch {
	case !keyForm.MatchString(route.Key):
		return errors.New(`is not of the form "METHOD /path/{id}"`)
	case route.Handle == nil:
		return errors.New("has no Handle")
	case route.Needs != access.Public && h.Authenticate == nil:
		return errors.New("needs a session, but the server has no Authenticate")
	case route.Idempotent && (route.Needs == access.Public || route.Method() != "POST"):
		return errors.New("is Idempotent, but no POST that needs a session")
	case route.Idempotent && h.Idempotency == nil:
		return errors.New("is Idempotent, but the server has no Idempotency")
	}
	return checkParams(route.Query)
}

// Serve answers Lambda's requests until the process ends. A route table that cannot be served ends it at once.
func Serve(s Server) {
	h, err := New(s)
	if err != nil {
		s.withDefaults().Log.Error("routes", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}
