package httpapi_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// V44: when an environment's key is replaced, the new key is used from the next request on, and what the old key sealed
// is refused: a cursor says to start again, a used Idempotency-Key neither runs again nor returns a response. When the
// old key is restored, what it sealed is valid again while it lasts, and what the new key sealed is not.
func TestAnEnvironmentsKeyIsReplaced(t *testing.T) {
	c, store, key := &createHandler{}, &fakeStore{}, byte(7)
	a := &testAPI{log: &bytes.Buffer{}, now: noon}
	h, err := httpapi.New(httpapi.Server{
		Idempotency: store, Now: func() time.Time { return a.now },
		Authenticate: func(ctx context.Context, bearer string) (access.Scope, error) {
			scope, err := authenticate(ctx, bearer)
			scope.Env.CursorKey = bytes.Repeat([]byte{key}, 32)
			return scope, err
		},
		Routes: []httpapi.Route{
			{
				Key: "GET /api/accounts", Needs: access.SignedIn, Handle: pagingHandler,
				Query: []httpapi.Param{httpapi.Cursor(), {Name: "find", Kind: httpapi.TextParam}},
			},
			{
				Key: "POST /api/accounts", Needs: access.SignedIn, Handle: c.handle, Idempotent: true,
				Doc: httpapi.Operation{Body: map[string]any{}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Handler = h
	list := func(cursor string) testRequest {
		return request("GET /api/accounts").query("find=doe&cursor=" + cursor)
	}
	create := func(key string) testRequest {
		return request("POST /api/accounts").body(`{"name":"x"}`).header("idempotency-key", key)
	}
	old := firstCursor(t, a, "find=doe")
	first := a.do(t, create("one"))
	if first.StatusCode != 201 || c.runs != 1 {
		t.Fatalf("%d %s, ran %d times", first.StatusCode, first.Body, c.runs)
	}

	key = 8
	a.do(t, list(old)).wantProblem(t, 400, "cursor")
	again := a.do(t, create("one"))
	again.wantProblem(t, 409, "idempotencyAnswerGone")
	if c.runs != 1 || strings.Contains(again.Body, first.Body) {
		t.Errorf("ran %d times: %s", c.runs, again.Body)
	}
	fresh := firstCursor(t, a, "find=doe")
	if got := a.do(t, list(fresh)); got.StatusCode != 200 {
		t.Errorf("the new key's cursor: %d %s", got.StatusCode, got.Body)
	}
	if two, replayed := a.do(t, create("two")),
		a.do(t, create("two")); two.StatusCode != 201 || replayed.Body != two.Body || c.runs != 2 {
		t.Errorf("%s, %s, ran %d times", two.Body, replayed.Body, c.runs)
	}

	key = 7
	a.now = noon.Add(time.Hour)
	if got := a.do(t, list(old)); got.StatusCode != 200 {
		t.Errorf("the old key's cursor, put back: %d %s", got.StatusCode, got.Body)
	}
	a.do(t, list(fresh)).wantProblem(t, 400, "cursor")
	a.do(t, create("two")).wantProblem(t, 409, "idempotencyAnswerGone")
	if replayed := a.do(t, create("one")); replayed.Body != first.Body || c.runs != 2 {
		t.Errorf("%s, ran %d times", replayed.Body, c.runs)
	}
}
