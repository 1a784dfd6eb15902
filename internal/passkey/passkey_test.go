package passkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/passkey"
)

const accountID = "01JZ0000000000000000000001"

var (
	relyingParty = virtualwebauthn.RelyingParty{
		ID: "accounts.example.com", Name: "User Accounts",
		Origin: "https://accounts.example.com",
	}
	user      = mfa.PasskeyUser{AccountID: accountID, Username: "DoeJ", Name: "John Doe"}
	challenge = bytes.Repeat([]byte{7}, 32)
)

func newRelyingParty() *passkey.RelyingParty {
	return passkey.New(relyingParty.Origin, relyingParty.Name)
}

// registered is a passkey that an authenticator made for us.
func registered(t *testing.T, o virtualwebauthn.AuthenticatorOptions,
	kind virtualwebauthn.KeyType,
) (virtualwebauthn.Authenticator, virtualwebauthn.Credential, mfa.Passkey) {
	t.Helper()
	o.UserHandle = mfa.UserHandle(accountID)
	auth, key := virtualwebauthn.NewAuthenticatorWithOptions(o), wholeKey(kind)
	key.Counter = 4
	got, err := newRelyingParty().VerifyAttestation(challenge, user,
		[]byte(attestation(t, relyingParty, auth, key, challenge)))
	if err != nil {
		t.Fatal(err)
	}
	return auth, key, got
}

func attestation(t *testing.T, rp virtualwebauthn.RelyingParty, auth virtualwebauthn.Authenticator,
	key virtualwebauthn.Credential, challenge []byte,
) string {
	t.Helper()
	raw, err := newRelyingParty().CreationOptions(challenge, user, nil)
	if err != nil {
		t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return virtualwebauthn.CreateAttestationResponse(rp, auth, key, *options)
}

func assertion(rp virtualwebauthn.RelyingParty, auth virtualwebauthn.Authenticator, key virtualwebauthn.Credential,
	challenge []byte,
) []byte {
	return []byte(
		virtualwebauthn.CreateAssertionResponse(rp, auth, key,
			virtualwebauthn.AssertionOptions{Challenge: challenge, RelyingPartyID: rp.ID}))
}

// What browsers are asked for: discoverable keys without attestation, for the host of the public address and no other.
func TestWhatIsAskedFor(t *testing.T) {
	have := []mfa.Passkey{{Credential: []byte("one"), PublicKey: []byte("k"), Transports: []string{"usb"}}}
	raw, err := newRelyingParty().CreationOptions(challenge, user, have)
	if err != nil {
		t.Fatal(err)
	}
	var asked struct {
		RP                     struct{ ID, Name string }
		User                   struct{ ID, Name, DisplayName string }
		Challenge, Attestation string
		AuthenticatorSelection struct{ ResidentKey, UserVerification string }
		ExcludeCredentials     []struct{ ID string }
	}
	if err := json.Unmarshal(raw, &asked); err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	if asked.RP.ID != relyingParty.ID || asked.User.ID != text(mfa.UserHandle(accountID)) || asked.User.Name != "DoeJ" ||
		asked.User.DisplayName != "John Doe" ||
		asked.Challenge != text(challenge) || asked.Attestation != "none" && asked.Attestation != "" ||
		asked.AuthenticatorSelection.ResidentKey != "required" ||
		asked.AuthenticatorSelection.UserVerification != "preferred" || len(asked.ExcludeCredentials) != 1 ||
		asked.ExcludeCredentials[0].ID != text([]byte("one")) {
		t.Errorf("%s", raw)
	}
	alone, err := newRelyingParty().RequestOptions(challenge, nil)
	if err != nil || !strings.Contains(string(alone), `"userVerification":"required"`) ||
		strings.Contains(string(alone), "allowCredentials") {
		t.Errorf("%s, %v", alone, err)
	}
	second, err := newRelyingParty().RequestOptions(challenge, have)
	if err != nil || !strings.Contains(string(second), `"userVerification":"preferred"`) ||
		!strings.Contains(string(second), text([]byte("one"))) {
		t.Errorf("%s, %v", second, err)
	}
}

// A passkey is for a name: an address that is an IP, or none, has no passkeys, and says so.
func TestNoNameNoPasskeys(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:3000", "http://[::1]:3000", "", "://"} {
		if _, err := passkey.New(address, "x").RequestOptions(challenge, nil); !fault.HasCode(err, "passkeysUnavailable") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := passkey.New("http://localhost:3000", "x").RequestOptions(challenge, nil); err != nil {
		t.Error(err)
	}
}

// A new passkey is taken for our origin, host and challenge alone.
func TestANewPasskey(t *testing.T) {
	for name, kind := range map[string]virtualwebauthn.KeyType{
		"ES256": virtualwebauthn.KeyTypeEC2,
		"RS256": virtualwebauthn.KeyTypeRSA,
	} {
		_, key, got := registered(t, virtualwebauthn.AuthenticatorOptions{BackupEligible: true}, kind)
		if !bytes.Equal(got.Credential, key.ID) || len(got.PublicKey) == 0 || got.Counter != 4 || !got.Synced {
			t.Errorf("%s: %+v", name, got)
		}
	}
	auth, key := virtualwebauthn.NewAuthenticator(), wholeKey(virtualwebauthn.KeyTypeEC2)
	origin, host := relyingParty, relyingParty
	origin.Origin, host.ID = "https://accounts.example.com.evil.example", "evil.example"
	for name, text := range map[string]string{
		"another origin":    attestation(t, origin, auth, key, challenge),
		"another host":      attestation(t, host, auth, key, challenge),
		"another challenge": attestation(t, relyingParty, auth, key, bytes.Repeat([]byte{8}, 32)), "nothing": "",
		"no object": "[]", "null": "null",
		"an assertion": string(assertion(relyingParty, auth, key, challenge)),
		"too long":     `{"id":"` + strings.Repeat("A", mfa.MaxCredential) + `"}`,
	} {
		if _, err := newRelyingParty().VerifyAttestation(challenge, user, []byte(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer is right for the passkey, origin, host, challenge and person it is of, and for no other.
func TestAnAnswer(t *testing.T) {
	auth, key, stored := registered(t, virtualwebauthn.AuthenticatorOptions{}, virtualwebauthn.KeyTypeEC2)
	key.Counter = 9
	right := assertion(relyingParty, auth, key, challenge)
	answer := parse(t, right)
	if !bytes.Equal(answer.Challenge, challenge) || mfa.AccountFromHandle(answer.UserHandle) != accountID ||
		!bytes.Equal(answer.Credential, key.ID) {
		t.Errorf("%+v", answer)
	}
	if counter, ok := newRelyingParty().VerifyAssertion(challenge, answer, accountID, stored, true); !ok || counter != 9 {
		t.Errorf("%d, %v", counter, ok)
	}
	origin, host, absent, unproved, other := relyingParty, relyingParty, auth, auth, auth
	origin.Origin, host.ID = "http://accounts.example.com", "example.com"
	absent.Options.UserNotPresent, unproved.Options.UserNotVerified = true, true
	other.Options.UserHandle = mfa.UserHandle("01JZ0000000000000000000002")
	forged := wholeKey(virtualwebauthn.KeyTypeEC2)
	forged.ID = key.ID
	synced := auth
	synced.Options.BackupEligible = true
	for name, raw := range map[string][]byte{
		"another origin": assertion(origin, auth, key, challenge), "another host": assertion(host, auth, key, challenge),
		"another challenge":   assertion(relyingParty, auth, key, bytes.Repeat([]byte{8}, 32)),
		"another key":         assertion(relyingParty, auth, forged, challenge),
		"nobody there":        assertion(relyingParty, absent, key, challenge),
		"nobody proved":       assertion(relyingParty, unproved, key, challenge),
		"another account":     assertion(relyingParty, other, key, challenge),
		"another kind of key": assertion(relyingParty, synced, key, challenge),
	} {
		if _, ok := newRelyingParty().VerifyAssertion(challenge, parse(t, raw), accountID, stored, true); ok {
			t.Errorf("%s is right", name)
		}
	}
	if _, ok := newRelyingParty().VerifyAssertion(challenge, parse(t, assertion(relyingParty, unproved, key, challenge)),
		accountID, stored, false); !ok {
		t.Error("beside a password the person need not prove themselves to the authenticator")
	}
	if _, ok := newRelyingParty().VerifyAssertion(challenge, answer, "", mfa.Passkey{}, true); ok {
		t.Error("nobody's passkey is right")
	}
	for _, text := range []string{
		"", "{}", "[]", "null", `{"id":"x"}`,
		strings.Replace(string(right), "public-key", "password", 1),
	} {
		if _, err := newRelyingParty().ParseAssertion([]byte(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func parse(t *testing.T, raw []byte) mfa.Assertion {
	t.Helper()
	a, err := newRelyingParty().ParseAssertion(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return a
}

// wholeKey makes a passkey's key. The virtual authenticator writes a coordinate that begins with a zero byte, which is
// one of 128, a byte too short (RFC 9053, 7.1.1 wants it padded); real ones do not.
func wholeKey(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of an ES256 key in COSE
	for {
		key := virtualwebauthn.NewCredential(kind)
		if kind != virtualwebauthn.KeyTypeEC2 || len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}
