package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

const (
	// maxBody is the longest body in bytes; files go to the bucket, not through here.
	maxBody = 64 << 10
	// maxToken bounds a token before anything looks into it (C34).
	maxToken = 4 << 10
	// timeoutReserve is what is kept of Lambda's time for the answer, so that a caller hears of a time-out from us.
	timeoutReserve = 500 * time.Millisecond
)

// handlerFunc is what a handler and everything around it look like from outside.
type handlerFunc func(ctx context.Context, r *Request) (Response, error)

// Handle answers one event of the gateway. Its error is always nil: everything that goes wrong is an answer.
func (h *Handler) Handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse,
	error) {
	r := &Request{event: &event, route: h.routes[event.RouteKey], id: requestID(event, h.NewID), now: h.Now(),
		publicURL: h.PublicURL}
	if r.route == nil {
		r.route = &unmatched
	}
	res, _ := h.serve(ctx, r) // recorded turned the error into an answer
	return res.gatewayResponse(), nil
}

// chain is everything around a handler, outermost first.
func (h *Handler) chain() handlerFunc {
	return h.withLogging(
		withSecurityHeaders(
			withProblems(
				withRecover(withTimeout(withBodyLimit(h.authenticate(authorize(validateQuery(h.withIdempotency(callHandler))))))))))
}

// unmatched answers where no route of the table does: the gateway's routes and the function's differ, or "$default".
var unmatched = Route{
	Key: "unmatched", Needs: access.Public,
	Handle: func(context.Context, *Request) (Response, error) {
		return Response{}, fault.New(fault.NotFound, "noRoute",
			"There is nothing at this address, or not with this method. GET /api/docs lists what there is.")
	},
}

// callHandler runs the handler and turns its body into bytes, where a failure still becomes a problem.
func callHandler(ctx context.Context, r *Request) (Response, error) {
	res, err := r.route.Handle(ctx, r)
	if err != nil {
		return Response{}, err
	}
	if res.Status == 0 {
		return Response{}, fmt.Errorf("route %q answered without a status", r.route.Key)
	}
	return res.encodeBody()
}

// securityHeaders go with every answer (V49): no sniffing, no storing, no framing, no script, nothing told to others.
var securityHeaders = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Referrer-Policy":              "no-referrer",
	"Strict-Transport-Security":    "max-age=63072000; includeSubDomains",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// withSecurityHeaders adds the headers every answer has, and answers 304 where the caller has the content already.
// There is no CORS header: pages of other origins get nothing (V50).
func withSecurityHeaders(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		header := maps.Clone(securityHeaders)
		header["X-Request-Id"] = r.id
		if res.contentType != "" {
			header["Content-Type"] = res.contentType
		}
		maps.Copy(header, res.Header)
		res.Header = header
		if tag := res.Header["Etag"]; tag != "" && r.route.Method() == http.MethodGet &&
			res.Status == http.StatusOK && hasTag(r.header("if-none-match"), tag) {
			delete(res.Header, "Content-Type")
			res.Status, res.raw = http.StatusNotModified, nil
		}
		return res, err
	}
}

// hasTag reports whether If-None-Match names tag; its comparison is the weak one (RFC 9110 13.1.2).
func hasTag(ifNoneMatch, tag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

// withProblems turns an error into a problem document, and keeps the error for the record.
func withProblems(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		if err != nil {
			res = problemResponse(err, r.id)
		}
		return res, err
	}
}

// withRecover turns a panic into an error, with the stack for the record alone (V80).
func withRecover(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (res Response, err error) {
		defer func() {
			if p := recover(); p != nil {
				r.logFields.stack = string(debug.Stack())
				res, err = Response{}, fmt.Errorf("panic: %v", p)
			}
		}()
		return next(ctx, r)
	}
}

// withTimeout ends the work a little before Lambda would end the process, so that the caller gets a 503 of ours.
func withTimeout(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) > 2*timeoutReserve {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-timeoutReserve))
			defer cancel()
		}
		return next(ctx, r)
	}
}

// withBodyLimit takes the body out of the event, if it is not too long and is said to be JSON. The three types that a
// page of another origin can send without asking first are refused with all others (V48). The body of a GET means
// nothing and is not looked at.
func withBodyLimit(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		method := r.route.Method()
		if r.event.Body == "" || method == http.MethodGet || r.route == &unmatched || r.route.Page {
			return next(ctx, r)
		}
		body := []byte(r.event.Body)
		if len(body) > 2*maxBody {
			return Response{}, bodyTooLarge()
		}
		if r.event.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(r.event.Body)
			if err != nil {
				return Response{}, fmt.Errorf("the gateway's base64: %w", err)
			}
			body = decoded
		}
		if len(body) > maxBody {
			return Response{}, bodyTooLarge()
		}
		if err := checkContentType(r); err != nil {
			return Response{}, err
		}
		r.body = body
		return next(ctx, r)
	}
}

func bodyTooLarge() error {
	return fault.New(fault.TooLarge, "bodyTooLarge", "The body is longer than %d bytes. Send less at once.", maxBody)
}

func checkContentType(r *Request) error {
	mediaType, params, err := mime.ParseMediaType(r.header("content-type"))
	charset, stated := params["charset"]
	encoding := r.header("content-encoding")
	if err != nil || mediaType != "application/json" || (stated && !strings.EqualFold(charset, "utf-8")) ||
		(encoding != "" && !strings.EqualFold(encoding, "identity")) {
		return fault.New(fault.Unsupported, "contentType",
			"Bodies are read as JSON in UTF-8, not compressed: send Content-Type: application/json.")
	}
	return nil
}

// authenticate finds out who is calling, unless the route is for anybody.
func (h *Handler) authenticate(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		if r.route.Needs == access.Public {
			return next(ctx, r)
		}
		token, err := r.accessToken()
		if err != nil {
			return Response{}, err
		}
		scope, err := h.Authenticate(ctx, token)
		if err != nil {
			return Response{}, err
		}
		if scope.Caller.AccountID == "" { // fail closed on an Authenticate that forgot its error
			return Response{}, sessionRequired()
		}
		r.Scope = scope
		r.LogSession(scope.Caller.AccountID, scope.Caller.SessionID)
		r.LogKey(scope.Caller.KeyID)
		r.logFields.warning = scope.NonFatalErr
		return next(ctx, r)
	}
}

func sessionRequired() error {
	return fault.New(fault.Unauthenticated, "sessionRequired",
		"Sign in, and send the access token as Authorization: Bearer. If you did, the session has ended.")
}

// parseBearer returns the token of an Authorization header (RFC 6750 2.1), bounded and of token characters only.
func parseBearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", sessionRequired()
	}
	outside := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~+/=", c)
	}
	if strings.ContainsFunc(token, outside) {
		return "", sessionRequired()
	}
	return token, nil
}

// authorize lets through who may. A route that forgot to say who lets nobody through.
func authorize(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		needs := r.route.Needs
		switch {
		case r.Scope.Caller.KeyID != "" && r.route.RefusesKeys():
			return Response{}, fault.New(fault.Forbidden, "keyNotAllowed",
				"This is not done by an API key, whatever its account may do: keys manage no credentials, keys or "+
					"administrators. A person who signs in can do it.")
		case needs == access.Public, needs == access.SignedIn:
		case needs == "":
			return Response{}, fault.New(fault.Forbidden, "forbidden", "Nobody may do this.")
		case !r.Scope.Caller.May(needs):
			return Response{}, fault.New(fault.Forbidden, "forbidden",
				"This needs the permission %s (%s). Ask somebody who administers roles.", string(needs), access.All()[needs])
		}
		return next(ctx, r)
	}
}

// validateQuery reads the query, and refuses a body where the route takes none.
func validateQuery(next handlerFunc) handlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		if r.route == &unmatched || r.route.Page {
			return next(ctx, r)
		}
		if err := r.readQuery(); err != nil {
			return Response{}, err
		}
		if r.route.Doc.Body == nil && len(r.body) > 0 {
			members, err := readObject(r.body)
			if err != nil {
				return Response{}, err
			}
			if len(members) > 0 {
				return Response{},
					fault.New(fault.Malformed, "bodyUnexpected", "This request takes no body; leave it out or send {}.")
			}
		}
		return next(ctx, r)
	}
}
