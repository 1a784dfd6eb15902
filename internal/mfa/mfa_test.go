package mfa_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"useraccounts/internal/mfa"
	"useraccounts/internal/token"
)

// The seed and the codes are those of RFC 6238, appendix B, whose eight digits end in these six.
var seed = []byte("12345678901234567890")

var vectors = map[int64]string{
	59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924",
	2000000000: "279037", 20000000000: "353130",
}

// V29: a code is right in its own time step and the next one, and at no other second.
func TestTheWindowIsTheCurrentAndTheLastStep(t *testing.T) {
	for at, code := range vectors {
		step := at / 30
		for offset := int64(-120); offset <= 120; offset++ {
			now := time.Unix(step*30+offset, 0)
			got, right := mfa.MatchTOTP(seed, code, now, 0)
			if want := offset >= 0 && offset < 60; right != want || right && got != step {
				t.Errorf("%s at %+d s: %v, step %d", code, offset, right, got)
			}
		}
	}
}

// V28: a step that was used, or one before it, is right no more.
func TestAUsedStepIsOver(t *testing.T) {
	now := time.Unix(1111111111, 0)
	step := now.Unix() / 30
	for used, want := range map[int64]bool{0: true, step - 2: true, step - 1: true, step: false, step + 1: false} {
		if _, right := mfa.MatchTOTP(seed, vectors[1111111111], now, used); right != want {
			t.Errorf("used up to %+d: %v", used-step, right)
		}
	}
	if _, right := mfa.MatchTOTP(seed, "000000", now, 0); right {
		t.Error("a wrong code is right")
	}
}

// C11: spaces are forgiven, and nothing else; digits of other scripts are none.
func TestParseCode(t *testing.T) {
	for _, text := range []string{"123456", " 123456", "123 456", "1 2 3 4 5 6", "123456\n", "\t123456\r\n"} {
		if code, ok := mfa.ParseCode(text); !ok || code != "123456" {
			t.Errorf("%q: %q", text, code)
		}
	}
	for _, text := range []string{
		"", "12345", "1234567", "12345x", "-12345", "+12345", "12345.", "１２３４５６", "١٢٣٤٥٦",
		"123\u00a0456", "123\u200b456", "123456\x00", strings.Repeat(" ", 60) + "123456", "0x1234",
	} {
		if code, ok := mfa.ParseCode(text); ok {
			t.Errorf("%q is taken for %q", text, code)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"123456", "123 456", "１２３４５６", "", "12345a", "\t1\n2 3\r456", "123456 ", "000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := mfa.ParseCode(text)
		if !ok {
			return
		}
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q reads as %q", text, code)
		}
		if rest := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(text); rest != code {
			t.Fatalf("%q reads as %q", text, code)
		}
		if again, ok := mfa.ParseCode(code); !ok || again != code {
			t.Fatalf("%q is not read as itself", code)
		}
	})
}

func FuzzParseRecovery(f *testing.F) {
	for _, s := range []string{
		"ABCD-EFGH-0123", "abcdefgh0123", "ABCD EFGH 012O", "", "ＡBCD-EFGH-0123",
		"ABCD-EFGH-01234",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lookup, code, ok := mfa.ParseRecovery(text)
		if !ok {
			return
		}
		if len(code) != 12 || code[:2] != lookup || strings.Trim(code, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
			t.Fatalf("%q reads as %q, %q", text, lookup, code)
		}
		if again, whole, ok := mfa.ParseRecovery(strings.ToLower(code)); !ok || again != lookup || whole != code {
			t.Fatalf("%q is not read as itself", code)
		}
	})
}

type fakeHasher struct{ fail error }

func (h fakeHasher) Hash(secret string) (string, error) { return "hash of " + secret, h.fail }
func (fakeHasher) Verify(hash, secret string) bool      { return hash == "hash of "+secret }

// V32: ten codes, each with a lookup of its own, none stored as it is shown.
func TestRecoveryCodes(t *testing.T) {
	for range 200 {
		shown, kept, err := mfa.NewRecoveryCodes(rand.Reader, fakeHasher{})
		if err != nil || len(shown) != 10 || len(kept) != 10 {
			t.Fatalf("%v, %v, %v", shown, kept, err)
		}
		for _, text := range shown {
			lookup, code, ok := mfa.ParseRecovery(text)
			if !ok || !(fakeHasher{}).Verify(kept[lookup], code) {
				t.Errorf("%s is not kept", text)
			}
		}
	}
	if _, _, err := mfa.NewRecoveryCodes(strings.NewReader("short"), fakeHasher{}); err == nil {
		t.Error("made without random bytes")
	}
	if _, _, err := mfa.NewRecoveryCodes(rand.Reader, fakeHasher{errors.New("down")}); err == nil {
		t.Error("made without a hash")
	}
}

// V30: 160 bits, and what is shown lets an authenticator make the codes that are right.
func TestWhatAnAuthenticatorIsSetUpFrom(t *testing.T) {
	made, err := mfa.NewSeed(rand.Reader)
	if err != nil || len(made) != 20 {
		t.Fatalf("%d bytes, %v", len(made), err)
	}
	if _, err := mfa.NewSeed(strings.NewReader("too short")); err == nil {
		t.Error("a seed of nine bytes")
	}
	shown, err := mfa.NewTOTPEnrolment(made, "Acme: People", "acme:dæj@example.com")
	if err != nil {
		t.Fatal(err)
	}
	uri, err := url.Parse(shown.URI)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || uri.Query().Get("issuer") != "Acme  People" ||
		!strings.HasSuffix(uri.Path, ":acme dæj@example.com") {
		t.Errorf("%s, %v", shown.URI, err)
	}
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(shown.Secret); err != nil ||
		!bytes.Equal(raw, made) || uri.Query().Get("secret") != shown.Secret {
		t.Errorf("%s, %v", shown.Secret, err)
	}
	now := time.Now()
	code, err := totp.GenerateCode(shown.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, right := mfa.MatchTOTP(made, code, now, 0); !right {
		t.Error("an authenticator's code is wrong")
	}
	picture, ok := strings.CutPrefix(shown.QR, "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(picture)
	if err != nil || !ok {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(raw)); err != nil || img.Bounds().Dx() != 240 {
		t.Errorf("%v", err)
	}
}

// V36: what a device's secret is worth.
func TestVerifyDevice(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	id := token.NewID()
	issue := func() token.Token {
		made, err := token.Issue(rand.Reader, token.TrustedDevice, id, id)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	current, before, other := issue(), issue(), issue()
	d := mfa.TrustedDevice{
		ID: id.String(), Hash: current.Hash(), PreviousHash: before.Hash(), Rotated: now,
		Expires: now.Add(time.Hour), Epoch: 3,
	}
	for name, c := range map[string]struct {
		given token.Token
		at    time.Time
		epoch int64
		want  mfa.DeviceStatus
	}{
		"current":           {current, now, 3, mfa.DeviceCurrent},
		"just replaced":     {before, now.Add(time.Minute - 1), 3, mfa.DevicePrevious},
		"replaced":          {before, now.Add(time.Minute), 3, mfa.DeviceReplayed},
		"another":           {other, now, 3, mfa.DeviceUnknown},
		"expired":           {current, now.Add(time.Hour), 3, mfa.DeviceUnknown},
		"forgotten":         {current, now, 4, mfa.DeviceUnknown},
		"replaced, expired": {before, now.Add(time.Hour), 3, mfa.DeviceUnknown},
	} {
		if got := d.Verify(c.given, c.at, c.epoch); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := (mfa.TrustedDevice{}).Verify(token.Token{}, now, 0); got != mfa.DeviceUnknown {
		t.Errorf("no device: %v", got)
	}
}
