package systemtest_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// attemptSignIns signs in with a password, n times, from a network where nobody is known.
func (c *client) attemptSignIns(t *testing.T, who, password string, n int) response {
	t.Helper()
	var got response
	for range n {
		got = (&client{url: c.url, from: elsewhere}).do(t, "POST", "/api/login",
			map[string]any{"identifier": who, "password": password, "client": "guesser"})
	}
	return got
}

// failedSignIns returns the notes of the failed sign-ins in an account's log, newest first.
func (c *client) failedSignIns(t *testing.T, id string) []string {
	t.Helper()
	var out []string
	for _, one := range c.do(t, "GET", "/api/accounts/"+id+"/log?kind=signInFailed", nil).expect(t,
		200).members(t)["items"].([]any) {
		line := one.(map[string]any)
		note, _ := line["note"].(string)
		if line["address"] != elsewhere || line["client"] != "guesser" {
			t.Errorf("%v", line)
		}
		out = append(out, note)
	}
	return out
}

func TestSigningInAgainstGuessers(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("every refusal is the same answer, and the log knows why", func(t *testing.T) { refusalsAreUniform(t, admin) })
	t.Run("a flood of guesses", func(t *testing.T) { floodIsBounded(t, admin) })
	t.Run("refresh", func(t *testing.T) { refreshOverHTTP(t, admin) })
	t.Run("closing sessions", func(t *testing.T) { closingSessions(t, admin) })
	t.Run("a page's cookies", func(t *testing.T) { pageCookies(t, admin) })
	t.Run("a network that asks too often", networkSlowedDown)
}

// V21, C23: status, headers, body and its length; V81: the reason is in the account's log, never what was typed.
func refusalsAreUniform(t *testing.T, admin *client) {
	const right = "seven green bicycles"
	accounts := map[string]string{}
	for name, spoil := range map[string]func(response){
		"wrong": nil,
		"blocked": func(a response) {
			admin.do(t, "POST", "/api/accounts/"+a.text(t, "id")+"/block", map[string]any{"reason": "Left"},
				ifMatch(a)).expect(t, 200)
		},
		"locked": func(a response) {
			admin.do(t, "POST", "/api/accounts/"+a.text(t, "id")+"/lock", nil, ifMatch(a)).expect(t, 200)
		},
		"expired": func(a response) {
			admin.do(t, "PATCH", "/api/accounts/"+a.text(t, "id"),
				map[string]any{"dateFrom": "2020-01-01", "dateTo": "2020-01-02"}, ifMatch(a)).expect(t, 200)
		},
		"tried": func(response) { admin.attemptSignIns(t, "refused-tried", "wrong", 5) },
	} {
		made := admin.createUser(t, "refused-"+name, right, nil)
		if spoil != nil {
			spoil(made)
		}
		accounts[name] = made.text(t, "id")
	}
	without := admin.do(t, "POST", "/api/accounts",
		map[string]any{"username": "refused-without", "name": "By a provider only", "email": "refused-without@example.com",
			"userType": "FULL"}).expect(t, 201)
	accounts["without"] = admin.do(t, "POST", "/api/accounts/"+without.text(t, "id")+"/allow", nil).expect(t, 200).text(t,
		"id")
	accounts["program"] = admin.createAPIClient(t, "refused-program")
	first := admin.attemptSignIns(t, "refused-nobody", right, 1)
	first.expectProblem(t, 401, "signInRefused")
	// RateLimit counts the requests of the network, whatever is asked (V21), so each answer has another.
	shape := func(a response) string {
		headers := maps.Clone(a.Header)
		for _, own := range []string{"Date", "X-Request-Id", "Apigw-Requestid", "Content-Length", "Ratelimit"} {
			headers.Del(own)
		}
		body := a.Body
		if id := a.text(t, "instance"); id != "" {
			body = strings.ReplaceAll(body, id, "") // escaped in the body, so a random length
		}
		return fmt.Sprint(a.Status, headers, len(body), body)
	}
	for name, want := range map[string]string{
		"wrong": "Wrong password.", "blocked": "Login access is blocked.", "locked": "The account is locked.",
		"expired": "Outside the account's dates.",
		"tried":   "Too many failed tries; the password was not checked.",
		"without": "The account has no password: none was set yet, or its licence is for API clients.",
		"program": "The account has no password: none was set yet, or its licence is for API clients.",
	} {
		password := right
		if name == "wrong" {
			password = "wrong"
		}
		if got := admin.attemptSignIns(t, "refused-"+name, password, 1); shape(got) != shape(first) {
			t.Errorf("%s:\n%s\nwant\n%s", name, shape(got), shape(first))
		}
		if notes := admin.failedSignIns(t, accounts[name]); len(notes) == 0 || len(notes) > 1 && name != "tried" ||
			notes[0] != want {
			t.Errorf("%s: %q", name, notes)
		}
	}
}

// V11, V12: the limit holds; beyond it the log has one line for the hour, and a reset by the administrator lets in.
func floodIsBounded(t *testing.T, admin *client) {
	made := admin.createUser(t, "flooded", "seven green bicycles", nil)
	id := made.text(t, "id")
	admin.attemptSignIns(t, "flooded", "wrong", 25)
	notes := admin.failedSignIns(t, id)
	if len(notes) > 7 || !slices.ContainsFunc(notes, func(n string) bool {
		return strings.Contains(n, "Too many failed tries") && strings.Contains(n, "times within the hour")
	}) {
		t.Errorf("%q", notes)
	}
	admin.attemptSignIns(t, "flooded", "seven green bicycles", 1).expectProblem(t, 401, "signInRefused")
	admin.do(t, "POST", "/api/accounts/"+id+"/reset-tries", nil).expect(t, 200)
	admin.signedInAs(t, "flooded", "seven green bicycles")
}

// V41: the answer comes again; a token from two rotations back ends the session for both.
func refreshOverHTTP(t *testing.T, admin *client) {
	made := admin.createUser(t, "renewing", "seven green bicycles", nil)
	c := admin.signedInAs(t, "renewing", "seven green bicycles")
	post := func(token string) response {
		return (&client{url: c.url}).do(t, "POST", "/api/login/refresh", map[string]any{"refreshToken": token})
	}
	first := c.refresh
	one, again := post(first).expect(t, 200), post(first).expect(t, 200)
	if one.text(t, "accessToken") != again.text(t, "accessToken") ||
		one.text(t, "refreshToken") != again.text(t, "refreshToken") {
		t.Error("the lost answer came back as another")
	}
	two := post(one.text(t, "refreshToken")).expect(t, 200)
	post(first).expectProblem(t, 401, "session")
	post(two.text(t, "refreshToken")).expectProblem(t, 401, "session")
	log := admin.do(t, "GET", "/api/accounts/"+made.text(t, "id")+"/log?kind=refreshReused", nil).expect(t, 200)
	if items := log.members(t)["items"].([]any); len(items) != 1 || items[0].(map[string]any)["address"] != "127.0.0.1" {
		t.Errorf("%s", log.Body)
	}
	(&client{url: c.url}).do(t, "POST", "/api/login/refresh", nil).expectProblem(t, 400, "body", "refreshToken")

	// V42: twenty at once with one token are one lineage, which goes on.
	racing := admin.signedInAs(t, "renewing", "seven green bicycles")
	lineages, all := make(chan string, 20), sync.WaitGroup{}
	for range cap(lineages) {
		all.Go(func() {
			got := post(racing.refresh)
			lineages <- fmt.Sprint(got.Status, " ", got.Body)
		})
	}
	all.Wait()
	close(lineages)
	one = response{Status: 200, Body: strings.TrimPrefix(<-lineages, "200 ")}
	for other := range lineages {
		if other != "200 "+one.Body {
			t.Errorf("%s\nand\n%s", one.Body, other)
		}
	}
	racing.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	c.withBearer(one.text(t, "accessToken")).do(t, "GET", "/api/me", nil).expect(t, 200)
	post(one.text(t, "refreshToken")).expect(t, 200)
}

// expectUTC fails unless the members are times of today, said in UTC.
func expectUTC(t *testing.T, of map[string]any, members ...string) {
	t.Helper()
	for _, name := range members {
		text, _ := of[name].(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || !strings.HasSuffix(text, "Z") || time.Until(at).Abs() > 25*time.Hour {
			t.Errorf("%s is %q (%v) of %v", name, text, err, of)
		}
	}
}

// V40, V45, C32: one's own other sessions, and an administrator's all of somebody; the log says who.
func closingSessions(t *testing.T, admin *client) {
	made := admin.createUser(t, "closing", "seven green bicycles", nil)
	id := made.text(t, "id")
	one, two, three := admin.signedInAs(t, "closing", "seven green bicycles"),
		admin.signedInAs(t, "closing", "seven green bicycles"), admin.signedInAs(t, "closing", "seven green bicycles")
	if got := three.do(t, "DELETE", "/api/sessions", nil).expect(t, 200); got.Body != `{"closed":2}` {
		t.Errorf("%s", got.Body)
	}
	one.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	two.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	three.do(t, "GET", "/api/me", nil).expect(t, 200)
	if got := three.do(t, "DELETE", "/api/sessions", nil).expect(t, 200); got.Body != `{"closed":0}` {
		t.Errorf("the second click: %s", got.Body)
	}
	// C32: another person sees their own sessions only, and closes nobody else's, though they know its id.
	admin.createUser(t, "bystander", "seven green bicycles", nil)
	bystander := admin.signedInAs(t, "bystander", "seven green bicycles")
	mine, theirs := bystander.do(t, "GET", "/api/me", nil).text(t, "sessionId"),
		three.do(t, "GET", "/api/me", nil).text(t, "sessionId")
	for who, c := range map[string]*client{mine: bystander, theirs: three} {
		var seen []string
		for _, s := range items(t, c.do(t, "GET", "/api/sessions", nil)) {
			if seen = append(seen, s["id"].(string)); s["id"] != who && s["closed"] == nil {
				t.Errorf("%s sees %v", who, s)
			}
			expectUTC(t, s, "start", "refreshDue", "hardEnd")
		}
		if !slices.Contains(seen, who) || slices.Contains(seen, mine) && slices.Contains(seen, theirs) {
			t.Errorf("%s sees %v", who, seen)
		}
	}
	bystander.do(t, "DELETE", "/api/sessions/"+theirs, nil)
	bystander.do(t, "DELETE", "/api/sessions", nil).expect(t, 200)
	three.do(t, "GET", "/api/me", nil).expect(t, 200)
	three.do(t, "DELETE", "/api/accounts/"+id+"/sessions", nil).expectProblem(t, 403, "forbidden")
	admin.do(t, "DELETE", "/api/accounts/01JZ0000000000000000000009/sessions", nil).expectProblem(t, 404, "notFound")
	if got := admin.do(t, "DELETE", "/api/accounts/"+id+"/sessions", nil).expect(t, 200); got.Body != `{"closed":1}` {
		t.Errorf("%s", got.Body)
	}
	three.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	log := admin.do(t, "GET", "/api/accounts/"+id+"/log?kind=sessionClosed", nil).expect(t,
		200).members(t)["items"].([]any)
	if len(log) != 3 || log[0].(map[string]any)["by"] != "admin" || log[1].(map[string]any)["by"] != "closing" {
		t.Errorf("%v", log)
	}
}

// V37, V48, C29: a page gets cookies and no token, and every change by cookie proves that it is ours.
func pageCookies(t *testing.T, admin *client) {
	admin.createUser(t, "browsing", "seven green bicycles", nil)
	page := func(method, path string, body any, cookies []*http.Cookie, headers ...header) response {
		var jar []string
		for _, c := range cookies {
			jar = append(jar, c.Name+"="+c.Value)
		}
		if len(jar) > 0 {
			headers = append(headers, header{"Cookie", strings.Join(jar, "; ")})
		}
		return (&client{url: admin.url}).do(t, method, path, body, headers...)
	}
	ours := []header{{"X-UA-Client", "web"}, {"Origin", admin.url}, {"Sec-Fetch-Site", "same-origin"}}
	theirs := []header{{"X-UA-Client", "web"}, {"Origin", "https://evil.example"}}
	who := map[string]any{"identifier": "browsing", "password": "seven green bicycles"}
	page("POST", "/api/login", who, nil, theirs...).expectProblem(t, 403, "crossOrigin")
	in := page("POST", "/api/login", who, nil, ours...).expect(t, 200)
	if strings.Contains(in.Body, "uas_") || strings.Contains(in.Body, "uar_") {
		t.Errorf("a token is in the body: %s", in.Body)
	}
	cookies := (&http.Response{Header: in.Header}).Cookies()
	if len(cookies) != 2 {
		t.Fatalf("%v", in.Header["Set-Cookie"])
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode ||
			c.Path != "/" || c.Domain != "" {
			t.Errorf("%v", c)
		}
	}
	page("GET", "/api/me", nil, cookies).expect(t, 200)
	// C29: whoever signs in where somebody planted a session, made up or their own, gets another, and the planted one
	// stays as it is. So do two people who share a browser.
	admin.createUser(t, "sharing", "seven green bicycles", nil)
	made := []*http.Cookie{{Name: "__Host-access", Value: "uas_" + strings.Repeat("A", 86)},
		{Name: "__Host-refresh", Value: "uar_" + strings.Repeat("A", 128)}}
	for name, planted := range map[string][]*http.Cookie{"made up": made, "of somebody": cookies} {
		next := page("POST", "/api/login", map[string]any{"identifier": "sharing", "password": "seven green bicycles"},
			planted, ours...).expect(t, 200)
		given := (&http.Response{Header: next.Header}).Cookies()
		if me := page("GET", "/api/me", nil, given).expect(t, 200); me.text(t, "username") != "sharing" || len(given) != 2 ||
			given[0].Value == planted[0].Value || given[1].Value == planted[1].Value {
			t.Errorf("%s: %s, %v", name, me.Body, given)
		}
		if was := page("GET", "/api/me", nil, planted); (was.Status == 200) != (name == "of somebody") ||
			strings.Contains(was.Body, "sharing") {
			t.Errorf("%s, afterwards: %d %s", name, was.Status, was.Body)
		}
	}
	page("POST", "/api/logout", nil, cookies).expectProblem(t, 403, "crossOrigin")
	page("POST", "/api/logout", nil, cookies, theirs...).expectProblem(t, 403, "crossOrigin")
	page("POST", "/api/login/refresh", nil, cookies, theirs...).expectProblem(t, 403, "crossOrigin")
	page("POST", "/api/login/refresh", nil, nil, ours...).expectProblem(t, 401, "session")
	// C35: a page's refresh token opens nothing in a body, and a program's nothing in a cookie; neither closes the
	// session.
	var kept string
	for _, c := range cookies {
		if c.Name == "__Host-refresh" {
			kept = c.Value
		}
	}
	program := page("POST", "/api/login", who, nil).expect(t, 200).text(t, "refreshToken")
	page("POST", "/api/login/refresh", map[string]any{"refreshToken": kept}, nil).expectProblem(t, 401, "session")
	page("POST", "/api/login/refresh", nil, []*http.Cookie{{Name: "__Host-refresh", Value: program}},
		ours...).expectProblem(t, 401, "session")
	page("POST", "/api/login/refresh", map[string]any{"refreshToken": program}, nil).expect(t, 200)
	renewed := page("POST", "/api/login/refresh", nil, cookies, ours...).expect(t, 200)
	fresh := (&http.Response{Header: renewed.Header}).Cookies()
	page("GET", "/api/me", nil, cookies).expectProblem(t, 401, "session") // V38
	page("GET", "/api/me", nil, fresh).expect(t, 200)
	out := page("POST", "/api/logout", nil, fresh, ours...).expect(t, 204)
	for _, c := range (&http.Response{Header: out.Header}).Cookies() {
		if c.MaxAge != -1 || c.Value != "" {
			t.Errorf("%v", c)
		}
	}
	page("GET", "/api/me", nil, fresh).expectProblem(t, 401, "session")
}

// V19, V83: by the address that the gateway saw, whatever a header says; no account is touched.
func networkSlowedDown(t *testing.T) {
	const limit = 40
	system, admin := start(t, withParameters(map[string]string{"SignInsPerMinute": strconv.Itoa(limit)}))
	made := admin.createUser(t, "neighbour", "seven green bicycles", nil)
	from := &http.Client{
		Transport: &http.Transport{
			DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 77)}}).DialContext}}
	post := func(path, body string) *http.Response {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, system.URL+path,
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Forwarded-For", "203.0.113.9")
		got, err := from.Do(request)
		if err != nil {
			t.Skipf("this machine has no second loopback address: %v", err)
		}
		_ = got.Body.Close()
		return got
	}
	slowed := false
	for range 2*limit + 1 { // over the limit of one minute, wherever in it this begins
		got := post("/api/login/password", `{"ticket":"uat_x","password":"x"}`)
		if slowed = got.StatusCode == http.StatusTooManyRequests; slowed {
			if after := got.Header.Get("Retry-After"); after == "" || after == "0" {
				t.Errorf("Retry-After %q", after)
			}
			break
		}
	}
	if !slowed {
		t.Fatal("never slowed down")
	}
	if got := post("/api/login",
		`{"identifier":"neighbour","password":"wrong"}`); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("sign-in: %d", got.StatusCode)
	}
	if tries := admin.do(t, "GET", "/api/accounts/"+made.text(t, "id"), nil).expect(t,
		200).members(t)["failedTries"]; tries != float64(0) {
		t.Errorf("%v tries were charged", tries)
	}
	admin.signedInAs(t, "neighbour", "seven green bicycles") // another address is not held up
}
