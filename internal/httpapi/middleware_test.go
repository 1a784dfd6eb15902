package httpapi_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

func TestNewRefusesATableThatCannotBeServed(t *testing.T) {
	for name, s := range map[string]httpapi.Server{
		"twice": {
			Routes: []httpapi.Route{
				{Key: "GET /", Needs: access.Public, Handle: okHandler},
				{Key: "GET /", Needs: access.Public, Handle: okHandler},
			},
		},
		"no form":     {Routes: []httpapi.Route{{Key: "GET api", Needs: access.Public, Handle: okHandler}}},
		"method":      {Routes: []httpapi.Route{{Key: "HEAD /api", Needs: access.Public, Handle: okHandler}}},
		"no handler":  {Routes: []httpapi.Route{{Key: "GET /api", Needs: access.Public}}},
		"no sessions": {Routes: []httpapi.Route{{Key: "GET /api", Needs: access.SignedIn, Handle: okHandler}}},
		"public once": {
			Routes:      []httpapi.Route{{Key: "POST /api", Needs: access.Public, Idempotent: true, Handle: okHandler}},
			Idempotency: &fakeStore{},
		},
		"no store": {
			Routes:       []httpapi.Route{{Key: "POST /api", Needs: access.SignedIn, Idempotent: true, Handle: okHandler}},
			Authenticate: authenticate,
		},
		"param twice": {
			Routes: []httpapi.Route{
				{
					Key: "GET /", Needs: access.Public, Handle: okHandler,
					Query: []httpapi.Param{httpapi.Cursor(), httpapi.Cursor()},
				},
			},
		},
		"wrong default": {
			Routes: []httpapi.Route{
				{Key: "GET /", Needs: access.Public, Handle: okHandler, Query: []httpapi.Param{httpapi.Limit(500, 100)}},
			},
		},
	} {
		if _, err := httpapi.New(s); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}

func TestUnknownRouteIsAProblem(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.Public, Handle: okHandler})
	a.do(t, request("GET /api/nothing")).wantProblem(t, 404, "noRoute")
	a.do(t, request("$default").query("%zz").body("{")).wantProblem(t, 404, "noRoute")
}

// V57: the route table decides who may call, and a route that states nothing refuses everybody.
func TestOnlyThoseTheRouteNamesGetIn(t *testing.T) {
	for _, c := range []struct {
		needs                access.Permission
		anonymous, mayOnlyOf int
	}{
		{access.Public, 200, 200},
		{access.SignedIn, 401, 200},
		{access.AccountRead, 401, 200},
		{access.AccountBlock, 401, 403},
		{"", 401, 403},
	} {
		a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: c.needs, Handle: okHandler})
		if got := a.do(t, request("GET /api").header("authorization", "")).StatusCode; got != c.anonymous {
			t.Errorf("needs %q: anonymous got %d, want %d", c.needs, got, c.anonymous)
		}
		if got := a.do(t, request("GET /api")).StatusCode; got != c.mayOnlyOf {
			t.Errorf("needs %q: signed in got %d, want %d", c.needs, got, c.mayOnlyOf)
		}
	}
}

func TestForbiddenNamesThePermission(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.AccountBlock, Handle: okHandler})
	res := a.do(t, request("GET /api"))
	res.wantProblem(t, 403, "forbidden")
	if !strings.Contains(res.problem.Detail, "account.block") {
		t.Errorf("the problem does not say what is needed: %s", res.problem.Detail)
	}
}

// C34: a token is bounded and plain before it is parsed.
func TestOnlyABearerTokenIsTriedAsOne(t *testing.T) {
	asked := 0
	h, err := httpapi.New(httpapi.Server{
		Routes: []httpapi.Route{{Key: "GET /api", Needs: access.SignedIn, Handle: okHandler}},
		Authenticate: func(ctx context.Context, bearer string) (access.Scope, error) {
			asked++
			return authenticate(ctx, bearer)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := &testAPI{Handler: h}
	for _, header := range []string{
		"", "Bearer", "Bearer ", "Basic dTpw", "Bearer a b", "Bearer uas_a,Bearer uas_b",
		"Bearer " + strings.Repeat("a", 4097),
		"Bearer uas_\x00", "Bearer é", aliceKey,
	} {
		res := a.do(t, request("GET /api").header("authorization", header))
		res.wantProblem(t, 401, "sessionRequired")
		if res.Headers["Www-Authenticate"] != "Bearer" {
			t.Errorf("%q: a 401 without WWW-Authenticate", header)
		}
	}
	if asked != 0 {
		t.Errorf("Authenticate was asked %d times", asked)
	}
	a.do(t, request("GET /api").header("authorization", "Bearer other")).wantProblem(t, 401, "sessionEnded")
	if got := a.do(t, request("GET /api").header("authorization", "bearer "+aliceKey)).StatusCode; got != 200 {
		t.Errorf("the scheme is compared with regard to case: %d", got)
	}
}

// V80: a panic, an unknown error and a fault of kind Internal look the same to the caller.
func TestWhatIsNoFaultIsABare500(t *testing.T) {
	for name, handle := range map[string]httpapi.HandlerFunc{
		"panic": func(context.Context, *httpapi.Request) (httpapi.Response, error) { panic("s3cret in chain.go") },
		"nil": func(context.Context, *httpapi.Request) (httpapi.Response, error) {
			var m map[string]int
			m["a"] = 1 //nolint:staticcheck // the panic is what is tested
			return httpapi.Response{}, nil
		},
		"error":     failHandler(errors.New("s3cret: dial tcp 10.0.0.1:8000")),
		"internal":  failHandler(fault.New(fault.Internal, "s3cret", "s3cret")),
		"no kind":   failHandler(fault.New(fault.Kind(99), "s3cret", "s3cret")),
		"no status": func(context.Context, *httpapi.Request) (httpapi.Response, error) { return httpapi.Response{}, nil },
		"no JSON":   func(context.Context, *httpapi.Request) (httpapi.Response, error) { return httpapi.OK(func() {}), nil },
		"no UTF-8":  failHandler(fault.New(fault.Conflict, "x", "\xff")),
	} {
		t.Run(name, func(t *testing.T) {
			a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.Public, Handle: handle})
			res := a.do(t, request("GET /api"))
			res.wantProblem(t, 500, "internal")
			if strings.Contains(res.Body, "s3cret") || !strings.Contains(res.problem.Detail, "JKJaXmPLvHcESHA=") {
				t.Errorf("answered %s", res.Body)
			}
			line := a.logLines(t)[0]
			if line["error"] == nil || line["level"] != "ERROR" {
				t.Errorf("the record does not tell: %v", line)
			}
			if _, has := line["stack"]; has != (name == "panic" || name == "nil") {
				t.Errorf("stack in the record: %v", has)
			}
		})
	}
}

func TestTimeOutIsA503ThatSaysWhenToRetry(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{
			Key: "GET /api", Needs: access.Public,
			Handle: failHandler(fmt.Errorf("read: %w", context.DeadlineExceeded)),
		})
	res := a.do(t, request("GET /api"))
	res.wantProblem(t, 503, "timeout")
	if res.Headers["Retry-After"] != "1" || res.problem.RetryAfter != 1 {
		t.Errorf("Retry-After is %q and %d", res.Headers["Retry-After"], res.problem.RetryAfter)
	}
}

func TestHandlerHasLessTimeThanLambdaGives(t *testing.T) {
	var left time.Time
	a := serve(t, nil,
		httpapi.Route{
			Key: "GET /api", Needs: access.Public,
			Handle: func(ctx context.Context, _ *httpapi.Request) (httpapi.Response, error) {
				left, _ = ctx.Deadline()
				return httpapi.NoContent(), nil
			},
		})
	deadline := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	if _, err := a.Handle(ctx, request("GET /api").APIGatewayV2HTTPRequest); err != nil || !left.Before(deadline) ||
		left.IsZero() {
		t.Errorf("deadline %v, error %v", left, err)
	}
}

// V49, V50: every response has the security headers, and none lets pages of other origins in.
func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{Key: "GET /api", Needs: access.SignedIn, Handle: okHandler},
		httpapi.Route{
			Key: "GET /panic", Needs: access.Public,
			Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) { panic(1) },
		})
	for _, c := range []testRequest{
		request("GET /api"), request("GET /api").header("authorization", ""), request("GET /panic"), request("GET /none"),
		request("OPTIONS /api"),
		request("GET /api").query("x=1"), request("GET /api").query("%zz"),
	} {
		res := a.do(t, c.header("origin", "https://evil.example"))
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"Strict-Transport-Security": "max-age=63072000", "Content-Security-Policy": "default-src 'none'",
			"X-Request-Id": "JKJaXmPLvHcESHA=",
		} {
			if !strings.Contains(res.Headers[name], want) {
				t.Errorf("%s: %s is %q", c.RouteKey, name, res.Headers[name])
			}
		}
		for _, want := range []string{"frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(res.Headers["Content-Security-Policy"], want) {
				t.Errorf("%s: the policy lacks %s", c.RouteKey, want)
			}
		}
		for name := range res.Headers {
			if strings.HasPrefix(strings.ToLower(name), "access-control-") {
				t.Errorf("%s: sends %s", c.RouteKey, name)
			}
		}
	}
}

func TestBodyIsBounded(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "POST /api", Needs: access.Public, Handle: decodeHandler[struct {
		A string `json:"a"`
	}], Doc: httpapi.Operation{Body: struct{}{}}})
	filled := func(n int) string { return `{"a":"` + strings.Repeat("x", n-len(`{"a":""}`)) + `"}` }
	if got := a.do(t, request("POST /api").body(filled(64<<10))); got.StatusCode != 200 {
		t.Errorf("65,536 bytes: %d %s", got.StatusCode, got.Body)
	}
	a.do(t, request("POST /api").body(filled(64<<10+1))).wantProblem(t, 413, "bodyTooLarge")
	a.do(t, request("POST /api").body(filled(1<<20))).wantProblem(t, 413, "bodyTooLarge")
	encoded := request("POST /api").body(base64.StdEncoding.EncodeToString([]byte(filled(64 << 10))))
	encoded.IsBase64Encoded = true
	if got := a.do(t, encoded); got.StatusCode != 200 {
		t.Errorf("65,536 bytes in base64: %d", got.StatusCode)
	}
	encoded.Body = base64.StdEncoding.EncodeToString([]byte(filled(64<<10 + 1)))
	a.do(t, encoded).wantProblem(t, 413, "bodyTooLarge")
}

// V48: a form or plain text, which a page of another origin can post without a preflight, is refused.
func TestOnlyJSONIsRead(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "POST /api", Needs: access.SignedIn, Handle: okHandler})
	for _, contentType := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
		"application/json; charset=iso-8859-1", "application/json, text/plain", "application/jsonx",
	} {
		a.do(t, request("POST /api").body("{}").header("content-type", contentType)).wantProblem(t, 415, "contentType")
	}
	a.do(t, request("POST /api").body("{}").header("content-encoding", "gzip")).wantProblem(t, 415, "contentType")
	for _, contentType := range []string{"application/json", "Application/JSON; charset=UTF-8"} {
		if got := a.do(t, request("POST /api").body("{}").header("content-type", contentType)).StatusCode; got != 200 {
			t.Errorf("%s: %d", contentType, got)
		}
	}
}

func TestRouteWithoutABodyTakesNone(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{Key: "POST /api", Needs: access.Public, Handle: okHandler},
		httpapi.Route{Key: "GET /api", Needs: access.Public, Handle: okHandler})
	a.do(t, request("POST /api").body(`{"admin":true}`)).wantProblem(t, 400, "bodyUnexpected")
	a.do(t, request("POST /api").body(`[]`)).wantProblem(t, 400, "json")
	for _, body := range []string{"", "{}"} {
		if got := a.do(t, request("POST /api").body(body)).StatusCode; got != 200 {
			t.Errorf("%q: %d", body, got)
		}
	}
	if got := a.do(t, request("GET /api").body("ignored")).StatusCode; got != 200 {
		t.Errorf("GET with a body: %d", got)
	}
}

func TestConditionalGetSavesTheBody(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{
			Key: "GET /api", Needs: access.Public,
			Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) {
				return httpapi.OK(map[string]int{"a": 1}).WithVersion(7), nil
			},
		})
	for tag, want := range map[string]int{"": 200, `"6"`: 200, `"7"`: 304, `W/"7"`: 304, `"1", "7"`: 304, "*": 304} {
		res := a.do(t, request("GET /api").header("if-none-match", tag))
		if res.StatusCode != want || (want == 304) != (res.Body == "") || res.Headers["Etag"] != `"7"` {
			t.Errorf("If-None-Match %s: %d %q", tag, res.StatusCode, res.Body)
		}
	}
}

func TestAnswersCarryWhatTheirConstructorsSay(t *testing.T) {
	for _, c := range []struct {
		res                      httpapi.Response
		status                   int
		body, contentType, where string
	}{
		{httpapi.OK(map[string]any{"b": []string(nil), "a": "<é>"}), 200, `{"a":"<é>","b":[]}`, "application/json", ""},
		{httpapi.Created("/api/x/1", struct{}{}), 201, `{}`, "application/json", "/api/x/1"},
		{httpapi.Accepted("/api/x/1", nil), 202, "", "", "/api/x/1"},
		{httpapi.NoContent(), 204, "", "", ""},
		{httpapi.Raw("text/html; charset=utf-8", []byte("<p>")), 200, "<p>", "text/html; charset=utf-8", ""},
		{httpapi.Raw("image/png", []byte{0xff}), 200, "/w==", "image/png", ""},
	} {
		a := serve(t, nil,
			httpapi.Route{
				Key: "GET /api", Needs: access.Public,
				Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) {
					return c.res.WithHeader("cache-control", "private"), nil
				},
			})
		got := a.do(t, request("GET /api"))
		if got.StatusCode != c.status || got.Body != c.body || got.Headers["Content-Type"] != c.contentType ||
			got.Headers["Location"] != c.where || got.Headers["Cache-Control"] != "private" {
			t.Errorf("%+v: %d %s %v", c.res, got.StatusCode, got.Body, got.Headers)
		}
		if got.IsBase64Encoded != (c.contentType == "image/png") {
			t.Errorf("%s: base64 %v", c.contentType, got.IsBase64Encoded)
		}
	}
}

// V80: each kind of problem has its status. The helper do, which every test here uses, checks the form of every
// problem.
func TestStatusOfEveryKind(t *testing.T) {
	want := map[fault.Kind]int{
		fault.Internal: 500, fault.Malformed: 400, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403,
		fault.NotFound: 404, fault.MethodNotAllowed: 405, fault.Conflict: 409, fault.Stale: 412, fault.VersionRequired: 428,
		fault.TooLarge:    413,
		fault.Unsupported: 415, fault.TooManyRequests: 429, fault.Unavailable: 503,
	}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if got := httpapi.StatusOf(kind); got != want[kind] || http.StatusText(got) == "" {
			t.Errorf("kind %d is %d, want %d", kind, got, want[kind])
		}
	}
	if len(httpapi.Kinds()) != len(want) {
		t.Errorf("Kinds returns %d", len(httpapi.Kinds()))
	}
}
