// Package httpapi is the edge between API Gateway's HTTP API (payload 2.0) and the functions.
//
// It owns what all routes have in common: who may call them, how a body, a query and a version are read, how a response
// and a problem are written, what is logged. A function states its routes in a table. A handler decodes, calls one
// service and responds. Nothing below this package knows HTTP. The middlewares that a request passes are listed in
// order in middleware.go.
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

// HandlerFunc responds to one request. Its error becomes a problem document; one that is no *fault.Error becomes a bare
// 500.
type HandlerFunc func(ctx context.Context, r *Request) (Response, error)

// Route is one row of a function's route table.
type Route struct {
	// Key is method and path as template.yaml has them: "POST /api/accounts/{id}/block".
	Key string
	// Needs states who may call: a permission, access.Public or access.SignedIn. The zero value refuses everybody.
	Needs access.Permission
	// NoKeys refuses API keys, for routes that manage credentials. Permissions that only people use refuse them anyway;
	// see RefusesKeys.
	NoKeys bool
	// Query declares the query parameters. They are checked before Handle runs; any other parameter is refused.
	Query []Param
	// Idempotent makes the route honour Idempotency-Key. Only for POST routes that need a session.
	Idempotent bool
	// ShownOnce says that the answer holds a secret: it is not kept for repeats, which get the problem "shownOnce".
	ShownOnce bool
	// Page marks a route that serves a page or a file whatever the query or body is: the console's scripts read the query,
	// and a request to an unknown address has to get 404.
	Page bool
	// Handle responds to a request.
	Handle HandlerFunc
	// Doc is the route's part of the API reference. It also states which headers and body the route reads.
	Doc Operation
}

// RefusesKeys reports whether API keys are refused (V47).
func (r Route) RefusesKeys() bool { return r.NoKeys || r.Needs.InteractiveOnly() }

// Method returns the method of the route's key.
func (r Route) Method() string { method, _, _ := strings.Cut(r.Key, " "); return method }

// Path returns the path of the route's key, parameters in braces.
func (r Route) Path() string { _, path, _ := strings.Cut(r.Key, " "); return path }

// Authenticate returns the scope of the session that a bearer token belongs to. It returns a fault.Unauthenticated if
// there is no such session, it has ended, or its account may no longer sign in.
type Authenticate func(ctx context.Context, bearer string) (access.Scope, error)

// Server configures a Handler.
type Server struct {
	Routes []Route
	// Authenticate is required as soon as one route is not access.Public.
	Authenticate Authenticate
	// Idempotency is required as soon as one route is Idempotent.
	Idempotency IdempotencyStore
	// PublicURL is the one address at which browsers reach the service. Without it no cookie is accepted for a change.
	PublicURL string
	// Log gets one line per request; the default discards it.
	Log *slog.Logger
	// Now and NewID default to time.Now and a new ULID. NewID names a request to which the gateway gave no id.
	Now   func() time.Time
	NewID func() string
}

// Handler serves a route table.
type Handler struct {
	Server

	routes map[string]*Route
	serve  HandlerFunc
}

// keyForm is the form of a route key. The gateway sends "$default" where no other route matches.
var keyForm = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) (/|(/([a-z0-9.-]+|\{[a-zA-Z]+\}))+)$|^\$default$`)

// New returns the handler of a route table, or an error that names every route that cannot be served.
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
	case route.ShownOnce && !route.Idempotent:
		return errors.New("is ShownOnce, but not Idempotent")
	case route.Idempotent && h.Idempotency == nil:
		return errors.New("is Idempotent, but the server has no Idempotency")
	}
	return checkParams(route.Query)
}

// Serve responds to Lambda's requests until the process ends. A route table that cannot be served ends it at once.
func Serve(s Server) {
	h, err := New(s)
	if err != nil {
		s.withDefaults().Log.Error("routes", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}
