package httpapi

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/fault"
)

// formType is the type of a form; invalidRequest is RFC 6749's code of a request that cannot be read.
const (
	formType       = "application/x-www-form-urlencoded"
	invalidRequest = "invalid_request"
)

// OAuthError is the error of a token or introspection request (RFC 6749, 5.2).
type OAuthError struct {
	Error       string `json:"error" enum:"invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type|invalid_scope|invalid_target|server_error|temporarily_unavailable"`
	Description string `json:"error_description"`
}

// oauthCodes are the codes that RFC 6749 and RFC 8693 have for errors that the client can act on.
var oauthCodes = []string{invalidRequest, "invalid_client", "invalid_grant", "unauthorized_client",
	"unsupported_grant_type", "invalid_scope", "invalid_target"}

// formProblems are the errors of every route that takes a form.
func formProblems() []Problem {
	return []Problem{
		{Kind: fault.Malformed, Code: invalidRequest, When: "A parameter is missing, repeated or not valid."},
		{Kind: fault.Unauthenticated, Code: "invalid_client",
			When: "There is no active application with this client id and secret."},
	}
}

// oauthError returns the response that states err as RFC 6749 does.
func oauthError(err error, requestID string) Response {
	f := asFault(err, requestID)
	status, code := StatusOf(f.Kind), f.Code
	if !slices.Contains(oauthCodes, code) {
		switch {
		case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
			code = "temporarily_unavailable"
		case status >= http.StatusInternalServerError:
			code = "server_error"
		default:
			status, code = http.StatusBadRequest, invalidRequest
		}
	}
	raw, marshalErr := json.Marshal(OAuthError{code, printable(f.Detail)}, json.Deterministic(true))
	if marshalErr != nil {
		raw = []byte(`{"error":"server_error"}`)
	}
	res := Response{Status: status, raw: raw, contentType: "application/json"}.setHeader("Pragma", "no-cache")
	if status == http.StatusUnauthorized {
		res = res.setHeader("Www-Authenticate", `Basic realm="useraccounts", charset="UTF-8"`)
	}
	return res
}

// printable leaves the characters that an error_description may have (RFC 6749, 5.2).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, text)
}

// Form returns the parameters of the request's form. One that is repeated, or a body that is none, is a fault (RFC
// 6749, 3.2).
func (r *Request) Form() (map[string]string, error) {
	if !r.route.Doc.Form {
		panic("route " + r.route.Key + " does not declare a form")
	}
	values, err := url.ParseQuery(string(r.body))
	if err != nil {
		return nil, fault.New(fault.Malformed, "invalid_request", "The body is not a form.")
	}
	form := make(map[string]string, len(values))
	for name, all := range values {
		if len(all) > 1 {
			return nil, fault.New(fault.Malformed, invalidRequest, "A parameter is repeated; send it once.")
		}
		form[name] = all[0]
	}
	return form, nil
}

// ClientCredentials returns the client id and secret of the request, by HTTP Basic or in its form, but not by both
// (RFC 6749, 2.3.1). Both are empty where there are none.
func (r *Request) ClientCredentials(form map[string]string) (id, secret string, err error) {
	malformed := fault.New(fault.Unauthenticated, "invalid_client", "The client's credentials cannot be read.")
	if !r.has("authorization") {
		return form["client_id"], form["client_secret"], nil
	}
	scheme, encoded, _ := strings.Cut(r.header("authorization"), " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !strings.EqualFold(scheme, "Basic") || err != nil {
		return "", "", malformed
	}
	left, right, found := strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(left)
	secret, errSecret := url.QueryUnescape(right)
	switch {
	case !found || errID != nil || errSecret != nil:
		return "", "", malformed
	case form["client_secret"] != "" || (form["client_id"] != "" && form["client_id"] != id):
		return "", "", fault.New(fault.Malformed, invalidRequest, "Send the client's credentials in one place only.")
	}
	return id, secret, nil
}
