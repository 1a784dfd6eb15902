package systemtest_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// delegationSample makes a delegation for the samples.
func delegationSample(t *testing.T, admin *client, id string) string {
	t.Helper()
	return admin.do(t, "POST", "/api/accounts/"+id+"/delegations",
		map[string]any{"target": map[string]any{"kind": "resourceGroup", "code": "STAFF"}, "manager": false}).expect(t,
		201).text(t, "id")
}

// The tabs of an account: log, permissions, copied access, contact, delegations.
func TestTabs(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("log", func(t *testing.T) { logTab(t, admin) })
	t.Run("log of an import", func(t *testing.T) { logOfImport(t, admin) })
	t.Run("bad logs", func(t *testing.T) { badLogs(t, admin) })
	t.Run("permissions", func(t *testing.T) { permissionsTab(t, admin) })
	t.Run("copy from", func(t *testing.T) { copyTab(t, admin) })
	t.Run("contact", func(t *testing.T) { contactTab(t, admin) })
	t.Run("bad contacts", func(t *testing.T) { badContacts(t, admin) })
	t.Run("delegations", func(t *testing.T) { delegationsTab(t, admin) })
	t.Run("bad delegations", func(t *testing.T) { badDelegations(t, admin) })
	t.Run("guards", func(t *testing.T) { tabGuards(t, admin) })
	t.Run("deleted accounts", func(t *testing.T) { tabsOfDeleted(t, admin) })
}

func entriesOf(t *testing.T, a response) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, i := range a.expect(t, 200).members(t)["items"].([]any) {
		out = append(out, i.(map[string]any))
	}
	return out
}

// readLog reads a log in pages and returns its kinds and lines.
func (c *client) readLog(t *testing.T, path, query string, limit int) (string, []map[string]any) {
	t.Helper()
	var lines []map[string]any
	var kinds []string
	cursor := ""
	for {
		got := c.do(t, "GET", fmt.Sprintf("%s/log?limit=%d%s%s", path, limit, query, cursor), nil)
		for _, l := range entriesOf(t, got) {
			lines, kinds = append(lines, l), append(kinds, l["kind"].(string))
		}
		next := got.text(t, "next")
		if next == "" {
			return strings.Join(kinds, " "), lines
		}
		cursor = "&cursor=" + next
	}
}

func logTab(t *testing.T, admin *client) {
	const secret = "seven green bicycles"
	person := admin.createUser(t, "logged", secret, nil)
	path := "/api/accounts/" + person.text(t, "id")
	theirs := admin.signedInAs(t, "logged", secret)
	theirs.do(t, "POST", "/api/logout", nil).expect(t, 204)
	for range 5 {
		(&client{url: admin.url, from: elsewhere}).do(t, "POST", "/api/login",
			map[string]any{"identifier": "logged", "password": "wrong one entirely"}).expect(t, 401)
	}
	note := admin.do(t, "POST", path+"/notes", map[string]any{"text": "=cmd|'/c calc'!A1\nsecond line"}).expect(t, 201)
	if note.text(t, "note") != "=cmd|'/c calc'!A1\nsecond line" || note.Header.Get("Location") != path+"/log" ||
		note.text(t, "by") != "admin" {
		t.Errorf("%s %v", note.Body, note.Header)
	}
	read := admin.do(t, "GET", path, nil)
	admin.do(t, "PATCH", path, map[string]any{"name": "Other Name", "roles": []string{"VIEWER"}}, ifMatch(read)).expect(t,
		200)
	admin.do(t, "POST", path+"/block", map[string]any{"reason": "On leave"}).expect(t, 200)

	want := "accessBlocked changed note mail blockedByTries signInFailed signInFailed signInFailed signInFailed " +
		"signInFailed sessionClosed signedIn passwordSet mail created"
	for _, limit := range []int{1, 3, 200} {
		if kinds, _ := admin.readLog(t, path, "", limit); kinds != want {
			t.Fatalf("pages of %d: %s", limit, kinds)
		}
	}
	_, lines := admin.readLog(t, path, "", 50)
	if c := lines[1]["changes"].([]any); len(c) != 2 ||
		fmt.Sprint(c[0]) != "map[field:name from:Some Body label:Name to:Other Name]" ||
		fmt.Sprint(c[1]) != "map[field:roles from:<nil> label:Roles to:[VIEWER]]" {
		t.Errorf("changes %v", c)
	}
	if l := lines[0]; l["note"] != "On leave" || l["by"] != "admin" || l["text"] != "Login access blocked" {
		t.Errorf("%v", l)
	}
	if l := lines[11]; l["by"] != "logged" || l["client"] != "test" || l["address"] == nil || l["session"] == nil {
		t.Errorf("%v", l)
	}
	if l := lines[4]; l["by"] != "" {
		t.Errorf("blocked by tries by %v", l["by"])
	}
	at, err := time.Parse(time.RFC3339, lines[2]["at"].(string))
	if err != nil {
		t.Fatal(err)
	}
	instant := url.QueryEscape(at.Format(time.RFC3339Nano))
	day := at.Format(time.DateOnly)
	for query, want := range map[string]string{
		"&kind=note": "note", "&by=LOGGED": "sessionClosed signedIn", "&by=nobody": "", "&kind=signedIn&by=admin": "",
		"&from=" + instant: "accessBlocked changed note", "&from=" + instant + "&to=" + instant: "note",
		"&to=" + instant: strings.TrimPrefix(want, "accessBlocked changed "), "&to=2001-01-01T00:00:00%2B01:00": "",
		"&from=" + day + "&to=" + day: want, "&from=" + day + "&kind=note": "note", "&to=2001-01-01": "",
	} {
		if kinds, _ := admin.readLog(t, path, query, 2); kinds != want {
			t.Errorf("%s: %s, want %s", query, kinds, want)
		}
	}
	exportTab(t, admin, path)
}

// C49: the file opens in a spreadsheet without running anything.
func exportTab(t *testing.T, admin *client, path string) {
	got := admin.do(t, "GET", path+"/log/export", nil).expect(t, 200)
	if h := got.Header; h.Get("Content-Type") != "text/csv; charset=utf-8" ||
		!strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") ||
		h.Get("X-Log-Lines") != "15" || h.Get("X-Log-Complete") != "true" {
		t.Errorf("%v", h)
	}
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix([]byte(got.Body), []byte("\ufeff")))).ReadAll()
	if err != nil || !strings.HasPrefix(got.Body, "\ufeff") || len(records) < 10 {
		t.Fatalf("%v %s", err, got.Body)
	}
	if note := records[slices.IndexFunc(records, func(r []string) bool { return r[1] == "Note" })]; note[6] !=
		"'=cmd|'/c calc'!A1\nsecond line" {
		t.Errorf("%q", note)
	}
	one := admin.do(t, "GET", path+"/log/export?kind=note", nil).expect(t, 200)
	if one.Header.Get("X-Log-Lines") != "1" {
		t.Errorf("%v %s", one.Header, one.Body)
	}
}

func logOfImport(t *testing.T, admin *client) {
	job := admin.runImport(t,
		workbook(t, []any{"Username", "Description", "User licenses", "Email"},
			[]any{"fromsheet", "From Sheet", "FULL", "fromsheet@example.com"}), nil)
	found := entriesOf(t, admin.do(t, "GET", "/api/accounts?limit=200", nil))
	i := slices.IndexFunc(found, func(a map[string]any) bool { return a["username"] == "fromsheet" })
	path := "/api/accounts/" + found[i]["id"].(string)
	again := admin.runImport(t, workbook(t, []any{"Username", "Mobile"}, []any{"fromsheet", "020 7946 0018"}), nil)
	kinds, lines := admin.readLog(t, path, "", 50)
	if kinds != "changed created" || lines[0]["job"] != again["id"] || lines[0]["row"] != 2.0 ||
		lines[1]["job"] != job["id"] || lines[1]["row"] != 2.0 {
		t.Errorf("%s %v", kinds, lines)
	}
}

func badLogs(t *testing.T, admin *client) {
	path := "/api/accounts/" + admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	for _, query := range []string{"kind=nonsense", "from=yesterday", "to=2026-02-30", "from=", "by=", "limit=0",
		"cursor=x", "sort=at"} {
		if got := admin.do(t, "GET", path+"/log?"+query, nil); got.Status != 400 {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
	admin.do(t, "GET", path+"/log?from=2026-13-01T00:00:00Z", nil).expectProblem(t, 400, "query", "from")
	// A cursor serves the filters and the account that it was made for.
	next := admin.do(t, "GET", path+"/log?limit=1", nil).expect(t, 200).text(t, "next")
	admin.do(t, "GET", path+"/log?limit=1&kind=signedIn&cursor="+next, nil).expectProblem(t, 400, "cursor")
	for typed, body := range map[string]any{
		"blank": map[string]any{"text": " \n "}, "long": map[string]any{"text": strings.Repeat("x", 2001)},
		"control": map[string]any{"text": "a\x1b[0m"},
	} {
		t.Run(typed, func(t *testing.T) { admin.do(t, "POST", path+"/notes", body).expectInvalid(t, "text") })
	}
	for _, body := range []string{`{}`, `{"text":null}`, `{"text":["a"]}`, `{"text":"a","by":"somebody"}`} {
		admin.do(t, "POST", path+"/notes", body).expectProblem(t, 400, "body")
	}
	// V67: a note sent twice by a double click is one note.
	key := header{"Idempotency-Key", "note-1"}
	for range 2 {
		admin.do(t, "POST", path+"/notes", map[string]any{"text": "once"}, key).expect(t, 201)
	}
	if kinds, _ := admin.readLog(t, path, "&kind=note", 50); kinds != "note" {
		t.Errorf("%s", kinds)
	}
}

// The path of a role through nested groups, what a licence allows, and the ETag for a change.
func permissionsTab(t *testing.T, admin *client) {
	path := admin.createAccount(t, "permitted")
	read := admin.do(t, "GET", path+"/permissions", nil).expect(t, 200)
	admin.do(t, "PATCH", path, map[string]any{"roles": []string{"VIEWER"}, "groups": []string{"HELPDESK"}},
		ifMatch(read)).expect(t, 200)
	got := admin.do(t, "GET", path+"/permissions", nil).expect(t, 200).members(t)
	licence := got["licence"].(map[string]any)
	if licence["code"] != "FULL" || licence["allRoles"] != true {
		t.Errorf("%v", licence)
	}
	by := map[string]map[string]any{}
	for _, r := range got["effectiveRoles"].([]any) {
		by[r.(map[string]any)["code"].(string)] = r.(map[string]any)
	}
	if r := by["VIEWER"]; r["direct"] != true || r["withinLicence"] != true {
		t.Errorf("%v", got)
	}
	if r := by["SELF"]; r["direct"] != false || fmt.Sprint(r["paths"]) != "[[HELPDESK STAFF]]" {
		t.Errorf("%v", r)
	}
	if !strings.Contains(fmt.Sprint(got["permissions"]), "permission:account.block roles:[HELPDESK]") {
		t.Errorf("%v", got["permissions"])
	}
}

func copyTab(t *testing.T, admin *client) {
	from := admin.createAccount(t, "copied")
	id := from[strings.LastIndex(from, "/")+1:]
	admin.do(t, "PATCH", from, map[string]any{"roles": []string{"VIEWER", "ADMIN"}, "groups": []string{"STAFF"}},
		ifMatch(admin.do(t, "GET", from, nil))).expect(t, 200)
	to := admin.createAccount(t, "copier")
	before := admin.do(t, "GET", to, nil)
	seen := admin.do(t, "POST", to+"/copy-from", map[string]any{"from": id, "preview": true}, ifMatch(before)).expect(t,
		200).members(t)
	if fmt.Sprint(seen["roles"], seen["groups"], seen["refused"]) != "[ADMIN VIEWER] [STAFF] []" ||
		seen["version"] != 1.0 {
		t.Errorf("%v", seen)
	}
	if after := admin.do(t, "GET", to, nil); after.Body != before.Body {
		t.Errorf("the preview changed %s", after.Body)
	}
	done := admin.do(t, "POST", to+"/copy-from", map[string]any{"from": id}, ifMatch(before)).expect(t, 200)
	if done.Header.Get("ETag") != `"2"` {
		t.Errorf("%v", done.Header)
	}
	admin.do(t, "POST", to+"/copy-from", map[string]any{"from": id}, ifMatch(before)).expectProblem(t, 412, "stale",
		"roles")
	if again := admin.do(t, "POST", to+"/copy-from", map[string]any{"from": id}).expect(t,
		200).members(t); fmt.Sprint(again["roles"], again["version"]) != "[] 2" {
		t.Errorf("%v", again)
	}
	if kinds, lines := admin.readLog(t, to, "", 1); kinds != "accessCopied created" || lines[0]["note"] != "copied" {
		t.Errorf("%s %v", kinds, lines[0])
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		field  string
	}{
		"from itself": {`{"from":"` + to[strings.LastIndex(to, "/")+1:] + `"}`, 422, "invalid", "from"},
		"from nobody": {`{"from":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}`, 422, "invalid", "from"},
		"no id":       {`{"from":"` + strings.Repeat("x", 3000) + `"}`, 400, "body", "from"},
		"nothing":     {`{}`, 400, "body", "from"},
		"more":        {`{"from":"` + id + `","password":true}`, 400, "body", "password"},
	} {
		t.Run(name, func(t *testing.T) {
			admin.do(t, "POST", to+"/copy-from", c.body).expectProblem(t, c.status, c.code, c.field)
		})
	}
	copyLimits(t, admin, id)
}

// V61: neither a licence nor one's own rights are got around by a copy.
func copyLimits(t *testing.T, admin *client, from string) {
	limited := "/api/accounts/" + admin.do(t, "POST", "/api/accounts", map[string]any{
		"username": "limited", "name": "L", "email": "limited@example.com", "userType": "TRANS",
	}).expect(t, 201).text(t, "id")
	admin.do(t, "POST", limited+"/copy-from", map[string]any{"from": from}).expectProblem(t, 422, "invalid", "roles")
	seen := admin.do(t, "POST", limited+"/copy-from", map[string]any{"from": from, "preview": true}).expect(t, 200)
	if !strings.Contains(seen.Body, `"reason":"outsideLicence"`) {
		t.Error(seen.Body)
	}
	const secret = "seven green bicycles"
	admin.do(t, "POST", "/api/access/roles",
		map[string]any{"code": "CLERK", "description": "Clerk",
			"permissions": []string{"account.read", "account.update", "account.note"}}).expect(t, 201)
	admin.createUser(t, "clerk", secret, map[string]any{"roles": []string{"CLERK"}})
	clerk := admin.signedInAs(t, "clerk", secret)
	target := admin.createAccount(t, "target")
	clerk.do(t, "POST", target+"/copy-from", map[string]any{"from": from}).expectProblem(t, 422, "invalid", "roles")
	got := clerk.do(t, "POST", target+"/copy-from", map[string]any{"from": from, "skipRefused": true}).expect(t, 200)
	if strings.Contains(fmt.Sprint(got.members(t)["roles"]), "ADMIN") || !strings.Contains(got.Body, "aboveOwnRights") {
		t.Error(got.Body)
	}
}

func contactTab(t *testing.T, admin *client) {
	account := admin.createAccount(t, "contacted")
	path := account + "/contact"
	none := admin.do(t, "GET", path, nil).expect(t, 200)
	if none.Header.Get("ETag") != `"1"` || none.text(t, "title") != "" || len(none.members(t)["emails"].([]any)) != 0 {
		t.Errorf("%v %s", none.Header, none.Body)
	}
	body := map[string]any{
		"title": "Dr", "firstName": "Pat", "lastName": nil, "company": "Ours",
		// somebody else's to sign in with, and no matter
		"emails": []any{map[string]any{"type": "home", "value": "admin@example.com"}},
		"phones": []any{map[string]any{"type": "mobile", "value": "+44 20 7946 0018"}},
		"addresses": []any{
			map[string]any{"type": "work", "address": "1 High Street\nTop floor", "city": "Bath", "country": "gb",
				"county": nil}},
	}
	first := admin.do(t, "PUT", path, body, ifMatch(none)).expect(t, 200)
	if first.Header.Get("ETag") != `"2"` || admin.do(t, "GET", path, nil).Body != first.Body ||
		!strings.Contains(first.Body, `"country":"GB"`) {
		t.Errorf("%v %s", first.Header, first.Body)
	}
	if same := admin.do(t, "PUT", path, body, ifMatch(first)).expect(t, 200); same.Header.Get("ETag") != `"2"` {
		t.Errorf("nothing new made version %s", same.Header.Get("ETag"))
	}
	second := admin.do(t, "PUT", path, map[string]any{"title": "Prof"}, ifMatch(first)).expect(t, 200)
	if second.text(t, "firstName") != "" || len(second.members(t)["phones"].([]any)) != 0 {
		t.Errorf("%s", second.Body)
	}
	stale := admin.do(t, "PUT", path, map[string]any{"title": "Mx"}, ifMatch(first))
	stale.expectProblem(t, 412, "stale", "title", "firstName", "phones")
	if !strings.Contains(stale.Body, `"by":"admin"`) {
		t.Error(stale.Body)
	}
	admin.do(t, "PUT", path, map[string]any{"title": "Mx"}).expectProblem(t, 428, "ifMatchRequired")
	if v := admin.do(t, "GET", account, nil).Header.Get("ETag"); v != `"1"` {
		t.Errorf("the account is at %s", v)
	}
	kinds, lines := admin.readLog(t, account, "", 50)
	if kinds != "contactChanged contactChanged created" ||
		!strings.Contains(fmt.Sprint(lines[0]["changes"]), "map[field:contact.title from:Dr label:Title to:Prof]") ||
		!strings.Contains(fmt.Sprint(lines[1]["changes"]), "work: 1 High Street, Top floor, Bath, GB") {
		t.Errorf("%s %v", kinds, lines)
	}
}

func badContacts(t *testing.T, admin *client) {
	path := admin.createAccount(t, "badcontact") + "/contact"
	tag := header{"If-Match", `"1"`}
	entry := func(typ, value string) []any { return []any{map[string]any{"type": typ, "value": value}} }
	for field, body := range map[string]map[string]any{
		"firstName": {"firstName": strings.Repeat("x", 151)}, "jobTitle": {"jobTitle": "a\nb"},
		"emails.0.value": {"emails": entry("work", "nobody")}, "emails.0.type": {"emails": entry("office", "a@example.com")},
		"phones.0.value":      {"phones": entry("work", "none")},
		"phones":              {"phones": slices.Repeat(entry("work", "1"), 21)},
		"addresses.0.country": {"addresses": []any{map[string]any{"type": "work", "city": "x", "country": "ZZ"}}},
		"addresses.0.address": {"addresses": []any{map[string]any{"type": "work"}}},
	} {
		admin.do(t, "PUT", path, body, tag).expectInvalid(t, field)
	}
	for _, body := range []string{`{"title":1}`, `{"emails":"a@example.com"}`, `{"emails":[null]}`, `{"version":3}`,
		`{"name":"x"}`, `{"emails":[{"type":"work","value":"a@example.com","x":1}]}`} {
		admin.do(t, "PUT", path, body, tag).expectProblem(t, 400, "body")
	}
	if got := admin.do(t, "GET", path, nil); got.Header.Get("ETag") != `"1"` {
		t.Errorf("bad input made %s", got.Body)
	}
}

func delegationTarget(kind, code string, manager bool) map[string]any {
	return map[string]any{"target": map[string]any{"kind": kind, "code": code}, "manager": manager}
}

func delegationsTab(t *testing.T, admin *client) {
	account := admin.createAccount(t, "delegate")
	path := account + "/delegations"
	if got := entriesOf(t, admin.do(t, "GET", path, nil)); len(got) != 0 {
		t.Errorf("%v", got)
	}
	staff := admin.do(t, "POST", path, delegationTarget("resourceGroup", "staff", false)).expect(t, 201)
	if staff.Header.Get("ETag") != `"1"` || staff.Header.Get("Location") != path+"/"+staff.text(t, "id") ||
		!strings.Contains(staff.Body, `"code":"STAFF"`) {
		t.Errorf("%v %s", staff.Header, staff.Body)
	}
	one := admin.do(t, "POST", "/api/resources",
		map[string]any{"description": "Somebody", "resourceGroup": "STAFF"}).expect(t, 201).text(t, "code")
	admin.do(t, "POST", path, delegationTarget("resource", one, true)).expect(t, 201)
	admin.do(t, "POST", path, delegationTarget("resourceGroup", "STAFF", true)).expectProblem(t, 409, "delegated",
		"target.code")

	first := admin.do(t, "GET", path+"?limit=1", nil)
	rest := entriesOf(t, admin.do(t, "GET", path+"?limit=1&cursor="+first.text(t, "next"), nil))
	if len(entriesOf(t, first)) != 1 || len(rest) != 1 || rest[0]["manager"] == entriesOf(t, first)[0]["manager"] {
		t.Errorf("%s %v", first.Body, rest)
	}
	at := staff.Header.Get("Location")
	changed := admin.do(t, "PATCH", at, map[string]any{"manager": true}, ifMatch(staff)).expect(t, 200)
	if changed.Header.Get("ETag") != `"2"` || changed.members(t)["manager"] != true {
		t.Errorf("%s", changed.Body)
	}
	admin.do(t, "PATCH", at, map[string]any{"manager": false}, ifMatch(staff)).expectProblem(t, 412, "stale", "manager")
	// not: any version
	admin.do(t, "PATCH", at, map[string]any{"manager": false}, header{"If-Match", `"0"`}).expectProblem(t, 400, "ifMatch")
	admin.do(t, "PATCH", at, map[string]any{"manager": false}).expectProblem(t, 428, "ifMatchRequired")
	admin.do(t, "DELETE", at, nil, ifMatch(staff)).expectProblem(t, 412, "stale", "manager")
	// What is delegated is in use.
	admin.do(t, "DELETE", "/api/resources/"+one, nil,
		ifMatch(admin.do(t, "GET", "/api/resources/"+one, nil))).expectProblem(t, 409, "inUse")
	crew := "/api/reference/resource-groups/CREW"
	made := admin.do(t, "POST", "/api/reference/resource-groups",
		map[string]any{"code": "CREW", "description": "Crew"}).expect(t, 201)
	held := admin.do(t, "POST", path, delegationTarget("resourceGroup", "crew", false)).expect(t, 201)
	busy := admin.do(t, "DELETE", crew, nil, ifMatch(made))
	busy.expectProblem(t, 409, "inUse")
	if !strings.Contains(busy.Body, "delegate") {
		t.Error(busy.Body)
	}
	admin.do(t, "DELETE", held.Header.Get("Location"), nil).expect(t, 204)
	admin.do(t, "DELETE", crew, nil, ifMatch(made)).expect(t, 204)
	admin.do(t, "DELETE", at, nil, ifMatch(changed)).expect(t, 204)
	admin.do(t, "DELETE", at, nil).expectProblem(t, 404, "notFound")
	if kinds, lines := admin.readLog(t, account, "",
		50); kinds !=
		"delegationRemoved delegationRemoved delegationAdded delegationChanged delegationAdded delegationAdded created" ||
		fmt.Sprint(lines[3]["changes"]) !=
			"[map[field:delegation from:Resource group STAFF (view only) label:Delegation to:Resource group STAFF (manager)]]" {
		t.Errorf("%s %v", kinds, lines)
	}
}

func badDelegations(t *testing.T, admin *client) {
	account := admin.createAccount(t, "baddelegate")
	path := account + "/delegations"
	own := admin.do(t, "POST", account+"/resource", map[string]any{"resourceGroup": "STAFF"}).expect(t, 201).text(t,
		"code")
	admin.do(t, "POST", path, delegationTarget("resource", own, false)).expectProblem(t, 422, "invalid", "target.code")
	for field, body := range map[string]map[string]any{"target.code": delegationTarget("resourceGroup", "NONE", true),
		"target.kind": delegationTarget("role", "ADMIN", true)} {
		admin.do(t, "POST", path, body).expectInvalid(t, field)
	}
	admin.do(t, "POST", path, delegationTarget("resource", strings.Repeat("ﷺ", 50), true)).expectProblem(t, 422,
		"invalid", "target.code")
	for _, body := range []string{`{}`, `{"target":{"kind":"resourceGroup","code":"STAFF"}}`,
		`{"target":"STAFF","manager":true}`, `{"target":{"kind":"resourceGroup","code":"STAFF","x":1},"manager":true}`} {
		admin.do(t, "POST", path, body).expectProblem(t, 400, "body")
	}
	for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"} {
		admin.do(t, "PATCH", path+"/"+id, map[string]any{"manager": true}, header{"If-Match", `"1"`}).expectProblem(t, 404,
			"notFound")
		admin.do(t, "DELETE", path+"/"+id, nil).expectProblem(t, 404, "notFound")
	}
	if got := entriesOf(t, admin.do(t, "GET", path, nil)); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// Only administrators change what belongs to administrators; ids that name nothing here are not found (V58).
func tabGuards(t *testing.T, admin *client) {
	clerk := admin.signedInAs(t, "clerk", "seven green bicycles")
	me := "/api/accounts/" + admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	before, _ := admin.readLog(t, me, "", 200)
	writes := map[string]func(path string) response{
		"notes": func(p string) response { return clerk.do(t, "POST", p+"/notes", map[string]any{"text": "x"}) },
		"contact": func(p string) response {
			return clerk.do(t, "PUT", p+"/contact", map[string]any{"title": "x"}, header{"If-Match", `"1"`})
		},
		"delegations": func(p string) response {
			return clerk.do(t, "POST", p+"/delegations", delegationTarget("resourceGroup", "STAFF", true))
		},
		"copy-from": func(p string) response {
			return clerk.do(t, "POST", p+"/copy-from", map[string]any{"from": me[strings.LastIndex(me, "/")+1:]})
		},
	}
	for _, name := range slices.Sorted(maps.Keys(writes)) {
		if name != "copy-from" {
			writes[name](me).expectProblem(t, 403, "administrator")
		}
		writes[name]("/api/accounts/01ARZ3NDEKTSV4RRFFQ69G5FAV").expectProblem(t, 404, "notFound")
		writes[name]("/api/accounts/x").expectProblem(t, 404, "notFound")
	}
	for _, tab := range []string{"log", "log/export", "permissions", "contact", "delegations"} {
		for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"} {
			admin.do(t, "GET", "/api/accounts/"+id+"/"+tab, nil).expectProblem(t, 404, "notFound")
		}
	}
	if after, _ := admin.readLog(t, me, "", 200); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

// A contact goes with its account, a delegation keeps it.
func tabsOfDeleted(t *testing.T, admin *client) {
	path := admin.createAccount(t, "shortlived")
	admin.do(t, "PUT", path+"/contact", map[string]any{"title": "Dr"}, header{"If-Match", `"1"`}).expect(t, 200)
	given := admin.do(t, "POST", path+"/delegations", delegationTarget("resourceGroup", "STAFF", true)).expect(t,
		201).Header.Get("Location")
	admin.do(t, "DELETE", path, nil).expectProblem(t, 409, "inUse", "delegations")
	admin.do(t, "DELETE", given, nil).expect(t, 204)
	admin.do(t, "DELETE", path, nil).expect(t, 204)
	admin.do(t, "GET", path+"/contact", nil).expectProblem(t, 404, "notFound")
}
