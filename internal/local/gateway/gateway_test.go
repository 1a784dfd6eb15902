package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/samtemplate"
)

// startGateway is a gateway on a port of its own with one route, POST /a, that answers as given.
func startGateway(t *testing.T, invoke Invoke) string {
	t.Helper()
	g := &Gateway{
		Router: NewRouter([]samtemplate.Function{{Name: "f", Routes: []samtemplate.Route{{Method: "POST", Path: "/a"}}}}),
		Invoke: invoke, Log: slog.New(slog.DiscardHandler), Now: time.Now, Timeout: 200 * time.Millisecond,
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return server.URL
}

func respondWith(payload string) Invoke {
	return func(context.Context, string, []byte) ([]byte, error) { return []byte(payload), nil }
}

func post(t *testing.T, url, body string, header ...string) (status int, text string, h http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(read), answer.Header
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		payload, body, kind string
		status              int
	}{
		"full":    {`{"statusCode":201,"headers":{"content-type":"text/x","x-n":1},"body":"b"}`, "b", "text/x", 201},
		"no type": {`{"statusCode":200,"body":"b"}`, "b", "text/plain;charset=UTF-8", 200},
		"base64": {`{"statusCode":200,"headers":{"Content-Type":"x/y"},"body":"AP8=","isBase64Encoded":true}`,
			"\x00\xff", "x/y", 200},
		"text status":    {`{"statusCode":"404","body":"b"}`, "b", "text/plain;charset=UTF-8", 404},
		"nothing to say": {`{"statusCode":204}`, "", "", 204},
		"inferred":       {`{"hello":"world"}`, `{"hello":"world"}`, "application/json", 200},
		"inferred text":  {`"hello"`, "hello", "application/json", 200},
		"inferred list":  {`[1]`, "[1]", "application/json", 200},
		"bad status":     {`{"statusCode":42}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"bad base64": {`{"statusCode":200,"body":"!","isBase64Encoded":true}`, `{"message":"Internal Server Error"}`,
			"application/json", 500},
		"no JSON":     {`hello`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"wrong shape": {`{"statusCode":200,"headers":[]}`, `{"message":"Internal Server Error"}`, "application/json", 500},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, h := post(t, startGateway(t, respondWith(c.payload))+"/a", "x")
			if status != c.status || body != c.body || h.Get("Content-Type") != c.kind {
				t.Errorf("%d %q %s", status, body, h.Get("Content-Type"))
			}
			if h.Get("Apigw-Requestid") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestLimitsAndFailures(t *testing.T) {
	ok := respondWith(`{"statusCode":200}`)
	slow := func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("waiting: %w", ctx.Err())
	}
	fails := func(context.Context, string, []byte) ([]byte, error) { return nil, errors.New("a secret detail") }
	for name, c := range map[string]struct {
		invoke     Invoke
		path, body string
		header     []string
		status     int
		message    string
	}{
		"fine":              {invoke: ok, path: "/a", status: 200},
		"unknown":           {invoke: ok, path: "/b", status: 404, message: "Not Found"},
		"function fails":    {invoke: fails, path: "/a", status: 500, message: "Internal Server Error"},
		"function is slow":  {invoke: slow, path: "/a", status: 503, message: "Service Unavailable"},
		"body at the limit": {invoke: ok, path: "/a", body: strings.Repeat("x", 3<<20), status: 200},
		"event too large": {invoke: ok, path: "/a", body: strings.Repeat("x", 5<<20), status: 413,
			message: "Request Entity Too Large"},
		"body too large": {invoke: ok, path: "/a", body: strings.Repeat("x", 10<<20+1), status: 413,
			message: "Request Entity Too Large"},
		"headers fit": {invoke: ok, path: "/a", header: []string{"X", strings.Repeat("x", 9000)}, status: 200},
		"headers too large": {invoke: ok, path: "/a", header: []string{"X", strings.Repeat("x", 10241)}, status: 431,
			message: "Request Header Fields Too Large"},
		"the line counts in": {invoke: ok, path: "/a?" + strings.Repeat("q", 10241), status: 431,
			message: "Request Header Fields Too Large"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, _ := post(t, startGateway(t, c.invoke)+c.path, c.body, c.header...)
			want := ""
			if c.message != "" {
				want = `{"message":"` + c.message + `"}`
			}
			if status != c.status || body != want {
				t.Errorf("%d %s, want %d %s", status, body, c.status, want)
			}
		})
	}
}
