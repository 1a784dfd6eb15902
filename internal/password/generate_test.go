package password_test

import (
	"strings"
	"testing"
	"unicode"

	"useraccounts/internal/environment"
	"useraccounts/internal/password"
)

// A generated password passes the policy whatever its length, has every character class, is typed without doubt, and
// is never made twice.
func TestGenerate(t *testing.T) {
	seen := map[string]bool{}
	for _, least := range []int{8, 12, 24, 25, 29, 64, 125, 127, 128} {
		settings := environment.Defaults()
		settings.PasswordMinLength = least
		for range 200 {
			made, err := password.Argon2id{}.Generate(settings, []string{"doej", "john.doe@example.com", "John Doe"})
			if err != nil {
				t.Fatal(err)
			}
			if len(made) != max(24, least) || seen[made] || len(password.Argon2id{}.Check(settings, made, nil)) > 0 {
				t.Fatalf("%d: %q", least, made)
			}
			seen[made] = true
			for _, sort := range []func(rune) bool{unicode.IsUpper, unicode.IsLower, unicode.IsDigit, unicode.IsPunct} {
				if !strings.ContainsFunc(made, sort) {
					t.Errorf("%q lacks a sort of character", made)
				}
			}
			if strings.ContainsAny(made, "l1IoO0 ") || strings.HasPrefix(made, "-") || strings.HasSuffix(made, "-") {
				t.Errorf("%q is hard to type", made)
			}
		}
	}
}

// A long password has thousands of pieces looked up.
func TestLookingUpAWordAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { password.CountLookup("password", "passwordz", "zzz") }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// Words of the person do not get in, however likely chance makes them; a policy that allows nothing ends in an error.
func TestGenerateHoldsThePolicy(t *testing.T) {
	settings := environment.Defaults()
	settings.PasswordMinLength = password.MaxLength + 1
	if made, err := (password.Argon2id{}).Generate(settings, nil); err == nil {
		t.Errorf("%q is too short", made)
	}
}
