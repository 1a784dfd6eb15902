package systemtest_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/access"
)

// V34, C12, C17: the ticket of one step of a sign-in, put into every secret that a route takes of somebody who is not
// signed in: nothing but the routes of its own step look at it, and none gives anything for it alone. It is good
// afterwards, so that none used it up either. That it opens no other route is in
// TestEveryRouteOfTheRunningSystemLetsInWhomTheListSays.
func TestATicketOpensNothingButItsStep(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	_, _, codes, _ := admin.createUserWithTOTP(t, "enrolled")
	admin.createUser(t, "required", userPassword, map[string]any{"mfaRequired": true})
	admin.createUser(t, "forced", userPassword, nil)
	admin.do(t, "POST",
		"/api/accounts/"+
			admin.do(t, "GET", "/api/accounts?find=forced", nil).members(t)["items"].([]any)[0].(map[string]any)["id"].(string)+
			"/force-password-change", nil).expect(t, 200)
	routes, needs, samples := routesTakingSecrets(t, admin), routeNeeds(t), routeSamples(t)
	nobody := &client{url: admin.url}
	for who, c := range map[string]struct {
		step   string
		routes []string
		finish func(ticket string) response
	}{
		"enrolled": {"secondFactor",
			[]string{"/api/login/second-factor", "/api/login/second-factor/passkey", "/api/login/second-factor/mail"},
			func(ticket string) response {
				return nobody.do(t, "POST", "/api/login/second-factor",
					map[string]any{"ticket": ticket, "method": "recoveryCode", "code": codes[0]})
			}},
		"required": {"setUpSecondFactor", []string{"/api/login/second-factor/set-up", "/api/login/second-factor/confirm"},
			func(ticket string) response {
				begun := nobody.do(t, "POST", "/api/login/second-factor/set-up", map[string]any{"ticket": ticket}).expect(t, 200)
				return nobody.do(t, "POST", "/api/login/second-factor/confirm",
					map[string]any{"ticket": ticket, "code": totpCode(t, begun.text(t, "secret"))})
			}},
		"forced": {"changePassword", []string{"/api/login/password"}, func(ticket string) response {
			return nobody.do(t, "POST", "/api/login/password",
				map[string]any{"ticket": ticket, "password": "four quick grey otters"})
		}},
	} {
		first := admin.passwordStep(t, who, nil)
		ticket, tried := first.text(t, "ticket"), 0
		if first.text(t, "next") != c.step {
			t.Fatalf("%s: %s", who, first.Body)
		}
		for _, key := range slices.Sorted(maps.Keys(routes)) {
			_, path, _ := strings.Cut(key, " ")
			for _, member := range routes[key] {
				// which judges a password that is to be
				if needs[key] != access.Public || member == "ticket" && slices.Contains(c.routes, path) ||
					path == "/api/password/check" {
					continue
				}
				tried++
				body := map[string]any{}
				if err := json.Unmarshal([]byte(samples[key].Body), &body); err != nil {
					t.Fatalf("%s: %v", key, err)
				}
				if body[member] = ticket; member == "credential" {
					body[member] = map[string]any{"id": ticket, "rawId": ticket, "type": "public-key", "response": map[string]any{}}
				}
				got := nobody.do(t, "POST", path, body)
				if got.Status/100 != 4 || strings.Contains(got.Body, "uas_") || member == "ticket" &&
					(got.Status != 401 || got.text(t, "code") != "ticket") {
					t.Errorf("the ticket of %s as %s of %s: %d %s", c.step, member, key, got.Status, got.Body)
				}
			}
		}
		if tried < 12 {
			t.Errorf("%s: only %d secrets were tried", c.step, tried)
		}
		if got := c.finish(ticket); got.Status != 200 || got.text(t, "next") != "done" {
			t.Errorf("%s: the ticket is no good any more: %d %s", c.step, got.Status, got.Body)
		}
	}
}
