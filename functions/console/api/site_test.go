package api_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/functions/console/api"
	"useraccounts/internal/httpapi"
)

const bucket = "https://files.s3.eu-west-2.amazonaws.com"

// send sends a request to a built console, as the gateway does where no other route matches.
func send(t *testing.T, method, path, encodings, body string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	site := api.NewSite(fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>console")},
		"icon.svg":             {Data: []byte("<svg/>")},
		"assets/main-1a.js":    {Data: []byte("plain")},
		"assets/main-1a.js.br": {Data: []byte{0xff, 'b'}},
		"assets/main-1a.js.gz": {Data: []byte{0xff, 'g'}},
		"assets/small-2b.css":  {Data: []byte("a{}")},
	}, nil, bucket)
	h, err := httpapi.New(httpapi.Server{Routes: api.Routes(site)})
	if err != nil {
		t.Fatal(err)
	}
	event := events.APIGatewayV2HTTPRequest{
		RouteKey: "$default", RawPath: path, Body: body,
		Headers: map[string]string{"accept-encoding": encodings},
	}
	if path == "/" {
		event.RouteKey = "GET /"
	}
	event.RequestContext.HTTP.Method = method
	res, err := h.Handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// V49: nothing inline, and no other origin but the bucket to which workbooks are posted.
func TestPageIsAtItsAddressesAndAllowsLittle(t *testing.T) {
	for _, path := range []string{
		"/", "/accounts", "/accounts/01JZ0000000000000000000000/log", "/sign-in", "/a/../settings/log",
	} {
		res := send(t, "GET", path, "", "")
		if res.StatusCode != 200 || !strings.Contains(res.Body, "console") ||
			res.Headers["Content-Type"] != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %q", path, res.StatusCode, res.Body)
		}
		want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
			"connect-src 'self' " + bucket +
			"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
		if got := res.Headers["Content-Security-Policy"]; got != want {
			t.Errorf("%s: the policy is %s", path, got)
		}
		if res.Headers["Cache-Control"] != "no-store" || res.Headers["Referrer-Policy"] != "no-referrer" {
			t.Errorf("%s: headers %v", path, res.Headers)
		}
	}
}

// V49: every file has the security headers, and so has the response where there is no file.
func TestEveryFileHasTheSecurityHeaders(t *testing.T) {
	for _, path := range []string{
		"/", "/accounts", "/icon.svg", "/assets/main-1a.js", "/assets/small-2b.css",
		"/assets/none.js", "/api/none",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			res := send(t, method, path, "br", "")
			if res.Headers["X-Content-Type-Options"] != "nosniff" ||
				!strings.HasPrefix(res.Headers["Strict-Transport-Security"], "max-age=63072000") ||
				res.Headers["X-Frame-Options"] != "DENY" ||
				!strings.Contains(res.Headers["Content-Security-Policy"], "default-src 'none'") {
				t.Errorf("%s %s: %d %v", method, path, res.StatusCode, res.Headers)
			}
			for name := range res.Headers {
				if strings.HasPrefix(strings.ToLower(name), "access-control-") { // V50
					t.Errorf("%s %s sends %s", method, path, name)
				}
			}
		}
	}
}

func TestFilesAreKeptForGoodAndSentSmall(t *testing.T) {
	for encodings, want := range map[string][2]string{
		"":                  {"plain", ""},
		"gzip, deflate, br": {"/2I=", "br"},
		"gzip;q=1.0":        {"/2c=", "gzip"},
		"br;q=0, gzip":      {"/2c=", "gzip"},
		"identity":          {"plain", ""},
	} {
		res := send(t, "GET", "/assets/main-1a.js", encodings, "")
		if res.StatusCode != 200 || res.Body != want[0] || res.Headers["Content-Encoding"] != want[1] ||
			res.IsBase64Encoded != (want[1] != "") {
			t.Errorf("%q: %d %q %v", encodings, res.StatusCode, res.Body, res.Headers)
		}
		if res.Headers["Cache-Control"] != "public, max-age=31536000, immutable" ||
			res.Headers["Vary"] != "Accept-Encoding" ||
			res.Headers["Content-Type"] != "text/javascript; charset=utf-8" {
			t.Errorf("%q: headers %v", encodings, res.Headers)
		}
	}
	// A file without a hash in its name may change with the next build.
	if res := send(t, "GET", "/icon.svg", "", ""); res.Headers["Cache-Control"] != "no-cache" ||
		res.Headers["Content-Type"] != "image/svg+xml" {
		t.Errorf("the icon: %v", res.Headers)
	}
	if res := send(t, "GET", "/assets/small-2b.css", "br", ""); res.Body != "a{}" ||
		res.Headers["Content-Encoding"] != "" {
		t.Errorf("a file without a smaller one: %q %v", res.Body, res.Headers)
	}
}

// A mistyped address of the API is a problem, never the page, which a program would take for a response.
func TestWhatIsNotThereIsNotThePage(t *testing.T) {
	for _, c := range [][3]string{
		{"GET", "/api", ""},
		{"GET", "/api/", ""},
		{"GET", "/api/accountz", ""},
		{"POST", "/api/login/", `{"a":1}`},
		{"POST", "/accounts", "a=b"},
		{"GET", "/x/../api/accountz", ""},
		{"GET", "/assets/main-0z.js", ""},
		{"GET", "/assets/main-1a.js.br", ""},
		{"DELETE", "/accounts", ""},
		{"GET", "/.env", ""},
		{"GET", "/.well-known/openid-configuration", ""},
		{"GET", "/health", ""},
		{"GET", "/API/accounts", ""},
		{"GET", "/apiary", ""},
		{"GET", "/metrics", ""},
	} {
		res := send(t, c[0], c[1], "", c[2])
		if res.StatusCode != 404 || res.Headers["Content-Type"] != "application/problem+json" ||
			!strings.Contains(res.Body, `"noRoute"`) {
			t.Errorf("%s %s: %d %s", c[0], c[1], res.StatusCode, res.Body)
		}
	}
}

// Who asks for JSON is a program, which would take the page for a response; a browser is told by the page.
func TestWhatIsAskedForDecides(t *testing.T) {
	for _, c := range []struct {
		path, accept string
		status       int
		html         bool
	}{
		{"/accounts", "text/html,application/xhtml+xml,*/*;q=0.8", 200, true},
		{"/accounts", "application/json", 404, false},
		{"/accounts", "application/problem+json", 404, false},
		{"/accounts", "text/html, application/json", 200, true},
		{"/accounts", "*/*", 200, true},
		{"/nowhere", "text/html,*/*;q=0.8", 404, true},
		{"/nowhere", "*/*", 404, false},
		{"/.well-known/x", "text/html", 404, false},
		{"/Api/x", "text/html", 404, false},
	} {
		event := events.APIGatewayV2HTTPRequest{RouteKey: "$default", RawPath: c.path,
			Headers: map[string]string{"accept": c.accept}}
		event.RequestContext.HTTP.Method = "GET"
		h, err := httpapi.New(httpapi.Server{Routes: api.Routes(api.NewSite(nil, nil, ""))})
		if err != nil {
			t.Fatal(err)
		}
		res, err := h.Handle(t.Context(), event)
		html := strings.HasPrefix(res.Headers["Content-Type"], "text/html")
		if err != nil || res.StatusCode != c.status || html != c.html {
			t.Errorf("%s as %s: %d %s", c.path, c.accept, res.StatusCode, res.Headers["Content-Type"])
		}
	}
}

// The first part of every address in the console's routes is an address of the page.
func TestThePagesOfTheConsoleAreKnown(t *testing.T) {
	for _, file := range []string{"router.tsx", "pages.tsx"} {
		source, err := os.ReadFile("../web/src/" + file)
		if err != nil {
			t.Fatal(err)
		}
		paths := regexp.MustCompile("path: ['`]/?([a-z-]+)").FindAllStringSubmatch(string(source), -1)
		if len(paths) < 4 {
			t.Errorf("%s: found only %q", file, paths)
		}
		for _, m := range paths {
			if res := send(t, "GET", "/"+m[1], "", ""); res.StatusCode != 200 {
				t.Errorf("%s: /%s answers %d; add it to consolePages in functions/console/api/site.go", file, m[1], res.StatusCode)
			}
		}
	}
}

func TestPageMayCarryAQuery(t *testing.T) {
	h, err := httpapi.New(httpapi.Server{Routes: api.Routes(api.NewSite(nil, nil, ""))})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"GET /", "$default"} {
		event := events.APIGatewayV2HTTPRequest{RouteKey: key, RawPath: "/", RawQueryString: "find=walker"}
		event.RequestContext.HTTP.Method = "GET"
		if res, err := h.Handle(t.Context(), event); err != nil || res.StatusCode != 200 {
			t.Errorf("%s: %d %v", key, res.StatusCode, err)
		}
	}
}
