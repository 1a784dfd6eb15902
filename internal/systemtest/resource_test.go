package systemtest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// resourceSamples makes the resources that the samples speak of: one to read and change, one that nothing names.
func resourceSamples(t *testing.T, admin *client) (code, unused string) {
	t.Helper()
	for _, at := range []*string{&code, &unused} {
		*at = admin.do(t, "POST", "/api/resources",
			map[string]any{"description": "Sample", "resourceGroup": "STAFF"}).expect(t, 201).text(t, "code")
	}
	return code, unused
}

// resourceVersion returns the version that a resource is at.
func resourceVersion(t *testing.T, admin *client, code string) string {
	t.Helper()
	return strings.Trim(admin.do(t, "GET", "/api/resources/"+code, nil).expect(t, 200).Header.Get("ETag"), `"`)
}

// createAccount makes an account and returns its path.
func (c *client) createAccount(t *testing.T, username string) string {
	t.Helper()
	return "/api/accounts/" + c.do(t, "POST", "/api/accounts", map[string]any{
		"username": username, "name": "Name of " + username, "email": username + "@example.com", "userType": "FULL",
	}).expect(t, 201).text(t, "id")
}

func TestResources(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("from an account", func(t *testing.T) { resourceFromAccount(t, admin) })
	t.Run("defaults", func(t *testing.T) { resourceDefaults(t, admin) })
	t.Run("bad input", func(t *testing.T) { badResources(t, admin) })
	t.Run("change", func(t *testing.T) { changeResource(t, admin) })
	t.Run("lock and delete", func(t *testing.T) { endResource(t, admin) })
	t.Run("list", func(t *testing.T) { listResources(t, admin) })
	t.Run("parallel", func(t *testing.T) { parallelResources(t, admin) })
	t.Run("rights", func(t *testing.T) { resourceRights(t, admin) })
}

func resourceFromAccount(t *testing.T, admin *client) {
	path := admin.createAccount(t, "linked")
	would := admin.do(t, "POST", path+"/resource", map[string]any{"resourceGroup": "staff", "preview": true}).expect(t,
		200).members(t)
	for name, want := range map[string]any{
		"code": nil, "description": "Name of linked", "resourceGroup": "STAFF", "department": "SALES", "costCentre": "100",
		"paymentMethod": "FP",
		"paymentTerms":  "1", "currency": "GBP", "country": "GB", "active": true, "staff": false,
		"account": strings.TrimPrefix(path, "/api/accounts/"),
	} {
		if would[name] != want {
			t.Errorf("preview: %s is %v, want %v", name, would[name], want)
		}
	}
	if r := admin.do(t, "GET", path, nil).members(t)["resource"]; r != nil {
		t.Errorf("a preview linked %v", r)
	}
	key := header{"Idempotency-Key", "create-resource"}
	body := map[string]any{"code": "Li", "resourceGroup": "STAFF", "firstName": "Lin", "staff": true}
	made := admin.do(t, "POST", path+"/resource", body, key).expect(t, 201)
	if again := admin.do(t, "POST", path+"/resource", body, key).expect(t, 201); again.Body != made.Body { // V67
		t.Errorf("a repeat answers %s", again.Body)
	}
	if got := made.Header.Get("Location"); got != "/api/resources/Li" {
		t.Errorf("Location %q", got)
	}
	owner := admin.do(t, "GET", path, nil).expect(t, 200).members(t)
	read := admin.do(t, "GET", "/api/resources/LI", nil).expect(t, 200) // any case
	if owner["resource"] != "Li" || owner["version"] != 2.0 || read.text(t, "account") != owner["id"] {
		t.Errorf("account %v, resource %s", owner, read.Body)
	}
	admin.do(t, "POST", path+"/resource", map[string]any{"resourceGroup": "STAFF"}).expectProblem(t, 409, "hasResource")
	admin.do(t, "POST", path+"/resource", map[string]any{"resourceGroup": "STAFF", "preview": true}).expectProblem(t, 409,
		"hasResource")
	other := admin.createAccount(t, "other")
	for _, code := range []string{"li", "ＬＩ"} {
		admin.do(t, "POST", other+"/resource", map[string]any{"code": code, "resourceGroup": "STAFF"}).expectProblem(t, 409,
			"taken", "code")
	}
	if r := admin.do(t, "GET", other, nil).members(t)["resource"]; r != nil {
		t.Errorf("a refused create linked %v", r)
	}
	admin.do(t, "PATCH", other, map[string]any{"resource": "Li"},
		ifMatch(admin.do(t, "GET", other, nil))).expectProblem(t, 400, "body", "resource")
	admin.do(t, "POST", "/api/accounts/01ARZ3NDEKTSV4RRFFQ69G5FAV/resource",
		map[string]any{"resourceGroup": "STAFF"}).expectProblem(t, 404, "notFound")
	admin.do(t, "DELETE", "/api/resources/Li", nil, ifMatch(read)).expectProblem(t, 409, "inUse", "code")
}

// What is given wins over the group's default, that over the environment's; null leaves a field empty.
func resourceDefaults(t *testing.T, admin *client) {
	admin.do(t, "POST", "/api/resources",
		map[string]any{"code": "BOSS", "description": "Boss", "resourceGroup": "STAFF"}).expect(t, 201)
	admin.do(t, "POST", "/api/reference/resource-groups",
		map[string]any{"code": "ABROAD", "description": "Abroad", "manager": "boss", "currency": "EUR",
			"department": "FIN"}).expect(t, 201)
	admin.do(t, "POST", "/api/reference/resource-groups",
		map[string]any{"code": "BARE", "description": "No defaults"}).expect(t, 201)
	for name, c := range map[string]struct {
		body map[string]any
		want map[string]any
	}{
		"the group's": {map[string]any{"resourceGroup": "abroad"},
			map[string]any{"manager": "BOSS", "currency": "EUR", "department": "FIN", "country": "GB", "costCentre": nil}},
		"the environment's": {map[string]any{"resourceGroup": "BARE"},
			map[string]any{"manager": nil, "currency": "GBP", "country": "GB", "department": nil}},
		"what is given": {
			map[string]any{"resourceGroup": "ABROAD", "currency": "chf", "country": "ch", "department": "sales", "manager": nil},
			map[string]any{"manager": nil, "currency": "CHF", "country": "CH", "department": "SALES"}},
	} {
		c.body["description"] = name
		got := admin.do(t, "POST", "/api/resources", c.body).expect(t, 201).members(t)
		for field, want := range c.want {
			if got[field] != want {
				t.Errorf("%s: %s is %v, want %v", name, field, got[field], want)
			}
		}
	}
	// manager and default
	admin.do(t, "DELETE", "/api/resources/BOSS", nil,
		ifMatch(admin.do(t, "GET", "/api/resources/BOSS", nil))).expectProblem(t, 409, "inUse", "code")
	department := admin.do(t, "GET", "/api/reference/departments/FIN", nil).expect(t, 200)
	admin.do(t, "DELETE", "/api/reference/departments/FIN", nil, ifMatch(department)).expectProblem(t, 409, "inUse")
}

func badResources(t *testing.T, admin *client) {
	path := admin.createAccount(t, "badly")
	for name, values := range map[string][]any{
		"code":          {strings.Repeat("c", 51), "a/b", `a\b`, "a;b", "..", "a\u200bb", "fields", "FIELDS"},
		"description":   {strings.Repeat("d", 201), "two\nlines"},
		"resourceGroup": {"NONE", nil, ""},
		"firstName":     {strings.Repeat("f", 151)},
		"middleName":    {strings.Repeat("m", 151)},
		"lastName":      {strings.Repeat("l", 151)},
		"jobTitle":      {strings.Repeat("j", 51)},
		"company":       {strings.Repeat("c", 151)},
		"title":         {strings.Repeat("t", 51)},
		"suffix":        {strings.Repeat("s", 51)},
		"legacyRef":     {strings.Repeat("l", 51)},
		"country":       {"UK", "XX", "GBR", "England", nil},
		"currency":      {"POUND", "XXX", "DEM", "ZZZ", nil},
		"department":    {"NONE"},
		"costCentre":    {"NONE"},
		"paymentMethod": {"NONE"},
		"paymentTerms":  {"NONE"},
		"manager":       {"NOBODY", "a/b"},
	} {
		for _, value := range values {
			body := map[string]any{"code": "BAD", "description": "Bad", "resourceGroup": "STAFF", name: value}
			admin.do(t, "POST", "/api/resources", body).expectProblem(t, 422, "invalid", name)
			admin.do(t, "POST", path+"/resource", body).expectProblem(t, 422, "invalid", name)
		}
	}
	admin.do(t, "POST", "/api/resources",
		map[string]any{"code": "SELF", "description": "x", "resourceGroup": "STAFF", "manager": "self"}).expectProblem(t,
		422, "invalid", "manager")
	admin.do(t, "POST", "/api/resources", map[string]any{}).expectProblem(t, 422, "invalid", "description",
		"resourceGroup")
	for name, value := range map[string]any{ // V59
		"account": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "active": false, "version": 7, "createdAt": "2026-01-01", "staff": "yes",
		"preview": true, "code": 7,
	} {
		admin.do(t, "POST", "/api/resources",
			map[string]any{"description": "x", "resourceGroup": "STAFF", name: value}).expectProblem(t, 400, "body", name)
	}
	for _, value := range []any{"yes", nil, 1} {
		admin.do(t, "POST", path+"/resource", map[string]any{"resourceGroup": "STAFF", "preview": value}).expectProblem(t,
			400, "body", "preview")
	}
	for _, code := range []string{"NOBODY", "BAD", "..%2f", "%00", "%20", strings.Repeat("9", 300)} {
		admin.do(t, "GET", "/api/resources/"+code, nil).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", "/api/resources/"+code+"/lock", nil).expectProblem(t, 404, "notFound")
	}
	if r := admin.do(t, "GET", path, nil).members(t)["resource"]; r != nil {
		t.Errorf("bad input linked %v", r)
	}
}

func changeResource(t *testing.T, admin *client) {
	account := admin.createAccount(t, "changing")
	first := admin.do(t, "POST", account+"/resource",
		map[string]any{"code": "Ch ange%?", "resourceGroup": "STAFF", "department": nil}).expect(t, 201)
	path := first.Header.Get("Location")
	if want := "/api/resources/" + url.PathEscape("Ch ange%?"); path != want {
		t.Fatalf("Location %q, want %q", path, want)
	}
	admin.do(t, "PATCH", path, map[string]any{"jobTitle": "x"}).expectProblem(t, 428, "ifMatchRequired")
	admin.do(t, "PATCH", path, map[string]any{"code": "other"}, ifMatch(first)).expectProblem(t, 400, "body", "code")
	admin.do(t, "PATCH", path, map[string]any{"description": nil}, ifMatch(first)).expectProblem(t, 422, "invalid",
		"description")
	admin.do(t, "PATCH", path, map[string]any{"manager": "CH ANGE%?"}, ifMatch(first)).expectProblem(t, 422, "invalid",
		"manager")
	second := admin.do(t, "PATCH", path, map[string]any{"jobTitle": "Buyer", "costCentre": "200", "company": "Acme"},
		ifMatch(first)).expect(t, 200)
	stale := admin.do(t, "PATCH", path, map[string]any{"jobTitle": "Seller"}, ifMatch(first)) // V62
	stale.expectProblem(t, 412, "stale", "jobTitle", "costCentre", "company")
	if !strings.Contains(stale.Body, `"admin"`) {
		t.Errorf("nobody changed it: %s", stale.Body)
	}
	same := admin.do(t, "PATCH", path, map[string]any{"jobTitle": "Buyer"}, ifMatch(second)).expect(t, 200)
	if same.Header.Get("ETag") != second.Header.Get("ETag") {
		t.Error("a change of nothing made a version")
	}
	// Reset from resource group: its defaults replace what is there, but for what is given.
	reset := admin.do(t, "PATCH", path, map[string]any{"resetFromGroup": true, "costCentre": "200"},
		ifMatch(same)).expect(t, 200).members(t)
	if reset["department"] != "SALES" || reset["costCentre"] != "200" || reset["company"] != "Acme" ||
		fmt.Sprintf("%q", fmt.Sprintf("%.0f", reset["version"])) == same.Header.Get("ETag") {
		t.Errorf("reset: %v", reset)
	}
	// The account's own versions are not the resource's.
	read := admin.do(t, "GET", account, nil).expect(t, 200)
	admin.do(t, "PATCH", account, map[string]any{"name": "Changed"}, ifMatch(read)).expect(t, 200)
	got := admin.do(t, "PATCH", account, map[string]any{"name": "Again"}, ifMatch(read))
	got.expectProblem(t, 412, "stale", "name")
	if strings.Contains(got.Body, "jobTitle") {
		t.Errorf("the resource's changes are among the account's: %s", got.Body)
	}
	// Two change each other's managers into a circle, which is theirs to mean.
	admin.do(t, "POST", "/api/resources",
		map[string]any{"code": "M1", "description": "M1", "resourceGroup": "STAFF"}).expect(t, 201)
	admin.do(t, "POST", "/api/resources",
		map[string]any{"code": "M2", "description": "M2", "resourceGroup": "STAFF", "manager": "m1"}).expect(t, 201)
	admin.do(t, "PATCH", "/api/resources/M1", map[string]any{"manager": "M2"},
		ifMatch(admin.do(t, "GET", "/api/resources/M1", nil))).expect(t, 200)
}

func endResource(t *testing.T, admin *client) {
	create := func(code string, more map[string]any) {
		body := map[string]any{"code": code, "description": code, "resourceGroup": "STAFF"}
		for k, v := range more {
			body[k] = v
		}
		admin.do(t, "POST", "/api/resources", body).expect(t, 201)
	}
	create("E1", nil)
	fresh := admin.do(t, "GET", "/api/resources/E1", nil).expect(t, 200)
	locked := admin.do(t, "POST", "/api/resources/e1/lock", nil).expect(t, 200)
	again := admin.do(t, "POST", "/api/resources/E1/lock", nil).expect(t, 200) // a second click
	if locked.members(t)["active"] != false || locked.Body != again.Body {
		t.Errorf("%s, then %s", locked.Body, again.Body)
	}
	admin.do(t, "POST", "/api/resources/E1/unlock", nil, ifMatch(fresh)).expectProblem(t, 412, "stale", "active")
	body := map[string]any{"code": "E2", "description": "E2", "resourceGroup": "STAFF", "manager": "E1"}
	admin.do(t, "POST", "/api/resources", body).expectProblem(t, 422, "invalid", "manager")
	admin.do(t, "POST", "/api/resources/E1/unlock", nil).expect(t, 200)
	create("E2", map[string]any{"manager": "e1"})
	admin.do(t, "POST", "/api/resources/E1/lock", nil).expect(t, 200) // who has a manager keeps it, and can be changed
	admin.do(t, "PATCH", "/api/resources/E2", map[string]any{"jobTitle": "x", "manager": "E1"},
		ifMatch(admin.do(t, "GET", "/api/resources/E2", nil))).expect(t, 200)

	first := admin.do(t, "GET", "/api/resources/E1", nil).expect(t, 200)
	admin.do(t, "DELETE", "/api/resources/E1", nil).expectProblem(t, 428, "ifMatchRequired")
	used := admin.do(t, "DELETE", "/api/resources/E1", nil, ifMatch(first))
	used.expectProblem(t, 409, "inUse", "code")
	if !strings.Contains(used.Body, "E2") {
		t.Errorf("%s does not say who names it", used.Body)
	}
	admin.do(t, "PATCH", "/api/resources/E2", map[string]any{"manager": nil},
		ifMatch(admin.do(t, "GET", "/api/resources/E2", nil))).expect(t, 200)
	admin.do(t, "DELETE", "/api/resources/E1", nil, ifMatch(fresh)).expectProblem(t, 412, "stale")
	admin.do(t, "DELETE", "/api/resources/E1", nil, ifMatch(first)).expect(t, 204)
	admin.do(t, "DELETE", "/api/resources/E1", nil, ifMatch(first)).expectProblem(t, 404, "notFound") // a second click
	admin.do(t, "GET", "/api/resources/E1", nil).expectProblem(t, 404, "notFound")
	// Another person's resource of the same code is nobody's to change by what they read of the first.
	create("E1", nil)
	for _, old := range []response{fresh, first} {
		admin.do(t, "PATCH", "/api/resources/E1", map[string]any{"jobTitle": "x"}, ifMatch(old)).expectProblem(t, 412,
			"stale")
	}
}

func listResources(t *testing.T, admin *client) {
	for i := range 5 {
		admin.do(t, "POST", "/api/resources", map[string]any{
			"code": fmt.Sprintf("L%d", i), "description": fmt.Sprintf("Listed Ｎo %d", i), "resourceGroup": "BARE",
		}).expect(t, 201)
	}
	admin.do(t, "POST", "/api/resources/L3/lock", nil).expect(t, 200)
	codes := func(query string) []string {
		var out []string
		for next := ""; ; {
			page := admin.do(t, "GET", "/api/resources?limit=2&"+query+next, nil).expect(t, 200).members(t)
			for _, it := range page["items"].([]any) {
				out = append(out, it.(map[string]any)["code"].(string))
			}
			if page["next"] == nil {
				return out
			}
			next = "&cursor=" + page["next"].(string)
		}
	}
	for query, want := range map[string][]string{
		"find=LISTED%20no":             {"L0", "L1", "L2", "L3", "L4"},
		"find=listed&active=true":      {"L0", "L1", "L2", "L4"},
		"active=false&group=bare":      {"L3"},
		"find=no+3&group=BARE":         {"L3"},
		"find=nothing%20like%20it":     nil,
		"group=STAFF&find=listed":      nil,
		"find=listed&active=false":     {"L3"},
		"group=bare&find=name+of+l":    nil,
		"find=name+of+linked":          {"Li"},
		"find=LIN&group=staff":         {"Li"},
		"group=NONE":                   nil,
		"find=l4":                      {"L4"},
		"active=true&find=listed+no+2": {"L2"},
	} {
		if got := codes(query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	all := codes("")
	if !slices.IsSortedFunc(all,
		func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) || len(all) < 10 {
		t.Errorf("all: %v", all)
	}
	next := admin.do(t, "GET", "/api/resources?limit=1", nil).text(t, "next")
	// another query's
	admin.do(t, "GET", "/api/resources?limit=1&find=l&cursor="+next, nil).expectProblem(t, 400, "cursor")
	admin.do(t, "GET", "/api/resources?active=maybe", nil).expectProblem(t, 400, "query", "active")
	fields := admin.do(t, "GET", "/api/resources/fields", nil).expect(t, 200)
	if !strings.Contains(fields.Body, `"costCentre"`) {
		t.Errorf("%s", fields.Body)
	}
}

// Numbers never collide, one code in several spellings is one resource, and one account gets one resource.
func parallelResources(t *testing.T, admin *client) {
	parallel := func(n int, do func(i int) response) (made []response, refused []response) {
		answers := make([]response, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { answers[i] = do(i) })
		}
		wg.Wait()
		for _, a := range answers {
			if a.Status == 201 {
				made = append(made, a)
			} else {
				refused = append(refused, a)
			}
		}
		return made, refused
	}
	body := func(more map[string]any) map[string]any {
		out := map[string]any{"description": "Parallel", "resourceGroup": "STAFF"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	made, refused := parallel(8, func(int) response { return admin.do(t, "POST", "/api/resources", body(nil)) })
	seen := map[string]bool{}
	for _, a := range made {
		seen[a.text(t, "code")] = true
	}
	if len(seen) != 8 || len(refused) != 0 {
		t.Errorf("%d numbers of %d, refused %v", len(seen), len(made), refused)
	}
	spellings := []string{"Straße", "STRASSE", "strasse", "ＳＴＲＡＳＳＥ", "straße", "Strasse"}
	made, refused = parallel(len(spellings), func(i int) response {
		return admin.do(t, "POST", "/api/resources", body(map[string]any{"code": spellings[i]}))
	})
	if len(made) != 1 {
		t.Errorf("%d resources of one code", len(made))
	}
	for _, a := range refused {
		a.expectProblem(t, 409, "taken", "code")
	}
	path := admin.createAccount(t, "wanted")
	made, refused = parallel(5, func(int) response {
		return admin.do(t, "POST", path+"/resource", map[string]any{"resourceGroup": "STAFF"})
	})
	if len(made) != 1 {
		t.Fatalf("%d resources of one account: %v", len(made), refused)
	}
	for _, a := range refused {
		a.expectProblem(t, 409, "hasResource")
	}
	if got := admin.do(t, "GET", path, nil).text(t, "resource"); got != made[0].text(t, "code") {
		t.Errorf("the account has %q", got)
	}
}

// Create resource needs the right to change accounts too, and administrators are changed by administrators only.
func resourceRights(t *testing.T, admin *client) {
	admin.do(t, "POST", "/api/access/roles", map[string]any{
		"code": "STAFFER", "description": "Resources only", "permissions": []string{"resource.read", "resource.write"},
	}).expect(t, 201)
	admin.createUser(t, "staffer", "seven green bicycles", map[string]any{"roles": []string{"STAFFER"}})
	admin.createUser(t, "writer", "seven green bicycles", map[string]any{"roles": []string{"EDITOR"}})
	staffer, writer := admin.signedInAs(t, "staffer", "seven green bicycles"),
		admin.signedInAs(t, "writer", "seven green bicycles")
	plain := admin.createAccount(t, "plain")
	staffer.do(t, "POST", "/api/resources", map[string]any{"description": "x", "resourceGroup": "STAFF"}).expect(t, 201)
	staffer.do(t, "POST", plain+"/resource", map[string]any{"resourceGroup": "STAFF"}).expectProblem(t, 403, "forbidden")
	me := "/api/accounts/" + admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	writer.do(t, "POST", me+"/resource", map[string]any{"resourceGroup": "STAFF"}).expectProblem(t, 403, "administrator")
	writer.do(t, "POST", plain+"/resource", map[string]any{"resourceGroup": "STAFF"}).expect(t, 201)
}
