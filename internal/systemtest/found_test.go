package systemtest_test

import (
	"strings"
	"testing"
)

// helpdesk makes somebody with these permissions alone, signed in, and returns their account's id.
func (c *client) helpdesk(t *testing.T, username string, permissions ...string) (*client, string) {
	t.Helper()
	role := strings.ToUpper(username)
	createEntry(t, c, "/api/access/roles",
		map[string]any{"code": role, "description": "Test", "permissions": permissions})
	id := c.createUser(t, username, userPassword, map[string]any{"roles": []string{role}}).text(t, "id")
	return c.signedInAs(t, username, userPassword), id
}

// What a review found reachable beside the rights of its caller, each to stay impossible. What it found beyond these is
// in TestAStaleSessionTakesOverNothing, TestStrangersCannotLockOutOfAKnownNetwork, internal/account's doors and acts
// (V91), and internal/oidc's TestTheAuthorizationAddressIsHTTPS (V103).
func TestWhatAReviewFound(t *testing.T) {
	t.Parallel()
	s := startSSO(t)
	t.Run("administrators' sessions", s.administratorsSessions)
	t.Run("nothing to oneself", s.nothingToOneself)
	t.Run("factor classes", s.factorClassesWantAdministrators)
	t.Run("own account by the administrator's route", s.ownLinkByTheAdministratorsRoute)
	t.Run("names in conflicts", s.conflictsNameNobody)
	t.Run("acts answer without the account", s.actsAnswerWithoutTheAccount)
	t.Run("nobody's identifiers", s.identifiersOfNobody)
}

// V100: sessions of administrators are listed and closed by administrators only.
func (s *ssoSystem) administratorsSessions(t *testing.T) {
	desk, _ := s.admin.helpdesk(t, "closer", "account.read", "account.session")
	user := s.admin.createUser(t, "closed", userPassword, nil).text(t, "id")
	theirs := s.admin.signedInAs(t, "closed", userPassword)
	me := s.admin.do(t, "GET", "/api/me", nil).expect(t, 200)
	own := "/api/accounts/" + me.text(t, "accountId") + "/sessions"
	desk.do(t, "GET", own, nil).expectProblem(t, 403, "administrator")
	desk.do(t, "DELETE", own, nil).expectProblem(t, 403, "administrator")
	desk.do(t, "DELETE", own+"/"+me.text(t, "sessionId"), nil).expectProblem(t, 403, "administrator")
	s.admin.do(t, "GET", "/api/me", nil).expect(t, 200)
	desk.do(t, "GET", "/api/accounts/"+user+"/sessions", nil).expect(t, 200)
	if got := desk.do(t, "DELETE", "/api/accounts/"+user+"/sessions", nil); got.Status/100 != 2 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	theirs.do(t, "GET", "/api/me", nil).expect(t, 401)
}

// V100: nobody gives themselves a DAC group or a delegation, however: by their own change, in bulk, or by a copy.
func (s *ssoSystem) nothingToOneself(t *testing.T) {
	desk, id := s.admin.helpdesk(t, "granter", "account.read", "account.update")
	own := "/api/accounts/" + id
	other := "/api/accounts/" + s.admin.createUser(t, "granted", userPassword,
		map[string]any{"dacGroups": []string{"DAC1"}}).text(t, "id")
	patch := func(at string) response {
		return desk.do(t, "PATCH", at, map[string]any{"dacGroups": []string{"DAC1", "DAC2"}},
			ifMatch(desk.do(t, "GET", at, nil).expect(t, 200)))
	}
	patch(own).expectProblem(t, 409, "self")
	desk.do(t, "POST", own+"/delegations", delegationTarget("resourceGroup", "STAFF", true)).expectProblem(t, 409, "self")
	desk.do(t, "POST", own+"/copy-from",
		map[string]any{"from": strings.TrimPrefix(other, "/api/accounts/"), "dacGroups": true}).
		expectProblem(t, 409, "self")
	if got := desk.do(t, "GET", own, nil).members(t); len(got["dacGroups"].([]any)) != 0 {
		t.Errorf("%v", got["dacGroups"])
	}
	patch(other).expect(t, 200)
	desk.do(t, "POST", other+"/delegations", delegationTarget("resourceGroup", "STAFF", true)).expect(t, 201)
}

// V101: what a provider says of a second factor, or of anything else, is set by administrators, not by whoever has
// settings.write.
func (s *ssoSystem) factorClassesWantAdministrators(t *testing.T) {
	desk, _ := s.admin.helpdesk(t, "tuner", "settings.read", "settings.write")
	at := "/api/sso-providers/" + s.oidcID
	is := desk.do(t, "GET", at, nil).expect(t, 200)
	for _, patch := range []map[string]any{
		{"factorClasses": []string{"any"}}, {"secondFactor": true}, {"name": "Mine"},
		{"issuer": "https://login.example.com"},
	} {
		if got := desk.do(t, "PATCH", at, patch, ifMatch(is)); got.Status != 403 || got.text(t, "code") != "forbidden" ||
			!strings.Contains(got.text(t, "detail"), "account.admin") {
			t.Errorf("%v: %d %s", patch, got.Status, got.Body)
		}
	}
	desk.do(t, "POST", "/api/sso-providers", map[string]any{"name": "Mine", "kind": "oidc", "clientId": "x",
		"clientSecret": "y", "issuer": "https://login.example.com", "enabled": true}).expectProblem(t, 403, "forbidden")
	desk.do(t, "DELETE", at, nil, ifMatch(is)).expectProblem(t, 403, "forbidden")
	if now := desk.do(t, "GET", at, nil).expect(t, 200); now.Body != is.Body {
		t.Errorf("%s, was %s", now.Body, is.Body)
	}
}

// V92: nobody links their own account, or removes its links, by the administrator's route, an administrator as little
// as who may link others.
func (s *ssoSystem) ownLinkByTheAdministratorsRoute(t *testing.T) {
	desk, id := s.admin.helpdesk(t, "linker", "account.read", "account.link")
	me := s.admin.do(t, "GET", "/api/me", nil).expect(t, 200).text(t, "accountId")
	at := "/api/accounts/" + id + "/links/" + s.oidcID
	s.admin.do(t, "PUT", at, map[string]any{"objectId": "sub-linker"}).expect(t, 200)
	desk.do(t, "DELETE", at, nil).expectProblem(t, 409, "self")
	for whose, by := range map[string]*client{id: desk, me: s.admin} {
		at := "/api/accounts/" + whose + "/links/" + s.oidcID
		by.do(t, "PUT", at, map[string]any{"objectId": "sub-of-somebody"}).expectProblem(t, 409, "self")
		if links := by.do(t, "GET", "/api/me/links", nil).expect(t, 200); strings.Contains(links.Body, "sub-of-somebody") {
			t.Errorf("%s", links.Body)
		}
	}
	other := s.admin.createUser(t, "linked-by-desk", userPassword, nil).text(t, "id")
	desk.do(t, "PUT", "/api/accounts/"+other+"/links/"+s.oidcID, map[string]any{"objectId": "sub-other"}).expect(t, 200)
}

// V100: the conflict of what is in use names no account to who may not read accounts.
func (s *ssoSystem) conflictsNameNobody(t *testing.T) {
	desk, _ := s.admin.helpdesk(t, "keeper", "access.read", "access.write")
	at, _ := createEntry(t, s.admin, "/api/access/roles", map[string]any{"code": "INUSE", "description": "In use"})
	s.admin.createUser(t, "holder-of-inuse", userPassword, map[string]any{"roles": []string{"INUSE"}})
	read := s.admin.do(t, "GET", at, nil).expect(t, 200)
	for who, by := range map[string]*client{"desk": desk, "admin": s.admin} {
		got := by.do(t, "DELETE", at, nil, ifMatch(read))
		got.expectProblem(t, 409, "inUse")
		if named := strings.Contains(got.Body, "holder-of-inuse"); named != (who == "admin") {
			t.Errorf("%s: %s", who, got.Body)
		}
	}
}

// V100: who may let people in but not read them gets no account back, and the act is done.
func (s *ssoSystem) actsAnswerWithoutTheAccount(t *testing.T) {
	desk, _ := s.admin.helpdesk(t, "doorman", "account.block", "account.lock", "account.password")
	at := "/api/accounts/" + s.admin.createUser(t, "secretive", userPassword, nil).text(t, "id")
	for _, act := range []struct {
		path string
		body any
	}{
		{"/block", map[string]any{"reason": "Test"}}, {"/allow", nil}, {"/lock", nil}, {"/unlock", nil},
		{"/reset-tries", nil}, {"/force-password-change", nil},
	} {
		if got := desk.do(t, "POST", at+act.path, act.body); got.Status != 204 || got.Body != "" {
			t.Errorf("%s: %d %s", act.path, got.Status, got.Body)
		}
	}
	desk.do(t, "GET", at, nil).expect(t, 403)
	if is := s.admin.do(t, "GET", at, nil).members(t); is["forcePasswordChange"] != true {
		t.Errorf("%v", is)
	}
}

// V102: a text that is nobody's identifier, perhaps a password typed into the wrong box, is kept nowhere in clear: in
// no item of the table and of the outbox, and in no log.
func (s *ssoSystem) identifiersOfNobody(t *testing.T) {
	const typed = "Cormorant77-harbour"
	nobody := s.anonymous()
	for _, who := range []string{typed, typed + "@example.com", " " + strings.ToUpper(typed)} {
		for range 7 {
			nobody.do(t, "POST", "/api/login",
				map[string]any{"identifier": who, "password": "wrong"}).expectProblem(t, 401, "signInRefused")
		}
		nobody.do(t, "POST", "/api/password/forgotten", map[string]any{"identifier": who}).expect(t, 202)
	}
	places := readEverythingStored(t, s.system)
	if len(places) < 50 {
		t.Fatalf("only %d places were looked at", len(places))
	}
	for place, text := range places {
		if strings.Contains(strings.ToLower(place+text), strings.ToLower(typed)) {
			t.Errorf("%s: %s", place, text)
		}
	}
}
