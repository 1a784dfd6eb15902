package account_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// fakeHistory has the former passwords of one account, and counts verifications.
type fakeHistory struct {
	hashes   []string
	fail     error
	verified int
	known    string
}

func (f *fakeHistory) PreviousHashes(context.Context, string) ([]string, error) {
	return f.hashes, f.fail
}

func (f *fakeHistory) Verify(hash, secret string) bool {
	f.verified++
	return hash == "hash of "+secret
}

func (f *fakeHistory) IsBreached(_ context.Context, secret string) bool { return secret == f.known }

// recordingPolicy is a policy of a minimum length that records its arguments.
type recordingPolicy struct {
	fakePasswords
	minLength *int
	words     *[]string
}

func (s recordingPolicy) Check(settings environment.Settings, secret string, words []string) []fault.Field {
	*s.minLength, *s.words = settings.PasswordMinLength, words
	return fakePasswords{}.Check(settings, secret, nil)
}

func passwordOwner() account.Account {
	return account.Account{ID: "id1", Username: "doej", Email: "john@example.com", Name: "John Doe",
		PasswordHash: "hash of present one", CreatedAt: now}
}

func setPassword(f *fakeHistory, settings environment.Settings, a account.Account, secret string,
	by account.SetBy) (account.Write, error) {
	w := account.Write{Before: &a, After: a}
	c := account.PasswordSetter{Passwords: fakePasswords{}, Verifier: f, History: f, Breaches: f}
	return w, c.Set(context.Background(), environment.Environment{ID: "main", Settings: settings}, &w, secret, by, now)
}

// The person cannot choose the present password or a former one. An administrator is not told which ones the person
// had.
func TestSetChecksFormerPasswords(t *testing.T) {
	for _, c := range []struct {
		name    string
		history int
		secret  string
		by      account.SetBy
		code    string
	}{
		{"the present one", 2, "present one", account.SetByOwner, "reused"},
		{"the present one where none are kept", 0, "present one", account.SetByOwner, "same"},
		{"the last one", 2, "former 1", account.SetByOwner, "reused"},
		{"the last that counts", 2, "former 2", account.SetByOwner, "reused"},
		{"one before those", 2, "former 3", account.SetByOwner, ""},
		{"where none are kept", 0, "former 1", account.SetByOwner, ""},
		{"new", 2, "something new", account.SetByOwner, ""},
		{"by an administrator", 2, "former 1", account.SetByOther, ""},
		{"published", 2, "published", account.SetByOwner, "breached"},
		{"published, by an administrator", 2, "published", account.SetByOther, "breached"},
		{"too short", 2, "short", account.SetByOwner, "tooShort"},
	} {
		f := &fakeHistory{hashes: []string{"hash of former 1", "hash of former 2", "hash of former 3"}, known: "published"}
		settings := environment.Defaults()
		settings.PasswordHistory = c.history
		w, err := setPassword(f, settings, passwordOwner(), c.secret, c.by)
		if c.code == "" {
			if err != nil || w.After.PasswordHash != "hash of "+c.secret || !w.After.PasswordChangedAt.Equal(now) {
				t.Errorf("%s: %v %+v", c.name, err, w.After)
			}
			continue
		}
		e := fault.As(err)
		if e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != "password" || e.Fields[0].Code != c.code ||
			w.After.PasswordHash != passwordOwner().PasswordHash || w.PasswordHistory != nil {
			t.Errorf("%s: %v %+v", c.name, err, e)
		}
	}
}

// What is kept: the newest first, as many as the settings say, never a temporary one; trimmed when the setting falls;
// gone when it is 0.
func TestSetKeepsFormerPasswords(t *testing.T) {
	former := []string{"a", "b", "c"}
	temporary := passwordOwner()
	temporary.PasswordExpires = now
	none := passwordOwner()
	none.PasswordHash = ""
	for _, c := range []struct {
		name    string
		history int
		a       account.Account
		former  []string
		want    []string
	}{
		{"the first", 5, passwordOwner(), nil, []string{passwordOwner().PasswordHash}},
		{"one more", 5, passwordOwner(), former, []string{passwordOwner().PasswordHash, "a", "b", "c"}},
		{"full", 3, passwordOwner(), former, []string{passwordOwner().PasswordHash, "a", "b"}},
		{"fewer than before", 1, passwordOwner(), former, []string{passwordOwner().PasswordHash}},
		{"turned off", 0, passwordOwner(), former, []string{}},
		{"never on", 0, passwordOwner(), nil, nil},
		{"a temporary one", 5, temporary, former, former},
		{"had none", 5, none, nil, []string{}},
	} {
		settings := environment.Defaults()
		settings.PasswordHistory = c.history
		w, err := setPassword(&fakeHistory{hashes: c.former}, settings, c.a, "something new", account.SetByOwner)
		if err != nil || !slices.Equal(w.PasswordHistory, c.want) || (w.PasswordHistory == nil) != (c.want == nil) {
			t.Errorf("%s: %v %q, want %q", c.name, err, w.PasswordHistory, c.want)
		}
	}
}

// However many are stored and configured, the work is bounded; if the store fails, no password is set (V84).
func TestSetIsBounded(t *testing.T) {
	f := &fakeHistory{}
	for i := range 200 {
		f.hashes = append(f.hashes, strconv.Itoa(i))
	}
	settings := environment.Defaults()
	settings.PasswordHistory = 100
	w, err := setPassword(f, settings, passwordOwner(), "something new", account.SetByOwner)
	if err != nil || f.verified != account.MaxPasswordHistory+1 || len(w.PasswordHistory) != account.MaxPasswordHistory {
		t.Errorf("%v: %d verified, %d kept", err, f.verified, len(w.PasswordHistory))
	}
	f.fail = errors.New("away")
	if w, err := setPassword(f, settings, passwordOwner(), "something new", account.SetByOwner); !errors.Is(err,
		f.fail) || w.After.PasswordHash != passwordOwner().PasswordHash {
		t.Errorf("without the store: %v", err)
	}
}

// V01: in NIST mode the minimum length of a password depends on whether the account has to have a second factor. V04:
// the policy is told the person's words and the environment.
func TestPolicyOfAnAccount(t *testing.T) {
	for _, c := range []struct {
		name                             string
		nist, required, everyone, exempt bool
		want                             int
	}{
		{"as the environment says", false, true, false, false, 12},
		{"without a second factor", true, false, false, false, 15},
		{"with one", true, true, false, false, 8}, {"with one by the environment", true, false, true, false, 8},
		{"exempted", true, false, true, true, 15},
	} {
		var shortest int
		var words []string
		env := environment.Environment{ID: "northwind", Settings: environment.Defaults()}
		env.Settings.PasswordNIST, env.Settings.MFARequired = c.nist, c.everyone
		a := passwordOwner()
		a.MFARequired, a.MFAExempt = c.required, c.exempt
		account.PasswordSetter{Passwords: recordingPolicy{minLength: &shortest, words: &words}}.CheckPolicy(env, a,
			"something")
		if shortest != c.want || strings.Join(words, " ") != "doej john@example.com John Doe northwind" {
			t.Errorf("%s: %d characters, words %v", c.name, shortest, words)
		}
	}
}

// V06: a password exceeds its age by the setting alone, exactly; never in NIST mode or without a password.
func TestPasswordExceedsMaxAge(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name  string
		days  int
		nist  bool
		set   time.Time
		after time.Duration
		want  bool
	}{
		{"off, after five years", 0, false, now, 5 * 365 * day, false},
		{"a moment before", 90, false, now, 90*day - 1, false}, {"at it", 90, false, now, 90 * day, true},
		{"NIST", 90, true, now, 900 * day, false}, {"set by an older release", 90, false, time.Time{}, 90 * day, true},
		{"set by an older release just now", 90, false, time.Time{}, day, false},
	} {
		settings := environment.Defaults()
		settings.PasswordMaxAgeDays, settings.PasswordNIST = c.days, c.nist
		a := passwordOwner()
		a.PasswordChangedAt = c.set
		if got := a.PasswordExceedsMaxAge(settings, now.Add(c.after)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		a.PasswordHash = ""
		if a.PasswordExceedsMaxAge(settings, now.Add(c.after)) {
			t.Errorf("%s: an account without a password", c.name)
		}
	}
}

// V10: with the setting off, administrators do not choose passwords.
func TestAdministratorsMayNotChoosePasswords(t *testing.T) {
	s, m := newService(account.Account{ID: "1", Version: 4, Username: "doej", UserType: "FULL", Active: true})
	sc := scope("9", "DESK")
	sc.Env.Settings.AdminSetsPasswords = false
	_, err := s.SetPassword(t.Context(), sc, "1", 0, account.NewPasswordRequest{Password: "long enough"})
	wantFault(t, "set", err, fault.Conflict, "passwordsOff", "")
	if len(m.writes) > 0 {
		t.Error("something was written")
	}
	sc.Env.Settings.AdminSetsPasswords = true
	if _, err := s.SetPassword(t.Context(), sc, "1", 0, account.NewPasswordRequest{Password: "long enough"}); err != nil {
		t.Error(err)
	}
}
