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
	ours      = virtualwebauthn.RelyingParty{ID: "accounts.example.com", Name: "User Accounts", Origin: "https://accounts.example.com"}
	who       = mfa.Holder{AccountID: accountID, Username: "DoeJ", Name: "John Doe"}
	challenge = bytes.Repeat([]byte{7}, 32)
)

func ceremonies() *passkey.Ceremonies { return passkey.New(ours.Origin, ours.Name) }

// made is a passkey that an authenticator made for us.
func made(t *testing.T, o virtualwebauthn.AuthenticatorOptions, kind virtualwebauthn.KeyType) (virtualwebauthn.Authenticator, virtualwebauthn.Credential, mfa.Passkey) {
	t.Helper()
	o.UserHandle = mfa.Handle(accountID)
	auth, key := virtualwebauthn.NewAuthenticatorWithOptions(o), wholeKey(kind)
	key.Counter = 4
	got, err := ceremonies().Created(challenge, who, []byte(attested(t, ours, auth, key, challenge)))
	if err != nil {
		t.Fatal(err)
	}
	return auth, key, got
}

func attested(t *testing.T, rp virtualwebauthn.RelyingParty, auth virtualwebauthn.Authenticator, key virtualwebauthn.Credential, challenge []byte) string {
	t.Helper()
	raw, err := ceremonies().Creation(challenge, who, nil)
	if err != nil {
		t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return virtualwebauthn.CreateAttestationResponse(rp, auth, key, *options)
}

func asserted(rp virtualwebauthn.RelyingParty, auth virtualwebauthn.Authenticator, key virtualwebauthn.Credential, challenge []byte) []byte {
	return []byte(virtualwebauthn.CreateAssertionResponse(rp, auth, key, virtualwebauthn.AssertionOptions{Challenge: challenge, RelyingPartyID: rp.ID}))
}

// What browsers are asked for: discoverable keys without attestation, for the host of the public address and no other.
func TestWhatIsAskedFor(t *testing.T) {
	have := []mfa.Passkey{{Credential: []byte("one"), PublicKey: []byte("k"), Transports: []string{"usb"}}}
	raw, err := ceremonies().Creation(challenge, who, have)
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
	if asked.RP.ID != ours.ID || asked.User.ID != text(mfa.Handle(accountID)) || asked.User.Name != "DoeJ" || asked.User.DisplayName != "John Doe" ||
		asked.Challenge != text(challenge) || asked.Attestation != "none" && asked.Attestation != "" || asked.AuthenticatorSelection.ResidentKey != "required" ||
		asked.AuthenticatorSelection.UserVerification != "preferred" || len(asked.ExcludeCredentials) != 1 || asked.ExcludeCredentials[0].ID != text([]byte("one")) {
		t.Errorf("%s", raw)
	}
	alone, err := ceremonies().Request(challenge, nil)
	if err != nil || !strings.Contains(string(alone), `"userVerification":"required"`) || strings.Contains(string(alone), "allowCredentials") {
		t.Errorf("%s, %v", alone, err)
	}
	second, err := ceremonies().Request(challenge, have)
	if err != nil || !strings.Contains(string(second), `"userVerification":"preferred"`) || !strings.Contains(string(second), text([]byte("one"))) {
		t.Errorf("%s, %v", second, err)
	}
}

// A passkey is for a name: an address that is an IP, or none, has no passkeys, and says so.
func TestNoNameNoPasskeys(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:3000", "http://[::1]:3000", "", "://"} {
		if _, err := passkey.New(address, "x").Request(challenge, nil); !fault.HasCode(err, "passkeysUnavailable") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := passkey.New("http://localhost:3000", "x").Request(challenge, nil); err != nil {
		t.Error(err)
	}
}

// A new passkey is taken for our origin, host and challenge alone.
func TestANewPasskey(t *testing.T) {
	for name, kind := range map[string]virtualwebauthn.KeyType{"ES256": virtualwebauthn.KeyTypeEC2, "RS256": virtualwebauthn.KeyTypeRSA} {
		_, key, got := made(t, virtualwebauthn.AuthenticatorOptions{BackupEligible: true}, kind)
		if !bytes.Equal(got.Credential, key.ID) || len(got.PublicKey) == 0 || got.Counter != 4 || !got.Synced {
			t.Errorf("%s: %+v", name, got)
		}
	}
	auth, key := virtualwebauthn.NewAuthenticator(), wholeKey(virtualwebauthn.KeyTypeEC2)
	origin, host := ours, ours
	origin.Origin, host.ID = "https://accounts.example.com.evil.example", "evil.example"
	for name, text := range map[string]string{
		"another origin": attested(t, origin, auth, key, challenge), "another host": attested(t, host, auth, key, challenge),
		"another challenge": attested(t, ours, auth, key, bytes.Repeat([]byte{8}, 32)), "nothing": "", "no object": "[]", "null": "null",
		"an assertion": string(asserted(ours, auth, key, challenge)), "too long": `{"id":"` + strings.Repeat("A", mfa.MaxCredential) + `"}`,
	} {
		if _, err := ceremonies().Created(challenge, who, []byte(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer is right for the passkey, origin, host, challenge and person it is of, and for no other.
func TestAnAnswer(t *testing.T) {
	auth, key, stored := made(t, virtualwebauthn.AuthenticatorOptions{}, virtualwebauthn.KeyTypeEC2)
	key.Counter = 9
	right := asserted(ours, auth, key, challenge)
	answer := read(t, right)
	if !bytes.Equal(answer.Challenge, challenge) || mfa.AccountOf(answer.Handle) != accountID || !bytes.Equal(answer.Credential, key.ID) {
		t.Errorf("%+v", answer)
	}
	if counter, ok := ceremonies().Verify(challenge, answer, accountID, stored, true); !ok || counter != 9 {
		t.Errorf("%d, %v", counter, ok)
	}
	origin, host, absent, unproved, other := ours, ours, auth, auth, auth
	origin.Origin, host.ID = "http://accounts.example.com", "example.com"
	absent.Options.UserNotPresent, unproved.Options.UserNotVerified = true, true
	other.Options.UserHandle = mfa.Handle("01JZ0000000000000000000002")
	forged := wholeKey(virtualwebauthn.KeyTypeEC2)
	forged.ID = key.ID
	synced := auth
	synced.Options.BackupEligible = true
	for name, raw := range map[string][]byte{
		"another origin": asserted(origin, auth, key, challenge), "another host": asserted(host, auth, key, challenge),
		"another challenge": asserted(ours, auth, key, bytes.Repeat([]byte{8}, 32)), "another key": asserted(ours, auth, forged, challenge),
		"nobody there": asserted(ours, absent, key, challenge), "nobody proved": asserted(ours, unproved, key, challenge),
		"another account": asserted(ours, other, key, challenge), "another kind of key": asserted(ours, synced, key, challenge),
	} {
		if _, ok := ceremonies().Verify(challenge, read(t, raw), accountID, stored, true); ok {
			t.Errorf("%s is right", name)
		}
	}
	if _, ok := ceremonies().Verify(challenge, read(t, asserted(ours, unproved, key, challenge)), accountID, stored, false); !ok {
		t.Error("beside a password the person need not prove themselves to the authenticator")
	}
	if _, ok := ceremonies().Verify(challenge, answer, "", mfa.Passkey{}, true); ok {
		t.Error("nobody's passkey is right")
	}
	for _, text := range []string{"", "{}", "[]", "null", `{"id":"x"}`, strings.Replace(string(right), "public-key", "password", 1)} {
		if _, err := ceremonies().Read([]byte(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func read(t *testing.T, raw []byte) mfa.Answer {
	t.Helper()
	a, err := ceremonies().Read(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return a
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
