package systemtest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What somebody holds that lets them in without more. A person has the first three, a program the others.
const (
	accessToken  = "access token"
	refreshToken = "refresh token"
	device       = "trusted device"
	apiKey       = "API key"
	keySession   = "session of a key"
)

// credentials is an account with everything that it can hold, and what each of it opens.
type credentials struct {
	id, path string
	checks   map[string]func(t *testing.T) bool
	// own is a person's client, codes their recovery codes; keyID is a program's.
	own   *client
	codes []string
	keyID string
}

// accepted says what of it opens something at this moment.
func (b *credentials) accepted(t *testing.T) string {
	t.Helper()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.checks)) {
		if b.checks[name](t) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// authenticates reports whether a token is let in; whatever is not is refused in the one way.
func authenticates(t *testing.T, c *client, bearer string) bool {
	t.Helper()
	got := c.withBearer(bearer).do(t, "GET", "/api/me", nil)
	if got.Status != 200 {
		got.expectProblem(t, 401, "session")
	}
	return got.Status == 200
}

// userCredentials is somebody with a session, its refresh token and a trusted device.
func userCredentials(t *testing.T, admin *client, username string) *credentials {
	t.Helper()
	own, _, codes, id := admin.createUserWithTOTP(t, username)
	trusted := admin.trustDevice(t, username, codes[0])
	b := &credentials{id: id, path: "/api/accounts/" + id, own: own, codes: codes}
	b.checks = map[string]func(*testing.T) bool{
		accessToken: func(t *testing.T) bool { t.Helper(); return authenticates(t, admin, own.token) },
		refreshToken: func(t *testing.T) bool {
			t.Helper()
			got := (&client{url: admin.url}).do(t, "POST", "/api/login/refresh", map[string]any{"refreshToken": own.refresh})
			if got.Status == 200 {
				own.keepTokens(t, got)
			}
			return got.Status == 200
		},
		// It stands in place of the second factor, and of nothing else.
		device: func(t *testing.T) bool {
			t.Helper()
			for _, password := range []string{userPassword, otherPassword} {
				got := (&client{url: admin.url}).do(t, "POST", "/api/login",
					map[string]any{"identifier": username, "password": password, "device": trusted})
				if next, _ := got.members(t)["next"].(string); next == "done" || next == "changePassword" {
					if renewed, _ := got.members(t)["deviceToken"].(string); renewed != "" {
						trusted = renewed
					}
					return true
				} else if got.Status == 200 {
					return false
				}
			}
			return false
		},
	}
	return b
}

// otherPassword is the password of whoever gets another one.
const otherPassword = "eleven quiet mountains"

// apiClientCredentials is a program with an API key and a session that it opened.
func apiClientCredentials(t *testing.T, admin *client, username string) *credentials {
	t.Helper()
	id := admin.createAPIClient(t, username, "VIEWER")
	keyID, key := admin.createKey(t, id, "Nightly")
	session := admin.signInByKey(t, key)
	return &credentials{id: id, path: "/api/accounts/" + id, keyID: keyID, checks: map[string]func(*testing.T) bool{
		apiKey:     func(t *testing.T) bool { t.Helper(); return authenticates(t, admin, key) },
		keySession: func(t *testing.T) bool { t.Helper(); return authenticates(t, admin, session.token) },
	}}
}

// V40, C27, C28: everything that ends somebody's access against everything that one can hold, at the very next request;
// and whether any of it comes to life again with the access.
func TestWhatEndsWhichAccess(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	all, sessions := "access token, refresh token, trusted device", "access token, refresh token"
	whole := "API key, session of a key"
	act := func(operation string, body any) func(*testing.T, *credentials) {
		return func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "POST", b.path+"/"+operation, body).expect(t, 200)
		}
	}
	set := func(fields map[string]any) func(*testing.T, *credentials) {
		return func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "PATCH", b.path, fields, ifMatch(admin.do(t, "GET", b.path, nil).expect(t, 200))).expect(t, 200)
		}
	}
	refusedAsUsed := func(fields map[string]any) func(*testing.T, *credentials) { // V91
		return func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "PATCH", b.path, fields, ifMatch(admin.do(t, "GET", b.path, nil))).expectProblem(t, 409, "used")
		}
	}
	both := func(first, second func(*testing.T, *credentials)) func(*testing.T, *credentials) {
		return func(t *testing.T, b *credentials) { t.Helper(); first(t, b); second(t, b) }
	}
	// enrols sets another authenticator up, so that a device could stand in place of it.
	enrols := func(t *testing.T, b *credentials) {
		t.Helper()
		name := admin.do(t, "GET", b.path, nil).expect(t, 200).text(t, "username")
		again := admin.signedInAs(t, name, userPassword)
		secret := again.do(t, "POST", "/api/me/mfa/totp", map[string]any{}).expect(t, 200).text(t, "secret")
		again.do(t, "POST", "/api/me/mfa/totp/confirm", map[string]any{"code": totpCode(t, secret)}).expect(t, 200)
	}
	for i, c := range []struct {
		name    string
		who     func(*testing.T, *client, string) *credentials
		do      func(*testing.T, *credentials)
		left    string
		restore func(*testing.T, *credentials)
		// back is what opens after that.
		back string
	}{
		{"a block", userCredentials, act("block", map[string]any{"reason": "Left"}), "", act("allow", nil), ""},
		{"a lock", userCredentials, act("lock", nil), "", act("unlock", nil), ""},
		// Dates that were wrong are put right, and a session within its limits goes on; a device is kept for longer, and is
		// not.
		{"the last day passed", userCredentials, set(map[string]any{"dateFrom": "2020-01-01", "dateTo": daysFromToday(-1)}),
			"", set(map[string]any{"dateTo": nil}), sessions},
		{"a licence for API clients, which only unused accounts get", userCredentials,
			refusedAsUsed(map[string]any{"userType": "API"}), all, nil, all},
		{"the second factor removed", userCredentials, both(act("mfa/remove", nil), enrols), "", nil, ""},
		{"the second factor removed by its owner", userCredentials, both(func(t *testing.T, b *credentials) {
			t.Helper()
			b.own.do(t, "POST", "/api/me/mfa/remove", map[string]any{"password": userPassword}).expect(t, 204)
		}, enrols), "", nil, ""},
		{"a password set", userCredentials, act("password", map[string]any{"password": otherPassword, "forceChange": false}),
			device, nil, device},
		{"a password generated", userCredentials, act("auto-reset-password", map[string]any{}), "",
			act("password", map[string]any{"password": userPassword, "forceChange": false}), ""},
		{"the password changed in another session", userCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			name := admin.do(t, "GET", b.path, nil).expect(t, 200).text(t, "username")
			body := map[string]any{"ticket": admin.passwordStep(t, name, nil).text(t, "ticket"), "method": "recoveryCode",
				"code": b.codes[1]}
			other := admin.withBearer(
				(&client{url: admin.url}).do(t, "POST", "/api/login/second-factor", body).expect(t, 200).text(t, "accessToken"))
			other.do(t, "POST", "/api/me/password",
				map[string]any{"current": userPassword, "password": otherPassword}).expect(t, 200)
		}, "", nil, ""},
		{"all sessions closed", userCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "DELETE", b.path+"/sessions", nil).expect(t, 200)
		}, device, nil, device},
		{"signing out", userCredentials,
			func(t *testing.T, b *credentials) { t.Helper(); b.own.do(t, "POST", "/api/logout", nil).expect(t, 204) }, device,
			nil, device},
		{"the devices deleted", userCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "DELETE", b.path+"/mfa/devices", nil).expect(t, 204)
		}, sessions, nil, sessions},
		// What a stranger can bring about ends nothing of the owner's.
		{"failed tries", userCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			exhaustAttempts(t, admin,
				testUser{&client{url: admin.url}, b.id, b.path, admin.do(t, "GET", b.path, nil).text(t, "username")})
		}, all, nil, all},
		{"a licence that was to be for API clients", userCredentials, func(t *testing.T, _ *credentials) {
			t.Helper()
			licence := admin.do(t, "GET", "/api/access/licences/FULL", nil).expect(t, 200)
			admin.do(t, "PATCH", "/api/access/licences/FULL", map[string]any{"apiOnly": true},
				ifMatch(licence)).expectProblem(t, 409, "inUse", "apiOnly")
		}, all, nil, all},
		{"a change of password to come", userCredentials, act("force-password-change", nil), all, nil, all},
		{"another name", userCredentials, set(map[string]any{"name": "Other"}), all, nil, all},

		{"a block of a program", apiClientCredentials, act("block", map[string]any{"reason": "Left"}), "", act("allow", nil),
			apiKey},
		{"a lock of a program", apiClientCredentials, act("lock", nil), "", act("unlock", nil), apiKey},
		{"a program's last day passed", apiClientCredentials,
			set(map[string]any{"dateFrom": "2020-01-01", "dateTo": daysFromToday(-1)}), "", set(map[string]any{"dateTo": nil}),
			whole},
		{"a licence for people, which only unused accounts get", apiClientCredentials,
			refusedAsUsed(map[string]any{"userType": "FULL", "email": "program@example.com"}), whole, nil, whole},
		{"a key locked", apiClientCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "POST", b.path+"/keys/"+b.keyID+"/lock", nil).expect(t, 200)
		}, "", nil, ""},
		{"a program's sessions closed", apiClientCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			admin.do(t, "DELETE", b.path+"/sessions", nil).expect(t, 200)
		}, apiKey, nil, apiKey},
		{"failed tries on a program", apiClientCredentials, func(t *testing.T, b *credentials) {
			t.Helper()
			exhaustAttempts(t, admin,
				testUser{&client{url: admin.url}, b.id, b.path, admin.do(t, "GET", b.path, nil).text(t, "username")})
		}, whole, nil, whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.who(t, admin, fmt.Sprintf("bearer%d", i))
			if got := b.accepted(t); got != all && got != whole {
				t.Fatalf("at first %q opens", got)
			}
			c.do(t, b)
			if got := b.accepted(t); got != c.left {
				t.Errorf("%q opens, want %q", got, c.left)
			}
			if c.restore != nil {
				c.restore(t, b)
			}
			if got := b.accepted(t); got != c.back {
				t.Errorf("when access is back %q opens, want %q", got, c.back)
			}
		})
	}
	t.Run("a deletion", func(t *testing.T) {
		// Of an account that never signed in: it has nothing but a key that was never used, and a step that was begun.
		id := admin.createAPIClient(t, "bearerless")
		_, key := admin.createKey(t, id, "Never used")
		admin.do(t, "DELETE", "/api/accounts/"+id, nil).expect(t, 204)
		if authenticates(t, admin, key) {
			t.Error("the key opens")
		}
	})
}
