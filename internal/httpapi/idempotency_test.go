package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

// fakeStore is an IdempotencyStore in a map.
type fakeStore struct {
	records map[string]storedRecord
	err     error
}

type storedRecord struct {
	record []byte
	until  time.Time
}

func (m *fakeStore) Claim(_ context.Context, key string, record []byte, now, until time.Time) ([]byte, error) {
	if k, there := m.records[key]; there && now.Before(k.until) {
		return k.record, m.err
	}
	if m.records == nil {
		m.records = map[string]storedRecord{}
	}
	m.records[key] = storedRecord{record, until}
	return nil, m.err
}

func (m *fakeStore) Replace(_ context.Context, key string, claimed, record []byte, until time.Time) error {
	if bytes.Equal(m.records[key].record, claimed) {
		m.records[key] = storedRecord{record, until}
	}
	return m.err
}

func (m *fakeStore) Release(_ context.Context, key string, claimed []byte) error {
	if bytes.Equal(m.records[key].record, claimed) {
		delete(m.records, key)
	}
	return m.err
}

// createHandler responds with 201 and how often it ran.
type createHandler struct {
	runs int
	err  error
	do   func()
}

func (c *createHandler) handle(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	c.runs++
	if c.do != nil {
		c.do()
	}
	if c.err != nil {
		return httpapi.Response{}, c.err
	}
	var in person
	if err := r.Decode(&in); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Created("/api/x/1", map[string]any{"runs": c.runs, "secret": "canary"}).WithVersion(1), nil
}

func createAPI(t *testing.T) (*testAPI, *createHandler, *fakeStore) {
	c, m := &createHandler{}, &fakeStore{}
	return serve(t, m, httpapi.Route{
		Key: "POST /api/x", Needs: access.AccountCreate, Idempotent: true, Handle: c.handle,
		Doc:   httpapi.Operation{Body: person{}},
		Query: []httpapi.Param{{Name: "dry"}},
	}), c, m
}

func createRequest(key, body string) testRequest {
	return request("POST /api/x").body(body).header("idempotency-key", key)
}

// V67: a repeated request gets the same response and runs once.
func TestRepeatGetsTheSameAnswer(t *testing.T) {
	a, c, _ := createAPI(t)
	first := a.do(t, createRequest("k1", `{"name":"a"}`))
	again := a.do(t, createRequest("k1", `{"name":"a"}`))
	if c.runs != 1 || first.StatusCode != 201 || again.StatusCode != 201 || again.Body != first.Body {
		t.Errorf("ran %d times: %d %s, then %d %s", c.runs, first.StatusCode, first.Body, again.StatusCode, again.Body)
	}
	if again.Headers["Idempotency-Replayed"] != "true" || first.Headers["Idempotency-Replayed"] != "" ||
		again.Headers["Etag"] != `"1"` || again.Headers["Location"] != "/api/x/1" ||
		again.Headers["Content-Type"] != "application/json" {
		t.Errorf("headers of the repeat: %v", again.Headers)
	}
	if lines := a.logLines(t); lines[1]["replayed"] != true || lines[0]["replayed"] != nil {
		t.Errorf("the log does not tell the repeat: %v", lines)
	}
	a.now = noon.Add(24 * time.Hour)
	if a.do(t, createRequest("k1", `{"name":"a"}`)); c.runs != 2 {
		t.Errorf("after a day it ran %d times", c.runs)
	}
}

// V104: an answer that holds a secret is not kept. A repeat says that it was done and shown once, and runs nothing; so
// does one whose answer an earlier release kept.
func TestAnAnswerWithASecretIsNotKept(t *testing.T) {
	c, m := &createHandler{}, &fakeStore{}
	route := httpapi.Route{Key: "POST /api/x", Needs: access.AccountCreate, Idempotent: true, Handle: c.handle,
		Doc: httpapi.Operation{Body: person{}}}
	serve(t, m, route).do(t, createRequest("old", `{"name":"a"}`))
	kept := 0
	for _, r := range m.records {
		kept = len(r.record)
	}
	route.ShownOnce = true
	a := serve(t, m, route)
	if first := a.do(t, createRequest("k1", `{"name":"a"}`)); first.StatusCode != 201 {
		t.Fatalf("%d %s", first.StatusCode, first.Body)
	}
	small := 0
	for _, r := range m.records {
		if len(r.record) < kept {
			small++
		}
	}
	if small != 1 || len(m.records) != 2 {
		t.Errorf("%d of %d records hold no answer", small, len(m.records))
	}
	a.do(t, createRequest("k1", `{"name":"a"}`)).wantProblem(t, 409, "shownOnce")
	a.do(t, createRequest("old", `{"name":"a"}`)).wantProblem(t, 409, "shownOnce")
	a.do(t, createRequest("k1", `{"name":"b"}`)).wantProblem(t, 422, "idempotencyKeyReused")
	if c.runs != 2 {
		t.Errorf("ran %d times", c.runs)
	}
}

// V67: another body with the same key is refused, and the same key of another caller is another key.
func TestKeyServesOneRequestOfOneCaller(t *testing.T) {
	a, c, _ := createAPI(t)
	a.do(t, createRequest("k1", `{"name":"a"}`))
	a.do(t, createRequest("k1", `{"name":"b"}`)).wantProblem(t, 422, "idempotencyKeyReused")
	a.do(t, createRequest("k1", `{"name":"a"}`).query("dry=1")).wantProblem(t, 422, "idempotencyKeyReused")
	a.do(t, createRequest("k1", `{"name":"a"}`).header("If-Match", `"7"`)).wantProblem(t, 422, "idempotencyKeyReused")
	a.do(t, createRequest("k1", `{"name":"a"}`).header("If-Match", "")).wantProblem(t, 422, "idempotencyKeyReused")
	if c.runs != 1 {
		t.Errorf("ran %d times", c.runs)
	}
	a.do(t, createRequest("k1", `{"name":"a"}`).header("authorization", "Bearer uas_bobby"))
	a.do(t, createRequest("k2", `{"name":"a"}`))
	for range 2 {
		without := createRequest("k3", `{"name":"a"}`)
		delete(without.Headers, "idempotency-key")
		a.do(t, without)
	}
	// an empty header is a mistake, not a missing one
	a.do(t, createRequest("", `{"name":"a"}`)).wantProblem(t, 400, "idempotencyKey")
	if c.runs != 5 {
		t.Errorf("another caller, another key and twice no key: ran %d times", c.runs)
	}
}

// V67: of two concurrent requests the second is told to wait.
func TestRepeatWhileRunningIsTold(t *testing.T) {
	a, c, _ := createAPI(t)
	c.do = func() {
		c.do = nil
		res := a.do(t, createRequest("k1", `{"name":"a"}`))
		res.wantProblem(t, 409, "idempotencyRunning")
		if res.Headers["Retry-After"] != "1" {
			t.Errorf("Retry-After is %q", res.Headers["Retry-After"])
		}
	}
	if res := a.do(t, createRequest("k1", `{"name":"a"}`)); res.StatusCode != 201 || c.runs != 1 {
		t.Errorf("%d, ran %d times", res.StatusCode, c.runs)
	}
}

// A request that failed stores nothing: the key is free for the next try, after a refusal also with a corrected body.
func TestFailureFreesTheKey(t *testing.T) {
	for name, fail := range map[string]func(c *createHandler){
		"5xx":     func(c *createHandler) { c.err = errors.New("broken") },
		"refusal": func(c *createHandler) { c.err = fault.New(fault.Conflict, "taken", "Taken.") },
		"panic":   func(c *createHandler) { c.do = func() { panic("broken") } },
	} {
		a, c, m := createAPI(t)
		fail(c)
		if res := a.do(t, createRequest("k1", `{"name":"a"}`)); res.StatusCode < 400 || len(m.records) != 0 {
			t.Errorf("%s: %d, %d records kept", name, res.StatusCode, len(m.records))
		}
		c.err, c.do = nil, nil
		if res := a.do(t, createRequest("k1", `{"name":"b"}`)); res.StatusCode != 201 {
			t.Errorf("%s: then %d %s", name, res.StatusCode, res.Body)
		}
	}
}

// A process that dies leaves its claim. It expires when Lambda must have ended the request.
func TestClaimOfADeadRequestLapses(t *testing.T) {
	a, c, m := createAPI(t)
	a.do(t, createRequest("k1", `{"name":"a"}`))
	for key, k := range m.records { // as it was before the response
		var r map[string]any
		_ = json.Unmarshal(k.record, &r)
		delete(r, "a")
		running, _ := json.Marshal(r)
		m.records[key] = storedRecord{running, noon.Add(30 * time.Second)}
	}
	a.now = noon.Add(29 * time.Second)
	a.do(t, createRequest("k1", `{"name":"a"}`)).wantProblem(t, 409, "idempotencyRunning")
	a.now = noon.Add(30 * time.Second)
	if res := a.do(t, createRequest("k1", `{"name":"a"}`)); res.StatusCode != 201 || c.runs != 2 {
		t.Errorf("%d, ran %d times", res.StatusCode, c.runs)
	}
}

// If the store fails to keep a response, the caller gets it all the same, and the log gets the error.
func TestAnswerThatCannotBeKeptIsStillGiven(t *testing.T) {
	a, c, m := createAPI(t)
	c.do = func() { m.err = errors.New("store is away") }
	if res := a.do(t, createRequest("k1", `{"name":"a"}`)); res.StatusCode != 201 {
		t.Errorf("%d %s", res.StatusCode, res.Body)
	}
	if line := a.logLines(t)[0]; line["trouble"] != "store is away" {
		t.Errorf("the record does not tell: %v", line)
	}
	a.do(t, createRequest("k2", `{"name":"a"}`)).wantProblem(t, 500, "internal")
}

func TestStoreSeesNeitherKeyNorAnswer(t *testing.T) {
	a, _, m := createAPI(t)
	a.do(t, createRequest("key-canary", `{"name":"canary"}`))
	for key, k := range m.records {
		if len(key) != 43 || strings.Contains(key+string(k.record), "canary") ||
			strings.Contains(string(k.record), base64.StdEncoding.EncodeToString([]byte("canary"))[:7]) {
			t.Errorf("stored under %s: %s", key, k.record)
		}
	}
	if len(m.records) != 1 {
		t.Errorf("%d records", len(m.records))
	}
}

func TestKeyIsBounded(t *testing.T) {
	a, c, _ := createAPI(t)
	for _, key := range []string{" ", "a b", "é", "a\x00", "a\n", strings.Repeat("k", 201)} {
		a.do(t, createRequest(key, `{"name":"a"}`)).wantProblem(t, 400, "idempotencyKey")
	}
	if res := a.do(t, createRequest(strings.Repeat("k", 200), `{"name":"a"}`)); res.StatusCode != 201 || c.runs != 1 {
		t.Errorf("200 characters: %d, ran %d times", res.StatusCode, c.runs)
	}
}
