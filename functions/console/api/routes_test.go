package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/functions/console/api"
	"useraccounts/internal/httpapi"
)

// docs is a reference page as the build makes it: one style element, no script.
const docs = "<!doctype html><html><head><style>a{}</style></head><body>GET /api/login</body></html>"

// pagesOf returns the pages of a site with this reference page, or none.
func pagesOf(docs string) map[string]string {
	if docs == "" {
		return nil
	}
	return map[string]string{"": docs, "problems/taken": docs}
}

// get asks a site without a built console, and with a reference page unless it is "".
func get(t *testing.T, key, docs string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	h, err := httpapi.New(httpapi.Server{Routes: api.Routes(api.NewSite(nil, pagesOf(docs), ""))})
	if err != nil {
		t.Fatal(err)
	}
	res, err := h.Handle(t.Context(), events.APIGatewayV2HTTPRequest{RouteKey: key})
	if err != nil || res.StatusCode != 200 || res.IsBase64Encoded {
		t.Fatalf("%s: %d %v", key, res.StatusCode, err)
	}
	return res
}

// V49: the pages may use their own style sheet and icon, and nothing else.
func TestPagesAllowNothingButTheirOwnStyle(t *testing.T) {
	for _, c := range [][2]string{{"GET /", ""}, {"GET /api/docs", ""}, {"GET /api/docs", docs}} {
		key := c[0]
		res := get(t, key, c[1])
		policy := res.Headers["Content-Security-Policy"]
		if res.Headers["Content-Type"] != "text/html; charset=utf-8" || !strings.HasPrefix(res.Body, "<!doctype html>") {
			t.Errorf("%s is no page: %v", key, res.Headers)
		}
		for _, want := range []string{
			"default-src 'none'", "style-src 'sha256-", "frame-ancestors 'none'",
			"base-uri 'none'", "form-action 'none'",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", key, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script") || strings.Contains(policy, "http") {
			t.Errorf("%s: the policy allows too much: %s", key, policy)
		}
		if strings.Count(res.Body, "<style>") != 1 || strings.Contains(res.Body, "<script") ||
			strings.Contains(res.Body, "style=\"") {
			t.Errorf("%s has what its policy does not allow", key)
		}
		if res.Headers["X-Content-Type-Options"] != "nosniff" || res.Headers["Etag"] == "" {
			t.Errorf("%s: headers %v", key, res.Headers)
		}
	}
}

// Without a built console the page says how to build it.
func TestFirstPageWithoutAConsoleSaysHowToBuildIt(t *testing.T) {
	if res := get(t, "GET /", ""); !strings.Contains(res.Body, "make console") ||
		!strings.Contains(res.Body, `href="/api/docs"`) || !strings.Contains(res.Body, `href="/api/openapi.json"`) {
		t.Error("it does not")
	}
}

func TestReferenceIsServed(t *testing.T) {
	res := get(t, "GET /api/openapi.json", "")
	var doc struct{ OpenAPI string }
	if err := json.Unmarshal([]byte(res.Body), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1.") ||
		res.Headers["Content-Type"] != "application/json" {
		t.Errorf("%v %q %v", err, doc.OpenAPI, res.Headers)
	}
	if page := get(t, "GET /api/docs", docs).Body; page != docs {
		t.Errorf("the page is %q", page)
	}
}

// Without a built page the address says how to build it, and where the document is.
func TestDocsWithoutAPageSayHowToBuildIt(t *testing.T) {
	res := get(t, "GET /api/docs", "")
	if !strings.Contains(res.Body, "make reference") || !strings.Contains(res.Body, `href="/api/openapi.json"`) {
		t.Errorf("the page is %q", res.Body)
	}
}

// V49: the explorer runs scripts of its own origin only, nothing inline, and works without scripts as a link.
func TestTheExplorerAllowsItsOwnScriptsOnly(t *testing.T) {
	h, err := httpapi.New(httpapi.Server{Routes: api.Routes(api.NewSite(nil, pagesOf(docs), ""))})
	if err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]int{"explorer": 200, "problems": 404, "../docs": 404} {
		res, err := h.Handle(t.Context(), events.APIGatewayV2HTTPRequest{RouteKey: "GET /api/docs/{page}",
			PathParameters: map[string]string{"page": page}})
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %d %v", page, res.StatusCode, err)
		}
		if page != "explorer" {
			continue
		}
		policy := res.Headers["Content-Security-Policy"]
		if !strings.Contains(policy, "script-src 'self'; style-src 'self'") || strings.Contains(policy, "unsafe") ||
			strings.Contains(policy, "http") {
			t.Errorf("the policy is %s", policy)
		}
		if strings.Contains(res.Body, "<style") || strings.Contains(res.Body, "style=") ||
			strings.Count(res.Body, "<script") != strings.Count(res.Body, `<script src="/explorer/`) ||
			!strings.Contains(res.Body, `<a href="/api/docs">`) {
			t.Errorf("the page is %s", res.Body)
		}
	}
	res, err := h.Handle(t.Context(), events.APIGatewayV2HTTPRequest{RouteKey: "GET /api/docs/problems/{code}",
		PathParameters: map[string]string{"code": "taken"}})
	if err != nil || res.StatusCode != 200 || res.Body != docs {
		t.Errorf("the page of a problem: %d %v", res.StatusCode, err)
	}
}
