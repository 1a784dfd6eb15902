package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// V81: each request is one log line that says who called which route from where; a request refused for lack of a
// session or permission is a warning.
func TestOneLogLinePerRequest(t *testing.T) {
	var a *testAPI
	a = serve(t, nil,
		httpapi.Route{
			Key: "GET /api/x/{id}", Needs: access.SignedIn,
			Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) {
				a.now = a.now.Add(12500 * time.Microsecond)
				return httpapi.OK(1), nil
			},
		},
		httpapi.Route{
			Key: "POST /api/login", Needs: access.Public,
			Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
				r.LogSession("A", "S")
				return httpapi.Response{}, fault.New(fault.Unauthenticated, "signIn", "No.")
			},
		},
		httpapi.Route{Key: "GET /above", Needs: access.SettingsWrite, Handle: okHandler},
		httpapi.Route{
			Key: "GET /away", Needs: access.Public,
			Handle: failHandler(fault.New(fault.Unavailable, "away", "Later.").WithCause(errors.New("line broke"))),
		})
	a.do(t, request("GET /api/x/{id}"))
	a.do(t, request("POST /api/login"))
	a.do(t, request("GET /away"))
	a.do(t, request("GET /none"))
	a.do(t, request("GET /above"))
	lines := a.logLines(t)
	if len(lines) != 5 {
		t.Fatalf("%d lines: %s", len(lines), a.log)
	}
	for i, want := range []map[string]any{
		{
			"level": "INFO", "route": "GET /api/x/{id}", "status": 200.0, "ms": 12.5, "account": aliceID[:21] + "ALICE",
			"session": "01JNB7Z5Q0SSSSSSSSSSSSSSSS", "ip": "192.0.2.7", "agent": "curl/8.0", "requestId": "JKJaXmPLvHcESHA=",
			"msg": "request",
		},
		{"level": "WARN", "route": "POST /api/login", "status": 401.0, "code": "signIn", "account": "A", "session": "S"},
		{"level": "ERROR", "route": "GET /away", "status": 503.0, "code": "away", "error": "away: Later.: line broke"},
		{"level": "INFO", "route": "unmatched", "status": 404.0, "code": "noRoute"},
		{
			"level": "WARN", "route": "GET /above", "status": 403.0, "code": "forbidden", "account": aliceID[:21] + "ALICE",
			"session": "01JNB7Z5Q0SSSSSSSSSSSSSSSS", "ip": "192.0.2.7",
		},
	} {
		for name, value := range want {
			if lines[i][name] != value {
				t.Errorf("line %d: %s is %v, want %v", i, name, lines[i][name], value)
			}
		}
	}
	if names := slices.Sorted(maps.Keys(lines[0])); strings.Join(names,
		" ") != "account agent ip level ms msg requestId route session status time" {
		t.Errorf("the record holds %v", names)
	}
}

// V82, C50: nothing that was sent is logged: neither path, query, headers, body nor token.
func TestLogHoldsNothingThatWasSent(t *testing.T) {
	const canary = "canary7"
	a := serve(t, nil, httpapi.Route{
		Key: "POST /api/x/{id}", Needs: access.SignedIn, Handle: decodeHandler[person],
		Doc:   httpapi.Operation{Body: person{}},
		Query: []httpapi.Param{{Name: "find"}},
	})
	for _, body := range []string{`{"name":"` + canary + `"}`, `{"` + canary + `":1}`, canary, `{"name":"a` + canary} {
		c := request("POST /api/x/{id}").body(body).query("find="+canary).header("cookie", canary).header("referer",
			canary).header("idempotency-key", canary)
		c.RawPath, c.PathParameters = "/api/x/"+canary, map[string]string{"id": canary}
		a.do(t, c)
		a.do(t, c.query(canary+"=1"))
		a.do(t, c.header("authorization", "Bearer "+canary))
		a.do(t, c.header("authorization", "Bearer uas_"+canary+" x"))
	}
	if len(a.logLines(t)) != 16 || strings.Contains(a.log.String(), canary) {
		t.Errorf("the log tells: %s", a.log)
	}
}

func TestHostileTextStaysOnItsLine(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.Public, Handle: okHandler})
	c := request("GET /api")
	c.RequestContext.HTTP.UserAgent = "a\r\n{\"level\":\"ERROR\"}\x1b[31m\xff" + strings.Repeat("x", 500)
	c.RequestContext.RequestID = "x y\n"
	res := a.do(t, c)
	line := a.logLines(t)[0]
	agent, _ := line["agent"].(string)
	if len([]rune(agent)) != 201 || strings.ContainsAny(agent, "\r\n\x1b") {
		t.Errorf("agent is %q", agent)
	}
	if line["requestId"] != "made-here" || res.Headers["X-Request-Id"] != "made-here" {
		t.Errorf("request id is %v", line["requestId"])
	}
}

// V80: these words would reveal internals; no problem contains them, whatever goes wrong.
func TestProblemsNeverRevealInternals(t *testing.T) {
	inside := errors.New(
		"goroutine 7 [running]: main.go:12 dynamodb: operation error GetItem: table useraccounts-Table: connection " +
			"refused: ConditionalCheckFailedException arn:aws:lambda E#main U#01J panic runtime error nil pointer")
	var text strings.Builder
	for _, err := range []error{
		inside, fault.New(fault.Unavailable, "away", "Try again.").WithCause(inside),
		fault.New(fault.Internal, "x", "%s", inside.Error()),
		fault.New(fault.NotFound, "notFound", "Nothing here.").WithCause(inside),
		errors.Join(context.DeadlineExceeded, inside),
	} {
		for _, panics := range []bool{false, true} {
			a := serve(t, nil,
				httpapi.Route{
					Key: "POST /api", Needs: access.SignedIn,
					Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) {
						if panics {
							panic(err)
						}
						return httpapi.Response{}, err
					},
				})
			for _, c := range []testRequest{
				request("POST /api"), request("POST /api").header("authorization", ""),
				request("POST /api").body("{"), request("GET /x"),
			} {
				res := a.do(t, c)
				text.WriteString(res.Body)
				headers, _ := json.Marshal(res.Headers)
				text.Write(headers)
			}
		}
	}
	for _, word := range []string{
		"stack", "goroutine", ".go:", "dynamo", "connection", "table", "arn:", "lambda", "exception", "E#", "U#", "panic",
		"runtime", "nil pointer", "sql", "amazon",
	} {
		if strings.Contains(strings.ToLower(text.String()), strings.ToLower(word)) {
			t.Errorf("a problem says %q", word)
		}
	}
}
