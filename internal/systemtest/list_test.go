package systemtest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// createSet saves a Set and returns the answer.
func (c *client) createSet(t *testing.T, name string, more map[string]any) response {
	t.Helper()
	body := map[string]any{"name": name, "grid": "accounts",
		"columns": []any{map[string]any{"field": "username", "width": 180}, map[string]any{"field": "name"}}}
	for k, v := range more {
		body[k] = v
	}
	return c.do(t, "POST", "/api/sets", body).expect(t, 201)
}

// listUsernames walks all pages of a list and returns the usernames; pairs are name=value, not yet encoded.
func (c *client) listUsernames(t *testing.T, limit int, pairs ...string) string {
	t.Helper()
	query := url.Values{"limit": {fmt.Sprint(limit)}}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		query.Set(name, value)
	}
	var out []string
	for {
		page := c.do(t, "GET", "/api/accounts?"+query.Encode(), nil).expect(t, 200).members(t)
		for _, item := range page["items"].([]any) {
			out = append(out, item.(map[string]any)["username"].(string))
		}
		next, more := page["next"].(string)
		if !more {
			break
		}
		query.Set("cursor", next)
	}
	query.Del("limit")
	query.Del("sort")
	query.Del("cursor")
	if n := c.do(t, "GET", "/api/accounts/count?"+query.Encode(), nil).expect(t,
		200).members(t)["count"]; n != float64(len(out)) {
		t.Errorf("%v: counts %v, lists %d", pairs, n, len(out))
	}
	return strings.Join(out, " ")
}

func TestListsSetsAndBulkActions(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	ids := map[string]string{}
	for i, name := range []string{"Anna List", "Ｂert List", "carla list", "Dörte List"} {
		username := "list" + string(rune('a'+i))
		made := admin.do(t, "POST", "/api/accounts", map[string]any{
			"username": username, "name": name, "email": username + "@example.com", "userType": []string{"FULL", "TEAM"}[i%2],
			"dateFrom": fmt.Sprintf("2026-0%d-01", i+1), "mobile": fmt.Sprintf("020 7946 000%d", i),
		}).expect(t, 201)
		ids[username] = made.text(t, "id")
	}
	t.Run("lists", func(t *testing.T) { lists(t, admin, ids) })
	t.Run("bad queries", func(t *testing.T) { badQueries(t, admin) })
	t.Run("fields", func(t *testing.T) { fieldsOfAGrid(t, admin) })
	t.Run("sets", func(t *testing.T) { savedSets(t, admin) })
	t.Run("bulk", func(t *testing.T) { bulk(t, admin, ids) })
	t.Run("bad bulk", func(t *testing.T) { badBulk(t, admin, ids) })
	t.Run("all that match", func(t *testing.T) { bulkByFilter(t, admin) })
}

func lists(t *testing.T, admin *client, ids map[string]string) {
	for want, pairs := range map[string][]string{
		"lista listb listc listd": {"username.contains=LIST"},
		"listd listc listb lista": {"find=list", "sort=-name"}, // folded: Bert is among the others in spite of his wide B
		"listb listd":             {"username.contains=list", "userType=team"},
		"lista":                   {"find=anna"},
		"listb listc":             {"dateFrom.from=2026-02-01", "dateFrom.to=2026-03-01", "find=list"},
		"listd":                   {"find=dÖrte 7946"},
	} {
		for _, limit := range []int{1, 3, 50} {
			if got := admin.listUsernames(t, limit, pairs...); got != want {
				t.Errorf("%v by %d: %s; want %s", pairs, limit, got, want)
			}
		}
	}
	admin.do(t, "POST", "/api/accounts/"+ids["listc"]+"/lock", nil).expect(t, 200)
	if got := admin.listUsernames(t, 2, "find=list"); got != "lista listb listd" {
		t.Errorf("with one locked: %s", got)
	}
	if got := admin.listUsernames(t, 2); strings.Contains(got, "listc") || !strings.Contains(got, "listd") {
		t.Errorf("the usual list: %s", got)
	}
	if got := admin.listUsernames(t, 2, "find=list", "active=any") + "; " +
		admin.listUsernames(t, 2, "find=list", "active=false"); got != "lista listb listc listd; listc" {
		t.Errorf("locked ones: %s", got)
	}
	admin.do(t, "POST", "/api/accounts/"+ids["listc"]+"/unlock", nil).expect(t, 200)

	// A cursor is of its filters and order (V66).
	next := admin.do(t, "GET", "/api/accounts?limit=1&find=list&sort=name", nil).expect(t, 200).text(t, "next")
	for _, query := range []string{"find=list", "find=lis&sort=name", "find=list&sort=-name",
		"find=list&sort=name&active=any"} {
		admin.do(t, "GET", "/api/accounts?limit=1&"+query+"&cursor="+next, nil).expectProblem(t, 400, "cursor")
	}
}

func badQueries(t *testing.T, admin *client) {
	for query, of := range map[string]string{
		"active=yes": "active", "find=": "find", "find=%20": "find", "email=": "email",
		"email.contains=%20%20": "email.contains", "email.like=x": "email.like",
		"email.empty=1": "email.empty", "userType=%3B": "userType", "dateFrom=2026-01-01": "dateFrom",
		"dateFrom.from=01/02/2026": "dateFrom.from",
		"dateTo.to=2026-02-30":     "dateTo.to", "lastLogin.from=yesterday": "lastLogin.from",
		"failedTries.from=x": "failedTries.from", "failedTries.to=-1": "failedTries.to",
		"mfaRequired=TRUE": "mfaRequired", "sort=": "sort", "sort=%2Bname": "sort", "password=x": "password",
		"name=" + strings.Repeat("x", 251): "name", "name=a&name=b": "name",
	} {
		admin.do(t, "GET", "/api/accounts?"+query, nil).expectProblem(t, 400, "query", of)
		if !strings.HasPrefix(query, "sort") {
			admin.do(t, "GET", "/api/accounts/count?"+query, nil).expectProblem(t, 400, "query", of)
		}
	}
	admin.createUser(t, "listless", "seven green bicycles", nil)
	// C25
	admin.signedInAs(t, "listless", "seven green bicycles").do(t, "GET", "/api/accounts/count", nil).expectProblem(t, 403,
		"forbidden")
}

func fieldsOfAGrid(t *testing.T, admin *client) {
	for _, item := range admin.do(t, "GET", "/api/accounts/fields", nil).expect(t, 200).members(t)["items"].([]any) {
		f := item.(map[string]any)
		if len(f["filters"].([]any)) == 0 || f["sortable"] != true {
			t.Errorf("%v", f)
		}
		admin.do(t, "GET", "/api/accounts?limit=1&sort=-"+f["name"].(string), nil).expect(t, 200)
	}
}

func savedSets(t *testing.T, admin *client) {
	admin.createUser(t, "viewer", "seven green bicycles", map[string]any{"roles": []string{"VIEWER"}})
	viewer := admin.signedInAs(t, "viewer", "seven green bicycles")
	private := admin.createSet(t, "Mine",
		map[string]any{"filters": map[string]any{"userType": "TEAM"}, "sort": "-name", "default": true})
	shared := admin.createSet(t, "Ours", map[string]any{"shared": true})
	one, both := "/api/sets/"+private.text(t, "id"), "/api/sets/"+shared.text(t, "id")

	got := admin.do(t, "GET", "/api/sets?grid=accounts&limit=1", nil).expect(t, 200).members(t)
	first := got["items"].([]any)[0].(map[string]any)
	if first["name"] != "Mine" || first["default"] != true || first["filters"].(map[string]any)["userType"] != "TEAM" ||
		got["next"] == nil {
		t.Errorf("%v", got)
	}
	// One who has the Set from the list can change it: its version is its ETag.
	if tag := private.Header.Get("ETag"); tag != fmt.Sprintf("\"%v\"", first["version"]) ||
		first["version"] != private.members(t)["version"] {
		t.Errorf("ETag %s of version %v", tag, first["version"])
	}
	seen := viewer.do(t, "GET", "/api/sets", nil).expect(t, 200).Body
	if strings.Contains(seen, "Mine") || !strings.Contains(seen, "Ours") {
		t.Errorf("another sees %s", seen)
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		var body any
		if method == "PATCH" {
			body = map[string]any{"name": "x"}
		}
		viewer.do(t, method, one, body, ifMatch(private)).expectProblem(t, 404, "notFound")
	}
	viewer.do(t, "PATCH", both, map[string]any{"name": "x"}, ifMatch(shared)).expectProblem(t, 403, "notOwner")
	viewer.do(t, "DELETE", both, nil, ifMatch(shared)).expectProblem(t, 403, "notOwner")
	viewer.do(t, "POST", "/api/sets",
		map[string]any{"name": "x", "grid": "accounts", "columns": []any{map[string]any{"field": "name"}}, "shared": true}).
		expectProblem(t, 403, "forbidden")

	chosen := viewer.do(t, "PATCH", both, map[string]any{"default": true}, ifMatch(shared)).expect(t, 200)
	if chosen.members(t)["default"] != true || chosen.Header.Get("ETag") == shared.Header.Get("ETag") {
		t.Errorf("%s %s", chosen.Header.Get("ETag"), chosen.Body)
	}
	viewer.do(t, "GET", both, nil, header{"If-None-Match", shared.Header.Get("ETag")}).expect(t, 200)
	changed := admin.do(t, "PATCH", both, map[string]any{"name": "All of ours"}, ifMatch(shared)).expect(t, 200)
	admin.do(t, "PATCH", both, map[string]any{"name": "x"}, ifMatch(shared)).expectProblem(t, 412, "stale", "version")
	admin.do(t, "PATCH", both, map[string]any{"name": "x"}).expectProblem(t, 428, "ifMatchRequired")
	if now := viewer.do(t, "GET", both, nil).expect(t, 200).members(t); now["name"] != "All of ours" ||
		now["default"] != true || now["own"] != false {
		t.Errorf("%v", now)
	}
	for of, body := range map[string]map[string]any{
		"name": {"name": " "}, "columns.0.field": {"columns": []any{map[string]any{"field": "passwordHash"}}},
		"columns":            {"columns": []any{}},
		"filters.email.like": {"filters": map[string]any{"email.like": "x"}},
		"filters.dateTo.to":  {"filters": map[string]any{"dateTo.to": "soon"}}, "sort": {"sort": "password"},
	} {
		admin.do(t, "PATCH", one, body, ifMatch(private)).expectProblem(t, 422, "invalid", of)
	}
	for of, body := range map[string]any{"owner": `{"owner":"x"}`, "columns": `{"columns":"name"}`,
		"shared": `{"shared":"yes"}`} {
		admin.do(t, "PATCH", one, body, ifMatch(private)).expectProblem(t, 400, "body", of)
	}
	admin.do(t, "GET", "/api/sets?grid=roles", nil).expectProblem(t, 400, "query", "grid")
	admin.do(t, "DELETE", both, nil, ifMatch(changed)).expect(t, 204)
	admin.do(t, "DELETE", both, nil, ifMatch(changed)).expectProblem(t, 404, "notFound")
}

func bulk(t *testing.T, admin *client, ids map[string]string) {
	me := admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	body := map[string]any{
		"action": "block", "arguments": map[string]any{"reason": "Audit"}, "preview": true,
		"ids": []string{ids["lista"], me, ids["listb"], ids["lista"], "01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"},
	}
	// Both begin blocked, as not yet allowed; a block replaces the reason.
	want := "preview %v, 2 changed, 0 unchanged, 3 problems: ok, problem self, ok, problem notFound, problem notFound"
	if got := bulkSummary(admin.do(t, "POST", "/api/accounts/bulk", body).expect(t, 200).members(t)); got != fmt.Sprintf(
		want, true) {
		t.Error(got)
	}
	reason := func(name string) any {
		return admin.do(t, "GET", "/api/accounts/"+ids[name], nil).expect(t, 200).members(t)["lockedReason"]
	}
	if got := reason("lista"); got != "Not yet allowed" {
		t.Errorf("the preview changed the reason to %v", got)
	}
	body["preview"] = false
	once := header{"Idempotency-Key", "bulk-of-the-test"}
	done := admin.do(t, "POST", "/api/accounts/bulk", body, once).expect(t, 200)
	if got := bulkSummary(done.members(t)); got != fmt.Sprintf(want, false) || reason("lista") != "Audit" ||
		reason("listc") != "Not yet allowed" {
		t.Errorf("%s; %v", got, reason("lista"))
	}
	if again := admin.do(t, "POST", "/api/accounts/bulk", body, once).expect(t, 200); again.Body != done.Body ||
		again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("a second click: %s", again.Body)
	}
	some := []string{ids["lista"], ids["listb"]}
	for _, c := range []struct{ action, members, want string }{
		{"addRoles", `{"roles":["viewer"]}`, "ok, ok"}, {"addRoles", `{"roles":["VIEWER"]}`, "unchanged, unchanged"},
		{"addRoles", `{"roles":["ADMIN"]}`, "ok, problem invalid"}, // TEAM does not allow it
		{"removeRoles", `{"roles":["ADMIN","EDITOR"]}`, "ok, unchanged"},
		{"addGroups", `{"groups":["STAFF"]}`, "ok, ok"}, {"removeGroups", `{"groups":["STAFF"]}`, "ok, ok"},
		{"forcePasswordChange", `{}`, "ok, ok"}, {"allow", `{}`, "ok, ok"}, {"resetTries", `{}`, "unchanged, unchanged"},
		{"lock", `{}`, "ok, ok"}, {"lock", `{}`, "unchanged, unchanged"}, {"unlock", `{}`, "ok, ok"},
	} {
		got := bulkSummary(
			admin.do(t, "POST", "/api/accounts/bulk",
				fmt.Sprintf(`{"action":%q,"ids":[%q,%q],"arguments":%s}`, c.action, some[0], some[1], c.members)).expect(t,
				200).members(t))
		if _, results, _ := strings.Cut(got, ": "); results != c.want {
			t.Errorf("%s %s: %s, want %s", c.action, c.members, got, c.want)
		}
	}
}

// bulkSummary puts the answer of a bulk action into words.
func bulkSummary(got map[string]any) string {
	var out []string
	for _, item := range got["items"].([]any) {
		o := item.(map[string]any)
		text := o["result"].(string)
		if code, ok := o["code"]; ok {
			text += " " + code.(string)
		}
		if o["result"] == "problem" && o["detail"] == nil {
			text += " without a detail"
		}
		out = append(out, text)
	}
	return fmt.Sprintf("preview %v, %v changed, %v unchanged, %v problems: %s", got["preview"], got["changed"],
		got["unchanged"], got["problems"], strings.Join(out, ", "))
}

func badBulk(t *testing.T, admin *client, ids map[string]string) {
	id := `"ids":["` + ids["listd"] + `"]`
	many := strings.TrimSuffix(strings.Repeat(`"x",`, 501), ",")
	for _, c := range []struct{ body, of string }{
		{`{"action":"lock"}`, "ids"}, {`{"action":"lock","filter":{},` + id + `}`, "ids"},
		{`{"action":"block",` + id + `}`, "arguments.reason"},
		{`{"action":"block",` + id + `,"arguments":{"reason":" "}}`, "arguments.reason"},
		{`{"action":"lock",` + id + `,"arguments":{"reason":"x"}}`, "arguments.reason"},
		{`{"action":"addRoles",` + id + `,"arguments":{"roles":["NONE"]}}`, "arguments.roles"},
		{`{"action":"lock","filter":{"email.like":"x"}}`, "filter.email.like"},
		{`{"action":"lock","filter":{"active":"some"}}`, "filter.active"},
	} {
		admin.do(t, "POST", "/api/accounts/bulk", c.body).expectProblem(t, 422, "invalid", c.of)
	}
	for _, c := range []struct{ body, of string }{
		{`{"action":"export",` + id + `}`, "action"}, {`{"action":"lock","ids":[` + many + `]}`, "ids"},
		{`{` + id + `}`, "action"}, {`{"action":"lock","ids":"x"}`, "ids"},
		{`{"action":"lock","filter":{"active":true}}`, "filter.active"},
		{`{"action":"lock",` + id + `,"password":"x"}`, "password"},
	} {
		admin.do(t, "POST", "/api/accounts/bulk", c.body).expectProblem(t, 400, "body", c.of)
	}
	admin.do(t, "POST", "/api/accounts/bulk?limit=501", `{"action":"lock","filter":{}}`).expectProblem(t, 400, "query",
		"limit")
	viewer := admin.signedInAs(t, "viewer", "seven green bicycles") // may list, and do none of these
	for _, action := range []string{"allow", "block", "lock", "unlock", "resetTries", "forcePasswordChange", "addRoles",
		"removeRoles", "addGroups", "removeGroups"} {
		viewer.do(t, "POST", "/api/accounts/bulk", `{"action":"`+action+`",`+id+`,"preview":true}`).expectProblem(t, 403,
			"forbidden")
	}
	if got := admin.do(t, "GET", "/api/accounts/"+ids["listd"], nil).expect(t, 200).members(t); got["active"] != true ||
		got["lockedReason"] != "Not yet allowed" {
		t.Errorf("bad orders changed %v", got)
	}
}

func bulkByFilter(t *testing.T, admin *client) {
	for i := range 7 {
		admin.do(t, "POST", "/api/accounts",
			map[string]any{"username": fmt.Sprintf("matching%d", i), "name": "Match",
				"email": fmt.Sprintf("matching%d@example.com", i), "userType": "FULL"}).expect(t, 201)
	}
	body := map[string]any{"action": "allow",
		"filter": map[string]any{"username.contains": "matching", "accessLocked": "true"}}
	var done []string
	path := "/api/accounts/bulk?limit=3"
	for left := 7; ; {
		got := admin.do(t, "POST", path, body).expect(t, 200)
		items := got.members(t)["items"].([]any)
		for _, item := range items {
			done = append(done, item.(map[string]any)["username"].(string))
		}
		if left -= len(items); got.members(t)["remaining"] != float64(left) {
			t.Errorf("%d left: %s", left, got.Body)
		}
		next := got.text(t, "next")
		if next == "" {
			break
		}
		path = "/api/accounts/bulk?limit=3&cursor=" + next
		admin.do(t, "POST", path, map[string]any{"action": "lock", "filter": body["filter"]}).expectProblem(t, 400, "cursor")
	}
	if slices.Sort(done); len(slices.Compact(done)) != 7 {
		t.Errorf("done: %v", done)
	}
	if got := admin.listUsernames(t, 50, "username.contains=matching", "accessLocked=true"); got != "" {
		t.Errorf("left: %s", got)
	}
	empty := admin.do(t, "POST", "/api/accounts/bulk", body).expect(t, 200).members(t)
	if len(empty["items"].([]any)) != 0 || empty["next"] != nil {
		t.Errorf("nothing matches: %v", empty)
	}
}
