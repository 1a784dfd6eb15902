package systemtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/oklog/ulid/v2"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/localtest"
)

// browser is a virtual authenticator with one passkey, for the product's public address.
type browser struct {
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newBrowser(t *testing.T, accountID string) *browser {
	t.Helper()
	handle := ulid.MustParseStrict(accountID)
	key := wholeKey(virtualwebauthn.KeyTypeEC2)
	return &browser{virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle.Bytes()}), key}
}

func relyingParty() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: strings.TrimPrefix(publicURL, "https://"), Name: "User Accounts", Origin: publicURL}
}

// makes is the credential for the options of an answer.
func (b *browser) makes(t *testing.T, asked answer) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(asked.Body)
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(relyingParty(), b.auth, b.key, *options))
}

// answers uses the passkey for the options of an answer.
func (b *browser) answers(t *testing.T, asked answer) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(asked.Body)
	if err != nil {
		t.Fatal(err)
	}
	b.key.Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(relyingParty(), b.auth, b.key, *options))
}

// withPasskey makes a person with a passkey, signed in; it returns the client, the authenticator and the passkey's id.
func (c *client) withPasskey(t *testing.T, username string) (own *client, b *browser, id string) {
	t.Helper()
	b = newBrowser(t, c.person(t, username, bicycles, nil).text(t, "id"))
	own = c.as(t, username, bicycles)
	made := own.do(t, "POST", "/api/me/mfa/passkeys/confirm", map[string]any{
		"credential": b.makes(t, own.do(t, "POST", "/api/me/mfa/passkeys/begin", map[string]any{}).wants(t, 200)), "name": "My phone",
	}).wants(t, 200)
	return own, b, made.members(t)["passkey"].(map[string]any)["id"].(string)
}

func startNamed(t *testing.T) (*localtest.Running, *client) {
	t.Helper()
	system := localtest.System(t, func(o *local.Options) {
		o.Seed, o.AdminPassword, o.Parameters = firstdata.Seed, adminPassword, map[string]string{"PublicUrl": publicURL}
	})
	c := &client{url: system.URL}
	c.signIn(t, "admin", adminPassword)
	return system, c
}

// passkeySamples makes what the samples of passkeys speak of.
func passkeySamples(t *testing.T, admin *client, words map[string]string) {
	t.Helper()
	own, b, id := admin.withPasskey(t, "keyed")
	words["passkeyToken"], words["passkeyId"] = own.token, id
	words["passkeyTicket"] = admin.firstStep(t, "keyed", nil).text(t, "ticket")
	signIn := b.answers(t, (&client{url: admin.url}).do(t, "POST", "/api/login/passkey/begin", nil).wants(t, 200))
	words["passkeySignIn"] = escaped(t, signIn)
	leaving, _, gone := admin.withPasskey(t, "unkeyed")
	words["gonePasskeyToken"], words["gonePasskeyId"] = leaving.token, gone
	another := newBrowser(t, admin.person(t, "keying", bicycles, nil).text(t, "id"))
	keying := admin.as(t, "keying", bicycles)
	words["newPasskeyToken"] = keying.token
	words["newPasskey"] = escaped(t, another.makes(t, keying.do(t, "POST", "/api/me/mfa/passkeys/begin", map[string]any{}).wants(t, 200)))
	settings := admin.do(t, "GET", "/api/settings", nil).wants(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"emailCodeAllowed": true}, ifMatch(settings)).wants(t, 200)
	admin.person(t, "coded", bicycles, map[string]any{"mfaRequired": true})
	words["mailTicket"] = admin.firstStep(t, "coded", nil).text(t, "ticket")
}

// escaped is JSON as it stands within a text of JSON.
func escaped(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	out, err := json.Marshal(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return string(out[1 : len(out)-1])
}

// Passkeys through the built functions: set up, listed, renamed; a sign-in without a username; twenty posts of one answer open one
// session (C31); the second step; bad input; removal.
func TestPasskeys(t *testing.T) {
	_, admin := startNamed(t)
	own, b, id := admin.withPasskey(t, "owner")
	nobody := &client{url: admin.url}
	asked := nobody.do(t, "POST", "/api/login/passkey/begin", nil).wants(t, 200)
	if !strings.Contains(asked.Body, `"userVerification":"required"`) || strings.Contains(asked.Body, "allowCredentials") {
		t.Errorf("%s", asked.Body)
	}
	signIn := map[string]any{"credential": b.answers(t, asked), "client": "browser"}
	var all sync.WaitGroup
	var opened atomic.Int64
	for range 20 {
		all.Go(func() {
			switch got := nobody.do(t, "POST", "/api/login/passkey", signIn); {
			case got.Status == 200 && got.text(t, "next") == "done":
				opened.Add(1)
			case got.Status != 401:
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d sessions by one answer", opened.Load())
	}
	first := admin.firstStep(t, "owner", nil)
	if methods := fmt.Sprint(first.members(t)["methods"]); first.text(t, "next") != "secondFactor" || methods != "[passkey recoveryCode]" {
		t.Errorf("%s", first.Body)
	}
	ticket := map[string]any{"ticket": first.text(t, "ticket")}
	second := nobody.do(t, "POST", "/api/login/second-factor/passkey", ticket).wants(t, 200)
	body := map[string]any{"ticket": ticket["ticket"], "method": "passkey", "credential": b.answers(t, second), "remember": true}
	if got := nobody.do(t, "POST", "/api/login/second-factor", body).wants(t, 200); got.text(t, "next") != "done" || got.text(t, "deviceToken") == "" {
		t.Errorf("%s", got.Body)
	}
	nobody.do(t, "POST", "/api/login/second-factor", body).problem(t, 401, "ticket")
	nobody.do(t, "POST", "/api/login/second-factor/passkey", ticket).problem(t, 401, "ticket")
	nobody.do(t, "POST", "/api/login/second-factor/mail", map[string]any{"ticket": admin.firstStep(t, "owner", nil).text(t, "ticket")}).problem(t, 409, "noMailCode")
	for name, credential := range map[string]any{"a text": "x", "null": nil, "nothing": map[string]any{}, "a list": []any{}} {
		t.Run(name, func(t *testing.T) {
			nobody.do(t, "POST", "/api/login/passkey", map[string]any{"credential": credential}).problem(t, 422, "invalid", "credential")
			own.do(t, "POST", "/api/me/mfa/passkeys/confirm", map[string]any{"credential": credential}).problem(t, 422, "invalid", "credential")
		})
	}
	nobody.do(t, "POST", "/api/login/passkey", map[string]any{}).problem(t, 400, "body", "credential")
	stranger := newBrowser(t, ulid.MustParseStrict(own.do(t, "GET", "/api/me", nil).text(t, "accountId")).String())
	unknown := nobody.do(t, "POST", "/api/login/passkey", map[string]any{"credential": stranger.answers(t, nobody.do(t, "POST", "/api/login/passkey/begin", nil))})
	unknown.problem(t, 401, "signInRefused")
	if seen := admin.do(t, "GET", "/api/accounts/"+own.do(t, "GET", "/api/me", nil).text(t, "accountId"), nil).members(t); seen["failedTries"] != 0.0 {
		t.Errorf("a stranger's passkey is a failed try of its owner: %v", seen["failedTries"])
	}
	own.do(t, "PATCH", "/api/me/mfa/passkeys/"+id, map[string]any{"name": "Old phone"}).wants(t, 200)
	state := own.do(t, "GET", "/api/me/mfa", nil).wants(t, 200)
	if !strings.Contains(state.Body, `"name":"Old phone"`) || !strings.Contains(state.Body, `"lastUsed":"`) || strings.Contains(state.Body, "ublicKey") {
		t.Errorf("%s", state.Body)
	}
	own.do(t, "DELETE", "/api/me/mfa/passkeys/01JZ0000000000000000000009", nil).problem(t, 404, "notFound")
	own.do(t, "DELETE", "/api/me/mfa/passkeys/"+id, map[string]any{"password": "not my password"}).problem(t, 422, "invalid", "password")
	own.do(t, "DELETE", "/api/me/mfa/passkeys/"+id, map[string]any{"password": bicycles}).wants(t, 204) // V35
	own.do(t, "GET", "/api/me", nil).problem(t, 401, "session")
	if got := admin.firstStep(t, "owner", nil); got.text(t, "next") != "done" {
		t.Errorf("%s", got.Body)
	}

	// Set up because it is required.
	newcomer := newBrowser(t, admin.person(t, "newcomer", bicycles, map[string]any{"mfaRequired": true}).text(t, "id"))
	ticket = map[string]any{"ticket": admin.firstStep(t, "newcomer", nil).text(t, "ticket"), "method": "passkey"}
	begun := nobody.do(t, "POST", "/api/login/second-factor/set-up", ticket).wants(t, 200)
	done := nobody.do(t, "POST", "/api/login/second-factor/confirm", map[string]any{"ticket": ticket["ticket"], "credential": newcomer.makes(t, begun)}).wants(t, 200)
	if done.text(t, "next") != "done" || len(done.members(t)["recoveryCodes"].([]any)) != 10 {
		t.Errorf("%s", done.Body)
	}
	nobody.do(t, "POST", "/api/login/second-factor/set-up", map[string]any{"ticket": ticket["ticket"], "method": "sms"}).problem(t, 400, "body", "method")
	nobody.do(t, "POST", "/api/login/second-factor/set-up", map[string]any{"ticket": ticket["ticket"], "method": "totp"}).problem(t, 401, "ticket")
}

// C15, V35: what weakens the sign-in of others wants a proof of the administrator that is fresh, by password over HTTP here; the
// clock of a built function cannot be set, so that five minutes are enough is a matter of the unit tests.
func TestAdministratorsProveThemselves(t *testing.T) {
	_, admin := start(t)
	_, _, _, id := admin.enrolled(t, "owner")
	for _, path := range []string{"/mfa/do-not-enforce", "/mfa/remove"} {
		admin.do(t, "POST", "/api/accounts/"+id+path, map[string]any{"password": "not my password"}).problem(t, 422, "invalid", "password")
		admin.do(t, "POST", "/api/accounts/"+id+path, map[string]any{"password": adminPassword}).wants(t, 200)
	}
	admin.do(t, "DELETE", "/api/accounts/"+id+"/mfa/devices", map[string]any{"password": "not my password"}).problem(t, 422, "invalid", "password")
	admin.do(t, "DELETE", "/api/accounts/"+id+"/mfa/devices", map[string]any{"password": adminPassword}).wants(t, 204)
	own, _, _, _ := admin.enrolled(t, "another")
	own.do(t, "POST", "/api/me/mfa/remove", map[string]any{"password": bicycles}).wants(t, 204)
	own.do(t, "GET", "/api/me", nil).problem(t, 401, "session")
}

// wholeKey makes a passkey's key. The virtual authenticator writes a coordinate that begins with a zero byte, which is one of
// 128, a byte too short (RFC 9053, 7.1.1 wants it padded); real ones do not.
func wholeKey(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of an ES256 key in COSE
	for {
		key := virtualwebauthn.NewCredential(kind)
		if kind != virtualwebauthn.KeyTypeEC2 || len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}
