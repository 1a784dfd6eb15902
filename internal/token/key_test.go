package token_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/token"
)

var via = ulid.MustParseStrict("01JZ0000000000000000000003")

func issueKeyAccess(t testing.TB, seed byte) token.Token {
	t.Helper()
	made, err := token.IssueKeyAccess(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), owner, record, via)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The form is part of the API: ua_<id>_<secret>, the secret of 256 bits (V46).
func TestTheFormOfAKeyIsPinned(t *testing.T) {
	const want = "ua_01JZ000000000000000000000201JZ0000000000000000000001_" +
		"0W3GE1R70W3GE1R70W3GE1R70W3GE1R70W3GE1R70W3GE1R70W3G"
	made := issue(t, token.APIKey, 7)
	if got := made.Reveal(); got != want {
		t.Errorf("key = %s, want %s", got, want)
	}
	if got := token.KeyPrefix(record.String()); got != "ua_01JZ0000000000000000000002" || !strings.HasPrefix(want, got) {
		t.Errorf("prefix = %s", got)
	}
	if got := made.String() + made.GoString(); got != "[secret][secret]" {
		t.Errorf("it shows itself: %s", got)
	}
}

func TestParseReadsKeysAndTheirSessions(t *testing.T) {
	for kind, made := range map[token.Kind]token.Token{
		token.APIKey:    issue(t, token.APIKey, 7),
		token.KeyAccess: issueKeyAccess(t, 7),
	} {
		got, err := token.Parse(kind, made.Reveal())
		if err != nil || got != made || !got.Matches(made.Hash()) {
			t.Errorf("%s: %v, account %v, id %v, via %v", kind, err, got.Account, got.ID, got.KeyID)
		}
		if token.KindOf(made.Reveal()) != kind {
			t.Errorf("%s is taken for %s", kind, token.KindOf(made.Reveal()))
		}
	}
	for _, text := range []string{
		issue(t, token.Access, 7).Reveal(), issue(t, token.Refresh, 7).Reveal(), "", "ua",
		"UA_", "uakx_",
	} {
		if token.KindOf(text) != token.Access {
			t.Errorf("%q is taken for %s", text, token.KindOf(text))
		}
	}
}

// C30: no truncation, extension or change of one bit gives a key, or a key session's token, that opens the same record.
// Of a key not one of them even has the same account, id and secret: each has one text.
func TestNoTruncationExtensionOrBitFlipOfAKeyPasses(t *testing.T) {
	for kind, made := range map[token.Kind]token.Token{
		token.APIKey:    issue(t, token.APIKey, 0xa5),
		token.KeyAccess: issueKeyAccess(t, 0xa5),
	} {
		text, hash := made.Reveal(), made.Hash()
		refused := func(name, changed string) {
			got, err := token.Parse(kind, changed)
			if err == nil && got.Account == made.Account && got.ID == made.ID && got.KeyID == made.KeyID && got.Matches(hash) {
				t.Errorf("%s: %s passes", kind, name)
			}
			if err != nil && (!errors.Is(err, token.ErrMalformed) || got != (token.Token{})) {
				t.Errorf("%s: %s: %v, %v", kind, name, got.ID, err)
			}
		}
		for n := range len(text) {
			refused(fmt.Sprintf("the first %d bytes", n), text[:n])
			for bit := range 8 {
				b := []byte(text)
				b[n] ^= 1 << bit
				refused(fmt.Sprintf("bit %d of byte %d turned", bit, n), string(b))
			}
		}
		for _, more := range []string{"0", "A", "AA", "=", "\n", "\r\n", " ", "\x00", "_", "_0", ".", text} {
			refused(fmt.Sprintf("%q behind", more), text+more)
			refused(fmt.Sprintf("%q before", more), more+text)
			refused(fmt.Sprintf("%q within", more), text[:20]+more+text[20:])
			refused(fmt.Sprintf("%q near the end", more), text[:len(text)-3]+more+text[len(text)-3:])
		}
		refused("small letters", strings.ToLower(text))
		refused("a long text", text+strings.Repeat("0", 5000)) // C34
	}
}

// No kind passes for another, whatever its prefix is exchanged for; a session's token does not pass with another key's
// id.
func TestKeysAndTheirSessionsPassForNothingElse(t *testing.T) {
	session := issueKeyAccess(t, 7)
	all := map[token.Kind]token.Token{token.APIKey: issue(t, token.APIKey, 7), token.KeyAccess: session}
	for _, kind := range kinds() {
		all[kind] = issue(t, kind, 7)
	}
	for is, made := range all {
		for asked := range all {
			if asked == is {
				continue
			}
			if _, err := token.Parse(asked, made.Reveal()); err == nil {
				t.Errorf("%s is read as %s", is, asked)
			}
			dressed, err := token.Parse(asked, string(asked)+strings.TrimPrefix(made.Reveal(), string(is)))
			if err == nil && dressed.Matches(made.Hash()) {
				t.Errorf("%s with the prefix of %s matches", is, asked)
			}
		}
	}
	other := session
	other.KeyID = owner
	if got, err := token.Parse(token.KeyAccess, other.Reveal()); err != nil || got.KeyID == session.KeyID {
		t.Errorf("the key's id is not part of the token: %v, %v", got.KeyID, err)
	}
}

// C30: whatever Parse takes for a key or its session, it gives back byte for byte.
func FuzzParseKey(f *testing.F) {
	f.Add(issue(f, token.APIKey, 7).Reveal())
	f.Add(issueKeyAccess(f, 7).Reveal())
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []token.Kind{token.APIKey, token.KeyAccess} {
			got, err := token.Parse(kind, text)
			if err == nil && got.Reveal() != text {
				t.Errorf("%q was read as %q", text, got.Reveal())
			}
		}
	})
}
