package systemtest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/local/localtest"
)

// V48: every route that changes something, as built and running: by an administrator's cookies it is refused to whom
// does not prove to be our own page, and whatever somebody comes by, to what a form of another origin can send.
func TestEveryChangeIsRefusedToPagesOfOtherOrigins(t *testing.T) {
	t.Parallel()
	system, admin := start(t)
	in := (&client{url: admin.url}).do(t, "POST", "/api/login",
		map[string]any{"identifier": "admin", "password": adminPassword},
		header{"X-UA-Client", "web"}, header{"Origin", admin.url}).expect(t, 200)
	var jar []string
	for _, c := range (&http.Response{Header: in.Header}).Cookies() {
		jar = append(jar, c.Name+"="+c.Value)
	}
	if len(jar) != 2 {
		t.Fatalf("%v", in.Header)
	}
	needs, samples, changes := routeNeeds(t), routeSamples(t), 0
	for _, f := range localtest.Template(t).Functions {
		for _, route := range f.Routes {
			event, sampled := samples[route.Key()]
			if strings.HasPrefix(route.Key(), "GET ") || !sampled || !strings.Contains(route.Key(), " /") {
				continue
			}
			if strings.Contains(route.Key(), " /oauth/") {
				continue // a form with a secret in it, as RFC 6749 has it: no cookie is read, so no page borrows one
			}
			changes++
			byPage := func(body string, headers map[string]string) events.APIGatewayV2HTTPResponse {
				event := event
				event.Headers = map[string]string{"user-agent": "Firefox", "content-type": "application/json"}
				maps.Copy(event.Headers, headers)
				event.Cookies, event.Body = jar, body
				return caller{}.invokeAsIs(t, system, f.Name, event)
			}
			for _, simple := range []string{"text/plain", "application/x-www-form-urlencoded",
				"multipart/form-data; boundary=x", ""} {
				got := byPage(`{"a":"b"}`, map[string]string{"content-type": simple, "x-ua-client": "web", "origin": admin.url})
				if got.StatusCode != 415 {
					t.Errorf("%s with a body of type %q: %d %s", route.Key(), simple, got.StatusCode, got.Body)
				}
			}
			if needs[route.Key()] == access.Public {
				continue // nobody's cookie opens it
			}
			for name, headers := range map[string]map[string]string{
				"no word of a page":        {},
				"our origin, no header":    {"origin": admin.url, "sec-fetch-site": "same-origin"},
				"the header, no origin":    {"x-ua-client": "web"},
				"another origin":           {"x-ua-client": "web", "origin": "https://evil.example"},
				"no origin":                {"x-ua-client": "web", "origin": "null"},
				"another site":             {"x-ua-client": "web", "sec-fetch-site": "cross-site"},
				"our origin, another site": {"x-ua-client": "web", "origin": admin.url, "sec-fetch-site": "cross-site"},
				"a host that somebody says": {"x-ua-client": "web", "origin": "https://evil.example", "host": "evil.example",
					"x-forwarded-host": "evil.example"},
			} {
				if got := byPage("", headers); got.StatusCode != 403 || !strings.Contains(got.Body, `"crossOrigin"`) {
					t.Errorf("%s by cookie, %s: %d %s", route.Key(), name, got.StatusCode, got.Body)
				}
			}
			if got := byPage("", map[string]string{"x-ua-client": "web", "origin": admin.url}); got.StatusCode != 400 ||
				!strings.Contains(got.Body, "no-such-parameter") {
				t.Errorf("%s by our own page: %d %s; the rest of this test proves nothing", route.Key(), got.StatusCode, got.Body)
			}
		}
	}
	if changes < 50 {
		t.Errorf("only %d routes change something", changes)
	}
}

// invokeAsIs sends an event as it is, but with a parameter that no route knows.
func (caller) invokeAsIs(t *testing.T, system *localtest.RunningSystem, function string,
	event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	event.RawQueryString = "no-such-parameter=1"
	event.QueryStringParameters = map[string]string{"no-such-parameter": "1"}
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	out, err := system.Invoke(t.Context(), function, raw)
	var got events.APIGatewayV2HTTPResponse
	if err != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("%s: %s, %v", event.RouteKey, out, err)
	}
	return got
}

// V49, V50: every answer over HTTP has the headers, whether it is an answer, a refusal, a mistake, a page or what is
// not there, by every method; the API's are not stored, and none of them, nor one to a browser that asks beforehand,
// opens anything to a page of another origin.
func TestEveryAnswerProtectsTheBrowser(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	nobody := &client{url: admin.url}
	seen := map[int]bool{}
	asks := func(c *client, method, path string, body any, headers ...header) {
		t.Helper()
		got := c.do(t, method, path, body, append(headers, header{"Origin", "https://evil.example"})...)
		seen[got.Status] = true
		expectSecurityHeaders(t, method+" "+path, got,
			strings.HasPrefix(path, "/api/") && path != "/api/docs" && path != "/api/openapi.json")
	}
	for key, event := range routeSamples(t) {
		method, _, _ := strings.Cut(key, " ")
		if !strings.HasPrefix(event.RawPath, "/") {
			continue
		}
		asks(nobody, method, event.RawPath, nil)
		asks(admin, method, event.RawPath+"?no-such-parameter=1", nil)
		asks(nobody, "OPTIONS", event.RawPath, nil, header{"Access-Control-Request-Method", method},
			header{"Access-Control-Request-Headers", "x-ua-client,content-type"})
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
		for _, path := range []string{"/", "/accounts", "/api/nothing", "/api/me", "/assets/nothing.js", "/.env"} {
			asks(nobody, method, path, nil)
		}
	}
	asks(admin, "GET", "/api/me", nil)
	asks(admin, "GET", "/api/accounts/x", nil)
	asks(admin, "POST", "/api/accounts", `{"username":`)
	asks(admin, "POST", "/api/accounts", `{}`)
	asks(admin, "POST", "/api/accounts", `{"name":"`+strings.Repeat("x", 65<<10)+`"}`)
	asks(admin, "POST", "/api/accounts", `a=b`, header{"Content-Type", "text/plain"})
	asks(nobody, "POST", "/api/login", map[string]any{"identifier": "nobody", "password": "x"})
	for _, status := range []int{200, 400, 401, 404, 413, 415, 422} {
		if !seen[status] {
			t.Errorf("no answer was a %d: %v", status, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// expectSecurityHeaders says what of an answer's headers is missing.
func expectSecurityHeaders(t *testing.T, name string, got response, api bool) {
	t.Helper()
	policy := got.Header.Get("Content-Security-Policy")
	// no object-src: the default's none is its
	for _, want := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) || strings.Contains(policy, "object-src") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d, the policy is %q", name, got.Status, policy)
		}
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"X-Frame-Options": "DENY"} {
		if got.Header.Get(header) != want {
			t.Errorf("%s: %d, %s is %q", name, got.Status, header, got.Header.Get(header))
		}
	}
	age, _, _ := strings.Cut(strings.TrimPrefix(got.Header.Get("Strict-Transport-Security"), "max-age="), ";")
	if seconds, err := strconv.Atoi(age); err != nil || seconds < 365*24*60*60 {
		t.Errorf("%s: %d, less than a year of HTTPS: %q", name, got.Status, got.Header.Get("Strict-Transport-Security"))
	}
	if api && got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %d may be stored: %q", name, got.Status, got.Header.Get("Cache-Control"))
	}
	for header := range got.Header {
		if strings.HasPrefix(header, "Access-Control-") {
			t.Errorf("%s: %d sends %s", name, got.Status, header)
		}
	}
}
