package systemtest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// referenceValues makes the reference data that the samples speak of.
func referenceValues(t *testing.T, admin *client) map[string]string {
	t.Helper()
	values := map[string]string{"settingsVersion": version(admin.do(t, "GET", "/api/settings", nil).expect(t, 200))}
	for word, path := range map[string]string{
		"group": "/api/access/groups", "unusedRole": "/api/access/roles", "department": "/api/reference/departments",
		"unusedCostCentre": "/api/reference/cost-centres",
		"application":      "/api/applications", "unusedApplication": "/api/applications",
		"tokenApplication": "/api/applications",
	} {
		made := admin.do(t, "POST", path, map[string]any{"code": "SAMPLE-" + strings.ToUpper(word)}).expect(t, 201)
		values[word], values[word+"Code"], values[word+"Version"] = made.text(t, "code"), made.text(t, "code"), version(made)
	}
	made := admin.do(t, "POST", "/api/applications/"+values["tokenApplicationCode"]+"/credentials", nil).expect(t, 201)
	values["credentialId"] = made.text(t, "id")
	made = admin.do(t, "POST", "/api/applications/"+values["applicationCode"]+"/credentials", nil).expect(t, 201)
	values["applicationSecret"] = made.text(t, "clientSecret")
	values["applicationVersion"] = version(admin.do(t, "GET", "/api/applications/"+values["applicationCode"], nil))
	return values
}

func version(a response) string { return strings.Trim(a.Header.Get("ETag"), `"`) }

func codes(t *testing.T, a response) []string {
	t.Helper()
	var out []string
	for _, e := range a.expect(t, 200).members(t)["items"].([]any) {
		out = append(out, e.(map[string]any)["code"].(string))
	}
	return out
}

// createEntry makes an entry and returns its path and what was answered.
func createEntry(t *testing.T, admin *client, path string, body map[string]any) (string, response) {
	t.Helper()
	made := admin.do(t, "POST", path, body).expect(t, 201)
	return made.Header.Get("Location"), made
}

func TestReferenceData(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("every kind", func(t *testing.T) { everyKind(t, admin) })
	t.Run("lists", func(t *testing.T) { referenceLists(t, admin) })
	t.Run("bad input", func(t *testing.T) { badReference(t, admin) })
	t.Run("versions", func(t *testing.T) { referenceVersions(t, admin) })
	t.Run("locks", func(t *testing.T) { lockedCodes(t, admin) })
	t.Run("in use", func(t *testing.T) { codesInUse(t, admin) })
	t.Run("licences", func(t *testing.T) { licenceRules(t, admin) })
	t.Run("rights", func(t *testing.T) { rightsOfRoles(t, admin) })
	t.Run("log", func(t *testing.T) { referenceLog(t, admin) })
}

// Each kind is made, read in any spelling, changed, locked, unlocked and deleted.
func everyKind(t *testing.T, admin *client) {
	for path, more := range map[string]map[string]any{
		"/api/access/licences":           {"roles": []string{"VIEWER"}, "seats": 3, "apiOnly": true},
		"/api/access/roles":              {"permissions": []string{"account.note", "account.read"}},
		"/api/access/groups":             {"roles": []string{"VIEWER"}, "groups": []string{"STAFF"}},
		"/api/access/dac-groups":         nil,
		"/api/reference/departments":     nil,
		"/api/reference/cost-centres":    nil,
		"/api/reference/payment-methods": nil,
		"/api/reference/payment-terms":   nil,
		"/api/reference/resource-groups": {
			"department": "FIN", "costCentre": "200", "currency": "EUR", "paymentMethod": "BACS", "paymentTerms": "30",
			"allowTimesheets": true, "allowExpenses": false,
		},
	} {
		t.Run(path, func(t *testing.T) {
			body := map[string]any{"code": "Größe 1 & more", "description": "First"}
			for name, value := range more {
				body[name] = value
			}
			at, made := createEntry(t, admin, path, body)
			want := path + "/" + url.PathEscape("Größe 1 & more")
			if at != want || made.members(t)["active"] != true {
				t.Errorf("%s, want %s: %s", at, want, made.Body)
			}
			for name, value := range more {
				if got := made.members(t)[name]; fmt.Sprint(got) != fmt.Sprint(value) {
					t.Errorf("%s is %v, want %v", name, got, value)
				}
			}
			read := admin.do(t, "GET", path+"/"+url.PathEscape("GRÖSSE 1 & MORE"), nil).expect(t, 200)
			if read.Body != made.Body || read.Header.Get("ETag") != made.Header.Get("ETag") {
				t.Errorf("read %s %s, made %s %s", read.Body, read.Header.Get("ETag"), made.Body, made.Header.Get("ETag"))
			}
			admin.do(t, "POST", path, map[string]any{"code": "grösse 1 & more"}).expectProblem(t, 409, "taken", "code") // V63
			changed := admin.do(t, "PATCH", at, map[string]any{"description": "Second", "active": false},
				ifMatch(read)).expect(t, 200)
			if m := changed.members(t); m["description"] != "Second" || m["active"] != false ||
				version(changed) == version(read) {
				t.Errorf("%s", changed.Body)
			}
			opened := admin.do(t, "PATCH", at, map[string]any{"description": nil, "active": true}, ifMatch(changed)).expect(t,
				200)
			admin.do(t, "DELETE", at, nil, ifMatch(opened)).expect(t, 204)
			admin.do(t, "GET", at, nil).expectProblem(t, 404, "notFound")
			admin.do(t, "DELETE", at, nil, ifMatch(opened)).expectProblem(t, 404, "notFound") // the second click
			_, again := createEntry(t, admin, path, body)
			// the former one's version is nobody's
			admin.do(t, "DELETE", at, nil, ifMatch(opened)).expectProblem(t, 412, "stale")
			admin.do(t, "DELETE", at, nil, ifMatch(again)).expect(t, 204)
		})
	}
}

func referenceLists(t *testing.T, admin *client) {
	const path = "/api/reference/departments"
	for i := range 5 {
		createEntry(t, admin, path,
			map[string]any{"code": fmt.Sprintf("list%d", i), "description": fmt.Sprintf("Shelf %d", i), "active": i != 2})
	}
	if got := codes(t, admin.do(t, "GET", path+"?find=LIST", nil)); !slices.Equal(got,
		[]string{"list0", "list1", "list2", "list3", "list4"}) {
		t.Errorf("%v", got)
	}
	if got := codes(t, admin.do(t, "GET", path+"?find=shelf&active=false", nil)); !slices.Equal(got, []string{"list2"}) {
		t.Errorf("locked: %v", got)
	}
	if got := codes(t, admin.do(t, "GET", path+"?find=%EF%BC%B3helf&active=true", nil)); len(got) != 4 {
		t.Errorf("active: %v", got)
	}
	var walked []string
	for query := "?find=shelf&limit=2"; ; {
		page := admin.do(t, "GET", path+query, nil).expect(t, 200)
		walked = append(walked, codes(t, page)...)
		next := page.text(t, "next")
		if next == "" {
			break
		}
		query = "?find=shelf&limit=2&cursor=" + next
	}
	if len(walked) != 5 || !slices.IsSorted(walked) {
		t.Errorf("walked %v", walked)
	}
	if got := admin.do(t, "GET", path+"?find=nothing-of-this-name", nil).expect(t, 200); !strings.Contains(got.Body,
		`"items":[]`) {
		t.Errorf("an empty list: %s", got.Body)
	}
	permissions := admin.do(t, "GET", "/api/access/permissions", nil).expect(t, 200).members(t)["items"].([]any)
	mine := admin.do(t, "GET", "/api/me", nil).members(t)["permissions"].([]any)
	if len(permissions) != len(mine) {
		t.Errorf("%d permissions, the administrator holds %d", len(permissions), len(mine))
	}
}

func badReference(t *testing.T, admin *client) {
	for _, path := range []string{"/api/access/departments", "/api/access/role", "/api/reference/roles",
		"/api/reference/%2e%2e", "/api/access/%00"} {
		admin.do(t, "GET", path, nil).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", path, map[string]any{"code": "A"}).expectProblem(t, 404, "notFound")
		admin.do(t, "GET", path+"/A", nil).expectProblem(t, 404, "notFound")
	}
	for _, code := range []string{"NONE", "%00", strings.Repeat("x", 3000), "%ef%b7%ba"} {
		admin.do(t, "GET", "/api/access/roles/"+code, nil).expectProblem(t, 404, "notFound")
		admin.do(t, "PATCH", "/api/access/roles/"+code, map[string]any{"description": "x"},
			header{"If-Match", `"1"`}).expectProblem(t, 404, "notFound")
		admin.do(t, "DELETE", "/api/access/roles/"+code, nil, header{"If-Match", `"1"`}).expectProblem(t, 404, "notFound")
	}
	for name, c := range map[string]struct {
		kind   string
		body   any
		status int
		code   string
		fields []string
	}{
		"nothing":              {"access/roles", map[string]any{}, 422, "invalid", []string{"code"}},
		"another kind's (V59)": {"access/roles", map[string]any{"code": "A", "seats": 1}, 400, "body", []string{"seats"}},
		"the version": {"access/roles", map[string]any{"code": "A", "version": 1}, 400, "body",
			[]string{"version"}},
		"types": {"access/licences", `{"code":1,"roles":"VIEWER","seats":"1","apiOnly":1,"active":"yes"}`,
			400, "body", []string{"code", "roles", "seats", "apiOnly", "active"}},
		"doubled":     {"access/roles", `{"code":"A","code":"B"}`, 400, "body", []string{"code"}},
		"half a seat": {"access/licences", `{"code":"A","seats":1.5}`, 400, "body", []string{"seats"}},
		"seats": {"access/licences", map[string]any{"code": "A", "seats": -1}, 422, "invalid",
			[]string{"seats"}},
		"too many seats": {"access/licences", map[string]any{"code": "A", "seats": 1000001}, 422, "invalid",
			[]string{"seats"}},
		"a list's separator": {"access/roles", map[string]any{"code": "A;B"}, 422, "invalid", []string{"code"}},
		"a line break":       {"access/roles", map[string]any{"code": "A\nB"}, 422, "invalid", []string{"code"}},
		"many in one character": {"access/roles", map[string]any{"code": strings.Repeat("\ufdfa", 50)}, 422, "invalid",
			[]string{"code"}},
		"51 characters": {"access/roles", map[string]any{"code": strings.Repeat("x", 51)}, 422, "invalid",
			[]string{"code"}},
		"201 characters": {"access/roles", map[string]any{"code": "A", "description": strings.Repeat("x", 201)}, 422,
			"invalid", []string{"description"}},
		"an unknown permission": {"access/roles",
			map[string]any{"code": "A", "permissions": []string{"account.read", "root"}}, 422, "invalid",
			[]string{"permissions"}},
		"an unknown role": {"access/groups", map[string]any{"code": "A", "roles": []string{"NONE"}}, 422, "invalid",
			[]string{"roles"}},
		"an unknown group": {"access/groups", map[string]any{"code": "A", "groups": []string{"NONE"}}, 422, "invalid",
			[]string{"groups"}},
		"itself": {"access/groups", map[string]any{"code": "A", "groups": []string{"A"}}, 422, "invalid",
			[]string{"groups"}},
		"a currency of the past": {"reference/resource-groups", map[string]any{"code": "A", "currency": "DEM"}, 422,
			"invalid", []string{"currency"}},
		"codes that are not": {"reference/resource-groups", map[string]any{
			"code": "A", "department": "NONE", "costCentre": "NONE", "paymentMethod": "NONE", "paymentTerms": "NONE",
		}, 422, "invalid", []string{"department", "costCentre", "paymentMethod", "paymentTerms"}},
		"a manager": {"reference/resource-groups", map[string]any{"code": "A", "manager": "NOBODY"}, 422, "invalid",
			[]string{"manager"}},
	} {
		t.Run(name, func(t *testing.T) {
			admin.do(t, "POST", "/api/"+c.kind, c.body).expectProblem(t, c.status, c.code, c.fields...)
		})
	}
	admin.do(t, "GET", "/api/access/roles/A", nil).expectProblem(t, 404, "notFound") // nothing of it was done
	read := admin.do(t, "GET", "/api/access/groups/STAFF", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/access/groups/STAFF", map[string]any{"code": "STAFF"}, ifMatch(read)).expectProblem(t, 400,
		"body", "code")
	got := admin.do(t, "PATCH", "/api/access/groups/STAFF", map[string]any{"groups": []string{"helpdesk"}}, ifMatch(read))
	got.expectProblem(t, 422, "invalid", "groups")
	if !strings.Contains(got.Body, "STAFF → HELPDESK → STAFF") {
		t.Errorf("the circle's way is not named: %s", got.Body)
	}
}

// V62: what others changed is not overwritten unseen; the answer says which fields, by whom and when.
func referenceVersions(t *testing.T, admin *client) {
	at, made := createEntry(t, admin, "/api/reference/departments", map[string]any{"code": "VERSIONS"})
	admin.do(t, "PATCH", at, map[string]any{"description": "x"}).expectProblem(t, 428, "ifMatchRequired")
	admin.do(t, "DELETE", at, nil).expectProblem(t, 428, "ifMatchRequired")
	admin.do(t, "PATCH", at, map[string]any{"description": "x"}, header{"If-Match", "*"}).expectProblem(t, 400, "ifMatch")
	admin.do(t, "PATCH", at, map[string]any{"description": "theirs"}, ifMatch(made)).expect(t, 200)
	got := admin.do(t, "PATCH", at, map[string]any{"active": false}, ifMatch(made))
	got.expectProblem(t, 412, "stale", "description")
	if !strings.Contains(got.Body, `"by":"admin"`) || !strings.Contains(got.Body, `"at":"20`) {
		t.Errorf("%s", got.Body)
	}
	admin.do(t, "DELETE", at, nil, ifMatch(made)).expectProblem(t, 412, "stale", "description")
	same := admin.do(t, "GET", at, nil).expect(t, 200)
	if again := admin.do(t, "PATCH", at, map[string]any{"description": "theirs"}, ifMatch(same)).expect(t,
		200); version(again) != version(same) {
		t.Errorf("nothing changed, but the version did: %s, %s", version(same), version(again))
	}
}

// A locked code is given to nobody new; a locked role gives no permission from the next request on.
func lockedCodes(t *testing.T, admin *client) {
	role, made := createEntry(t, admin, "/api/access/roles",
		map[string]any{"code": "READS", "permissions": []string{"account.read"}})
	group, _ := createEntry(t, admin, "/api/access/groups", map[string]any{"code": "READERS", "roles": []string{"READS"}})
	admin.createUser(t, "reader", "seven green bicycles", map[string]any{"groups": []string{"READERS"}})
	reader := admin.signedInAs(t, "reader", "seven green bicycles")
	reader.do(t, "GET", "/api/accounts?limit=1", nil).expect(t, 200)
	locked := admin.do(t, "PATCH", role, map[string]any{"active": false}, ifMatch(made)).expect(t, 200)
	reader.do(t, "GET", "/api/accounts?limit=1", nil).expectProblem(t, 403, "forbidden")
	admin.do(t, "POST", "/api/access/groups", map[string]any{"code": "MORE", "roles": []string{"READS"}}).expectProblem(t,
		422, "invalid", "roles")
	admin.do(t, "POST", "/api/accounts", map[string]any{
		"username": "late", "name": "Late", "email": "late@example.com", "userType": "FULL", "roles": []string{"READS"},
	}).expectProblem(t, 422, "invalid", "roles")
	admin.do(t, "PATCH", group, map[string]any{"description": "Still names it"},
		ifMatch(admin.do(t, "GET", group, nil))).expect(t, 200)
	admin.do(t, "PATCH", role, map[string]any{"active": true}, ifMatch(locked)).expect(t, 200)
	reader.do(t, "GET", "/api/accounts?limit=1", nil).expect(t, 200)
}

func codesInUse(t *testing.T, admin *client) {
	for path, named := range map[string][]string{
		"/api/access/licences/TEAM":         {"account smithm", "account garciaa"},
		"/api/access/roles/VIEWER":          {"licence TEAM", "account garciaa"},
		"/api/access/groups/STAFF":          {"group HELPDESK", "account doej"},
		"/api/access/dac-groups/DAC1":       {"account garciaa"},
		"/api/reference/departments/SALES":  {"resource group STAFF"},
		"/api/reference/cost-centres/100":   {"resource group STAFF"},
		"/api/reference/payment-methods/FP": {"resource group STAFF"},
		"/api/reference/payment-terms/1":    {"resource group STAFF"},
	} {
		got := admin.do(t, "DELETE", path, nil, ifMatch(admin.do(t, "GET", path, nil)))
		got.expectProblem(t, 409, "inUse", "code")
		for _, name := range append(named, "lock") {
			if !strings.Contains(got.Body, name) {
				t.Errorf("%s does not say %q: %s", path, name, got.Body)
			}
		}
		admin.do(t, "GET", path, nil).expect(t, 200)
	}
}

// A licence cannot be changed under those who hold it: they are named.
func licenceRules(t *testing.T, admin *client) {
	const team = "/api/access/licences/TEAM"
	read := admin.do(t, "GET", team, nil).expect(t, 200)
	got := admin.do(t, "PATCH", team, map[string]any{"roles": []string{"VIEWER", "SELF"}}, ifMatch(read))
	got.expectProblem(t, 409, "outsideLicence", "roles")
	if !strings.Contains(got.Body, "smithm (HELPDESK)") {
		t.Errorf("%s", got.Body)
	}
	admin.do(t, "PATCH", team, map[string]any{"apiOnly": true}, ifMatch(read)).expectProblem(t, 409, "inUse", "apiOnly")
	staff := admin.do(t, "GET", "/api/access/groups/STAFF", nil)
	got = admin.do(t, "PATCH", "/api/access/groups/STAFF", map[string]any{"roles": []string{"SELF", "EDITOR"}},
		ifMatch(staff))
	got.expectProblem(t, 409, "outsideLicence", "roles") // smithm is in HELPDESK, which is in STAFF
	if !strings.Contains(got.Body, "smithm (EDITOR)") {
		t.Errorf("%s", got.Body)
	}
	admin.do(t, "PATCH", team, map[string]any{"roles": []string{"VIEWER", "SELF", "HELPDESK", "EDITOR"}},
		ifMatch(read)).expect(t, 200)
	admin.do(t, "PATCH", "/api/access/groups/STAFF", map[string]any{"roles": []string{"SELF", "EDITOR"}},
		ifMatch(staff)).expect(t, 200)
}

// V61: whoever administers access gives nothing that they do not hold, takes nothing from administrators, and nobody
// takes rights from themselves.
func rightsOfRoles(t *testing.T, admin *client) {
	createEntry(t, admin, "/api/access/roles",
		map[string]any{"code": "CLERK", "permissions": []string{"access.read", "access.write", "account.read"}})
	admin.createUser(t, "clerk", "seven green bicycles", map[string]any{"roles": []string{"CLERK"}})
	clerk := admin.signedInAs(t, "clerk", "seven green bicycles")
	clerk.do(t, "POST", "/api/access/roles",
		map[string]any{"code": "MINE", "permissions": []string{"account.read"}}).expect(t, 201)
	clerk.do(t, "POST", "/api/access/roles",
		map[string]any{"code": "MORE", "permissions": []string{"account.admin"}}).expectProblem(t, 422, "invalid",
		"permissions")
	own := clerk.do(t, "GET", "/api/access/roles/CLERK", nil).expect(t, 200)
	clerk.do(t, "PATCH", "/api/access/roles/CLERK",
		map[string]any{"permissions": []string{"access.write", "account.read", "access.read", "account.delete"}},
		ifMatch(own)).
		expectProblem(t, 422, "invalid", "permissions")
	clerk.do(t, "POST", "/api/access/groups", map[string]any{"code": "UP", "roles": []string{"ADMIN"}}).expectProblem(t,
		422, "invalid", "roles")
	chief := clerk.do(t, "GET", "/api/access/roles/ADMIN", nil).expect(t, 200)
	clerk.do(t, "PATCH", "/api/access/roles/ADMIN", map[string]any{"active": false}, ifMatch(chief)).expectProblem(t, 403,
		"administrator")
	clerk.do(t, "PATCH", "/api/access/roles/CLERK", map[string]any{"permissions": []string{"access.write"}},
		ifMatch(own)).expectProblem(t, 409, "self")
	admin.do(t, "PATCH", "/api/access/roles/ADMIN", map[string]any{"active": false}, ifMatch(chief)).expectProblem(t, 409,
		"self")
	admin.do(t, "PATCH", "/api/access/roles/ADMIN", map[string]any{"permissions": []string{"account.read"}},
		ifMatch(chief)).expectProblem(t, 409, "self")
	for _, c := range []struct{ method, path string }{
		{"GET", "/api/reference/departments"}, {"POST", "/api/reference/departments"}, {"GET", "/api/settings"},
		{"GET", "/api/settings/log"}, {"PATCH", "/api/settings"},
	} {
		clerk.do(t, c.method, c.path, nil).expectProblem(t, 403, "forbidden")
	}
	(&client{url: admin.url}).do(t, "GET", "/api/access/roles", nil).expect(t, 401)
}

// Every change is in the environment's log, newest first, with old and new values.
func referenceLog(t *testing.T, admin *client) {
	at, made := createEntry(t, admin, "/api/reference/departments", map[string]any{"code": "LOGGED", "description": "Old"})
	changed := admin.do(t, "PATCH", at, map[string]any{"description": "New", "active": false}, ifMatch(made)).expect(t,
		200)
	admin.do(t, "DELETE", at, nil, ifMatch(changed)).expect(t, 204)
	log := admin.do(t, "GET", "/api/settings/log?limit=3", nil).expect(t, 200)
	var said []string
	for _, e := range log.members(t)["items"].([]any) {
		e := e.(map[string]any)
		said = append(said, fmt.Sprint(e["kind"], " ", e["subject"], " ", e["by"], " ", e["changes"]))
	}
	want := []string{
		"deleted department/LOGGED admin [map[field:code from:LOGGED to:<nil>] map[field:description from:New to:<nil>]]",
		"changed department/LOGGED admin [map[field:description from:Old to:New] map[field:active from:true to:false]]",
		"created department/LOGGED admin [map[field:code from:<nil> to:LOGGED] map[field:description from:<nil> to:Old]]",
	}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
	seen := map[string]bool{}
	for query, pages := "?limit=7", 0; pages < 100; pages++ {
		page := admin.do(t, "GET", "/api/settings/log"+query, nil).expect(t, 200)
		for _, e := range page.members(t)["items"].([]any) {
			id := e.(map[string]any)["id"].(string)
			if seen[id] {
				t.Errorf("%s twice", id)
			}
			seen[id] = true
		}
		if page.text(t, "next") == "" {
			break
		}
		query = "?limit=7&cursor=" + page.text(t, "next")
	}
	if len(seen) < 40 {
		t.Errorf("%d events in all", len(seen))
	}
}
