package account_test

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"useraccounts/internal/account"
)

// C03, C04: all spellings of an identifier are the same.
func TestNormaliseMakesSpellingsEqual(t *testing.T) {
	for want, spellings := range map[string][]string{
		"doej":                  {"doej", "DOEJ", " doej ", "\tDoeJ\r\n", "ｄｏｅｊ", "ＤＯＥＪ", "\u3000doej\u00a0"},
		"jörg@example.com":      {"jörg@example.com", "JÖRG@EXAMPLE.COM", "jo\u0308rg@example.com", "jörg＠example.com"},
		"strasse":               {"strasse", "straße", "STRAẞE", "STRASSE"},
		"ffi":                   {"ﬃ", "FFI"},
		"σίσυφος":               nil,
		"한국":                    {"한국", norm.NFD.String("한국")},
		"k":                     {"K", "\u212a"},
		"ana maria":             {"Ana Maria", "ana\u00a0maria"},
		"o'neil_1+x.y-z":        {"O'Neil_1+x.y-z"},
		"ⅳ":                     nil,
		"i̇stanbul@example.com": {"İstanbul@example.com"},
	} {
		for _, s := range spellings {
			if got, ok := account.Normalise(s); !ok || got != want {
				t.Errorf("Normalise(%+q) = %+q, %v, want %+q", s, got, ok, want)
			}
		}
	}
	one, _ := account.Normalise("ΣΊΣΥΦΟΣ")
	if two, ok := account.Normalise("σίσυφος"); !ok || one != two {
		t.Errorf("the two small sigmas differ: %q %q", one, two)
	}
}

func TestNormaliseRefusesWhatCannotBeAnIdentifier(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "blanks": " \t\u00a0", "a NUL": "doe\x00j", "a line feed within": "doe\nj",
		"a zero-width space": "doe\u200bj",
		"a direction mark":   "\u202edoej", "a soft hyphen": "do\u00adej", "private use": "doe\ue000",
		"unassigned":             "doe\u0378",
		"bytes that are no text": "doe\xff", "the replacement character": "doe\ufffd", "a line separator": "a\u2028b",
		"251 characters": strings.Repeat("x", 251), "that after folding": strings.Repeat("x", 249) + "ß",
		"more when compatible": strings.Repeat("ﷺ", 20), "a megabyte": strings.Repeat("x", 1<<20),
	} {
		if got, ok := account.Normalise(text); ok {
			t.Errorf("%s: taken as %+q", name, got)
		}
	}
}

// The bound is 250 characters in normal form, however many bytes were typed.
func TestNormaliseTakes250CharactersInAnyForm(t *testing.T) {
	for name, text := range map[string]string{"letters": strings.Repeat("x", 250), "emoji": strings.Repeat("😀", 250),
		"hangul": strings.Repeat("한", 250)} {
		want, ok := account.Normalise(text)
		if !ok {
			t.Errorf("%s: refused", name)
		}
		if got, ok := account.Normalise(norm.NFD.String(text)); !ok || got != want {
			t.Errorf("%s: decomposed it is another, or refused (%v)", name, ok)
		}
	}
}

// C41: one @, nothing quoted or commented, a domain with a dot.
func TestValidEmail(t *testing.T) {
	label := strings.Repeat("a", 63)
	for text, want := range map[string]bool{
		"a@b.c": true, "john.doe+tag@example.co.uk": true, "o'neil@example.com": true, "x_y-z@example.com": true,
		"jörg@müller.de": true,
		"用户@例子.公司":       true, "a@1.2": true, "a@" + label + ".com": true,
		"a@" + label + "a.com": false, "": false, "a": false, "@": false, "a@": false, "@b.c": false, "a@b": false,
		"a@b.": false, "a@.b": false,
		"a@b..c": false, "a@-b.c": false, "a@b-.c": false, "a@b_c.d": false, ".a@b.c": false, "a.@b.c": false,
		"a..b@c.d":        false,
		"a@evil@good.com": false, "a@@b.c": false, `"a"@b.c`: false, `"a@b"@c.d`: false, "a(x)@b.c": false,
		"A <a@b.c>": false, "<a@b.c>": false,
		"a@[127.0.0.1]": false, "a@[IPv6:::1]": false, "a@b.c,d@e.f": false, "a@b.c;d@e.f": false, "a b@c.d": false,
		" a@b.c": false, "a@b.c ": false,
		"a@b.c\r\nBcc: x@y.z": false, "a\n@b.c": false, "a@b\u3002c": false, "a@b．c": false, "a＠b.c": false,
		"a:b@c.d": false, `a\b@c.d`: false,
		"a@b.c\x00": false, "=?utf-8?q?a?=@b.c ": false, "a@xn--.": false, "a@b!c.d": false, "a@b%c.d": false,
	} {
		if got := account.ValidEmail(text); got != want {
			t.Errorf("%+q: %v, want %v", text, got, want)
		}
	}
}

// C51: long addresses are refused by their length, before any parsing; five thousand hostile ones of the full length,
// as many as a file may bring, take no second.
func TestLongAddressesAreRefused(t *testing.T) {
	if account.ValidEmail(strings.Repeat("a.", 1<<20) + "a@b.c") {
		t.Error("a megabyte is an address")
	}
	const most = account.MaxEmail * utf8.UTFMax // bytes, as an address may be of any script
	began := time.Now()
	for _, part := range []string{"(", "\"", "\\", "@", "a.", ",", "<", "=?utf-8?q?", "[", "\r\n ", "a@b,", "é", "\xff",
		" ", "a-."} {
		text := strings.Repeat(part, most/len(part))
		for _, address := range []string{text, text[:most/2] + "@example.com", "a@" + text[:most/2] + ".com"} {
			for range 5000 / 45 {
				account.ValidEmail(address)
			}
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}

// C08: what could be somebody's email is claimed in the key space that usernames and emails share.
func TestLoginKeys(t *testing.T) {
	for _, c := range []struct {
		username, email string
		want            []string
	}{
		{"doej", "", nil},
		{"doej", "John@Example.com", []string{"john@example.com"}},
		{"Jane@Example.com", "john@example.com", []string{"john@example.com", "jane@example.com"}},
		{"JOHN＠example.com", "john@example.com", []string{"john@example.com"}},
		{"jane@example.com", "", []string{"jane@example.com"}},
	} {
		a := account.Account{Username: c.username, Email: c.email}
		if got := a.LoginKeys(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
	if key := (account.Account{Username: "ＤＯＥＪ"}).DirectoryKey(); key != "doej" {
		t.Errorf("directory key %q", key)
	}
}

// otherCase gives the next case form of a letter. The one mark that has any, the iota written below, stays: as a letter
// it would no longer be ordered among the marks, and the text would be another.
func otherCase(r rune) rune {
	if other := unicode.SimpleFold(r); !unicode.Is(unicode.M, r) && !unicode.Is(unicode.M, other) {
		return other
	}
	return r
}

// C03: idempotent, and equal for the case, width and decomposed variants of whatever is taken.
func FuzzNormalise(f *testing.F) {
	f.Add("DoeJ")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := account.Normalise(text)
		if !ok {
			return
		}
		if again, ok := account.Normalise(id); !ok || again != id {
			t.Errorf("%+q gives %+q, which gives %+q (%v)", text, id, again, ok)
		}
		for name, variant := range map[string]string{
			"composed": norm.NFC.String(text), "decomposed": norm.NFD.String(text), "narrow": width.Narrow.String(text),
			"padded":      " " + text + "\u00a0",
			"composed id": norm.NFC.String(id), "decomposed id": norm.NFD.String(id), "wide id": width.Widen.String(id),
			"other case": strings.Map(otherCase, text),
		} {
			if got, ok := account.Normalise(variant); ok && got != id {
				t.Errorf("%+q gives %+q, but %s (%+q) gives %+q", text, id, name, variant, got)
			}
		}
		if strings.ContainsAny(id, "\x00\r\n\t\u200b\u202e") {
			t.Errorf("%+q is taken as %+q", text, id)
		}
	})
}

// C41, C51: an address that is taken has one @, no blanks, and no character that could end a header.
func FuzzValidEmail(f *testing.F) {
	f.Add("john.doe@example.com")
	f.Fuzz(func(t *testing.T, text string) {
		if !account.ValidEmail(text) {
			return
		}
		local, domain, ok := strings.Cut(text, "@")
		if !ok || local == "" || strings.Contains(domain, "@") || !strings.Contains(domain, ".") ||
			strings.ContainsAny(text, " \t\r\n\x00<>()[]\",;:\\") {
			t.Errorf("%+q is taken for an address", text)
		}
	})
}
