package systemtest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// createAPIClient creates an account with an API licence that may be used, and returns its id.
func (c *client) createAPIClient(t *testing.T, username string, roles ...string) string {
	t.Helper()
	made := c.do(t, "POST", "/api/accounts",
		map[string]any{"username": username, "name": "A program", "userType": "API", "roles": roles}).expect(t, 201)
	return c.do(t, "POST", "/api/accounts/"+made.text(t, "id")+"/allow", nil).expect(t, 200).text(t, "id")
}

// createKey makes a key of an account and returns its id and text.
func (c *client) createKey(t *testing.T, account, description string) (id, key string) {
	t.Helper()
	made := c.do(t, "POST", "/api/accounts/"+account+"/keys", map[string]any{"description": description}).expect(t, 201)
	return made.text(t, "id"), made.text(t, "key")
}

// withBearer returns a client that comes with a bearer.
func (c *client) withBearer(bearer string) *client { return &client{url: c.url, token: bearer} }

func (c *client) signInByKey(t *testing.T, key string) *client {
	t.Helper()
	got := (&client{url: c.url}).do(t, "POST", "/api/login/key",
		map[string]any{"key": key, "client": "nightly"}).expect(t, 200)
	if got.text(t, "next") != "done" || got.text(t, "refreshToken") != "" || strings.Contains(got.Body, "refreshToken") {
		t.Fatalf("no session, or one with a refresh token: %s", got.Body)
	}
	return c.withBearer(got.text(t, "accessToken"))
}

// keySample makes what the samples of keys speak of.
func keySample(t *testing.T, admin *client) (account, key, toLock string) {
	t.Helper()
	account = admin.createAPIClient(t, "sampleclient", "VIEWER")
	_, key = admin.createKey(t, account, "Sample")
	toLock, _ = admin.createKey(t, account, "To be locked")
	return account, key, toLock
}

func items(t *testing.T, a response) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, it := range a.expect(t, 200).members(t)["items"].([]any) {
		out = append(out, it.(map[string]any))
	}
	return out
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("the life of a key", func(t *testing.T) { lifeOfAKey(t, admin) })
	t.Run("its pages", func(t *testing.T) { pagesOfKeys(t, admin) })
	t.Run("who makes them", func(t *testing.T) { whoMakesKeys(t, admin) })
	t.Run("bad input", func(t *testing.T) { badKeys(t, admin) })
	t.Run("repeats", func(t *testing.T) { repeatedKeys(t, admin) })
	t.Run("refusals", func(t *testing.T) { refusedKeys(t, admin) })
	t.Run("ends of access", func(t *testing.T) { keysEndWithAccess(t, admin) })
	t.Run("deletes", func(t *testing.T) { deletedWithKeys(t, admin) })
	t.Run("what keys may not do", func(t *testing.T) { keysManageNothing(t, admin) })
	t.Run("jobs", func(t *testing.T) { jobsOfKeys(t, admin) })
}

// V46: shown once, listed by its prefix, used directly and through a session, last used, locked for good.
func lifeOfAKey(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "payroll", "VIEWER")
	path := "/api/accounts/" + account + "/keys"
	if found := items(t, admin.do(t, "GET", path, nil)); len(found) != 0 {
		t.Errorf("before the first: %v", found)
	}
	made := admin.do(t, "POST", path, map[string]any{"description": " Nightly run ", "validDays": 30}).expect(t, 201)
	id, key := made.text(t, "id"), made.text(t, "key")
	if !strings.HasPrefix(key, made.text(t, "prefix")) || made.text(t, "state") != "active" ||
		made.text(t, "createdBy") != "admin" ||
		made.text(t, "description") != "Nightly run" || made.Header.Get("Location") != path ||
		made.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", made.Header, made.Body)
	}
	listed := admin.do(t, "GET", path, nil)
	if strings.Contains(listed.Body, key) || strings.Contains(listed.Body, key[len(key)-52:]) {
		t.Errorf("the list shows the key: %s", listed.Body)
	}
	if first := items(t, listed)[0]; first["lastUsed"] != nil || first["prefix"] != key[:29] {
		t.Errorf("%v", first)
	}

	direct := admin.withBearer(key)
	me := direct.do(t, "GET", "/api/me", nil).expect(t, 200)
	if me.text(t, "accountId") != account || me.text(t, "keyId") != id || me.text(t, "username") != "payroll" ||
		me.text(t, "sessionId") != "" {
		t.Errorf("%s", me.Body)
	}
	direct.do(t, "GET", "/api/accounts", nil).expect(t, 200)
	direct.do(t, "POST", "/api/accounts", map[string]any{}).expectProblem(t, 403, "forbidden")
	if first := items(t, admin.do(t, "GET", path, nil))[0]; first["lastUsed"] == nil {
		t.Errorf("its use is not noted: %v", first)
	}

	session := admin.signInByKey(t, key)
	if me := session.do(t, "GET", "/api/me", nil).expect(t, 200); me.text(t, "keyId") != id ||
		me.text(t, "sessionId") == "" {
		t.Errorf("%s", me.Body)
	}
	sessions := items(t, admin.do(t, "GET", "/api/accounts/"+account+"/sessions", nil))
	if len(sessions) != 1 || sessions[0]["keyId"] != id || sessions[0]["client"] != "nightly" ||
		sessions[0]["refreshDue"] != sessions[0]["hardEnd"] {
		t.Errorf("%v", sessions)
	}
	// C35: the session's token renews nothing.
	session.do(t, "POST", "/api/login/refresh", map[string]any{"refreshToken": session.token}).expectProblem(t, 401,
		"session")

	second := admin.signInByKey(t, key)
	secondID := second.do(t, "GET", "/api/me", nil).text(t, "sessionId")
	admin.do(t, "DELETE", "/api/accounts/"+account+"/sessions/"+secondID, nil).expect(t, 204)
	second.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	third := admin.signInByKey(t, key)
	third.do(t, "POST", "/api/logout", nil).expect(t, 204)
	third.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	direct.do(t, "POST", "/api/logout", nil).expect(t, 204)
	session.do(t, "GET", "/api/me", nil).expect(t, 200)

	_, other := admin.createKey(t, account, "The next one")
	locked := admin.do(t, "POST", path+"/"+id+"/lock", nil).expect(t, 200)
	if locked.text(t, "state") != "locked" || locked.text(t, "lockedBy") != "admin" || locked.text(t, "lockedAt") == "" {
		t.Errorf("%s", locked.Body)
	}
	direct.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	session.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	admin.withBearer(other).do(t, "GET", "/api/me", nil).expect(t, 200)
	if again := admin.do(t, "POST", path+"/"+id+"/lock", nil).expect(t, 200); again.Body != locked.Body {
		t.Errorf("the second click changed it: %s, %s", locked.Body, again.Body)
	}
}

func pagesOfKeys(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "paged", "VIEWER")
	var want, got []string
	for _, name := range []string{"1", "2", "3"} {
		id, _ := admin.createKey(t, account, name)
		want = append([]string{id}, want...)
	}
	path := "/api/accounts/" + account + "/keys?limit=2"
	page := admin.do(t, "GET", path, nil)
	for _, k := range append(items(t, page), items(t, admin.do(t, "GET", path+"&cursor="+page.text(t, "next"), nil))...) {
		got = append(got, k["id"].(string))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// V61, V58.
func whoMakesKeys(t *testing.T, admin *client) {
	maker := admin.createAPIClient(t, "strong", "ADMIN")
	modest := admin.createAPIClient(t, "modest", "VIEWER")
	id, _ := admin.createKey(t, maker, "An administrator's")
	body := map[string]any{"description": "x"}

	admin.createUser(t, "viewer", "seven green bicycles", map[string]any{"roles": []string{"VIEWER"}})
	viewer := admin.signedInAs(t, "viewer", "seven green bicycles")
	viewer.do(t, "GET", "/api/accounts/"+maker+"/keys", nil).expect(t, 200)
	viewer.do(t, "POST", "/api/accounts/"+modest+"/keys", body).expectProblem(t, 403, "forbidden")
	viewer.do(t, "POST", "/api/accounts/"+maker+"/keys/"+id+"/lock", nil).expectProblem(t, 403, "forbidden")

	person := admin.createUser(t, "person", "seven green bicycles", nil).text(t, "id")
	admin.do(t, "POST", "/api/accounts/"+person+"/keys", body).expectProblem(t, 409, "apiOnly")
	for _, nobody := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"} {
		admin.do(t, "GET", "/api/accounts/"+nobody+"/keys", nil).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", "/api/accounts/"+nobody+"/keys", body).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", "/api/accounts/"+nobody+"/keys/"+id+"/lock", nil).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", "/api/accounts/"+maker+"/keys/"+nobody+"/lock", nil).expectProblem(t, 404, "notFound")
	}
	// another account's
	admin.do(t, "POST", "/api/accounts/"+modest+"/keys/"+id+"/lock", nil).expectProblem(t, 404, "notFound")
	if k := items(t, admin.do(t, "GET", "/api/accounts/"+maker+"/keys", nil))[0]; k["state"] != "active" {
		t.Errorf("%v", k)
	}
}

func badKeys(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "bad", "VIEWER")
	path := "/api/accounts/" + account + "/keys"
	for body, want := range map[string]struct {
		status int
		code   string
		field  string
	}{
		`{}`:                                                 {400, "body", "description"},
		`{"description":1}`:                                  {400, "body", "description"},
		`{"description":"x","validDays":"90"}`:               {400, "body", "validDays"},
		`{"description":"x","validDays":1.5}`:                {400, "body", "validDays"},
		`{"description":"x","key":"mine"}`:                   {400, "body", "key"},
		`{"description":"x","validDays":0}`:                  {400, "body", "validDays"},
		`{"description":"x","validDays":3651}`:               {400, "body", "validDays"},
		`{"description":"  "}`:                               {422, "invalid", "description"},
		`{"description":"a\nb"}`:                             {422, "invalid", "description"},
		`{"description":"` + strings.Repeat("x", 201) + `"}`: {400, "body", "description"},
	} {
		admin.do(t, "POST", path, body).expectProblem(t, want.status, want.code, want.field)
	}
	admin.do(t, "POST", path+"/01ARZ3NDEKTSV4RRFFQ69G5FAV/lock", `{"reason":"x"}`).expectProblem(t, 400, "bodyUnexpected")
	admin.do(t, "GET", path+"?find=x", nil).expectProblem(t, 400, "query", "find")
	if found := items(t, admin.do(t, "GET", path, nil)); len(found) != 0 {
		t.Errorf("bad input made %v", found)
	}
	nobody := &client{url: admin.url}
	for _, body := range []string{`{}`, `{"key":null}`, `{"key":["x"]}`, `{"key":"x","password":"y"}`} {
		nobody.do(t, "POST", "/api/login/key", body).expectProblem(t, 400, "body")
	}
}

// V67, V104: a repeat of a lost answer makes no second key, and shows no secret again.
func repeatedKeys(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "repeated", "VIEWER")
	path := "/api/accounts/" + account + "/keys"
	once := header{"Idempotency-Key", "5f0c3c1e-6d5e-4f3a-9f0f-8a43b1b2c3d4"}
	admin.do(t, "POST", path, map[string]any{"description": "x"}, once).expect(t, 201)
	admin.do(t, "POST", path, map[string]any{"description": "x"}, once).expectProblem(t, 409, "shownOnce")
	admin.do(t, "POST", path, map[string]any{"description": "y"}, once).expectProblem(t, 422, "idempotencyKeyReused")
	if found := items(t, admin.do(t, "GET", path, nil)); len(found) != 1 {
		t.Errorf("%d keys", len(found))
	}
}

// C23, C30, C06: whatever is wrong with a key, its answer is that of an unknown session; and no number of wrong tries
// counts against the key or its account.
func refusedKeys(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "refused", "VIEWER")
	_, key := admin.createKey(t, account, "Good")
	lockedID, locked := admin.createKey(t, account, "Locked")
	admin.do(t, "POST", "/api/accounts/"+account+"/keys/"+lockedID+"/lock", nil).expect(t, 200)
	unknown := admin.withBearer("uas_"+strings.Repeat("A", 86)).do(t, "GET", "/api/accounts", nil)
	noKey := (&client{url: admin.url}).do(t, "POST", "/api/login/key", map[string]any{"key": "x"})
	same := func(name string, got, want response) {
		t.Helper()
		cut := func(a response) string {
			body, rest, _ := strings.Cut(a.Body, `"instance":"`)
			_, rest, _ = strings.Cut(rest, `"`)
			return body + rest + a.Header.Get("Www-Authenticate")
		}
		if got.Status != http.StatusUnauthorized || cut(got) != cut(want) {
			t.Errorf("%s: %d %s, want %s", name, got.Status, got.Body, want.Body)
		}
	}
	for name, bad := range map[string]string{
		"locked": locked, "wrong secret": key[:len(key)-52] + strings.Repeat("0", 52),
		"unknown": "ua_01ARZ3NDEKTSV4RRFFQ69G5FAV" + key[29:],
		"cut":     key[:len(key)-1], "longer": key + "0", "small letters": "ua_" + strings.ToLower(key[3:]),
		"the prefix alone": key[:29],
		"as a session":     "uak" + key[2:], "as a person's": "uas" + key[2:],
	} {
		same(name, admin.withBearer(bad).do(t, "GET", "/api/accounts", nil), unknown)
		same(name, (&client{url: admin.url}).do(t, "POST", "/api/login/key", map[string]any{"key": bad}), noKey)
	}
	for range 20 {
		(&client{url: admin.url}).do(t, "POST", "/api/login/key",
			map[string]any{"key": key[:len(key)-52] + strings.Repeat("0", 52)}).expectProblem(t, 401, "keyRefused")
	}
	admin.withBearer(key).do(t, "GET", "/api/accounts", nil).expect(t, 200)
	after := admin.do(t, "GET", "/api/accounts/"+account, nil).expect(t, 200).members(t)
	if after["accessLocked"] != false || after["failedTries"] != 0.0 {
		t.Errorf("wrong keys counted against the account: %v", after)
	}
	// A key is no password, and a password no key.
	(&client{url: admin.url}).do(t, "POST", "/api/login",
		map[string]any{"identifier": "refused", "password": key}).expectProblem(t, 401, "signInRefused")
}

// C27, C28, V40.
func keysEndWithAccess(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "ended", "VIEWER")
	_, key := admin.createKey(t, account, "Nightly")
	path := "/api/accounts/" + account
	patch := func(fields map[string]any) {
		t.Helper()
		admin.do(t, "PATCH", path, fields, ifMatch(admin.do(t, "GET", path, nil))).expect(t, 200)
	}
	for name, c := range map[string]struct{ end, restore func() }{
		"block": {
			func() { admin.do(t, "POST", path+"/block", map[string]any{"reason": "Left"}).expect(t, 200) },
			func() { admin.do(t, "POST", path+"/allow", nil).expect(t, 200) },
		},
		"lock": {
			func() { admin.do(t, "POST", path+"/lock", nil).expect(t, 200) },
			func() { admin.do(t, "POST", path+"/unlock", nil).expect(t, 200) },
		},
		"dates": {func() { patch(map[string]any{"dateFrom": "2020-01-01", "dateTo": "2020-01-02"}) },
			func() { patch(map[string]any{"dateTo": nil}) }},
	} {
		session := admin.signInByKey(t, key)
		session.do(t, "GET", "/api/accounts", nil).expect(t, 200)
		c.end()
		admin.withBearer(key).do(t, "GET", "/api/accounts", nil).expectProblem(t, 401, "session")
		session.do(t, "GET", "/api/accounts", nil).expectProblem(t, 401, "session")
		(&client{url: admin.url}).do(t, "POST", "/api/login/key", map[string]any{"key": key}).expectProblem(t, 401,
			"keyRefused")
		c.restore()
		if got := admin.withBearer(key).do(t, "GET", "/api/accounts", nil); got.Status != 200 {
			t.Errorf("%s, restored: %d %s", name, got.Status, got.Body)
		}
	}
	// A program that has a key stays a program (V91).
	admin.do(t, "PATCH", path, map[string]any{"userType": "FULL", "email": "ended@example.com"},
		ifMatch(admin.do(t, "GET", path, nil))).expectProblem(t, 409, "used")
}

// A used key holds its account, as its log speaks of it.
func deletedWithKeys(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "held", "VIEWER")
	_, key := admin.createKey(t, account, "Used")
	admin.withBearer(key).do(t, "GET", "/api/me", nil).expect(t, 200)
	admin.do(t, "DELETE", "/api/accounts/"+account, nil).expect(t, 409)
	admin.withBearer(key).do(t, "GET", "/api/me", nil).expect(t, 200)

	unused := admin.createAPIClient(t, "free", "VIEWER")
	_, key = admin.createKey(t, unused, "Never used")
	admin.do(t, "DELETE", "/api/accounts/"+unused, nil).expect(t, 204)
	admin.withBearer(key).do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
}

// V47: the key of an account with every permission manages neither credentials nor keys nor administrators.
func keysManageNothing(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "almighty", "ADMIN")
	keyID, key := admin.createKey(t, account, "Almighty")
	person := admin.createUser(t, "plain", "seven green bicycles", nil)
	boss := admin.createUser(t, "boss", "seven green bicycles", map[string]any{"roles": []string{"ADMIN"}})
	personPath, bossPath := "/api/accounts/"+person.text(t, "id"), "/api/accounts/"+boss.text(t, "id")
	for name, c := range map[string]*client{"key": admin.withBearer(key), "session": admin.signInByKey(t, key)} {
		t.Run(name, func(t *testing.T) {
			for _, refused := range []struct {
				method, path string
				body         any
			}{
				{"POST", personPath + "/password", map[string]any{"password": "eleven quiet mountains"}},
				{"GET", "/api/accounts/" + account + "/keys", nil},
				{"POST", "/api/accounts/" + account + "/keys", map[string]any{"description": "Another"}},
				{"POST", "/api/accounts/" + account + "/keys/" + keyID + "/lock", nil},
				{"GET", personPath + "/sessions", nil},
				{"DELETE", personPath + "/sessions/01ARZ3NDEKTSV4RRFFQ69G5FAV", nil},
			} {
				c.do(t, refused.method, refused.path, refused.body).expectProblem(t, 403, "keyNotAllowed")
			}
			c.do(t, "POST", bossPath+"/block", map[string]any{"reason": "x"}).expectProblem(t, 403, "administrator")
			c.do(t, "PATCH", bossPath, map[string]any{"name": "x"}, ifMatch(c.do(t, "GET", bossPath, nil))).expectProblem(t,
				403, "administrator")
			c.do(t, "PATCH", personPath, map[string]any{"roles": []string{"ADMIN"}},
				ifMatch(c.do(t, "GET", personPath, nil))).expectProblem(t, 422, "invalid", "roles")
			c.do(t, "POST", "/api/accounts", map[string]any{
				"username": "risen", "name": "x", "email": "risen@example.com", "userType": "FULL", "roles": []string{"ADMIN"},
			}).expectProblem(t, 422, "invalid", "roles")
			// What is no such thing it does.
			c.do(t, "PATCH", personPath, map[string]any{"name": "By " + name},
				ifMatch(c.do(t, "GET", personPath, nil))).expect(t, 200)
			c.do(t, "GET", "/api/sessions", nil).expect(t, 200)
		})
	}
}

// V47, V76: what a key may not do itself, a job that it begins does not do for it either.
func jobsOfKeys(t *testing.T, admin *client) {
	account := admin.createAPIClient(t, "importer", "ADMIN")
	_, key := admin.createKey(t, account, "Importer")
	c := admin.withBearer(key)
	heads := []any{"Username", "Description", "User licenses", "Email", "User roles"}
	if job := c.runImport(t, workbook(t, heads, []any{"bykey", "By key", "FULL", "bykey@example.com", "VIEWER"}),
		nil); job["state"] != "done" {
		t.Errorf("%v", job)
	}
	if job := c.runImport(t, workbook(t, heads, []any{"risenbykey", "Risen", "FULL", "risenbykey@example.com", "ADMIN"}),
		nil); job["state"] != "refused" {
		t.Errorf("a key imported an administrator: %v", job)
	}
}

// A key that is created or locked is told by mail, in the write of the act: to the account's address, and where it has
// none, as most programs, to whoever created it (product 15).
func TestKeysAreTold(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	me := admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	robot := admin.createAPIClient(t, "robot")
	made := admin.do(t, "POST", "/api/accounts", map[string]any{"username": "addressed", "name": "A program",
		"userType": "API", "email": "operators@example.com"}).expect(t, 201).text(t, "id")
	told := func(account string) (out []string) {
		for _, m := range items(t, admin.do(t, "GET", "/api/communications?account="+account, nil)) {
			if kind := fmt.Sprint(m["kind"]); strings.HasPrefix(kind, "key") {
				out = append(out, kind)
			}
		}
		slices.Sort(out)
		return out
	}
	for account, to := range map[string]string{robot: me, made: made} {
		id, _ := admin.createKey(t, account, "Payroll")
		if got := told(to); !slices.Equal(got, []string{"keyCreated"}) {
			t.Errorf("told of %v", got)
		}
		for range 2 { // the second changes nothing
			admin.do(t, "POST", "/api/accounts/"+account+"/keys/"+id+"/lock", nil).expect(t, 200)
		}
		if got := told(to); !slices.Equal(got, []string{"keyCreated", "keyLocked"}) {
			t.Errorf("told of %v", got)
		}
	}
}
