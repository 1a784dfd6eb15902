package systemtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"useraccounts/internal/local/issuertest"
	"useraccounts/internal/local/localtest"
)

const tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"

// ssoSystem is the running system between two providers, one of the kind azure, and a directory.
type ssoSystem struct {
	system        *localtest.RunningSystem
	admin         *client
	issuer, azure *issuertest.Server
	// oidcID and entra are the ids of the providers.
	oidcID, azureID string
	// throttled makes the directory ask to slow down.
	throttled atomic.Bool
}

func startSSO(t *testing.T, parameters ...map[string]string) *ssoSystem {
	t.Helper()
	s := &ssoSystem{issuer: issuertest.Start(t), azure: issuertest.StartAt(t, "/"+tenant+"/v2.0")}
	directory := httptest.NewServer(http.HandlerFunc(s.graph))
	t.Cleanup(directory.Close)
	own := map[string]string{
		"AzureUrl": strings.TrimSuffix(s.azure.URL, "/"+tenant+"/v2.0"), "GraphUrl": directory.URL,
	}
	for _, more := range parameters {
		maps.Copy(own, more)
	}
	s.system, s.admin = start(t, withParameters(own))
	s.oidcID = s.createProvider(t, "oidc", map[string]any{"issuer": s.issuer.URL})
	s.azureID = s.createProvider(t, "azure", map[string]any{"tenant": strings.ToUpper(tenant)})
	return s
}

// graph stands in for Microsoft Graph's /users: three people on two pages.
func (s *ssoSystem) graph(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer access-") || r.URL.Path != "/v1.0/users":
		w.WriteHeader(http.StatusUnauthorized)
	case s.throttled.Load():
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	case r.URL.Query().Get("$skiptoken") == "2":
		_, _ = fmt.Fprint(w,
			`{"value":[{"id":"az-3","displayName":"Cy","userPrincipalName":"nobody@example.com","accountEnabled":false}]}`)
	default:
		_, _ = fmt.Fprintf(
			w,
			`{"value":[{"id":"az-1","displayName":"Al","mail":"DIRAL@example.com"},{"id":"az-2","displayName":"Bo","mail":"dirbo@example.com"}],"@odata.nextLink":"http://%s/v1.0/users?$skiptoken=2"}`,
			r.Host,
		)
	}
}

func (s *ssoSystem) createProvider(t *testing.T, kind string, more map[string]any) string {
	t.Helper()
	body := map[string]any{"name": "By " + kind, "kind": kind, "clientId": issuertest.ClientID,
		"clientSecret": issuertest.Secret, "enabled": true}
	for k, v := range more {
		body[k] = v
	}
	return s.admin.do(t, "POST", "/api/sso-providers", body).expect(t, 201).text(t, "id")
}

// patchProvider changes a provider, whatever its version.
func (s *ssoSystem) patchProvider(t *testing.T, id string, patch map[string]any) {
	t.Helper()
	is := s.admin.do(t, "GET", "/api/sso-providers/"+id, nil).expect(t, 200)
	s.admin.do(t, "PATCH", "/api/sso-providers/"+id, patch, ifMatch(is)).expect(t, 200)
}

// createLinkedUser makes somebody whose account is linked to an identity at the works' provider, and returns the
// account's id.
func (s *ssoSystem) createLinkedUser(t *testing.T, username, subject string) string {
	t.Helper()
	id := s.admin.createUser(t, username, userPassword, nil).text(t, "id")
	s.admin.do(t, "PUT", "/api/accounts/"+id+"/links/"+s.oidcID, map[string]any{"objectId": subject}).expect(t, 200)
	return id
}

// authorizeAt goes to a provider and back: it returns what the page that the provider leads back to would post.
func (c *client) authorizeAt(t *testing.T, path string, at *issuertest.Server,
	claims issuertest.Claims) map[string]any {
	t.Helper()
	var body any
	if !strings.Contains(path, "/directory/") {
		body = map[string]any{}
	}
	went := c.do(t, "POST", path, body).expect(t, 200)
	at.SetUser(claims)
	q := at.Authorize(t, went.text(t, "url"))
	return map[string]any{"state": q.Get("state"), "code": q.Get("code"), "browser": went.text(t, "browser")}
}

// authorize goes to the works' provider as somebody.
func (s *ssoSystem) authorize(t *testing.T, claims issuertest.Claims) map[string]any {
	t.Helper()
	return s.anonymous().authorizeAt(t, "/api/sso/providers/"+s.oidcID+"/depart", s.issuer, claims)
}

func (s *ssoSystem) anonymous() *client { return &client{url: s.admin.url} }

func (s *ssoSystem) callback(t *testing.T, body map[string]any) response {
	t.Helper()
	return s.anonymous().do(t, "POST", "/api/sso/return", body)
}

func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	s := startSSO(t)
	t.Run("signing in", s.signingIn)
	t.Run("returns that belong to no attempt", s.strayCallbacks)
	t.Run("what happens in between", s.changesInBetween)
	t.Run("second factor", s.secondFactor)
	t.Run("a page of ours", s.cookieSignIn)
	t.Run("without a password", s.withoutPassword)
	t.Run("own links", s.ownLinks)
	t.Run("providers", s.providers)
	t.Run("directory", s.directory)
	t.Run("file", s.file)
	t.Run("who may", s.permissions)
}

// V53, V54, C09, C23, C36, C37: a linked identity comes in; nobody else does, whatever email they show, and all hear
// the same.
func (s *ssoSystem) signingIn(t *testing.T) {
	id := s.createLinkedUser(t, "linked", "sub-linked")
	choices := s.anonymous().do(t, "GET", "/api/sso/providers", nil).expect(t, 200)
	if !strings.Contains(choices.Body, s.oidcID) || strings.Contains(choices.Body, issuertest.ClientID) {
		t.Errorf("choices %s", choices.Body)
	}
	own := s.anonymous()
	own.keepTokens(t, s.callback(t, s.authorize(t, issuertest.Claims{"sub": "sub-linked"})).expect(t, 200))
	if me := own.do(t, "GET", "/api/me", nil).expect(t, 200); !strings.Contains(me.Body, id) {
		t.Errorf("somebody else: %s", me.Body)
	}
	wrong := (&client{url: s.admin.url}).do(t, "POST", "/api/login",
		map[string]any{"identifier": "linked", "password": "x"}).expect(t, 401)
	email := issuertest.Claims{"sub": "sub-stranger", "email": "linked@example.com", "email_verified": true,
		"preferred_username": "linked"}
	before := s.admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200).Body
	for range 6 { // more than the limit of tries: an identity that calls itself as somebody here touches nobody (C09)
		s.callback(t, s.authorize(t, email)).expect(t, 401)
	}
	if after := s.admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200).Body; after != before {
		t.Errorf("the account with the name of a stranger was %s, and is %s", before, after)
	}
	if links := s.admin.do(t, "GET", "/api/accounts/"+id+"/links", nil).expect(t, 200); strings.Contains(links.Body,
		"sub-stranger") {
		t.Errorf("a stranger was linked: %s", links.Body)
	}
	s.admin.signedInAs(t, "linked", userPassword)
	own.do(t, "GET", "/api/me", nil).expect(t, 200)
	unlinked := s.callback(t, s.authorize(t, email)).expect(t, 401)
	if members(t, unlinked)["code"] != "signInRefused" || members(t, unlinked)["detail"] != members(t, wrong)["detail"] {
		t.Errorf("%s; a wrong password gets %s", unlinked.Body, wrong.Body)
	}
	// Another tenant of Azure, with the email and even the object id of somebody who is linked.
	s.admin.do(t, "PUT", "/api/accounts/"+id+"/links/"+s.azureID, map[string]any{"objectId": "oid-1"}).expect(t, 200)
	depart := "/api/sso/providers/" + s.azureID + "/depart"
	there := issuertest.Claims{"sub": "pairwise", "oid": "oid-1", "tid": "00000000-0000-0000-0000-000000000001",
		"email": "linked@example.com"}
	s.callback(t, s.anonymous().authorizeAt(t, depart, s.azure, there)).expectProblem(t, 409, "provider.tenant")
	there["tid"] = tenant
	s.callback(t, s.anonymous().authorizeAt(t, depart, s.azure, there)).expect(t, 200)
	// The log says who it was, and by what.
	log := s.admin.do(t, "GET", "/api/accounts/"+id+"/log", nil).expect(t, 200)
	if !strings.Contains(log.Body, "By azure: oid-1") {
		t.Errorf("log %s", log.Body)
	}
	if list := s.admin.do(t, "GET", "/api/accounts?limit=200", nil).expect(t, 200); !strings.Contains(list.Body,
		s.oidcID) {
		t.Errorf("the list does not show the link: %s", list.Body)
	}
}

func members(t *testing.T, a response) map[string]any { t.Helper(); return a.members(t) }

// V51, C31, C40: a return counts once, for the browser that went.
func (s *ssoSystem) strayCallbacks(t *testing.T) {
	s.createLinkedUser(t, "strayed", "sub-strayed")
	who := issuertest.Claims{"sub": "sub-strayed"}
	for name, spoil := range map[string]func(map[string]any){
		"another browser": func(b map[string]any) { b["browser"] = strings.Repeat("A", 52) },
		"no browser":      func(b map[string]any) { delete(b, "browser") },
		"another state":   func(b map[string]any) { b["state"] = strings.Repeat("A", 52) },
	} {
		body := s.authorize(t, who)
		good := map[string]any{"state": body["state"], "code": body["code"], "browser": body["browser"]}
		spoil(body)
		if got := s.callback(t, body); got.Status != 401 || got.text(t, "code") != "attempt" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if name != "another state" { // a wrong browser ends it for the right one too
			s.callback(t, good).expectProblem(t, 401, "attempt")
		}
	}
	cancelled := s.authorize(t, who)
	delete(cancelled, "code")
	cancelled["error"] = "access_denied"
	s.callback(t, cancelled).expectProblem(t, 409, "provider.cancelled")
	body := s.authorize(t, who)
	var all sync.WaitGroup
	var opened atomic.Int64
	for range 10 {
		all.Go(func() {
			switch got := s.callback(t, body); got.Status {
			case 200:
				opened.Add(1)
			case 401:
			default:
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d of ten returns opened a session", opened.Load())
	}
}

// C07, C27, C38, V54: what counts is what is so at the return.
func (s *ssoSystem) changesInBetween(t *testing.T) {
	id := s.createLinkedUser(t, "caught", "sub-caught")
	who := issuertest.Claims{"sub": "sub-caught"}
	do := func(method, path string, body any) { s.admin.do(t, method, path, body) }
	account := "/api/accounts/" + id
	for _, c := range []struct {
		name, code      string
		before, restore func()
	}{
		{"blocked", "signInRefused",
			func() { do("POST", account+"/block", map[string]any{"reason": "left"}) },
			func() { do("POST", account+"/allow", nil) }},
		{"locked", "signInRefused", func() { do("POST", account+"/lock", nil) },
			func() { do("POST", account+"/unlock", nil) }},
		{"unlinked", "signInRefused",
			func() { do("DELETE", account+"/links/"+s.oidcID, nil) },
			func() { do("PUT", account+"/links/"+s.oidcID, map[string]any{"objectId": "sub-caught"}) }},
		{"last day passed", "signInRefused",
			func() { s.patched(t, id, map[string]any{"dateFrom": "2020-01-01", "dateTo": "2020-01-02"}) },
			func() { s.patched(t, id, map[string]any{"dateTo": nil}) }},
		{"turned off", "attempt",
			func() { s.patchProvider(t, s.oidcID, map[string]any{"enabled": false}) },
			func() { s.patchProvider(t, s.oidcID, map[string]any{"enabled": true}) }},
	} {
		body := s.authorize(t, who)
		c.before()
		s.callback(t, body).expectProblem(t, 401, c.code)
		c.restore()
		do("POST", account+"/allow", nil)
		if got := s.callback(t, s.authorize(t, who)); got.Status != 200 {
			t.Fatalf("%s, and undone: %d %s", c.name, got.Status, got.Body)
		}
	}
	log := s.admin.do(t, "GET", account+"/log", nil).expect(t, 200)
	for _, why := range []string{"With a provider: Login access is blocked.", "With a provider: The account is locked."} {
		if !strings.Contains(log.Body, why) {
			t.Errorf("the log lacks %q: %s", why, log.Body)
		}
	}
	// V95: guesses at the password that block the account stop no other way in.
	for range 6 {
		s.anonymous().do(t, "POST", "/api/login", map[string]any{"identifier": "caught", "password": "wrong"})
	}
	s.callback(t, s.authorize(t, who)).expect(t, 200)
}

// patched changes an account, whatever its version.
func (s *ssoSystem) patched(t *testing.T, id string, patch map[string]any) {
	t.Helper()
	is := s.admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200)
	s.admin.do(t, "PATCH", "/api/accounts/"+id, patch, ifMatch(is)).expect(t, 200)
}

// V33: a provider is the first factor; the second only where it says so and is trusted to.
func (s *ssoSystem) secondFactor(t *testing.T) {
	_, _, codes, id := s.admin.createUserWithTOTP(t, "strong")
	s.admin.do(t, "PUT", "/api/accounts/"+id+"/links/"+s.oidcID, map[string]any{"objectId": "sub-strong"}).expect(t, 200)
	plain, strong := issuertest.Claims{"sub": "sub-strong"},
		issuertest.Claims{"sub": "sub-strong", "amr": []string{"pwd", "mfa"}}
	step := s.callback(t, s.authorize(t, strong)).expect(t, 200) // not trusted to
	if step.text(t, "next") != "secondFactor" || step.text(t, "accessToken") != "" {
		t.Fatalf("%s", step.Body)
	}
	done := s.anonymous().do(t, "POST", "/api/login/second-factor",
		map[string]any{"ticket": step.text(t, "ticket"), "method": "recoveryCode", "code": codes[0]}).expect(t, 200)
	s.anonymous().keepTokens(t, done)
	s.patchProvider(t, s.oidcID, map[string]any{"secondFactor": true})
	if step := s.callback(t, s.authorize(t, plain)).expect(t, 200); step.text(t, "next") != "secondFactor" {
		t.Errorf("without amr: %s", step.Body)
	}
	s.anonymous().keepTokens(t, s.callback(t, s.authorize(t, strong)).expect(t, 200))
	s.patchProvider(t, s.oidcID, map[string]any{"secondFactor": false})
}

// C29, V48: a page of ours is bound by a cookie that no script reads, and gets its tokens as cookies; no other origin's
// does.
func (s *ssoSystem) cookieSignIn(t *testing.T) {
	s.createLinkedUser(t, "paged", "sub-paged")
	ours := []header{{"X-UA-Client", "web"}, {"Origin", s.admin.url}}
	went := s.anonymous().do(t, "POST", "/api/sso/providers/"+s.oidcID+"/depart", map[string]any{"client": "Console"},
		ours...).expect(t, 200)
	cookie := went.Header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-sso-") || !strings.Contains(cookie, "HttpOnly; SameSite=Strict") ||
		went.text(t, "browser") != "" {
		t.Fatalf("%s %s", cookie, went.Body)
	}
	s.issuer.SetUser(issuertest.Claims{"sub": "sub-paged"})
	q := s.issuer.Authorize(t, went.text(t, "url"))
	body := map[string]any{"state": q.Get("state"), "code": q.Get("code")}
	s.anonymous().do(t, "POST", "/api/sso/return", body, header{"X-UA-Client", "web"},
		header{"Origin", "https://evil.example"}).expectProblem(t, 403, "crossOrigin")
	kept, _, _ := strings.Cut(cookie, ";")
	name, _, _ := strings.Cut(kept, "=")
	// A second tab goes too, and comes back later: neither has the other's cookie.
	second, keptToo := went, kept
	for strings.HasPrefix(keptToo, name+"=") {
		second = s.anonymous().do(t, "POST", "/api/sso/providers/"+s.oidcID+"/depart", map[string]any{"client": "Console"},
			ours...).expect(t, 200)
		keptToo, _, _ = strings.Cut(second.Header.Get("Set-Cookie"), ";")
	}
	kept += "; " + keptToo
	got := s.anonymous().do(t, "POST", "/api/sso/return", body, append(ours, header{"Cookie", kept})...).expect(t, 200)
	set := strings.Join(got.Header.Values("Set-Cookie"), "\n")
	if got.text(t, "accessToken") != "" || !strings.Contains(set, "__Host-access=") ||
		!strings.Contains(set, name+"=; Path=/; Max-Age=0") {
		t.Errorf("%s\n%s", got.Body, set)
	}
	q = s.issuer.Authorize(t, second.text(t, "url"))
	s.anonymous().do(t, "POST", "/api/sso/return", map[string]any{"state": q.Get("state"), "code": q.Get("code")},
		append(ours, header{"Cookie", keptToo})...).expect(t, 200)
}

// An account that never had a password, or whose temporary one is over, comes in by its provider; one for API clients
// does not.
func (s *ssoSystem) withoutPassword(t *testing.T) {
	made := s.admin.do(t, "POST", "/api/accounts",
		map[string]any{"username": "nopass", "name": "No Password", "email": "nopass@example.com", "userType": "FULL"}).
		expect(t, 201)
	id := made.text(t, "id")
	s.admin.do(t, "POST", "/api/accounts/"+id+"/allow", nil).expect(t, 200)
	s.admin.do(t, "PUT", "/api/accounts/"+id+"/links/"+s.oidcID, map[string]any{"objectId": "sub-nopass"}).expect(t, 200)
	who := issuertest.Claims{"sub": "sub-nopass"}
	own := s.anonymous()
	own.keepTokens(t, s.callback(t, s.authorize(t, who)).expect(t, 200))
	// C37: the last way in stays, also when two are removed at once.
	own.do(t, "POST", "/api/me/links/"+s.oidcID+"/remove", map[string]any{}).expectProblem(t, 409, "lastWayIn")
	s.admin.do(t, "PUT", "/api/accounts/"+id+"/links/"+s.azureID, map[string]any{"objectId": "oid-nopass"}).expect(t, 200)
	s.patchProvider(t, s.azureID, map[string]any{"enabled": false}) // a link to it is no way in then
	own.do(t, "POST", "/api/me/links/"+s.oidcID+"/remove", map[string]any{}).expectProblem(t, 409, "lastWayIn")
	s.patchProvider(t, s.azureID, map[string]any{"enabled": true})
	var all sync.WaitGroup
	for _, provider := range []string{s.oidcID, s.azureID} {
		all.Go(func() { own.do(t, "POST", "/api/me/links/"+provider+"/remove", map[string]any{}) })
	}
	all.Wait()
	if left := own.do(t, "GET", "/api/me/links", nil).expect(t, 200).members(t)["items"].([]any); len(left) != 1 {
		t.Errorf("links left: %v", left)
	}
	s.admin.do(t, "PUT", "/api/accounts/"+id+"/links/"+s.oidcID, map[string]any{"objectId": "sub-nopass"}).expect(t, 200)
	account := s.admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200)
	s.admin.do(t, "PATCH", "/api/accounts/"+id, map[string]any{"userType": "API"}, ifMatch(account)).expectProblem(t, 409,
		"used") // V91
	s.callback(t, s.authorize(t, who)).expect(t, 200)
}

// C37, V35: a person links and unlinks their own, after a fresh proof, and nobody takes another's identity.
func (s *ssoSystem) ownLinks(t *testing.T) {
	s.admin.createUser(t, "own", userPassword, nil)
	own := s.admin.signedInAs(t, "own", userPassword)
	depart := "/api/me/links/" + s.oidcID + "/depart"
	own.do(t, "POST", depart, map[string]any{"password": "wrong"}).expectProblem(t, 422, "invalid", "password")
	stolen := own.authorizeAt(t, depart, s.issuer, issuertest.Claims{"sub": "sub-own"})
	s.admin.do(t, "POST", "/api/me/links/return", stolen).expectProblem(t, 401, "attempt") // somebody else's session
	s.callback(t, own.authorizeAt(t, depart, s.issuer, issuertest.Claims{"sub": "sub-own"})).expectProblem(t, 401,
		"attempt")
	got := own.do(t, "POST", "/api/me/links/return",
		own.authorizeAt(t, depart, s.issuer, issuertest.Claims{"sub": "sub-own"})).expect(t, 200)
	if got.text(t, "objectId") != "sub-own" {
		t.Errorf("%s", got.Body)
	}
	own.do(t, "POST", "/api/me/links/return",
		own.authorizeAt(t, depart, s.issuer, issuertest.Claims{"sub": "sub-linked"})).expectProblem(t, 409, "linkedToAnother")
	s.anonymous().keepTokens(t, s.callback(t, s.authorize(t, issuertest.Claims{"sub": "sub-own"})).expect(t, 200))
	for range 2 {
		own.do(t, "POST", "/api/me/links/"+s.oidcID+"/remove", map[string]any{"password": userPassword}).expect(t, 204)
	}
	own.do(t, "GET", "/api/me", nil).expect(t, 200) // the session goes on
	s.callback(t, s.authorize(t, issuertest.Claims{"sub": "sub-own"})).expectProblem(t, 401, "signInRefused")
}

// Providers are administered under their versions; the secret goes in and never comes out.
func (s *ssoSystem) providers(t *testing.T) {
	made := s.admin.do(t, "POST", "/api/sso-providers",
		map[string]any{"name": "Third", "kind": "oidc", "issuer": s.issuer.URL, "clientId": "c",
			"clientSecret": "canary-77"}).expect(t, 201)
	path := "/api/sso-providers/" + made.text(t, "id")
	if made.members(t)["hasSecret"] != true || made.Header.Get("Location") != path ||
		made.text(t, "redirectUrl") != s.admin.url+"/sso/callback" {
		t.Errorf("%s", made.Body)
	}
	s.admin.do(t, "POST", path+"/check", nil).expect(t, 204)
	changed := s.admin.do(t, "PATCH", path, map[string]any{"issuer": s.issuer.URL + "/other"}, ifMatch(made)).expect(t,
		200)
	s.admin.do(t, "POST", path+"/check", nil).expectProblem(t, 409, "provider.notFound")
	s.admin.do(t, "PATCH", path, map[string]any{"enabled": true}, ifMatch(made)).expectProblem(t, 412, "stale", "issuer")
	s.admin.do(t, "PATCH", path, map[string]any{"kind": "google"}, ifMatch(changed)).expectProblem(t, 422, "invalid",
		"kind")
	s.admin.do(t, "PATCH", path, map[string]any{"clientSecret": 7}, ifMatch(changed)).expectProblem(t, 400, "body",
		"clientSecret")
	s.admin.do(t, "POST", "/api/sso-providers",
		map[string]any{"kind": "azure", "tenant": "common", "name": "A", "clientId": "c"}).expectProblem(t, 422, "invalid",
		"tenant")
	s.anonymous().do(t, "POST", "/api/sso/providers/"+made.text(t, "id")+"/depart", nil).expectProblem(t, 404, "notFound")
	s.admin.do(t, "DELETE", path, nil, ifMatch(made)).expectProblem(t, 412, "stale")
	s.admin.do(t, "DELETE", path, nil, ifMatch(changed)).expect(t, 204)
	s.admin.do(t, "GET", path, nil).expectProblem(t, 404, "notFound")
	linked := s.admin.do(t, "GET", "/api/sso-providers/"+s.oidcID, nil).expect(t, 200)
	s.admin.do(t, "DELETE", "/api/sso-providers/"+s.oidcID, nil, ifMatch(linked)).expectProblem(t, 409, "linked")
	log := s.admin.do(t, "GET", "/api/settings/log", nil).expect(t, 200)
	all := s.admin.do(t, "GET", "/api/sso-providers", nil).expect(t, 200)
	if strings.Contains(log.Body+all.Body+linked.Body, "canary") || !strings.Contains(log.Body, "providerRemoved") {
		t.Errorf("%s", log.Body)
	}
}

// The wizard over a directory: pages, matches, links, links taken away, and a directory that asks to slow down.
func (s *ssoSystem) directory(t *testing.T) {
	al := s.admin.createUser(t, "diral", userPassword, nil).text(t, "id")
	s.admin.createUser(t, "dirbo", userPassword, nil)
	at := "/api/sso-providers/" + s.azureID
	s.admin.do(t, "POST", "/api/sso-providers/"+s.oidcID+"/directory/depart", nil).expectProblem(t, 409, "noDirectory")
	came := s.admin.authorizeAt(t, at+"/directory/depart", s.azure,
		issuertest.Claims{"sub": "adm", "oid": "adm", "tid": tenant})
	token := s.admin.do(t, "POST", "/api/sso/directory/return", came).expect(t, 200).text(t, "directory")
	people := func(next string) response {
		return s.admin.do(t, "POST", "/api/sso/directory/people", map[string]any{"directory": token, "next": next})
	}
	outcomes := func(a response) string {
		var out []string
		for _, item := range a.expect(t, 200).members(t)["items"].([]any) {
			one := item.(map[string]any)
			out = append(out, fmt.Sprint(one["name"], " ", one["outcome"], " ", one["disabled"]))
		}
		return strings.Join(out, ", ")
	}
	first := people("")
	if got := outcomes(first); got != "Al linkable false, Bo linkable false" {
		t.Errorf("%s", got)
	}
	if got := outcomes(people(first.text(t, "next"))); got != "Cy noSuchEmail true" {
		t.Errorf("%s", got)
	}
	people("https://evil.example/v1.0/users?").expectProblem(t, 422, "cursor")
	s.admin.signedInAs(t, "admin", adminPassword).do(t, "POST", "/api/sso/directory/people",
		map[string]any{"directory": token}).expectProblem(t, 409, "directory")
	s.throttled.Store(true)
	slow := people("")
	slow.expectProblem(t, 429, "provider.throttled")
	if slow.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q", slow.Header.Get("Retry-After"))
	}
	s.throttled.Store(false)
	pairs := []map[string]any{{"accountId": al, "objectId": "az-1"}, {"email": "DirBo@example.com", "objectId": "az-2"},
		{"email": "none@example.com", "objectId": "az-9"}, {"accountId": "01JZ0000000000000000000001", "objectId": "az-8"}}
	linked := s.admin.do(t, "POST", at+"/links", map[string]any{"pairs": pairs}).expect(t, 200)
	if got := joinMember(t, linked, "outcome"); got != "linked linked noSuchEmail noSuchAccount" {
		t.Errorf("%s", linked.Body)
	}
	if got := outcomes(people("")); got != "Al alreadyLinked false, Bo alreadyLinked false" {
		t.Errorf("%s", got)
	}
	gone := s.admin.do(t, "POST", at+"/links/remove",
		map[string]any{"accountIds": []string{al, al, "01JZ0000000000000000000001"}}).expect(t, 200)
	if got := joinMember(t, gone, "outcome"); got != "removed notLinked noSuchAccount" {
		t.Errorf("%s", gone.Body)
	}
	many := make([]map[string]any, 501)
	for i := range many {
		many[i] = map[string]any{"email": "a@example.com", "objectId": "x"}
	}
	s.admin.do(t, "POST", at+"/links", map[string]any{"pairs": many}).expectProblem(t, 400, "body", "pairs")
}

// joinMember joins a member of all items.
func joinMember(t *testing.T, a response, name string) string {
	t.Helper()
	var out []string
	for _, item := range a.members(t)["items"].([]any) {
		out = append(out, fmt.Sprint(item.(map[string]any)[name]))
	}
	return strings.Join(out, " ")
}

// V55, C41: the wizard over a file: byte order mark, semicolons, quotes; a result for each line, the good ones go in.
func (s *ssoSystem) file(t *testing.T) {
	for _, name := range []string{"csva", "csvb", "csvc", "csvd"} {
		s.admin.createUser(t, name, userPassword, nil)
	}
	at := "/api/sso-providers/" + s.azureID + "/link-files"
	form := s.admin.do(t, "POST", at, nil).expect(t, 200).members(t)
	path := at + "/" + form["fileId"].(string)
	s.admin.do(t, "POST", path+"/check", nil).expectProblem(t, 404, "noFile")
	content := "\xef\xbb\xbfName;\"Mail\";Object_ID\n"
	postCSV(t, form, []byte(content))
	s.admin.do(t, "POST", path+"/check", nil).expectProblem(t, 422, "invalid", "file")
	content = "\xef\xbb\xbfName;Email;Object_ID\r\n\"A; " +
		"x\";CSVA@example.com;csv-1\r\n;csvb@example.com;csv-2\r\n;csvb@example.com;csv-3\r\n" +
		";none@example.com;csv-4\r\n;csvc@example.com;oid-1\r\n;a@evil@example.com;csv-6\r\n" +
		";csvd@example.com;\r\n\r\n;csva@example.com;csv-1\r\n"
	postCSV(t, form, []byte(content))
	checked := s.admin.do(t, "POST", path+"/check", nil).expect(t, 200)
	want := "linkable twoAccounts twoAccounts noSuchEmail linkedToAnother unusable unusable linkable"
	if got := joinMember(t, checked, "outcome"); got != want || joinMember(t, checked, "line") != "2 3 4 5 6 7 8 10" ||
		checked.members(t)["lines"] != 8.0 {
		t.Errorf("%s", checked.Body)
	}
	postCSV(t, form, []byte("email,object_id\ncsvd@example.com,csv-x\n")) // after the check: what was checked is applied
	version := checked.text(t, "version")
	s.admin.do(t, "POST", path+"/apply", map[string]any{"version": "no such version"}).expectProblem(t, 404, "noFile")
	s.admin.do(t, "POST", path+"/apply", map[string]any{}).expectProblem(t, 400, "body", "version")
	applied := s.admin.do(t, "POST", path+"/apply", map[string]any{"version": version}).expect(t, 200)
	if got := joinMember(t, applied,
		"outcome"); got != "linked twoAccounts twoAccounts noSuchEmail linkedToAnother unusable unusable alreadyLinked" {
		t.Errorf("%s", applied.Body)
	}
	again := s.admin.do(t, "POST", path+"/apply", map[string]any{"version": version}).expect(t, 200)
	if got := joinMember(t, again, "outcome"); !strings.HasPrefix(got, "alreadyLinked twoAccounts") {
		t.Errorf("%s", again.Body)
	}
	// Whoever was linked is told once, and nobody else.
	told := s.admin.do(t, "GET", "/api/communications?kind=linkAdded&limit=200", nil).expect(t, 200).Body
	for name, times := range map[string]int{"csva": 1, "csvb": 0, "csvc": 0, "csvd": 0} {
		if n := strings.Count(told, name+"@example.com"); n != times {
			t.Errorf("%s is told %d times: %s", name, n, told)
		}
	}
	// Another person's file is none.
	s.admin.createUser(t, "second", userPassword, map[string]any{"roles": []string{"ADMIN"}})
	s.admin.signedInAs(t, "second", userPassword).do(t, "POST", path+"/check", nil).expectProblem(t, 404, "noFile")
	// Duplicates are judged over the whole file, a thousand lines at a time.
	var long bytes.Buffer
	long.WriteString("email,object_id\n")
	for i := range 1500 {
		fmt.Fprintf(&long, "p%d@example.com,o-%d\n", i, i)
	}
	long.WriteString("p7@example.com,other\n")
	postCSV(t, form, long.Bytes())
	first := s.admin.do(t, "POST", path+"/check", nil).expect(t, 200)
	if got := first.members(t); got["next"] != 1002.0 || len(got["items"].([]any)) != 1000 ||
		strings.Count(joinMember(t, first, "outcome"), "twoAccounts") != 1 {
		t.Errorf("next %v, %v", got["next"], got["counts"])
	}
	rest := s.admin.do(t, "POST", path+"/check",
		map[string]any{"version": first.text(t, "version"), "from": 1002}).expect(t, 200)
	if got := rest.members(t); got["next"] != nil || len(got["items"].([]any)) != 501 {
		t.Errorf("next %v, %v", got["next"], got["counts"])
	}
}

func postCSV(t *testing.T, form map[string]any, content []byte) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range form["fields"].(map[string]any) {
		if err := w.WriteField(name, value.(string)); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "people.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content) // into memory
	_ = w.Close()
	request, err := http.NewRequestWithContext(t.Context(), "POST", form["url"].(string), &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", w.FormDataContentType())
	if got := send(t, request); got.Status/100 != 2 {
		t.Fatalf("upload: %d %s", got.Status, got.Body)
	}
}

// V47, V57: linking is a right of its own; nobody links above their own rights, and what there is not is 404 (V58).
func (s *ssoSystem) permissions(t *testing.T) {
	s.admin.createUser(t, "editor", userPassword, map[string]any{"roles": []string{"EDITOR"}})
	editor := s.admin.signedInAs(t, "editor", userPassword)
	someone := s.admin.createUser(t, "someone", userPassword, nil).text(t, "id")
	editor.do(t, "PUT", "/api/accounts/"+someone+"/links/"+s.oidcID, map[string]any{"objectId": "x"}).expectProblem(t,
		403, "forbidden")
	editor.do(t, "GET", "/api/sso-providers", nil).expectProblem(t, 403, "forbidden")
	editor.do(t, "POST", "/api/sso-providers/"+s.oidcID+"/links", map[string]any{"pairs": []any{}}).expectProblem(t, 403,
		"forbidden")
	editor.do(t, "GET", "/api/accounts/"+someone+"/links", nil).expect(t, 200)
	none := "01JZ0000000000000000000001"
	s.admin.do(t, "PUT", "/api/accounts/"+none+"/links/"+s.oidcID, map[string]any{"objectId": "x"}).expectProblem(t, 404,
		"notFound")
	s.admin.do(t, "PUT", "/api/accounts/"+someone+"/links/"+none, map[string]any{"objectId": "x"}).expectProblem(t, 404,
		"notFound")
	s.admin.do(t, "PUT", "/api/accounts/"+someone+"/links/"+s.oidcID, map[string]any{"objectId": " \t"}).expectProblem(t,
		422, "invalid", "objectId")
	s.callback(t, map[string]any{"state": "x", "more": 1}).expectProblem(t, 400, "body", "more")
	s.callback(t, map[string]any{}).expectProblem(t, 400, "body", "state")
	raw, _ := json.Marshal(map[string]any{"state": strings.Repeat("x", 5000)})
	s.anonymous().do(t, "POST", "/api/sso/return", string(raw)).expectProblem(t, 400, "body", "state")
}

// sampleValues makes what the samples of single sign-on speak of.
func (s *ssoSystem) sampleValues(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{
		"providerId": s.oidcID, "azureId": s.azureID, "unusedProviderId": s.createProvider(t, "google", nil),
		"changedProviderId": s.createProvider(t, "google", nil),
	}
	came := func(name string, body map[string]any) {
		values[name+"State"], values[name+"Code"], values[name+"Browser"] = body["state"].(string), body["code"].(string),
			body["browser"].(string)
	}
	s.createLinkedUser(t, "signedon", "sub-signedon")
	came("sso", s.authorize(t, issuertest.Claims{"sub": "sub-signedon"}))
	s.admin.createUser(t, "linking", userPassword, nil)
	own := s.admin.signedInAs(t, "linking", userPassword)
	values["ssoToken"] = own.token
	came("link",
		own.authorizeAt(t, "/api/me/links/"+s.oidcID+"/depart", s.issuer, issuertest.Claims{"sub": "sub-linking"}))
	directory := func() map[string]any {
		return s.admin.authorizeAt(t, "/api/sso-providers/"+s.azureID+"/directory/depart", s.azure,
			issuertest.Claims{"sub": "adm", "oid": "adm", "tid": tenant})
	}
	came("directory", directory())
	values["directory"] = s.admin.do(t, "POST", "/api/sso/directory/return", directory()).expect(t, 200).text(t,
		"directory")
	form := s.admin.do(t, "POST", "/api/sso-providers/"+s.oidcID+"/link-files", nil).expect(t, 200).members(t)
	postCSV(t, form, []byte("email,object_id\nsignedon@example.com,sub-signedon\n"))
	values["linkFileId"] = form["fileId"].(string)
	values["linkFileVersion"] = s.admin.do(t, "POST",
		"/api/sso-providers/"+s.oidcID+"/link-files/"+values["linkFileId"]+"/check", nil).expect(t, 200).text(t, "version")
	return values
}
