package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/httpapi"
)

// position is a position such as a list keeps.
type position struct {
	After string `json:"after"`
	Seen  int64  `json:"seen"`
}

// pagingHandler responds to the first request with a cursor, and to a later one with the position in its cursor.
func pagingHandler(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
	at, given, err := httpapi.OpenCursor[position](r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if given {
		return httpapi.OK(httpapi.Page[position]{Items: []position{at}}), nil
	}
	next, err := httpapi.SealCursor(r, position{After: "doej", Seen: 12})
	return httpapi.OK(next), err
}

func listAPI(t *testing.T) *testAPI {
	query := []httpapi.Param{httpapi.Limit(50, 200), httpapi.Cursor(), {Name: "find", Kind: httpapi.TextParam}}
	return serve(t, nil,
		httpapi.Route{Key: "GET /api/accounts", Needs: access.SignedIn, Handle: pagingHandler, Query: query},
		httpapi.Route{Key: "GET /api/jobs", Needs: access.SignedIn, Handle: pagingHandler, Query: query})
}

func firstCursor(t *testing.T, a *testAPI, query string) string {
	t.Helper()
	res := a.do(t, request("GET /api/accounts").query(query))
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, res.Body)
	}
	return strings.Trim(res.Body, `"`)
}

func TestCursorOpensWhereItWasMade(t *testing.T) {
	a := listAPI(t)
	c := firstCursor(t, a, "find=do%20e&limit=10")
	for _, query := range []string{"find=do+e&limit=10&cursor=" + c, "limit=99&cursor=" + c + "&find=do%20e"} {
		res := a.do(t, request("GET /api/accounts").query(query))
		if res.Body != `{"items":[{"after":"doej","seen":12}]}` {
			t.Errorf("%s: %d %s", query, res.StatusCode, res.Body)
		}
	}
	if strings.Contains(c, "doej") || strings.Contains(c, base64.RawURLEncoding.EncodeToString([]byte("doej"))[:4]) {
		t.Errorf("the cursor shows its position: %s", c)
	}
}

// V66, C45: a cursor is bound to caller, route and query, and valid for a day.
func TestCursorOpensNowhereElse(t *testing.T) {
	a := listAPI(t)
	c := firstCursor(t, a, "find=doe")
	for name, other := range map[string]testRequest{
		"caller":    request("GET /api/accounts").query("find=doe&cursor="+c).header("authorization", "Bearer uas_bobby"),
		"route":     request("GET /api/jobs").query("find=doe&cursor=" + c),
		"filter":    request("GET /api/accounts").query("find=roe&cursor=" + c),
		"path":      request("GET /api/accounts").path("id", someID[:25]+"T").query("find=doe&cursor=" + c),
		"no filter": request("GET /api/accounts").query("cursor=" + c),
		"empty":     request("GET /api/accounts").query("find=doe&cursor="),
		"line end":  request("GET /api/accounts").query("find=doe&cursor=" + c + "%0A"),
		"padding":   request("GET /api/accounts").query("find=doe&cursor=" + c + "="),
	} {
		res := a.do(t, other)
		res.wantProblem(t, 400, "cursor")
		if !strings.Contains(res.problem.Detail, "first page") {
			t.Errorf("%s: the problem does not say what to do: %s", name, res.problem.Detail)
		}
	}
	a.do(t, request("GET /api/accounts").query("find=doe&cursor="+strings.Repeat("A", 2049))).wantProblem(t, 400, "query",
		"cursor:tooLong")
	good := request("GET /api/accounts").query("find=doe&cursor=" + c)
	a.now = noon.Add(24*time.Hour - time.Second)
	if res := a.do(t, good); res.StatusCode != 200 {
		t.Errorf("a second before a day: %d", res.StatusCode)
	}
	a.now = noon.Add(24 * time.Hour)
	a.do(t, good).wantProblem(t, 400, "cursor")
}

// C30: every truncation and every changed bit.
func TestDamagedCursorOpensNothing(t *testing.T) {
	a := listAPI(t)
	c := firstCursor(t, a, "")
	for n := range c {
		a.do(t, request("GET /api/accounts").query("cursor="+c[:n])).wantProblem(t, 400, "cursor")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(sealed) {
		flipped := bytes.Clone(sealed)
		flipped[bit/8] ^= 1 << (bit % 8)
		a.do(t, request("GET /api/accounts").query("cursor="+base64.RawURLEncoding.EncodeToString(flipped))).wantProblem(t,
			400, "cursor")
	}
	a.do(t, request("GET /api/accounts").query("cursor="+c+"AAAA")).wantProblem(t, 400, "cursor")
}

// An environment without a key of 256 bits gets no cursors, as they could be forged (C45).
func TestCursorNeedsARealKey(t *testing.T) {
	h, err := httpapi.New(httpapi.Server{
		Routes: []httpapi.Route{
			{Key: "GET /api/accounts", Needs: access.SignedIn, Handle: pagingHandler, Query: []httpapi.Param{httpapi.Cursor()}},
		},
		Authenticate: func(context.Context, string) (access.Scope, error) {
			return access.Scope{
				Env:    environment.Environment{CursorKey: make([]byte, 31)},
				Caller: access.Caller{AccountID: aliceID},
			}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := &testAPI{Handler: h}
	a.do(t, request("GET /api/accounts")).wantProblem(t, 500, "internal")
	a.do(t, request("GET /api/accounts").query("cursor=AAAA")).wantProblem(t, 500, "internal")
}

// FuzzCursor: a text that SealCursor did not make is refused.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "AAAA", strings.Repeat("A", 60), "%", "a.b.c", "-_-_"} {
		f.Add(seed)
	}
	query := []httpapi.Param{httpapi.Cursor()}
	h, err := httpapi.New(httpapi.Server{Authenticate: authenticate, Routes: []httpapi.Route{
		{Key: "GET /api/accounts", Needs: access.SignedIn, Handle: pagingHandler, Query: query},
	}})
	if err != nil {
		f.Fatal(err)
	}
	a := &testAPI{Handler: h}
	f.Fuzz(func(t *testing.T, text string) {
		if res := a.do(t, request("GET /api/accounts").query("cursor="+text)); res.StatusCode != 400 {
			t.Errorf("%q: %d %s", text, res.StatusCode, res.Body)
		}
	})
}
