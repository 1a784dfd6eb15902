package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// httpRule is a rule of HTTP that holds on every route it applies to. The handlers are replaced by one that responds
// with a big body and a version, so the edge alone answers.
type httpRule struct {
	name    string
	applies func(httpapi.Route) bool
	change  func(*events.APIGatewayV2HTTPRequest)
	// status and code are those of the answer; a success has no code.
	status int
	code   string
	check  func(events.APIGatewayV2HTTPResponse) string
}

func anyRoute(httpapi.Route) bool      { return true }
func onlyGet(r httpapi.Route) bool     { return r.Method() == "GET" && !r.Page }
func writes(r httpapi.Route) bool      { return r.Method() != "GET" }
func patches(r httpapi.Route) bool     { return r.Method() == "PATCH" }
func hasBody(r httpapi.Route) bool     { return r.Doc.Body != nil }
func withoutBody(r httpapi.Route) bool { return writes(r) && r.Doc.Body == nil }

func header(name, value string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) { e.Headers[name] = value }
}

func body(contentType, text string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) { e.Headers["content-type"], e.Body = contentType, text }
}

// httpRules are the rules.
var httpRules = []httpRule{
	{name: "it answers", applies: anyRoute, status: 200},
	{name: "an unknown parameter", applies: func(r httpapi.Route) bool { return !r.Page }, status: 400, code: "query",
		change: func(e *events.APIGatewayV2HTTPRequest) { e.RawQueryString = "nothing=1" }},
	{name: "a query that is no text", applies: func(r httpapi.Route) bool { return !r.Page }, status: 400, code: "query",
		change: func(e *events.APIGatewayV2HTTPRequest) { e.RawQueryString = "%zz" }},
	{name: "HEAD", applies: func(r httpapi.Route) bool { return r.Method() == "GET" }, status: 200,
		change: func(e *events.APIGatewayV2HTTPRequest) {
			e.RouteKey = "HEAD" + strings.TrimPrefix(e.RouteKey, "GET")
			e.RequestContext.HTTP.Method = "HEAD"
		},
		check: func(res events.APIGatewayV2HTTPResponse) string {
			return differs(res.Body, "", "the body") + differs(res.Headers["Etag"], `"7"`, "the ETag")
		}},
	{name: "a body that the caller has", applies: onlyGet, status: 304, change: header("if-none-match", `W/"7"`),
		check: func(res events.APIGatewayV2HTTPResponse) string { return differs(res.Body, "", "the body") }},
	{name: "a form", applies: writes, status: 415, code: "contentType",
		change: body("application/x-www-form-urlencoded", "a=b")},
	{name: "a text", applies: writes, status: 415, code: "contentType", change: body("text/plain", "{}")},
	{name: "no content type", applies: writes, status: 415, code: "contentType", change: body("", "{}")},
	{name: "a long body", applies: writes, status: 413, code: "bodyTooLarge",
		change: body("application/json", strings.Repeat(" ", 64<<10+1))},
	{name: "a body where none is read", applies: withoutBody, status: 400, code: "bodyUnexpected",
		change: body("application/json", `{"a":1}`)},
	{name: "a merge patch", applies: patches, status: 200, change: body("application/merge-patch+json", "{}")},
	{name: "a merge patch that is none", applies: func(r httpapi.Route) bool { return hasBody(r) && !patches(r) },
		status: 415, code: "contentType", change: body("application/merge-patch+json", "{}")},
	{name: "a page of another origin with a cookie", applies: func(r httpapi.Route) bool {
		return writes(r) && r.Needs != access.Public
	}, status: 403, code: "crossOrigin", change: func(e *events.APIGatewayV2HTTPRequest) {
		delete(e.Headers, "authorization")
		e.Cookies = []string{httpapi.AccessCookie + "=uas_x"}
		e.Headers["origin"] = "https://evil.example"
	}},
	{name: "no session", applies: func(r httpapi.Route) bool { return r.Needs != access.Public }, status: 401,
		code: "sessionRequired", change: func(e *events.APIGatewayV2HTTPRequest) { delete(e.Headers, "authorization") },
		check: func(res events.APIGatewayV2HTTPResponse) string {
			return differs(res.Headers["Www-Authenticate"], "Bearer", "WWW-Authenticate")
		}},
	{name: "a caller who accepts br", applies: anyRoute, status: 200, change: header("accept-encoding", "gzip, br"),
		check: nil}, // see compressionRule
}

func differs(got, want, what string) string {
	if got == want {
		return ""
	}
	return fmt.Sprintf("%s is %.40q, want %.40q; ", what, got, want)
}

// formViolation says how a route that takes a form answers otherwise than RFC 6749, 5.2 has it, or "".
func formViolation(rule httpRule, res events.APIGatewayV2HTTPResponse) string {
	if rule.name == "a form" {
		return differs(fmt.Sprint(res.StatusCode), "200", "the status")
	}
	var got httpapi.OAuthError
	if err := json.Unmarshal([]byte(res.Body), &got); err != nil || got.Error != "invalid_request" ||
		got.Description == "" || res.StatusCode != 400 || res.Headers["Content-Type"] != "application/json" {
		return fmt.Sprintf("answered %d %.60s, want invalid_request", res.StatusCode, res.Body)
	}
	return ""
}

// The rules of HTTP, over every route: what is wrong gets a problem document, never a page or a 500.
func TestTheRulesOfHTTPHoldOnEveryRoute(t *testing.T) {
	authenticate := func(context.Context, string) (access.Scope, error) {
		all := access.Set{}
		for p := range access.All() {
			all[p] = struct{}{}
		}
		return access.Scope{Caller: access.Caller{AccountID: "A", Permissions: all}}, nil
	}
	count := 0
	for _, table := range tables() {
		routes := slices.Clone(table.routes)
		for i := range routes {
			routes[i].Handle = func(context.Context, *httpapi.Request) (httpapi.Response, error) {
				return httpapi.OK(strings.Repeat("big ", 500)).WithVersion(7), nil
			}
		}
		h, err := httpapi.New(httpapi.Server{Routes: routes, Authenticate: authenticate, Idempotency: unusedStore{},
			PublicURL: "https://accounts.example"})
		if err != nil {
			t.Fatal(err)
		}
		for _, route := range routes {
			if route.Key == "$default" {
				continue
			}
			for _, rule := range httpRules {
				if !rule.applies(route) {
					continue
				}
				count++
				event := plainRequest(route)
				if rule.change != nil {
					rule.change(&event)
				}
				res, err := h.Handle(t.Context(), event)
				if err != nil {
					t.Fatal(err)
				}
				wrong := violation(route, rule, res)
				if route.Doc.Form && rule.status >= 400 {
					wrong = formViolation(rule, res)
				}
				if wrong != "" {
					t.Errorf("%s, %s: %s", route.Key, rule.name, wrong)
				}
			}
		}
	}
	if count < 1000 {
		t.Errorf("only %d requests were sent", count)
	}
}

// plainRequest is a signed-in request to a route with the parameters that it needs.
func plainRequest(route httpapi.Route) events.APIGatewayV2HTTPRequest {
	event := events.APIGatewayV2HTTPRequest{RouteKey: route.Key, RawPath: route.Path(),
		Headers: map[string]string{"authorization": "Bearer uas_x", "accept": "application/json"}}
	event.RequestContext.HTTP.Method = route.Method()
	for _, p := range route.Query {
		if p.Required {
			event.RawQueryString += p.Name + "=" + p.Example + "&"
		}
	}
	event.RawQueryString = strings.TrimSuffix(event.RawQueryString, "&")
	return event
}

// violation says how an answer breaks a rule, or "".
func violation(route httpapi.Route, rule httpRule, res events.APIGatewayV2HTTPResponse) string {
	if res.StatusCode != rule.status {
		return fmt.Sprintf("answered %d %.200s, want %d", res.StatusCode, res.Body, rule.status)
	}
	wrong := ""
	if rule.code != "" {
		var problem struct{ Type, Code, Instance string }
		if err := json.Unmarshal([]byte(res.Body), &problem); err != nil ||
			res.Headers["Content-Type"] != "application/problem+json" {
			return fmt.Sprintf("the answer is no problem: %.100s", res.Body)
		}
		wrong += differs(problem.Code, rule.code, "the code") +
			differs(problem.Type, "/api/docs/problems/"+rule.code, "the type")
	}
	if rule.check != nil {
		wrong += rule.check(res)
	}
	if res.Headers["X-Request-Id"] == "" {
		wrong += "there is no X-Request-Id; "
	}
	if rule.name == "a caller who accepts br" {
		want := map[bool]string{false: "br", true: ""}[route.Doc.Secret]
		wrong += differs(res.Headers["Content-Encoding"], want, "Content-Encoding") +
			differs(res.Headers["Etag"], `"7"`, "the ETag")
	}
	return wrong
}

// secretName is how members are named that hold a secret: whoever has it can do something with it.
var secretName = regexp.MustCompile(
	`(?i)token$|^ticket$|secret|password$|^recoveryCodes$|^codes$|^key$|^url$|^uri$|^handle$`)

// Every operation whose answer has a member of such a name is marked Secret, so that it is not compressed (BREACH).
func TestAnswersWithSecretsAreMarked(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]any
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(files[documentPath], &doc); err != nil {
		t.Fatal(err)
	}
	secrets := 0
	for _, table := range tables() {
		for _, route := range table.routes {
			if route.Key == "$default" {
				continue
			}
			var found []string
			seen := map[string]bool{}
			var walk func(node any)
			walk = func(node any) {
				switch node := node.(type) {
				case map[string]any:
					if ref, _ := node["$ref"].(string); strings.HasPrefix(ref, "#/components/schemas/") && !seen[ref] {
						seen[ref] = true
						walk(doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")])
					}
					members, _ := node["properties"].(map[string]any)
					for name, member := range members {
						if schema, _ := member.(map[string]any); secretName.MatchString(name) && isText(schema) {
							found = append(found, name)
						}
						walk(member)
					}
					for name, member := range node {
						if name != "properties" {
							walk(member)
						}
					}
				case []any:
					for _, member := range node {
						walk(member)
					}
				}
			}
			for status, response := range doc.Paths[route.Path()][strings.ToLower(route.Method())].Responses {
				if strings.HasPrefix(status, "2") {
					walk(response)
				}
			}
			if route.Key == "GET /api/settings/log" { // its key is the id of an API key
				continue
			}
			if len(found) > 0 != route.Doc.Secret {
				t.Errorf("%s: Secret is %v, but its answer has the members %v", route.Key, route.Doc.Secret, found)
			}
			if route.Doc.Secret {
				secrets++
			}
		}
	}
	if secrets < 10 {
		t.Errorf("only %d operations are marked", secrets)
	}
}

// isText reports whether a schema is of texts or a list of texts that are not an enumeration.
func isText(schema map[string]any) bool {
	if items, ok := schema["items"].(map[string]any); ok {
		schema = items
	}
	return schema["type"] == "string" && schema["enum"] == nil && schema["format"] == nil
}
