package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// noon is the time of the tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	someID   = "01JNB7Z5Q0ABCDEFGHJKMNPQRS"
	aliceID  = "01JNB7Z5Q0AAAAAAAAAAAAAAAA"
	aliceKey = "uas_alice"
)

// testAPI is a handler under test with its log and its clock.
type testAPI struct {
	*httpapi.Handler
	log *bytes.Buffer
	now time.Time
}

// serve returns an API of the given routes. The token uas_<name> belongs to a user with account.read and
// account.create.
func serve(t *testing.T, store httpapi.IdempotencyStore, routes ...httpapi.Route) *testAPI {
	t.Helper()
	a := &testAPI{log: &bytes.Buffer{}, now: noon}
	h, err := httpapi.New(httpapi.Server{
		Routes: routes, Idempotency: store, Authenticate: authenticate,
		Log: slog.New(slog.NewJSONHandler(a.log, nil)),
		Now: func() time.Time { return a.now }, NewID: func() string { return "made-here" },
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Handler = h
	return a
}

func authenticate(_ context.Context, bearer string) (access.Scope, error) {
	name, ok := strings.CutPrefix(bearer, "uas_")
	if !ok {
		return access.Scope{}, fault.New(fault.Unauthenticated, "sessionEnded", "The session has ended; sign in again.")
	}
	return access.Scope{
		Env: environment.Environment{ID: "main", CursorKey: bytes.Repeat([]byte{7}, 32)},
		Caller: access.Caller{
			AccountID: aliceID[:21] + strings.ToUpper(name), SessionID: "01JNB7Z5Q0SSSSSSSSSSSSSSSS", Username: name,
			Permissions: access.Set{access.AccountRead: {}, access.AccountCreate: {}},
		},
	}, nil
}

// testRequest is a request under construction.
type testRequest struct{ events.APIGatewayV2HTTPRequest }

// request returns a signed-in request to a route.
func request(key string) testRequest {
	method, path, _ := strings.Cut(key, " ")
	var c testRequest
	c.RouteKey, c.RawPath = key, strings.ReplaceAll(path, "{id}", someID)
	c.Headers = map[string]string{"authorization": "Bearer " + aliceKey}
	c.PathParameters = map[string]string{"id": someID}
	c.RequestContext.RequestID = "JKJaXmPLvHcESHA="
	c.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: method, Path: c.RawPath, SourceIP: "192.0.2.7", UserAgent: "curl/8.0",
	}
	return c
}

func (c testRequest) body(text string) testRequest {
	c.Body = text
	return c.header("content-type", "application/json")
}

func (c testRequest) header(name, value string) testRequest {
	headers := map[string]string{name: value}
	for k, v := range c.Headers {
		if k != name {
			headers[k] = v
		}
	}
	c.Headers = headers
	return c
}

func (c testRequest) query(raw string) testRequest {
	c.RawQueryString = raw
	return c
}

func (c testRequest) path(name, value string) testRequest {
	c.PathParameters = map[string]string{name: value}
	return c
}

// testResponse is a response with its problem, if it is one.
type testResponse struct {
	events.APIGatewayV2HTTPResponse
	problem problemDocument
}

type problemDocument struct {
	Type, Title, Detail, Instance, Code string
	Status, RetryAfter                  int
	Fields                              []fault.Field
}

func (a *testAPI) do(t *testing.T, c testRequest) testResponse {
	t.Helper()
	res, err := a.Handle(t.Context(), c.APIGatewayV2HTTPRequest)
	if err != nil {
		t.Fatalf("Handle returned %v; it must answer", err)
	}
	out := testResponse{APIGatewayV2HTTPResponse: res}
	if res.Headers["Content-Type"] == "application/problem+json" {
		if err := json.Unmarshal([]byte(res.Body), &out.problem); err != nil {
			t.Fatalf("the problem is not JSON: %v: %s", err, res.Body)
		}
		if out.problem.Status != res.StatusCode {
			t.Errorf("the problem says %d, its answer %d", out.problem.Status, res.StatusCode)
		}
		if p := out.problem; p.Type != "/api/docs/problems/"+p.Code || p.Code == "" || p.Title == "" || p.Detail == "" ||
			p.Instance == "" {
			t.Errorf("the problem lacks something, or its type is of its own: %s", res.Body)
		}
	}
	return out
}

// wantProblem fails unless the response is a problem with this status and code that names these fields as name:code.
func (res testResponse) wantProblem(t *testing.T, status int, code string, fields ...string) {
	t.Helper()
	var have []string
	for _, f := range res.problem.Fields {
		have = append(have, f.Field+":"+f.Code)
	}
	if res.StatusCode != status || res.problem.Code != code || strings.Join(have, " ") != strings.Join(fields, " ") {
		t.Errorf("answered %d %q %q, want %d %q %q: %s", res.StatusCode, res.problem.Code, have, status, code, fields,
			res.Body)
	}
}

// logLines returns the log as one map per line.
func (a *testAPI) logLines(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(a.log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("log line is not JSON: %v: %s", err, line)
		}
		out = append(out, m)
	}
	return out
}

// okHandler responds with 200 and an empty object.
func okHandler(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(struct{}{}), nil
}

// failHandler fails with err.
func failHandler(err error) httpapi.HandlerFunc {
	return func(context.Context, *httpapi.Request) (httpapi.Response, error) { return httpapi.Response{}, err }
}
