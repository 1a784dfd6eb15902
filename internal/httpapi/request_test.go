package httpapi_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

func TestQueryIsHeldAgainstItsDeclaration(t *testing.T) {
	a := serve(t, nil, httpapi.Route{
		Key: "GET /api", Needs: access.Public,
		Query: []httpapi.Param{
			httpapi.Limit(50, 200),
			{Name: "find", Kind: httpapi.TextParam, Min: 2, Max: 5},
			{Name: "locked", Kind: httpapi.BoolParam},
			{Name: "from", Kind: httpapi.DateParam},
			{Name: "sort", Kind: httpapi.EnumParam, Choices: []string{"name", "-name"}, Default: "name"},
			{Name: "job", Kind: httpapi.IDParam},
		},
		Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
			return httpapi.OK([]any{
				r.QueryInt("limit"), r.Query("find"), r.QueryBool("locked"), r.HasQuery("locked"), r.Query("from"),
				r.Query("sort"), r.Query("job"),
			}), nil
		},
	})
	for query, want := range map[string]string{
		"": `[50,"",false,false,"","name",""]`,
		"limit=200&find=%C3%A9%26&locked=true&from=2026-02-28&sort=-name&job=" +
			someID: `[200,"é&",true,true,"2026-02-28","-name","` + someID + `"]`,
		"locked=false": `[50,"",false,true,"","name",""]`,
	} {
		if res := a.do(t, request("GET /api").query(query)); res.Body != want {
			t.Errorf("%s: %s, want %s", query, res.Body, want)
		}
	}
	for query, field := range map[string]string{
		"limit=0": "limit:range", "limit=201": "limit:range", "limit=": "limit:type", "limit=1e1": "limit:type",
		"limit=%2B1": "limit:type",
		"limit=01":   "limit:type", "limit=99999999999999999999": "limit:type", "limit=1&limit=1": "limit:duplicate",
		"find=a": "find:tooShort", "find=%20%C2%A0": "find:value", "find=abcdef": "find:tooLong",
		"find=%ff%ff": "find:notText", "find=a%00": "find:notText",
		"locked=yes": "locked:type", "locked=TRUE": "locked:type", "from=2026-02-30": "from:type",
		"from=28/02/2026": "from:type",
		"sort=password":   "sort:choice", "job=1": "job:type", "Limit=1": "Limit:unknown", "limit[]=1": "limit[]:unknown",
		"=1": ":unknown",
	} {
		a.do(t, request("GET /api").query(query)).wantProblem(t, 400, "query", field)
	}
	a.do(t, request("GET /api").query("z=1&limit=0&y=2")).wantProblem(t, 400, "query", "limit:range", "y:unknown",
		"z:unknown")
	a.do(t, request("GET /api").query("find=%zz")).wantProblem(t, 400, "query")
	a.do(t, request("GET /api").query("find=a;b=c")).wantProblem(t, 400, "query")
}

// A list of codes is read as clients write it: with commas as they are or percent-encoded, or with semicolons.
func TestCodesAreSeparatedByCommasOrSemicolons(t *testing.T) {
	a := serve(t, nil, httpapi.Route{
		Key: "GET /api", Needs: access.Public, Query: []httpapi.Param{{Name: "codes", Kind: httpapi.CodesParam, Max: 3}},
		Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
			return httpapi.OK(strings.Split(r.Query("codes"), ";")), nil
		},
	})
	for query, want := range map[string]string{
		"A": `["A"]`, "A,B": `["A","B"]`, "A%2CB": `["A","B"]`, "A%3BB": `["A","B"]`, "A%3B": `["A"]`,
		"Sales%2C+London%3B": `["Sales, London"]`, "+A+,B": `["A","B"]`, "A&codes=B": `["A","B"]`,
		"A,B&codes=C": `["A","B","C"]`,
	} {
		if res := a.do(t, request("GET /api").query("codes="+query)); res.Body != want {
			t.Errorf("%s: %s, want %s", query, res.Body, want)
		}
	}
	for query, code := range map[string]string{
		"codes=": "codes:value", "codes=%3B": "codes:value", "codes=,": "codes:value", "codes=A,,B": "codes:value",
		"codes=A%3B%3BB": "codes:value", "codes=A,B,C,D": "codes:tooMany", "codes=A,B&codes=C,D": "codes:tooMany",
		"codes=A&codes=":                   "codes:value",
		"codes=A%00":                       "codes:value",
		"codes=" + strings.Repeat("x", 51): "codes:value",
	} {
		a.do(t, request("GET /api").query(query)).wantProblem(t, 400, "query", code)
	}
}

func TestAnInstantIsOneOrADay(t *testing.T) {
	many := []httpapi.Param{{Name: "since", Kind: httpapi.InstantParam}}
	for i := range 20 {
		many = append(many, httpapi.Param{Name: "also" + strconv.Itoa(i)})
	}
	a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.Public, Query: many, Handle: okHandler})
	for _, text := range []string{
		"2026-01-31", "2026-01-31T08:30:00Z", "2026-01-31T08:30:00.123Z",
		"2026-01-31T08:30:00%2B01:00",
	} {
		a.do(t, request("GET /api").query("since="+text)).wantProblem(t, 200, "")
	}
	for _, text := range []string{
		"", "2026-02-30", "2026-01-31T08:30", "2026-01-31T25:00:00Z", "31/01/2026",
		"1769846400", "2026-01-31T08:30:00%2B0100",
	} {
		a.do(t, request("GET /api").query("since="+text)).wantProblem(t, 400, "query", "since:type")
	}
	// An unknown name does not get a long list of the known ones.
	res := a.do(t, request("GET /api").query("until=2026-01-31"))
	res.wantProblem(t, 400, "query", "until:unknown")
	if strings.Contains(res.Body, "also7") {
		t.Error(res.Body)
	}
}

func TestRequiredParameter(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{
			Key: "GET /api", Needs: access.Public, Handle: okHandler,
			Query: []httpapi.Param{{Name: "kind", Required: true}},
		})
	a.do(t, request("GET /api")).wantProblem(t, 400, "query", "kind:required")
}

// A handler that reads what its route does not declare panics, because the reference would be wrong.
func TestUndeclaredInputsPanic(t *testing.T) {
	for name, handle := range map[string]func(r *httpapi.Request){
		"query":    func(r *httpapi.Request) { r.Query("x") },
		"if-match": func(r *httpapi.Request) { _, _ = r.IfMatch() },
		"optional": func(r *httpapi.Request) { _, _ = r.IfMatchIfGiven() },
		"body":     func(r *httpapi.Request) { _, _ = r.Members() },
		"cursor":   func(r *httpapi.Request) { _, _, _ = httpapi.OpenCursor[int](r) },
	} {
		a := serve(t, nil,
			httpapi.Route{
				Key: "GET /api", Needs: access.Public,
				Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
					handle(r)
					return httpapi.NoContent(), nil
				},
			})
		if got := a.do(t, request("GET /api")).StatusCode; got != 500 {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestIDTakesAULIDInItsOneSpelling(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{
			Key: "GET /api/x/{id}", Needs: access.Public,
			Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
				id, err := r.ID("id")
				return httpapi.OK(id), err
			},
		})
	for _, id := range []string{
		"", "1", strings.ToLower(someID), someID + "0", someID[:25], "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
		"01JNB7Z5Q0ABCDEFGHJKMNPQRI", "../../etc/passwd", "01JNB7Z5Q0ABCDEFGHJKMNPQR#",
	} {
		c := request("GET /api/x/{id}")
		c.PathParameters = map[string]string{"id": id}
		a.do(t, c).wantProblem(t, 404, "notFound")
	}
	if res := a.do(t, request("GET /api/x/{id}")); res.Body != `"`+someID+`"` {
		t.Errorf("answered %s", res.Body)
	}
}

func TestIfMatchTakesTagsOfVersions(t *testing.T) {
	a := serve(t, nil, httpapi.Route{
		Key: "PATCH /api", Needs: access.Public, Doc: httpapi.Operation{IfMatch: true},
		Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
			version, err := r.IfMatch()
			return httpapi.OK(version), err
		},
	})
	a.do(t, request("PATCH /api")).wantProblem(t, 428, "ifMatchRequired")
	for _, tag := range []string{
		"*", `"0"`, `w/"7"`, `W/7`, "7", `"7`, `7"`, `"7",`, `,"7"`, `"7" "8"`, `"7", *`, `"a"`, `""`, `"-1"`, `"+7"`,
		`"07"`, `"7.0"`, `"99999999999999999999"`, `'7'`,
	} {
		a.do(t, request("PATCH /api").header("if-match", tag)).wantProblem(t, 400, "ifMatch")
	}
	for tags, want := range map[string]string{`W/"7"`: "7", `"7", W/"8"`: "8", `"8","7"`: "8", `"7","7"`: "7"} {
		if res := a.do(t, request("PATCH /api").header("if-match", tags)); res.Body != want {
			t.Errorf("%s: %d %s, want %s", tags, res.StatusCode, res.Body, want)
		}
	}
	for _, name := range []string{"if-match", "If-Match"} {
		if res := a.do(t, request("PATCH /api").header(name, ` "7" `)); res.Body != "7" {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.Body)
		}
	}
}

func TestOptionalIfMatchTakesTagsOrNone(t *testing.T) {
	a := serve(t, nil, httpapi.Route{
		Key: "POST /api", Needs: access.Public, Doc: httpapi.Operation{IfMatchOptional: true},
		Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
			version, err := r.IfMatchIfGiven()
			return httpapi.OK(version), err
		},
	})
	if res := a.do(t, request("POST /api")); res.Body != "0" {
		t.Errorf("none: %d %s", res.StatusCode, res.Body)
	}
	if res := a.do(t, request("POST /api").header("if-match", `"7"`)); res.Body != "7" {
		t.Errorf("%d %s", res.StatusCode, res.Body)
	}
	for _, tag := range []string{"", "*"} { // an empty header is a mistake, not a missing one
		a.do(t, request("POST /api").header("if-match", tag)).wantProblem(t, 400, "ifMatch")
	}
}

// V83: the address is the one that the gateway saw, whatever headers say.
func TestSourceIPIsTheGateways(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{
			Key: "GET /api", Needs: access.Public,
			Handle: func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
				return httpapi.OK(r.SourceIP()), nil
			},
		})
	c := request("GET /api")
	for _, name := range []string{"x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip"} {
		c = c.header(name, "203.0.113.9")
	}
	if res := a.do(t, c); res.Body != `"192.0.2.7"` || strings.Contains(a.log.String(), "203.0.113.9") {
		t.Errorf("answered %s, logged %s", res.Body, a.log)
	}
}
