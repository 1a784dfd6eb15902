package httpapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

const (
	// maxBody is the longest body in bytes; files go to the bucket, not through here.
	maxBody = 64 << 10
	// maxToken bounds a token in bytes before it is parsed (C34).
	maxToken = 4 << 10
	// timeoutReserve is the part of Lambda's time that is kept for the response, so that a time-out is answered by us.
	timeoutReserve = 500 * time.Millisecond
)

// middleware wraps a handler.
type middleware func(next HandlerFunc) HandlerFunc

// Handle responds to one event of the gateway. Its error is always nil: every failure becomes a response.
func (h *Handler) Handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse,
	error,
) {
	r := &Request{
		event: &event, route: h.routes[event.RouteKey], id: requestID(event, h.NewID), now: h.Now(),
		publicURL: h.PublicURL,
	}
	if path, head := strings.CutPrefix(event.RouteKey, "HEAD "); head {
		r.route = h.routes["GET "+path] // every GET is there as HEAD
	}
	if r.route == nil {
		r.route = &unmatched
	}
	res, _ := h.serve(ctx, r) // withProblems turned the error into a response
	return res.gatewayResponse(), nil
}

// middlewares lists what wraps every handler, outermost first. A request passes them from top to bottom, its response
// from bottom to top.
func (h *Handler) middlewares() []middleware {
	return []middleware{
		h.withLogging,
		withoutBodyForHead,
		withCompression,
		withSecurityHeaders,
		withProblems,
		withRecover,
		withTimeout,
		withBodyLimit,
		h.authenticate,
		authorize,
		validateQuery,
		h.withIdempotency,
	}
}

// chain returns the handler of all routes: the middlewares around callHandler.
func (h *Handler) chain() HandlerFunc {
	next := HandlerFunc(callHandler)
	for _, wrap := range slices.Backward(h.middlewares()) {
		next = wrap(next)
	}
	return next
}

// unmatched responds where the route table has no route: the gateway's routes differ from the function's, or it is
// "$default".
var unmatched = Route{
	Key: "unmatched", Needs: access.Public,
	Handle: func(context.Context, *Request) (Response, error) {
		return Response{}, fault.New(fault.NotFound, "noRoute",
			"There is no such address, or it does not support this method. GET /api/docs lists all routes.")
	},
}

// callHandler runs the route's handler and encodes its body. A failure to encode becomes a problem.
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

// securityHeaders go with every response (V49): no sniffing, no caching, no framing, no scripts, no referrer.
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

// withSecurityHeaders adds the headers of every response, and responds with 304 where the caller has the content
// already. There is no CORS header: pages of other origins get nothing (V50).
func withSecurityHeaders(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		header := maps.Clone(securityHeaders)
		header["X-Request-Id"] = r.id
		maps.Copy(header, r.responseHeader)
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

// withoutBodyForHead answers HEAD as GET, without the body (RFC 9110 9.3.2).
func withoutBodyForHead(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		if r.Method() == http.MethodHead {
			res.raw = nil
		}
		return res, err
	}
}

// hasTag reports whether If-None-Match names tag, by weak comparison (RFC 9110 13.1.2).
func hasTag(ifNoneMatch, tag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

// withProblems turns an error into a problem document, and keeps the error for the log.
func withProblems(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		res, err := next(ctx, r)
		switch {
		case err != nil && r.route.Doc.Form:
			res = oauthError(err, r.id)
		case err != nil:
			res = problemResponse(err, r.id)
		}
		return res, err
	}
}

// withRecover turns a panic into an error. The stack goes to the log alone (V80).
func withRecover(next HandlerFunc) HandlerFunc {
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

// withTimeout cancels the work a little before Lambda would end the process, so that the caller gets our own 503.
func withTimeout(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) > 2*timeoutReserve {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-timeoutReserve))
			defer cancel()
		}
		return next(ctx, r)
	}
}

// withBodyLimit reads the body from the event, if it is not too long and its content type is JSON. The three types that
// a page of another origin can send without a CORS preflight are refused like all others (V48). The body of a GET is
// ignored.
func withBodyLimit(next HandlerFunc) HandlerFunc {
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
	return fault.New(fault.TooLarge, "bodyTooLarge", "The body is longer than %d bytes. Send less at a time.", maxBody)
}

func checkContentType(r *Request) error {
	mediaType, params, err := mime.ParseMediaType(r.header("content-type"))
	if r.route.Doc.Form {
		if err != nil || mediaType != formType {
			return fault.New(fault.Malformed, invalidRequest, "Send a form: Content-Type: "+formType+".")
		}
		return nil
	}
	charset, stated := params["charset"]
	encoding := r.header("content-encoding")
	patch := mediaType == "application/merge-patch+json" && r.route.Method() == http.MethodPatch
	if err != nil || !patch && mediaType != "application/json" || (stated && !strings.EqualFold(charset, "utf-8")) ||
		(encoding != "" && !strings.EqualFold(encoding, "identity")) {
		return fault.New(fault.Unsupported, "contentType",
			"Only uncompressed JSON in UTF-8 is accepted. Send Content-Type: application/json, or for a PATCH "+
				"application/merge-patch+json.")
	}
	return nil
}

// authenticate finds out who is calling, unless the route is public.
func (h *Handler) authenticate(next HandlerFunc) HandlerFunc {
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
		if scope.Caller.AccountID == "" { // fail closed if Authenticate forgot its error
			return Response{}, sessionRequired()
		}
		scope.Caller.Address = r.SourceIP()
		r.Scope = scope
		r.LogSession(scope.Caller.AccountID, scope.Caller.SessionID)
		r.LogKey(scope.Caller.KeyID)
		r.logFields.warning = scope.NonFatalErr
		return next(ctx, r)
	}
}

func sessionRequired() error {
	return fault.New(fault.Unauthenticated, "sessionRequired",
		"Sign in and send the access token as Authorization: Bearer. If you did, the session has ended.")
}

// parseBearer returns the token of an Authorization header (RFC 6750 2.1). Its length is bounded and it holds token
// characters only.
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

// authorize refuses callers without the route's permission. A route that states none refuses everybody.
func authorize(next HandlerFunc) HandlerFunc {
	return func(ctx context.Context, r *Request) (Response, error) {
		needs := r.route.Needs
		switch {
		case r.Scope.Caller.KeyID != "" && r.route.RefusesKeys():
			return Response{}, fault.New(fault.Forbidden, "keyNotAllowed",
				"API keys cannot do this, whatever permissions their account has: they manage no credentials, keys or "+
					"administrators. Sign in as a person instead.")
		case needs == access.Public, needs == access.SignedIn:
		case needs == "":
			return Response{}, fault.New(fault.Forbidden, "forbidden", "Nobody is allowed to do this.")
		case !r.Scope.Caller.May(needs):
			return Response{}, fault.New(fault.Forbidden, "forbidden",
				"This needs the permission %s (%s). Ask an administrator of roles for it.", string(needs), access.All()[needs])
		}
		return next(ctx, r)
	}
}

// validateQuery reads the query, and refuses a body where the route has none.
func validateQuery(next HandlerFunc) HandlerFunc {
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
					fault.New(fault.Malformed, "bodyUnexpected", "This request has no body; leave it out or send {}.")
			}
		}
		return next(ctx, r)
	}
}
