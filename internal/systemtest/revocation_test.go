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

// bearer is an account with everything that it can hold, and what each of it opens.
type bearer struct {
	id, path string
	opens    map[string]func(t *testing.T) bool
	// own is a person's client, codes their recovery codes; keyID is a program's.
	own   *client
	codes []string
	keyID string
}

// opened says what of it opens something at this moment.
func (b *bearer) opened(t *testing.T) string {
	t.Helper()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.opens)) {
		if b.opens[name](t) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// lets reports whether a token is let in; whatever is not is refused in the one way.
func lets(t *testing.T, c *client, bearer string) bool {
	t.Helper()
	got := c.by(bearer).do(t, "GET", "/api/me", nil)
	if got.Status != 200 {
		got.problem(t, 401, "session")
	}
	return got.Status == 200
}

// personBearer is somebody with a session, its refresh token and a trusted device.
func personBearer(t *testing.T, admin *client, username string) *bearer {
	t.Helper()
	own, _, codes, id := admin.enrolled(t, username)
	trusted := admin.remember(t, username, codes[0])
	b := &bearer{id: id, path: "/api/accounts/" + id, own: own, codes: codes}
	b.opens = map[string]func(*testing.T) bool{
		accessToken: func(t *testing.T) bool { t.Helper(); return lets(t, admin, own.token) },
		refreshToken: func(t *testing.T) bool {
			t.Helper()
			got := (&client{url: admin.url}).do(t, "POST", "/api/login/refresh", map[string]any{"refreshToken": own.refresh})
			if got.Status == 200 {
				own.keep(t, got)
			}
			return got.Status == 200
		},
		// It stands in place of the second factor, and of nothing else.
		device: func(t *testing.T) bool {
			t.Helper()
			for _, password := range []string{bicycles, elsewise} {
				got := (&client{url: admin.url}).do(t, "POST", "/api/login", map[string]any{"identifier": username, "password": password, "device": trusted})
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

// elsewise is the password of whoever gets another one.
const elsewise = "eleven quiet mountains"

// programBearer is a program with an API key and a session that it opened.
func programBearer(t *testing.T, admin *client, username string) *bearer {
	t.Helper()
	id := admin.apiClient(t, username, "VIEWER")
	keyID, key := admin.key(t, id, "Nightly")
	session := admin.openByKey(t, key)
	return &bearer{id: id, path: "/api/accounts/" + id, keyID: keyID, opens: map[string]func(*testing.T) bool{
		apiKey:     func(t *testing.T) bool { t.Helper(); return lets(t, admin, key) },
		keySession: func(t *testing.T) bool { t.Helper(); return lets(t, admin, session.token) },
	}}
}

// V40, C27, C28: everything that ends somebody's access against everything that one can hold, at the very next request; and
// whether any of it comes to life again with the access.
func TestWhatEndsWhichAccess(t *testing.T) {
	_, admin := start(t)
	all, sessions := "access token, refresh token, trusted device", "access token, refresh token"
	whole := "API key, session of a key"
	act := func(deed string, body any) func(*testing.T, *bearer) {
		return func(t *testing.T, b *bearer) { t.Helper(); admin.do(t, "POST", b.path+"/"+deed, body).wants(t, 200) }
	}
	set := func(fields map[string]any) func(*testing.T, *bearer) {
		return func(t *testing.T, b *bearer) {
			t.Helper()
			admin.do(t, "PATCH", b.path, fields, ifMatch(admin.do(t, "GET", b.path, nil).wants(t, 200))).wants(t, 200)
		}
	}
	both := func(first, second func(*testing.T, *bearer)) func(*testing.T, *bearer) {
		return func(t *testing.T, b *bearer) { t.Helper(); first(t, b); second(t, b) }
	}
	// enrols sets another authenticator up, so that a device could stand in place of it.
	enrols := func(t *testing.T, b *bearer) {
		t.Helper()
		name := admin.do(t, "GET", b.path, nil).wants(t, 200).text(t, "username")
		again := admin.as(t, name, bicycles)
		secret := again.do(t, "POST", "/api/me/mfa/totp", map[string]any{}).wants(t, 200).text(t, "secret")
		again.do(t, "POST", "/api/me/mfa/totp/confirm", map[string]any{"code": totpCode(t, secret)}).wants(t, 200)
	}
	for i, c := range []struct {
		name    string
		who     func(*testing.T, *client, string) *bearer
		do      func(*testing.T, *bearer)
		left    string
		restore func(*testing.T, *bearer)
		// back is what opens after that.
		back string
	}{
		{"a block", personBearer, act("block", map[string]any{"reason": "Left"}), "", act("allow", nil), ""},
		{"a lock", personBearer, act("lock", nil), "", act("unlock", nil), ""},
		// Dates that were wrong are put right, and a session within its limits goes on; a device is kept for longer, and is not.
		{"the last day passed", personBearer, set(map[string]any{"dateFrom": "2020-01-01", "dateTo": days(-1)}), "", set(map[string]any{"dateTo": nil}), sessions},
		{"a licence for API clients", personBearer, set(map[string]any{"userType": "API"}), "",
			both(both(set(map[string]any{"userType": "FULL"}), act("password", map[string]any{"password": bicycles, "forceChange": false})), enrols), ""},
		{"the second factor removed", personBearer, both(act("mfa/remove", nil), enrols), "", nil, ""},
		{"the second factor removed by its owner", personBearer, both(func(t *testing.T, b *bearer) {
			t.Helper()
			b.own.do(t, "POST", "/api/me/mfa/remove", map[string]any{"password": bicycles}).wants(t, 204)
		}, enrols), "", nil, ""},
		{"a password set", personBearer, act("password", map[string]any{"password": elsewise, "forceChange": false}), device, nil, device},
		{"a password generated", personBearer, act("auto-reset-password", map[string]any{}), "", act("password", map[string]any{"password": bicycles, "forceChange": false}), ""},
		{"the password changed in another session", personBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			name := admin.do(t, "GET", b.path, nil).wants(t, 200).text(t, "username")
			body := map[string]any{"ticket": admin.firstStep(t, name, nil).text(t, "ticket"), "method": "recoveryCode", "code": b.codes[1]}
			other := admin.by((&client{url: admin.url}).do(t, "POST", "/api/login/second-factor", body).wants(t, 200).text(t, "accessToken"))
			other.do(t, "POST", "/api/me/password", map[string]any{"current": bicycles, "password": elsewise}).wants(t, 200)
		}, "", nil, ""},
		{"all sessions closed", personBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			admin.do(t, "DELETE", b.path+"/sessions", nil).wants(t, 200)
		}, device, nil, device},
		{"signing out", personBearer, func(t *testing.T, b *bearer) { t.Helper(); b.own.do(t, "POST", "/api/logout", nil).wants(t, 204) }, device, nil, device},
		{"the devices deleted", personBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			admin.do(t, "DELETE", b.path+"/mfa/devices", nil).wants(t, 204)
		}, sessions, nil, sessions},
		// What a stranger can bring about ends nothing of the owner's.
		{"failed tries", personBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			useUpTries(t, admin, member{&client{url: admin.url}, b.id, b.path, admin.do(t, "GET", b.path, nil).text(t, "username")})
		}, all, nil, all},
		{"a licence that was to be for API clients", personBearer, func(t *testing.T, _ *bearer) {
			t.Helper()
			licence := admin.do(t, "GET", "/api/access/licences/FULL", nil).wants(t, 200)
			admin.do(t, "PATCH", "/api/access/licences/FULL", map[string]any{"apiOnly": true}, ifMatch(licence)).problem(t, 409, "inUse", "apiOnly")
		}, all, nil, all},
		{"a change of password to come", personBearer, act("force-password-change", nil), all, nil, all},
		{"another name", personBearer, set(map[string]any{"name": "Other"}), all, nil, all},

		{"a block of a program", programBearer, act("block", map[string]any{"reason": "Left"}), "", act("allow", nil), apiKey},
		{"a lock of a program", programBearer, act("lock", nil), "", act("unlock", nil), apiKey},
		{"a program's last day passed", programBearer, set(map[string]any{"dateFrom": "2020-01-01", "dateTo": days(-1)}), "", set(map[string]any{"dateTo": nil}), whole},
		{"another licence of a program", programBearer, set(map[string]any{"userType": "FULL", "email": "program@example.com"}), "", set(map[string]any{"userType": "API"}), apiKey},
		{"a key locked", programBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			admin.do(t, "POST", b.path+"/keys/"+b.keyID+"/lock", nil).wants(t, 200)
		}, "", nil, ""},
		{"a program's sessions closed", programBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			admin.do(t, "DELETE", b.path+"/sessions", nil).wants(t, 200)
		}, apiKey, nil, apiKey},
		{"failed tries on a program", programBearer, func(t *testing.T, b *bearer) {
			t.Helper()
			useUpTries(t, admin, member{&client{url: admin.url}, b.id, b.path, admin.do(t, "GET", b.path, nil).text(t, "username")})
		}, whole, nil, whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.who(t, admin, fmt.Sprintf("bearer%d", i))
			if got := b.opened(t); got != all && got != whole {
				t.Fatalf("at first %q opens", got)
			}
			c.do(t, b)
			if got := b.opened(t); got != c.left {
				t.Errorf("%q opens, want %q", got, c.left)
			}
			if c.restore != nil {
				c.restore(t, b)
			}
			if got := b.opened(t); got != c.back {
				t.Errorf("when access is back %q opens, want %q", got, c.back)
			}
		})
	}
	t.Run("a deletion", func(t *testing.T) {
		// Of an account that never signed in: it has nothing but a key that was never used, and a step that was begun.
		id := admin.apiClient(t, "bearerless")
		_, key := admin.key(t, id, "Never used")
		admin.do(t, "DELETE", "/api/accounts/"+id, nil).wants(t, 204)
		if lets(t, admin, key) {
			t.Error("the key opens")
		}
	})
}
