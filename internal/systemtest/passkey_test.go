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

	"useraccounts/internal/local/localtest"
)

// authenticator is a virtual authenticator with one passkey, for the product's public address.
type authenticator struct {
	auth       virtualwebauthn.Authenticator
	credential virtualwebauthn.Credential
}

func newAuthenticator(t *testing.T, accountID string) *authenticator {
	t.Helper()
	handle := ulid.MustParseStrict(accountID)
	key := newCredential(virtualwebauthn.KeyTypeEC2)
	return &authenticator{
		virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle.Bytes()}), key}
}

func relyingParty() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: strings.TrimPrefix(publicURL, "https://"), Name: "User Accounts",
		Origin: publicURL}
}

// attest is the credential for the options of an answer.
func (b *authenticator) attest(t *testing.T, asked response) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(asked.Body)
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(relyingParty(), b.auth, b.credential, *options))
}

// assert uses the passkey for the options of an answer.
func (b *authenticator) assert(t *testing.T, asked response) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(asked.Body)
	if err != nil {
		t.Fatal(err)
	}
	b.credential.Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(relyingParty(), b.auth, b.credential, *options))
}

// createUserWithPasskey makes a person with a passkey, signed in; it returns the client, the authenticator and the
// passkey's id.
func (c *client) createUserWithPasskey(t *testing.T, username string) (own *client, b *authenticator, id string) {
	t.Helper()
	b = newAuthenticator(t, c.createUser(t, username, userPassword, nil).text(t, "id"))
	own = c.signedInAs(t, username, userPassword)
	made := own.do(t, "POST", "/api/me/mfa/passkeys/confirm", map[string]any{
		"credential": b.attest(t, own.do(t, "POST", "/api/me/mfa/passkeys/begin", map[string]any{}).expect(t, 200)),
		"name":       "My phone",
	}).expect(t, 200)
	return own, b, made.members(t)["passkey"].(map[string]any)["id"].(string)
}

func startWithPublicURL(t *testing.T) (*localtest.RunningSystem, *client) {
	t.Helper()
	return start(t, withParameters(map[string]string{"PublicUrl": publicURL}))
}

// passkeySamples makes what the samples of passkeys speak of.
func passkeySamples(t *testing.T, admin *client, values map[string]string) {
	t.Helper()
	own, b, id := admin.createUserWithPasskey(t, "keyed")
	values["passkeyToken"], values["passkeyId"] = own.token, id
	values["passkeyTicket"] = admin.passwordStep(t, "keyed", nil).text(t, "ticket")
	signIn := b.assert(t, (&client{url: admin.url}).do(t, "POST", "/api/login/passkey/begin", nil).expect(t, 200))
	values["passkeySignIn"] = escapeJSON(t, signIn)
	leaving, _, gone := admin.createUserWithPasskey(t, "unkeyed")
	values["gonePasskeyToken"], values["gonePasskeyId"] = leaving.token, gone
	another := newAuthenticator(t, admin.createUser(t, "keying", userPassword, nil).text(t, "id"))
	keying := admin.signedInAs(t, "keying", userPassword)
	values["newPasskeyToken"] = keying.token
	values["newPasskey"] = escapeJSON(t,
		another.attest(t, keying.do(t, "POST", "/api/me/mfa/passkeys/begin", map[string]any{}).expect(t, 200)))
	settings := admin.do(t, "GET", "/api/settings", nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/settings", map[string]any{"emailCodeAllowed": true}, ifMatch(settings)).expect(t, 200)
	admin.createUser(t, "coded", userPassword, map[string]any{"mfaRequired": true})
	values["mailTicket"] = admin.passwordStep(t, "coded", nil).text(t, "ticket")
}

// escapeJSON is JSON as it stands within a text of JSON.
func escapeJSON(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	out, err := json.Marshal(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return string(out[1 : len(out)-1])
}

// Passkeys through the built functions: set up, listed, renamed; a sign-in without a username; twenty posts of one
// answer open one session (C31); the second step; bad input; removal.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	_, admin := startWithPublicURL(t)
	own, b, id := admin.createUserWithPasskey(t, "owner")
	nobody := &client{url: admin.url}
	asked := nobody.do(t, "POST", "/api/login/passkey/begin", nil).expect(t, 200)
	if !strings.Contains(asked.Body, `"userVerification":"required"`) || strings.Contains(asked.Body, "allowCredentials") {
		t.Errorf("%s", asked.Body)
	}
	signIn := map[string]any{"credential": b.assert(t, asked), "client": "browser"}
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
	first := admin.passwordStep(t, "owner", nil)
	if methods := fmt.Sprint(first.members(t)["methods"]); first.text(t, "next") != "secondFactor" ||
		methods != "[passkey recoveryCode]" {
		t.Errorf("%s", first.Body)
	}
	ticket := map[string]any{"ticket": first.text(t, "ticket")}
	second := nobody.do(t, "POST", "/api/login/second-factor/passkey", ticket).expect(t, 200)
	body := map[string]any{"ticket": ticket["ticket"], "method": "passkey", "credential": b.assert(t, second),
		"remember": true}
	if got := nobody.do(t, "POST", "/api/login/second-factor", body).expect(t, 200); got.text(t, "next") != "done" ||
		got.text(t, "deviceToken") == "" {
		t.Errorf("%s", got.Body)
	}
	nobody.do(t, "POST", "/api/login/second-factor", body).expectProblem(t, 401, "ticket")
	nobody.do(t, "POST", "/api/login/second-factor/passkey", ticket).expectProblem(t, 401, "ticket")
	nobody.do(t, "POST", "/api/login/second-factor/mail",
		map[string]any{"ticket": admin.passwordStep(t, "owner", nil).text(t, "ticket")}).expectProblem(t, 409, "noMailCode")
	for name, credential := range map[string]any{"a text": "x", "null": nil, "nothing": map[string]any{},
		"a list": []any{}} {
		t.Run(name, func(t *testing.T) {
			nobody.do(t, "POST", "/api/login/passkey", map[string]any{"credential": credential}).expectProblem(t, 422,
				"invalid", "credential")
			own.do(t, "POST", "/api/me/mfa/passkeys/confirm", map[string]any{"credential": credential}).expectProblem(t, 422,
				"invalid", "credential")
		})
	}
	nobody.do(t, "POST", "/api/login/passkey", map[string]any{}).expectProblem(t, 400, "body", "credential")
	stranger := newAuthenticator(t, ulid.MustParseStrict(own.do(t, "GET", "/api/me", nil).text(t, "accountId")).String())
	unknown := nobody.do(t, "POST", "/api/login/passkey",
		map[string]any{"credential": stranger.assert(t, nobody.do(t, "POST", "/api/login/passkey/begin", nil))})
	unknown.expectProblem(t, 401, "signInRefused")
	if seen := admin.do(t, "GET", "/api/accounts/"+own.do(t, "GET", "/api/me", nil).text(t, "accountId"),
		nil).members(t); seen["failedTries"] != 0.0 {
		t.Errorf("a stranger's passkey is a failed try of its owner: %v", seen["failedTries"])
	}
	own.do(t, "PATCH", "/api/me/mfa/passkeys/"+id, map[string]any{"name": "Old phone"}).expect(t, 200)
	state := own.do(t, "GET", "/api/me/mfa", nil).expect(t, 200)
	if !strings.Contains(state.Body, `"name":"Old phone"`) || !strings.Contains(state.Body, `"lastUsed":"`) ||
		strings.Contains(state.Body, "ublicKey") {
		t.Errorf("%s", state.Body)
	}
	own.do(t, "DELETE", "/api/me/mfa/passkeys/01JZ0000000000000000000009", nil).expectProblem(t, 404, "notFound")
	own.do(t, "DELETE", "/api/me/mfa/passkeys/"+id, map[string]any{"password": "not my password"}).expectProblem(t, 422,
		"invalid", "password")
	own.do(t, "DELETE", "/api/me/mfa/passkeys/"+id, map[string]any{"password": userPassword}).expect(t, 204) // V35
	own.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	if got := admin.passwordStep(t, "owner", nil); got.text(t, "next") != "done" {
		t.Errorf("%s", got.Body)
	}

	// Set up because it is required.
	newcomer := newAuthenticator(t,
		admin.createUser(t, "newcomer", userPassword, map[string]any{"mfaRequired": true}).text(t, "id"))
	ticket = map[string]any{"ticket": admin.passwordStep(t, "newcomer", nil).text(t, "ticket"), "method": "passkey"}
	begun := nobody.do(t, "POST", "/api/login/second-factor/set-up", ticket).expect(t, 200)
	done := nobody.do(t, "POST", "/api/login/second-factor/confirm",
		map[string]any{"ticket": ticket["ticket"], "credential": newcomer.attest(t, begun)}).expect(t, 200)
	if done.text(t, "next") != "done" || len(done.members(t)["recoveryCodes"].([]any)) != 10 {
		t.Errorf("%s", done.Body)
	}
	nobody.do(t, "POST", "/api/login/second-factor/set-up",
		map[string]any{"ticket": ticket["ticket"], "method": "sms"}).expectProblem(t, 400, "body", "method")
	nobody.do(t, "POST", "/api/login/second-factor/set-up",
		map[string]any{"ticket": ticket["ticket"], "method": "totp"}).expectProblem(t, 401, "ticket")
}

// C15, V35: what weakens the sign-in of others wants a proof of the administrator that is fresh, by password over HTTP
// here; the clock of a built function cannot be set, so that five minutes are enough is a matter of the unit tests.
func TestAdministratorsProveThemselves(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	_, _, _, id := admin.createUserWithTOTP(t, "owner")
	for _, path := range []string{"/mfa/do-not-enforce", "/mfa/remove"} {
		admin.do(t, "POST", "/api/accounts/"+id+path, map[string]any{"password": "not my password"}).expectProblem(t, 422,
			"invalid", "password")
		admin.do(t, "POST", "/api/accounts/"+id+path, map[string]any{"password": adminPassword}).expect(t, 200)
	}
	admin.do(t, "DELETE", "/api/accounts/"+id+"/mfa/devices",
		map[string]any{"password": "not my password"}).expectProblem(t, 422, "invalid", "password")
	admin.do(t, "DELETE", "/api/accounts/"+id+"/mfa/devices", map[string]any{"password": adminPassword}).expect(t, 204)
	own, _, _, _ := admin.createUserWithTOTP(t, "another")
	own.do(t, "POST", "/api/me/mfa/remove", map[string]any{"password": userPassword}).expect(t, 204)
	own.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
}

// newCredential makes a passkey's key. The virtual authenticator writes a coordinate that begins with a zero byte,
// which is one of 128, a byte too short (RFC 9053, 7.1.1 wants it padded); real ones do not.
func newCredential(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of an ES256 key in COSE
	for {
		key := virtualwebauthn.NewCredential(kind)
		if kind != virtualwebauthn.KeyTypeEC2 || len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}
