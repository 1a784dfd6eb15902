// Package gateway stands in for the HTTP API of API Gateway: it turns requests into events of payload format 2.0, has
// the route's function answer, and turns the result back, with the limits and the answers of the real one.
//
// Not imitated: throttling, and the decoded "?" at which the real one cuts a path off.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// The limits of an HTTP API.
const (
	bodyLimit          = 10 << 20
	eventLimit         = 6 << 20 // Lambda's, for an invocation
	headerLimit        = 10_240
	integrationTimeout = 30 * time.Second
)

// Invoke has a function answer an event.
type Invoke func(ctx context.Context, function string, payload []byte) ([]byte, error)

// Gateway is the HTTP side.
type Gateway struct {
	Router  *Router
	Invoke  Invoke
	Log     *slog.Logger     // one record for each request
	Now     func() time.Time // time.Now
	Timeout time.Duration    // 0 for the 30 seconds of API Gateway
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := g.Now()
	id := requestID()
	match, resp, failure := g.handle(w, r, id, started)
	if err := resp.write(w, id); err != nil && failure == nil {
		failure = err
	}
	level := slog.LevelInfo
	attributes := []any{
		"requestId", id, "route", match.Key, "method", r.Method, "status", resp.status, "bytes", len(resp.body),
		"milliseconds", g.Now().Sub(started).Milliseconds(),
	}
	if failure != nil {
		level, attributes = slog.LevelError, append(attributes, "function", match.Function, "error", failure.Error())
	}
	g.Log.Log(r.Context(), level, "request", attributes...)
}

func (g *Gateway) handle(w http.ResponseWriter, r *http.Request, id string, started time.Time) (Match, response,
	error) {
	if headerSize(r) > headerLimit {
		return Match{}, messageResponse(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large"), nil
	}
	match, found := g.Router.Find(r.Method, r.URL.EscapedPath())
	if !found {
		return match, messageResponse(http.StatusNotFound, "Not Found"), nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return match, messageResponse(http.StatusRequestEntityTooLarge, "Request Entity Too Large"), nil
	}
	if err != nil {
		//nolint:nilerr // the caller's doing, of which the answer tells
		return match, messageResponse(http.StatusBadRequest, "Bad Request"), nil
	}
	payload, err := json.Marshal(event(r, match, requestMeta{id: id, at: started, body: body}))
	if err != nil {
		return match, messageResponse(http.StatusInternalServerError, "Internal Server Error"), err
	}
	if len(payload) > eventLimit {
		return match, messageResponse(http.StatusRequestEntityTooLarge, "Request Entity Too Large"), nil
	}
	resp, err := g.invoke(r.Context(), match.Function, payload)
	return match, resp, err
}

// invoke gives up after the integration's timeout, whether or not the caller is still there: hanging up stops no
// function in the cloud either.
func (g *Gateway) invoke(ctx context.Context, function string, payload []byte) (response, error) {
	timeout := g.Timeout
	if timeout == 0 {
		timeout = integrationTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	result, err := g.Invoke(ctx, function, payload)
	if errors.Is(err, context.DeadlineExceeded) {
		return messageResponse(http.StatusServiceUnavailable, "Service Unavailable"), err
	}
	if err != nil {
		return messageResponse(http.StatusInternalServerError, "Internal Server Error"), err
	}
	resp, err := parseResponse(result)
	if err != nil {
		return messageResponse(http.StatusInternalServerError, "Internal Server Error"), err
	}
	return resp, nil
}

// headerSize counts as API Gateway does: the request line and every header with its name.
func headerSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("Host: ") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(": ") + len(value)
		}
	}
	return size
}

// requestID has the looks of API Gateway's.
func requestID() string {
	var b [11]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return base64.StdEncoding.EncodeToString(b[:])
}
