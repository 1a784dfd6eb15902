package systemtest_test

import (
	"fmt"
	"strings"
	"testing"

	"useraccounts/internal/local/issuertest"
)

// factorUser is somebody with one state of the second factor.
type factorUser struct {
	name, id, subject string
	// factor is what they set up: "", "totp" or "passkey"; device a token of a device that is remembered.
	factor, device   string
	required, exempt bool
	passkey          *authenticator
}

// C13, C14, C12: the next step for every state of the second factor, by every way in, over HTTP: none of the ways
// leaves out a factor that is set up, of whatever kind, or one that is required. C16: nor does another username. V25:
// nor does a reset.
func TestTheNextStepByEveryWayIn(t *testing.T) {
	t.Parallel()
	s := startSSO(t, map[string]string{"PublicUrl": publicURL})
	var people []*factorUser
	for _, set := range []string{"", "totp", "passkey"} {
		for bits := range 4 {
			if p := s.createFactorUser(t, fmt.Sprintf("step%s%d", set, bits), set, bits&1 != 0, bits&2 != 0); p != nil {
				people = append(people, p)
			}
		}
	}
	for _, byEnvironment := range []bool{false, true} {
		settings := s.admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
		s.admin.do(t, "PATCH", "/api/settings", map[string]any{"mfaRequired": byEnvironment}, ifMatch(settings)).expect(t,
			200)
		for _, p := range people {
			s.signInEveryWay(t, p, p.required || byEnvironment && !p.exempt)
		}
	}
	for _, p := range people {
		if p.factor == "" {
			continue
		}
		account := s.admin.do(t, "GET", "/api/accounts/"+p.id, nil).expect(t, 200)
		s.admin.do(t, "PATCH", "/api/accounts/"+p.id, map[string]any{"username": "renamed-" + p.name},
			ifMatch(account)).expect(t, 200)
		if got := s.admin.passwordStep(t, "renamed-"+p.name, nil); got.text(t, "next") != "secondFactor" {
			t.Errorf("%s under another username: %s", p.name, got.Body)
		}
	}
}

// createFactorUser makes somebody with a state; nil if there is no such one, as what is required is not exempt.
func (s *ssoSystem) createFactorUser(t *testing.T, name, set string, required, exempt bool) *factorUser {
	t.Helper()
	if required && exempt {
		return nil
	}
	p := &factorUser{name: name, subject: "sub-" + name, factor: set, required: required, exempt: exempt}
	switch set {
	case "":
		p.id = s.admin.createUser(t, name, userPassword, nil).text(t, "id")
	case "totp":
		var codes []string
		_, _, codes, p.id = s.admin.createUserWithTOTP(t, name)
		p.device = s.admin.trustDevice(t, name, codes[0])
	case "passkey":
		var own *client
		own, p.passkey, _ = s.admin.createUserWithPasskey(t, name)
		p.id = own.do(t, "GET", "/api/me", nil).expect(t, 200).text(t, "accountId")
	}
	s.admin.do(t, "PUT", "/api/accounts/"+p.id+"/links/"+s.oidcID, map[string]any{"objectId": p.subject}).expect(t, 200)
	account := s.admin.do(t, "GET", "/api/accounts/"+p.id, nil).expect(t, 200)
	if required {
		s.admin.do(t, "PATCH", "/api/accounts/"+p.id, map[string]any{"mfaRequired": true}, ifMatch(account)).expect(t, 200)
	}
	if exempt {
		s.admin.do(t, "POST", "/api/accounts/"+p.id+"/mfa/do-not-enforce", nil).expect(t, 200)
	}
	return p
}

// signInEveryWay begins a sign-in by each way and looks where it leads. The rules are said here a second time.
func (s *ssoSystem) signInEveryWay(t *testing.T, p *factorUser, required bool) {
	t.Helper()
	wants := func(way string, got response, want string) {
		t.Helper()
		if got.expect(t, 200).text(t, "next") != want || (got.text(t, "accessToken") != "") != (want == "done") {
			t.Errorf("%s, required %v, by %s: %s, want %s", p.name, required, way, got.Body, want)
		}
	}
	one := "done"
	switch {
	case p.factor != "":
		one = "secondFactor"
	case required:
		one = "setUpSecondFactor"
	}
	wants("password", s.admin.passwordStep(t, p.name, nil), one)
	wants("a provider", s.callback(t, s.authorize(t, issuertest.Claims{"sub": p.subject})), one)
	strong := issuertest.Claims{"sub": p.subject, "amr": []string{"pwd", "mfa"}}
	wants("a provider that is not trusted for two factors", s.callback(t, s.authorize(t, strong)), one)
	s.patchProvider(t, s.oidcID, map[string]any{"secondFactor": true})
	wants("a provider that is trusted, with one", s.callback(t, s.authorize(t, issuertest.Claims{"sub": p.subject})), one)
	wants("a provider that is trusted, with two", s.callback(t, s.authorize(t, strong)), "done")
	s.patchProvider(t, s.oidcID, map[string]any{"secondFactor": false})
	if p.device != "" {
		got := s.admin.passwordStep(t, p.name, map[string]any{"device": p.device})
		wants("password from a remembered device", got, "done")
		p.device = got.text(t, "deviceToken")
		wants("password from another device",
			s.admin.passwordStep(t, p.name, map[string]any{"device": p.device[:len(p.device)-8] + "AAAAAAAA"}), "secondFactor")
	}
	if p.passkey != nil {
		asked := s.anonymous().do(t, "POST", "/api/login/passkey/begin", nil).expect(t, 200)
		wants("passkey alone",
			s.anonymous().do(t, "POST", "/api/login/passkey", map[string]any{"credential": p.passkey.assert(t, asked)}), "done")
	}
	// A mailed link sets a password and is no factor; devices that were remembered end with it.
	for _, password := range []string{"four quick grey otters", userPassword} {
		got := s.anonymous().do(t, "POST", "/api/password/set",
			map[string]any{"token": passwordLinkSample(t, s.system, p.id), "password": password}).expect(t, 200)
		if strings.Contains(got.Body, "oken") || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: the reset signs in: %s", p.name, got.Body)
		}
	}
	wants("password after a reset", s.admin.passwordStep(t, p.name, nil), one)
	if p.device != "" {
		wants("a device remembered before the reset", s.admin.passwordStep(t, p.name, map[string]any{"device": p.device}),
			"secondFactor")
		p.device = ""
	}
}
