package password_test

import (
	"strings"
	"testing"

	"useraccounts/internal/environment"
	"useraccounts/internal/password"
)

// V04: fifty that are guessed first: from the list, with digits and signs for letters, with something behind, doubled,
// by the keyboard, by the calendar.
func TestCheckRefusesWhatIsGuessedFirst(t *testing.T) {
	settings := environment.Defaults()
	settings.PasswordMinLength = 8
	for _, secret := range strings.Fields(`
		password password1 Password1 PASSWORD P@ssw0rd p4ssw0rd drowssap baseball football superman
		iloveyou trustno1 sunshine princess starwars computer whatever 12345678 87654321 11111111
		qwertyuiop 1qaz2wsx asdfghjkl zxcvbnm1 qwerty123 1q2w3e4r !QAZ2wsx poiuytrewq qazwsxedc 123456789a
		Summer2024 password2025 Welcome1! letmein123 Passw0rd! monkey12345 dragon2020 abcabcabc1 passwordpassword Qwerty123456
		19841984 12031987 01012000 michelle1 jennifer jordan23jordan23 abcd1234 a1b2c3d4 basketball liverpool1`) {
		bad := argon.Check(settings, secret, nil)
		if len(bad) != 1 || bad[0].Field != "password" || bad[0].Code != "common" && bad[0].Code != "guessable" {
			t.Errorf("%q: %+v", secret, bad)
		}
	}
	for _, secret := range []string{
		"correct horse battery staple", "kq7 mztw", "Tr4wl!bexx", "vier sehr lange Wörter", "the quick brown fox 7 jumps",
		"mzwq-kvbt", "gr8 otter lanyard",
	} {
		if got := checkCode(settings, secret); got != "" {
			t.Errorf("%q is refused: %s", secret, got)
		}
	}
}

// V04: the person's words also backwards, with digits and signs for letters, and spread out; and the names of the
// organisation and of the product.
func TestCheckSeesThroughDisguises(t *testing.T) {
	settings := environment.Defaults()
	settings.MailSenderName = "Northwind Traders"
	for secret, want := range map[string]string{
		"xk hcraeserp qvz": "personal", "xk pr3s3arch qvz": "personal", "xk PR3$EARCH qvz": "personal",
		"p.r.e.s.e.a.r.c.h xkv": "personal",
		"hcr43serp kvqzxm":      "personal", "northwind xkvqz 7": "personal", "N0rthW1nd xkvqz": "personal",
		"sred4rt xkvq 77z":    "personal",
		"present archer lamp": "",
		// the product's, also where mails have another name
		"useraccounts kvqzx": "personal", "xk Us3r Acc0unt$ qvz": "personal",
	} {
		if got := checkCode(settings, secret, "presearch"); got != want {
			t.Errorf("%q: %q, want %q", secret, got, want)
		}
	}
	// A short name does not come about where two words meet.
	if got := checkCode(environment.Defaults(), "can names lamplight", "anna"); got != "" {
		t.Errorf("words that meet: %s", got)
	}
}

// Character classes count where the environment asks for them; NIST mode asks for none (V02).
func TestCheckCountsCharacterClasses(t *testing.T) {
	settings := environment.Defaults()
	for n, secret := range []string{"", "xkvqmzwpltrb", "xkvqmzwpltrB", "xkvqmzwplt7B", "xkvqmzwpl-7B"} {
		for least := range 5 {
			settings.PasswordClasses = least
			want := ""
			if n < least {
				want = "classes"
			}
			if got := checkCode(settings, secret); n > 0 && got != want {
				t.Errorf("%q where %d are asked for: %q, want %q", secret, least, got, want)
			}
		}
	}
	settings.PasswordNIST = true
	if got := checkCode(settings, "xkvqmzwpltrb"); got != "" {
		t.Errorf("in NIST mode: %s", got)
	}
}

// The estimate rises with what a guesser does not know, and gives advice as long as it is low.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		secret string
		score  int
	}{
		{"", 0},
		{"password", 0},
		{"P@ssw0rd", 0},
		{"aaaaaaaaaaaaaaaa", 0},
		{"qwertyuiop", 0},
		{"john1987", 0},
		{"walrus77x1", 2},
		{"abdeabdeabde", 1},
		{"kq7 mztw", 3},
		{"correct horse battery staple", 4},
		{strings.Repeat("kq7 mzt wp4", 11), 4},
		{"äöüéèàñçõôîß", 4},
	} {
		got := argon.Estimate(c.secret, nil)
		if got.Score != c.score || (got.Advice == "") != (c.score >= 3) || c.secret != "" &&
			strings.Contains(got.Advice, c.secret) {
			t.Errorf("%q: %+v, want %d", c.secret, got, c.score)
		}
	}
	if with, without := argon.Estimate("zebulonix tk", []string{"Zebulonix"}),
		argon.Estimate("zebulonix tk", nil); with.Score >= without.Score {
		t.Errorf("words of the person: %d, without %d", with.Score, without.Score)
	}
	if first, second := argon.Estimate("password and more", nil),
		argon.Estimate("password and more", nil); first != second {
		t.Error("two estimates of one password differ")
	}
}

// The list is whole: the first and the last word of a block, of the file, and what is not there.
func TestTheListOfWords(t *testing.T) {
	total, eight := password.CountWords()
	if total < 60000 || eight < 10000 {
		t.Errorf("%d words, %d common passwords of eight characters or more", total, eight)
	}
	for word, want := range map[string]bool{
		"password": true, "123456": true, "geekboy": true, "000000": true, "zxcvbnm": true, "theirs": false,
		"correcthorse": false, "passwortt": false, "passwordx": false, "": false,
	} {
		if got := password.IsCommon(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
}

// V08: what was hashed with less is to be hashed anew; what is hashed with as much, or is no hash, is not.
func TestNeedsRehash(t *testing.T) {
	good := hash(t, "x")
	for name, c := range map[string]struct {
		hash string
		want bool
	}{
		"as now": {good, false}, "none": {"", false}, "no hash": {"x", false},
		"less memory":  {strings.Replace(good, "m=19456", "m=19455", 1), true},
		"fewer passes": {strings.Replace(good, "t=2", "t=1", 1), true},
		"more":         {strings.Replace(good, "m=19456,t=2", "m=65536,t=3", 1), false},
		"hostile":      {strings.Replace(good, "m=19456", "m=10485760", 1), false},
	} {
		if got := argon.NeedsRehash(c.hash); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// V08: what other releases and programs stored still opens, and what asks for gigabytes opens nothing, at once.
func TestVerifyReadsStoredHashes(t *testing.T) {
	// The reference implementation's test vectors (phc-winner-argon2, test.c, version 19): argon2id of "password", salt
	// "somesalt".
	for _, stored := range []string{
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
	} {
		if !argon.Verify(stored, "password") || argon.Verify(stored, "Password") {
			t.Errorf("%s does not verify", stored)
		}
	}
	for _, hostile := range []string{
		"m=10485760,t=1,p=1", "m=131073,t=1,p=1", "m=131072,t=16,p=1",
		"m=4294967295,t=16,p=16", "m=19456,t=4294967295,p=1",
	} {
		if password.IsHash("$argon2id$v=19$" + hostile + "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc") {
			t.Errorf("%s is worked on", hostile)
		}
	}
}

// FuzzCheck: whatever is typed is judged without a panic, and never repeated in the answer.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"", "password", "kq7 mzt wp4 ", "\xff\xfe", "19991231", "한국어", strings.Repeat("ab", 70),
		"İstanbul ﬁne",
	} {
		f.Add(seed, "doej")
	}
	f.Fuzz(func(t *testing.T, secret, word string) {
		argon.Check(environment.Defaults(), secret, []string{word})
		if s := argon.Estimate(secret, []string{word}); s.Score < 0 || s.Score > 4 {
			t.Errorf("%+v", s)
		}
	})
}

// BenchmarkCheck beside the hash it comes before.
func BenchmarkCheck(b *testing.B) {
	settings := environment.Defaults()
	words := []string{"doej", "john.doe@example.com", "John Doe"}
	for name, secret := range map[string]string{
		"usual": "correct horse battery staple", "longest": strings.Repeat("P4ssw0rd and m0re ", 7), "common": "password1234",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				argon.Check(settings, secret, words)
			}
		})
	}
	b.Run("bare hash", func(b *testing.B) {
		for b.Loop() {
			if _, err := argon.Hash("correct horse battery staple"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
