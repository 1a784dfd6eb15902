package password_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"useraccounts/internal/environment"
	"useraccounts/internal/password"
)

var argon password.Argon2id

func hash(t *testing.T, secret string) string {
	t.Helper()
	h, err := argon.Hash(secret)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// V08: the parameters, the length of the salt, and the form that any other program reads.
func TestHashIsAPHCStringWithTheParametersOfOWASP(t *testing.T) {
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$`)
	one, two := hash(t, "correct horse"), hash(t, "correct horse")
	m := form.FindStringSubmatch(one)
	if m == nil {
		t.Fatalf("hash %s", one)
	}
	var memory, passes, lanes int
	if _, err := fmt.Sscan(m[1]+" "+m[2]+" "+m[3], &memory, &passes, &lanes); err != nil || memory < 19456 ||
		passes < 2 || lanes < 1 {
		t.Errorf("m=%d t=%d p=%d", memory, passes, lanes)
	}
	if one == two {
		t.Error("two hashes of one password are equal; the salt is not random")
	}
}

// V03: nothing is cut and no case is folded. V02: only the normal form does not matter.
func TestVerifyIsExact(t *testing.T) {
	secret := strings.Repeat("0123456789", 12) + "Pässword" // 128 characters
	h := hash(t, secret)
	for _, c := range []struct {
		name, given string
		want        bool
	}{
		{"itself", secret, true},
		{"decomposed", norm.NFD.String(secret), true},
		{"the 73rd byte changed", secret[:72] + "x" + secret[73:], false},
		{"the last changed", secret[:len(secret)-1] + "D", false},
		{"cut by one", secret[:len(secret)-1], false},
		{"one more", secret + "d", false},
		{"a space behind", secret + " ", false},
		{"empty", "", false},
	} {
		if got := argon.Verify(h, c.given); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// V02: the longest password the policy lets in is verified in every form it can be typed in, and set in.
func TestTheLongestPasswordPassesDecomposed(t *testing.T) {
	secret := strings.Repeat("한국어글", 32) // 128 characters, 9 bytes each when decomposed
	if bad := argon.Check(environment.Defaults(), secret, nil); bad != nil {
		t.Fatalf("the policy refuses it: %+v", bad)
	}
	if !argon.Verify(hash(t, secret), norm.NFD.String(secret)) || !argon.Verify(hash(t, norm.NFD.String(secret)), secret) {
		t.Error("set in one form it is refused in the other")
	}
}

// An overlong text is not hashed, and is never right, whatever is stored.
func TestVerifyRefusesOverlongTexts(t *testing.T) {
	if argon.Verify(hash(t, ""), strings.Repeat("x", 1<<20)) {
		t.Error("a megabyte passes for the empty password")
	}
}

// C24: without a hash, or with a damaged one, nothing is right; a damaged row cannot ask for gigabytes.
func TestVerifyRefusesHashesThatAreNone(t *testing.T) {
	good := hash(t, "x")
	parts := strings.Split(good, "$")
	with := func(i int, part string) string {
		p := append([]string(nil), parts...)
		p[i] = part
		return strings.Join(p, "$")
	}
	for name, h := range map[string]string{
		"none": "", "text": "x", "bcrypt": "$2b$10$abcdefghijklmnopqrstuv", "another kind": with(1, "argon2i"),
		"another version": with(2, "v=16"),
		"no parameters":   with(3, ""), "4 GiB": with(3, "m=4194304,t=2,p=1"), "no memory": with(3, "m=0,t=2,p=1"),
		"no pass": with(3, "m=19456,t=0,p=1"), "too many passes": with(3, "m=19456,t=17,p=1"),
		"no lane":        with(3, "m=19456,t=2,p=0"),
		"too many lanes": with(3, "m=19456,t=2,p=17"), "not base64": with(4, "!!!!"), "a short salt": with(4, "AAAA"),
		"a long salt": with(4, strings.Repeat("A", 100)),
		"a short key": with(5, "AAAA"), "no key": with(5, ""), "a long key": with(5, strings.Repeat("A", 100)),
		"one part more": good + "$x", "one part less": strings.Join(parts[:5], "$"),
	} {
		if password.IsHash(h) {
			t.Errorf("%s is taken for a hash", name)
		}
	}
	if !password.IsHash(good) {
		t.Error("a good hash is not")
	}
	for _, h := range []string{"", "$2b$10$x", with(3, "m=4194304,t=2,p=1")} {
		if argon.Verify(h, "x") || argon.Verify(h, "") {
			t.Errorf("%q verifies", h)
		}
	}
}

func checkCode(settings environment.Settings, secret string, words ...string) string {
	bad := argon.Check(settings, secret, words)
	if len(bad) == 0 {
		return ""
	}
	if len(bad) > 1 || bad[0].Field != "password" || bad[0].Message == "" || secret != "" &&
		strings.Contains(bad[0].Message, secret) {
		return "malformed fault"
	}
	return bad[0].Code
}

// V01: both ends, on both sides, in characters and not in bytes.
func TestCheckHoldsTheLengths(t *testing.T) {
	s := environment.Defaults()
	for _, c := range []struct{ name, secret, want string }{
		{"11 characters", "kq7 mzt wp4", "tooShort"},
		{"12 characters", "kq7 mzt wp4 ", ""},
		{"11 letters, decomposed into more", norm.NFD.String("äöüéèàñçõôî"), "tooShort"},
		{"12 letters of two bytes", "äöüéèàñçõôîß", ""},
		{"12 emoji", "😀🐶🌵🍎🚗🎹⚽🏠📷🔑🎁🧊", ""},
		{"128 characters", strings.Repeat("kq7 mzt ", 16), ""},
		{"129 characters", strings.Repeat("kq7 mzt ", 16) + "x", "tooLong"},
		{"none", "", "tooShort"},
		{"bytes that are no text", "kq7 mzt wp4\xff\xff", "notText"},
	} {
		if got := checkCode(s, c.secret); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s.PasswordMinLength = 8
	if checkCode(s, "kq7 mzt") != "tooShort" || checkCode(s, "kq7 mztw") != "" {
		t.Error("the environment's length does not count")
	}
}

// V02: no rule of composition in a new environment.
func TestCheckAsksForNoCharacterClasses(t *testing.T) {
	for _, secret := range []string{
		"correct horse battery staple", "CORRECTHORSEBATTERY", "pässwörter sind länger",
		"8364927150386",
	} {
		if got := checkCode(environment.Defaults(), secret); got != "" {
			t.Errorf("%q: %s", secret, got)
		}
	}
}

// V04: neither the username, the email nor the name, in any case or form, whole or in part.
func TestCheckRefusesWhatIsOfThePerson(t *testing.T) {
	words := []string{"doej", "john.smith-jones@corp.example", "Ana García", "Li"}
	for _, c := range []struct{ secret, want string }{
		{"xx DOEJ xx yy zz", "personal"},
		{"ｄｏｅｊ qwrt zxcv", "personal"},
		{"my john.smith-jones@corp.example", "personal"},
		{"jones likes tea", "personal"},
		{"garci\u0301a in spring", "personal"},
		{"corp secrets 99", "personal"},
		// under four letters a part means nothing
		{"john is a man 12", "personal"},
		{"quiet Li river", ""},
		{"the ana tomy 12", ""},
		{"correct horse staple", ""},
	} {
		if got := checkCode(environment.Defaults(), c.secret, words...); got != c.want {
			t.Errorf("%q: %q, want %q", c.secret, got, c.want)
		}
	}
	if got := checkCode(environment.Defaults(), "correct horse staple", "", " ", "@"); got != "" {
		t.Errorf("blank words: %s", got)
	}
}

// V04: the patterns that are guessed first.
func TestCheckRefusesSequencesAndRepetitions(t *testing.T) {
	for _, c := range []struct{ secret, want string }{
		{"aaaaaaaaaaaa", "common"},
		{"abababababab", "common"},
		{"abcabcabcabc", "common"},
		{"aAaAbBbBaAaA", "common"},
		{"abcdefghijkl", "common"},
		{"ABCDEFGHIJKL", "common"},
		{"lkjihgfedcba", "common"},
		{"123456789012", "common"},
		{"abcdabcdabcd", "common"},
		{"abdeabdeabde", "guessable"},
	} {
		if got := checkCode(environment.Defaults(), c.secret); got != c.want {
			t.Errorf("%q: %q, want %q", c.secret, got, c.want)
		}
	}
}
