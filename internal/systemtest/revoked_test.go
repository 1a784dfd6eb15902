package systemtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// signedInAccount is an account with everything that can be held of it: a person with two sessions and a remembered
// device, or a program with a key and a session that the key opened.
type signedInAccount struct {
	*client
	other          *client
	id, path, name string
	codes          []string
	device         string
	key            string
}

func newSignedInUser(t *testing.T, admin *client, name string) *signedInAccount {
	t.Helper()
	h := &signedInAccount{name: name}
	_, _, h.codes, h.id = admin.createUserWithTOTP(t, name)
	h.path = "/api/accounts/" + h.id
	h.device = admin.trustDevice(t, name, h.codes[0])
	enter := func() *client {
		got := admin.passwordStep(t, name, map[string]any{"device": h.device})
		h.device = got.text(t, "deviceToken")
		c := &client{url: admin.url}
		c.keepTokens(t, got)
		return c
	}
	h.client, h.other = enter(), enter()
	return h
}

func newSignedInAPIClient(t *testing.T, admin *client, name string) *signedInAccount {
	t.Helper()
	id := admin.createAPIClient(t, name, "VIEWER")
	_, key := admin.createKey(t, id, "Nightly")
	return &signedInAccount{client: admin.signInByKey(t, key), id: id, path: "/api/accounts/" + id, name: name, key: key}
}

// accepted returns what of the account's opens something, in words.
func (h *signedInAccount) accepted(t *testing.T) string {
	t.Helper()
	var out []string
	ask := func(what string, c *client, method, path string, body any, codes ...string) {
		t.Helper()
		got := c.do(t, method, path, body)
		if got.Status == 200 && (path != "/api/login" || got.text(t, "next") == "done") {
			out = append(out, what)
		} else if got.Status != 200 && (got.Status != 401 || !slices.Contains(codes, got.text(t, "code"))) {
			t.Errorf("%s: %d %s, want it refused in the one way", what, got.Status, got.Body)
		}
	}
	nobody := &client{url: h.url}
	ask("access", h.client, "GET", "/api/me", nil, "session")
	if h.key != "" {
		ask("key", nobody.withBearer(h.key), "GET", "/api/me", nil, "session")
		ask("opening by key", nobody, "POST", "/api/login/key", map[string]any{"key": h.key}, "keyRefused")
		return strings.Join(out, ", ")
	}
	ask("other access", h.other, "GET", "/api/me", nil, "session")
	ask("refresh", nobody, "POST", "/api/login/refresh", map[string]any{"refreshToken": h.refresh}, "session")
	ask("other refresh", nobody, "POST", "/api/login/refresh", map[string]any{"refreshToken": h.other.refresh}, "session")
	ask("device", nobody, "POST", "/api/login",
		map[string]any{"identifier": h.name, "password": userPassword, "device": h.device}, "signInRefused")
	return strings.Join(out, ", ")
}

const (
	allUserCredentials   = "access, other access, refresh, other refresh, device"
	otherUserCredentials = "other access, other refresh, device"
	allKeyCredentials    = "access, key, opening by key"
)

// V40, C27, C28: whatever ends somebody's access, or one of their sessions, against everything that is held: access and
// refresh tokens of two sessions, a remembered device, an API key and its session. The next request by each is refused,
// or goes on.
func TestWhatEndsAccessEndsAllThatIsHeld(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	post := func(operation string, body any) func(*testing.T, *signedInAccount) {
		return func(t *testing.T, h *signedInAccount) { admin.do(t, "POST", h.path+"/"+operation, body).expect(t, 200) }
	}
	patch := func(fields map[string]any) func(*testing.T, *signedInAccount) {
		return func(t *testing.T, h *signedInAccount) {
			admin.do(t, "PATCH", h.path, fields, ifMatch(admin.do(t, "GET", h.path, nil).expect(t, 200))).expect(t, 200)
		}
	}
	refusedAsUsed := func(fields map[string]any) func(*testing.T, *signedInAccount) { // V91
		return func(t *testing.T, h *signedInAccount) {
			admin.do(t, "PATCH", h.path, fields, ifMatch(admin.do(t, "GET", h.path, nil).expect(t, 200))).expectProblem(t, 409,
				"used")
		}
	}
	session := func(t *testing.T, h *signedInAccount) string {
		return h.do(t, "GET", "/api/me", nil).expect(t, 200).text(t, "sessionId")
	}
	for i, c := range []struct {
		name            string
		do              func(*testing.T, *signedInAccount)
		person, program string
	}{
		{"nothing", func(*testing.T, *signedInAccount) {}, allUserCredentials, allKeyCredentials},
		{"sign out", func(t *testing.T, h *signedInAccount) { h.do(t, "POST", "/api/logout", nil).expect(t, 204) },
			otherUserCredentials, "key, opening by key"},
		{"an administrator closes the session", func(t *testing.T, h *signedInAccount) {
			admin.do(t, "DELETE", h.path+"/sessions/"+session(t, h), nil).expect(t, 204)
		}, otherUserCredentials, "key, opening by key"},
		{"an administrator closes all",
			func(t *testing.T, h *signedInAccount) { admin.do(t, "DELETE", h.path+"/sessions", nil).expect(t, 200) }, "device",
			"key, opening by key"},
		{"block", post("block", map[string]any{"reason": "Left"}), "", ""},
		{"lock", post("lock", nil), "", ""},
		{"the last day passed", patch(map[string]any{"dateFrom": "2020-01-01", "dateTo": daysFromToday(-1)}), "", ""},
		{"close one's own", func(t *testing.T, h *signedInAccount) {
			h.do(t, "DELETE", "/api/sessions/"+session(t, h), nil).expect(t, 204)
		}, otherUserCredentials, "-"},
		{"close one's others",
			func(t *testing.T, h *signedInAccount) { h.other.do(t, "DELETE", "/api/sessions", nil).expect(t, 200) },
			"other access, other refresh, device", "-"},
		{"another licence, which only unused accounts get", refusedAsUsed(map[string]any{"userType": "API"}),
			allUserCredentials, "-"},
		{"a generated password", post("auto-reset-password", nil), "", "-"},
		// the password alone is enough now
		{"the second factor removed", post("mfa/remove", map[string]any{"password": adminPassword}), "device", "-"},
		{"devices forgotten", func(t *testing.T, h *signedInAccount) {
			admin.do(t, "DELETE", h.path+"/mfa/devices", map[string]any{"password": adminPassword}).expect(t, 204)
		}, "access, other access, refresh, other refresh", "-"},
		{"one's own new password", func(t *testing.T, h *signedInAccount) {
			chosen := "four quick grey otters"
			h.do(t, "POST", "/api/me/password", map[string]any{"current": userPassword, "password": chosen}).expect(t, 200)
			// V36
			if got := (&client{url: h.url}).do(t, "POST", "/api/login",
				map[string]any{"identifier": h.name, "password": chosen, "device": h.device}); got.text(t,
				"next") != "secondFactor" {
				t.Errorf("the device outlives the password: %s", got.Body)
			}
		}, "", "-"},
		{"a licence for people, which only unused accounts get",
			refusedAsUsed(map[string]any{"userType": "FULL", "email": "turned@example.com"}), "-", allKeyCredentials},
	} {
		if c.person != "-" {
			h := newSignedInUser(t, admin, fmt.Sprintf("holder%d", i))
			c.do(t, h)
			if got := h.accepted(t); got != c.person {
				t.Errorf("%s: of a person's what is open is %q, want %q", c.name, got, c.person)
			}
		}
		if c.program != "-" {
			h := newSignedInAPIClient(t, admin, fmt.Sprintf("program%d", i))
			c.do(t, h)
			if got := h.accepted(t); got != c.program {
				t.Errorf("%s: of a program's what is open is %q, want %q", c.name, got, c.program)
			}
		}
	}
	deletionEndsCredentials(t, admin)
}

// deletionEndsCredentials: an account that was used is not deleted; of one that was not, the key and the step of a
// sign-in end with it.
func deletionEndsCredentials(t *testing.T, admin *client) {
	t.Helper()
	used := newSignedInUser(t, admin, "used")
	admin.do(t, "DELETE", used.path, nil).expectProblem(t, 409, "inUse", "lastLogin")
	if got := used.accepted(t); got != allUserCredentials {
		t.Errorf("refusing to delete ends something: %q", got)
	}
	id := admin.createUser(t, "newcomer", userPassword, map[string]any{"mfaRequired": true}).text(t, "id")
	ticket := admin.passwordStep(t, "newcomer", nil).text(t, "ticket")
	admin.do(t, "DELETE", "/api/accounts/"+id, nil).expect(t, 204)
	(&client{url: admin.url}).do(t, "POST", "/api/login/second-factor/set-up",
		map[string]any{"ticket": ticket}).expectProblem(t, 401, "ticket")
	admin.attemptSignIns(t, "newcomer", userPassword, 1).expectProblem(t, 401, "signInRefused")
	program := admin.createAPIClient(t, "unused", "VIEWER")
	_, key := admin.createKey(t, program, "Never used")
	admin.do(t, "DELETE", "/api/accounts/"+program, nil).expect(t, 204)
	admin.withBearer(key).do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	(&client{url: admin.url}).do(t, "POST", "/api/login/key", map[string]any{"key": key}).expectProblem(t, 401,
		"keyRefused")
}
