package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

const ourURL = "https://accounts.example.com"

// cookieAPI returns an API with a route that reads and one that changes, and a counter of calls.
func cookieAPI(t *testing.T, url string) (*testAPI, *int) {
	t.Helper()
	ran := 0
	handle := func(context.Context, *httpapi.Request) (httpapi.Response, error) {
		ran++
		return httpapi.NoContent(), nil
	}
	a := serve(t, nil,
		httpapi.Route{Key: "GET /api/things", Needs: access.SignedIn, Handle: handle},
		httpapi.Route{
			Key: "POST /api/things", Needs: access.SignedIn, Handle: handle,
			Doc: httpapi.Operation{Body: struct{}{}, BodyOptional: true},
		},
	)
	a.PublicURL = url
	return a, &ran
}

func cookieRequest(key string, cookies ...string) testRequest {
	c := request(key)
	delete(c.Headers, "authorization")
	c.PathParameters = nil
	c.Cookies = cookies
	return c
}

const aliceCookie = "__Host-access=" + aliceKey

// V48, V37: a change by cookie is accepted from our own page only: with the custom header, and without a sign of
// another origin.
func TestAChangeByCookieNeedsOurOwnPage(t *testing.T) {
	for name, c := range map[string]struct {
		headers map[string]string
		want    int
	}{
		"our page": {
			map[string]string{"x-ua-client": "web", "origin": ourURL, "sec-fetch-site": "same-origin"}, 204,
		},
		"without Sec-Fetch-Site":  {map[string]string{"x-ua-client": "web", "origin": ourURL}, 204},
		"without Origin":          {map[string]string{"x-ua-client": "web", "sec-fetch-site": "same-origin"}, 204},
		"neither":                 {map[string]string{"x-ua-client": "web"}, 403},
		"no header":               {map[string]string{"origin": ourURL, "sec-fetch-site": "same-origin"}, 403},
		"another value":           {map[string]string{"x-ua-client": "app", "origin": ourURL}, 403},
		"another origin":          {map[string]string{"x-ua-client": "web", "origin": "https://evil.example"}, 403},
		"our name within another": {map[string]string{"x-ua-client": "web", "origin": ourURL + ".evil.example"}, 403},
		"another scheme": {
			map[string]string{"x-ua-client": "web", "origin": strings.Replace(ourURL, "https", "http", 1)}, 403,
		},
		"another port": {map[string]string{"x-ua-client": "web", "origin": ourURL + ":8443"}, 403},
		"null origin":  {map[string]string{"x-ua-client": "web", "origin": "null"}, 403},
		"two origins":  {map[string]string{"x-ua-client": "web", "origin": ourURL + "," + ourURL}, 403},
		"a sister site": {
			map[string]string{"x-ua-client": "web", "origin": ourURL, "sec-fetch-site": "same-site"}, 403,
		},
		"another site, without words": {map[string]string{"x-ua-client": "web", "sec-fetch-site": "cross-site"}, 403},
		"typed by a person":           {map[string]string{"x-ua-client": "web", "sec-fetch-site": "none"}, 403},
		"a forwarded host": {
			map[string]string{
				"x-ua-client": "web", "origin": "https://evil.example", "x-forwarded-host": "evil.example",
				"host": "evil.example",
			}, 403,
		},
	} {
		a, ran := cookieAPI(t, ourURL)
		call := cookieRequest("POST /api/things", aliceCookie)
		for k, v := range c.headers {
			call = call.header(k, v)
		}
		got := a.do(t, call)
		if got.StatusCode != c.want || (*ran == 1) != (c.want == http.StatusNoContent) {
			t.Errorf("%s: %d %s, ran %d times", name, got.StatusCode, got.Body, *ran)
		}
		if c.want == http.StatusForbidden && got.problem.Code != "crossOrigin" {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
}

// Without a public URL no cookie is accepted for a change.
func TestWithoutAPublicURLNoCookieChangesAnything(t *testing.T) {
	a, ran := cookieAPI(t, "")
	c := cookieRequest("POST /api/things", aliceCookie).header("x-ua-client", "web").header("origin",
		"").header("sec-fetch-site", "same-origin")
	if got := a.do(t, c); got.StatusCode != http.StatusForbidden || *ran > 0 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}

// A read needs the cookie alone. A form of another origin is refused by its content type first.
func TestCookiesOpenReads(t *testing.T) {
	for name, c := range map[string]struct {
		call testRequest
		want int
	}{
		"by cookie":             {cookieRequest("GET /api/things", aliceCookie), 204},
		"among others":          {cookieRequest("GET /api/things", "theme=dark", " "+aliceCookie, "x=y"), 204},
		"none":                  {cookieRequest("GET /api/things"), 401},
		"another name":          {cookieRequest("GET /api/things", "access="+aliceKey), 401},
		"without the prefix":    {cookieRequest("GET /api/things", "__host-access="+aliceKey), 401},
		"twice":                 {cookieRequest("GET /api/things", aliceCookie, aliceCookie), 401},
		"the refresh cookie":    {cookieRequest("GET /api/things", "__Host-refresh="+aliceKey), 401},
		"empty":                 {cookieRequest("GET /api/things", "__Host-access="), 401},
		"no token's characters": {cookieRequest("GET /api/things", `__Host-access="`+aliceKey+`"`), 401},
		"endless":               {cookieRequest("GET /api/things", "__Host-access="+strings.Repeat("x", 5000)), 401},
		"header and cookie": {
			cookieRequest("GET /api/things", "__Host-access=rubbish").header("authorization", "Bearer "+aliceKey), 204,
		},
		"bad header, good cookie": {cookieRequest("GET /api/things", aliceCookie).header("authorization", "Basic x"), 401},
		"empty header":            {cookieRequest("GET /api/things", aliceCookie).header("authorization", ""), 401},
		"a form": {cookieRequest("POST /api/things", aliceCookie).header("x-ua-client", "web").header("origin", ourURL).
			body("a=b").header("content-type", "application/x-www-form-urlencoded"), 415},
		"a plain text": {cookieRequest("POST /api/things", aliceCookie).body("{}").header("content-type", "text/plain"), 415},
		// A browser never adds a bearer token by itself, so nothing else is required.
		"a bearer's change": {
			cookieRequest("POST /api/things").header("authorization", "Bearer "+aliceKey).header("origin",
				"https://elsewhere.example"), 204,
		},
	} {
		a, _ := cookieAPI(t, ourURL)
		if got := a.do(t, c.call); got.StatusCode != c.want {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Body)
		}
	}
}

// V37: the attributes of a cookie, and of its deletion, as a browser parses them.
func TestTheFormOfACookie(t *testing.T) {
	res := httpapi.NoContent().WithCookie(httpapi.AccessCookie, "uas_x", 90*time.Second).WithCookie(httpapi.RefreshCookie,
		"", time.Hour).
		WithCookie(httpapi.TrustedDeviceCookie, "uad_x", -time.Hour)
	header := http.Header{"Set-Cookie": res.Cookies}
	got := (&http.Response{Header: header}).Cookies()
	if len(got) != 3 {
		t.Fatalf("%v", res.Cookies)
	}
	for i, want := range []http.Cookie{
		{Name: "__Host-access", Value: "uas_x", MaxAge: 90},
		{Name: "__Host-refresh", MaxAge: -1},
		{Name: "__Host-device", MaxAge: -1},
	} {
		c := got[i]
		if c.Name != want.Name || c.Value != want.Value || c.MaxAge != want.MaxAge || !c.Secure || !c.HttpOnly ||
			c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s", res.Cookies[i])
		}
	}
}
