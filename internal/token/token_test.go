package token_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/token"
)

var (
	owner  = ulid.MustParseStrict("01JZ0000000000000000000001")
	record = ulid.MustParseStrict("01JZ0000000000000000000002")
)

// issue makes a token whose secrets are 32 times seed.
func issue(t testing.TB, kind token.Kind, seed byte) token.Token {
	t.Helper()
	made, err := token.Issue(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)), kind, owner, record)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func kinds() []token.Kind { return []token.Kind{token.Access, token.Refresh, token.Ticket} }

func TestParseReadsWhatWasIssued(t *testing.T) {
	for _, kind := range kinds() {
		made := issue(t, kind, 7)
		got, err := token.Parse(kind, made.Reveal())
		if err != nil || got != made {
			t.Errorf("%s: Parse gave %#v, %v", kind, got.Account, err)
		}
		if !got.Matches(made.Hash()) {
			t.Errorf("%s: the parsed token does not match its hash", kind)
		}
	}
}

// The form is part of the API: clients and scanners for leaked secrets know the prefix.
func TestTheFormOfATokenIsPinned(t *testing.T) {
	const want = "uas_AZfAAAAAAAAAAAAAAAAAAQGXwAAAAAAAAAAAAAAAAAIHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw"
	if got := issue(t, token.Access, 7).Reveal(); got != want {
		t.Errorf("token = %s, want %s", got, want)
	}
}

// C30: no truncation, extension or change of one bit gives a token that opens the same record.
func TestNoTruncationExtensionOrBitFlipPasses(t *testing.T) {
	for _, kind := range kinds() {
		made := issue(t, kind, 7)
		text, hash := made.Reveal(), made.Hash()
		refused := func(name, changed string) {
			got, err := token.Parse(kind, changed)
			if err == nil && got.Account == made.Account && got.ID == made.ID && got.Matches(hash) {
				t.Errorf("%s: %s passes", kind, name)
			}
			if err != nil && !errors.Is(err, token.ErrMalformed) {
				t.Errorf("%s: %s: error %v", kind, name, err)
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
		for _, more := range []string{"A", "AA", "AAA", "AAAA", "=", "==", "\n", "\r\n", " ", "\x00", "_", ".", text} {
			refused(fmt.Sprintf("%q behind", more), text+more)
			refused(fmt.Sprintf("%q before", more), more+text)
		}
		for _, within := range []string{"\n", "\r", "\r\n"} { // the base64 decoder skips these by itself
			refused(fmt.Sprintf("%q within", within), text[:20]+within+text[20:])
		}
	}
}

// C12, C17: a token of one kind is none of another, even with the prefix exchanged.
func TestOneKindNeverPassesForAnother(t *testing.T) {
	for _, is := range kinds() {
		made := issue(t, is, 7)
		for _, asked := range kinds() {
			if asked == is {
				continue
			}
			if _, err := token.Parse(asked, made.Reveal()); !errors.Is(err, token.ErrMalformed) {
				t.Errorf("%s read as %s: %v", is, asked, err)
			}
			dressed, err := token.Parse(asked, string(asked)+strings.TrimPrefix(made.Reveal(), string(is)))
			if err == nil && dressed.Matches(made.Hash()) {
				t.Errorf("%s with the prefix of %s matches", is, asked)
			}
		}
	}
}

// C34: a long text is refused before anything is done with it.
func TestLongTextsAreRefused(t *testing.T) {
	for _, text := range []string{
		"uas_" + strings.Repeat(".", 5000), "uas_" + strings.Repeat("A", 253),
		strings.Repeat("uas_", 1<<16),
	} {
		if _, err := token.Parse(token.Access, text); !errors.Is(err, token.ErrMalformed) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
		if n := testing.AllocsPerRun(5, func() { _, _ = token.Parse(token.Access, text) }); n > 0 {
			t.Errorf("%d bytes: %v allocations", len(text), n)
		}
	}
}

func TestMatchesRefusesOtherHashes(t *testing.T) {
	made := issue(t, token.Access, 7)
	hash := made.Hash()
	if len(hash) != 32 {
		t.Fatalf("the hash has %d bytes", len(hash))
	}
	for name, other := range map[string][]byte{
		"nil": nil, "empty": {}, "cut": hash[:31], "longer": append(bytes.Clone(hash), 0),
		"another's": issue(t, token.Access, 8).Hash(),
	} {
		if made.Matches(other) {
			t.Errorf("it matches the hash that is %s", name)
		}
	}
	var zero token.Token
	if zero.Matches(nil) || zero.Matches([]byte{}) {
		t.Error("the zero token matches no hash at all")
	}
}

// C50: no format verb and no log line shows a token.
func TestATokenDoesNotShowItself(t *testing.T) {
	made := issue(t, token.Refresh, 7)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", made)
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", made), "%+v": fmt.Sprintf("%+v", made), "%#v": fmt.Sprintf("%#v", made),
		"%s":      fmt.Sprintf("%s", made), //nolint:staticcheck // formatting is what is tested
		"pointer": fmt.Sprintf("%v", &made), "within": fmt.Sprintf("%+v", struct{ T token.Token }{made}), "log": log.String(),
	} {
		if strings.Contains(text, "BwcHBw") || strings.Contains(text, "7 7 7") || !strings.Contains(text, "[secret]") {
			t.Errorf("%s shows %s", name, text)
		}
	}
}

// A source of random bytes that fails must never leave a token with a short secret.
func TestIssueFailsWithItsRandom(t *testing.T) {
	made, err := token.Issue(bytes.NewReader(make([]byte, 31)), token.Access, owner, record)
	if !errors.Is(err, io.ErrUnexpectedEOF) || made != (token.Token{}) {
		t.Errorf("Issue with 31 random bytes = %v, %v", made.Account, err)
	}
}

func TestNewIDsDifferAndSort(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := token.NewIDString()
		if _, err := ulid.ParseStrict(id); err != nil || seen[id] {
			t.Fatalf("id %s: doubled %v, %v", id, seen[id], err)
		}
		seen[id] = true
	}
}

// C30: whatever Parse takes, it gives back byte for byte; so each token has one text.
func FuzzParse(f *testing.F) {
	f.Add(issue(f, token.Access, 7).Reveal())
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range kinds() {
			got, err := token.Parse(kind, text)
			if err == nil && got.Reveal() != text {
				t.Errorf("%q was read as %q", text, got.Reveal())
			}
			if err != nil && got != (token.Token{}) {
				t.Errorf("%q is malformed, and gave a token", text)
			}
		}
	})
}
