package httpapi

import (
	"crypto/rand"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// Request is one request as a handler sees it: read, bounded, authenticated.
type Request struct {
	// Scope is the environment and the caller; empty on a public route.
	Scope access.Scope

	event     *events.APIGatewayV2HTTPRequest
	route     *Route
	id        string
	now       time.Time
	body      []byte
	query     url.Values
	logFields logFields
	// responseHeader is sent with the response, whether it succeeds or not.
	responseHeader map[string]string
	// publicURL is the server's.
	publicURL string
}

// RequestID returns the id of the request in logs and problems.
func (r *Request) RequestID() string { return r.id }

// SourceIP returns the address that the gateway saw. Headers such as X-Forwarded-For can be forged and are never read
// (V83).
func (r *Request) SourceIP() string { return r.event.RequestContext.HTTP.SourceIP }

// UserAgent returns the User-Agent header, at most 200 characters without control characters.
func (r *Request) UserAgent() string { return singleLine(r.event.RequestContext.HTTP.UserAgent, 200) }

// Method returns the method of the request itself. A route's method is empty for "$default".
func (r *Request) Method() string { return r.event.RequestContext.HTTP.Method }

// Path returns the requested path, decoded by the gateway.
func (r *Request) Path() string { return r.event.RawPath }

// Accepts reports whether the caller names a media type in Accept, or its suffix as in application/problem+json.
func (r *Request) Accepts(mediaType string) bool {
	main, sub, _ := strings.Cut(mediaType, "/")
	for candidate := range strings.SplitSeq(r.header("accept"), ",") {
		name, _, _ := strings.Cut(candidate, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == mediaType || strings.HasPrefix(name, main+"/") && strings.HasSuffix(name, "+"+sub) {
			return true
		}
	}
	return false
}

// AcceptsEncoding reports whether the caller accepts a content coding.
func (r *Request) AcceptsEncoding(coding string) bool {
	for candidate := range strings.SplitSeq(r.header("accept-encoding"), ",") {
		name, weight, _ := strings.Cut(candidate, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}

// Param returns a parameter of the path as the gateway decoded it. Use ID where it is an id.
func (r *Request) Param(name string) string { return r.event.PathParameters[name] }

// ID returns a path parameter that is a ULID. Any other text is a fault.NotFound, as an unknown id is. So is another
// spelling of an id, because a resource has one address.
func (r *Request) ID(name string) (string, error) {
	text := r.Param(name)
	if !IsID(text) {
		return "", NotFound()
	}
	return text, nil
}

// NotFound is the fault of an id that the caller's environment does not have.
func NotFound() *fault.Error {
	return fault.New(fault.NotFound, "notFound",
		"There is nothing with this id. Check the id; what it named may have been deleted, or belong to another environment.")
}

// LogSession adds an account and a session to the request's log line, for public routes that sign somebody in.
func (r *Request) LogSession(accountID, sessionID string) {
	r.logFields.account, r.logFields.session = accountID, sessionID
}

// LogSignInFailure adds to the request's log line why a sign-in failed, and for which account if there is one. The
// response says neither.
func (r *Request) LogSignInFailure(accountID, reason string) {
	r.logFields.account, r.logFields.reason = accountID, reason
}

// LogKey adds the caller's API key to the request's log line.
func (r *Request) LogKey(keyID string) { r.logFields.key = keyID }

// IfMatch returns the version that the caller read and wants to change.
func (r *Request) IfMatch() (int64, error) {
	if !r.route.Doc.IfMatch {
		panic("route " + r.route.Key + " does not declare If-Match")
	}
	if strings.TrimSpace(r.header("if-match")) == "" {
		return 0, fault.New(fault.VersionRequired, "ifMatchRequired",
			"The version to change is missing. Send the ETag of your last read as If-Match.")
	}
	return r.ifMatch()
}

// ifMatch returns the version that If-Match names. Proxies that compress weaken tags and add their own, so weak tags
// and lists are accepted, which departs from RFC 9110 13.1.1. Versions rise: of several that a caller has seen, only
// the highest can still be the current one.
func (r *Request) ifMatch() (int64, error) {
	var highest int64
	for text := range strings.SplitSeq(r.header("if-match"), ",") {
		version, ok := parseETag(strings.TrimPrefix(strings.TrimSpace(text), "W/"))
		if !ok {
			return 0, fault.New(fault.Malformed, "ifMatch",
				`If-Match must be the ETag that a read returned, such as "7", with its quotes, or a list of such tags. `+
					`* is not accepted.`)
		}
		highest = max(highest, version)
	}
	return highest, nil
}

// IfMatchIfGiven returns the version that the caller read, or 0 if the request names none.
func (r *Request) IfMatchIfGiven() (int64, error) {
	if !r.route.Doc.IfMatchOptional {
		panic("route " + r.route.Key + " does not declare an optional If-Match")
	}
	if !r.has("if-match") {
		return 0, nil
	}
	return r.ifMatch()
}

// has reports whether the request has a header at all. An empty header is a mistake to report, not a missing one.
func (r *Request) has(lowerName string) bool {
	for name := range r.event.Headers {
		if strings.EqualFold(name, lowerName) {
			return true
		}
	}
	return false
}

// LogWarning adds an error that does not change the response to the request's log line.
func (r *Request) LogWarning(err error) {
	r.logFields.warning = errors.Join(r.logFields.warning, err)
}

// header returns a request header. The gateway sends names in lower case and joins repeated ones with a comma.
func (r *Request) header(lowerName string) string {
	if value, ok := r.event.Headers[lowerName]; ok {
		return value
	}
	for name, value := range r.event.Headers { // other gateways keep the client's spelling
		if strings.EqualFold(name, lowerName) {
			return value
		}
	}
	return ""
}

// parseETag reads the strong entity tag of a version: digits in quotes, in the one spelling that etag writes. Versions
// start at 1, because 0 stands for a request without a tag.
func parseETag(text string) (int64, bool) {
	inner, ok := strings.CutPrefix(text, `"`)
	if !ok {
		return 0, false
	}
	inner, ok = strings.CutSuffix(inner, `"`)
	if !ok {
		return 0, false
	}
	version, err := strconv.ParseInt(inner, 10, 64)
	return version, err == nil && version >= 1 && etag(version) == text
}

// etag returns the strong entity tag of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// IsID reports whether a text is a ULID in its canonical spelling.
func IsID(text string) bool {
	id, err := ulid.ParseStrict(text)
	return err == nil && id.String() == text
}

func newID() string { return ulid.MustNew(ulid.Now(), rand.Reader).String() }
