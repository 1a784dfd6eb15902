package dynamo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/password"
	"useraccounts/internal/signin"
)

// withPasswordHistory makes the environment keep this many former passwords.
func (f *fixture) withPasswordHistory(
	t *testing.T, kept int,
) (*signIn, sessions.OwnPasswords, dynamo.PasswordHistory) {
	t.Helper()
	passwords, history := sessions.OwnPasswords{Table: f.table}, dynamo.PasswordHistory{Table: f.table}
	f.accounts.PasswordHistory = history
	s := f.signin.clone()
	s.usePasswords(passwords)
	s.useHistory(history)
	s.Strength = password.Argon2id{}
	f.changeSetting(t, "passwordHistory", kept)
	return s, passwords, history
}

// Former passwords are in an item of their own: as many as the setting says, trimmed when it falls, gone with the
// account.
func TestFormerPasswordsAreKept(t *testing.T) {
	f := newFixture(t)
	_, _, history := f.withPasswordHistory(t, 2)
	a := f.create(t, "doej", nil)
	give := func(secret string) {
		t.Helper()
		if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
			account.NewPasswordRequest{Password: secret}); err != nil {
			t.Fatal(err)
		}
	}
	keeps := func(name string, secrets ...string) {
		t.Helper()
		got, err := history.PreviousHashes(t.Context(), a.ID)
		want := make([]string, len(secrets))
		for i, s := range secrets {
			want[i], _ = fakeHasher{}.Hash(s)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v, want %v", name, got, err, want)
		}
	}
	give("first quiet lamp")
	keeps("the first")
	give("second quiet lamp")
	give("third quiet lamp")
	keeps("two", "second quiet lamp", "first quiet lamp")
	give("fourth quiet lamp")
	keeps("the last two", "third quiet lamp", "second quiet lamp")
	f.changeSetting(t, "passwordHistory", 1)
	give("fifth quiet lamp")
	keeps("fewer", "fourth quiet lamp")
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	keeps("deleted")
}

func TestFormerPasswordsEndWithTheSetting(t *testing.T) {
	f := newFixture(t)
	_, _, passwords := f.withPasswordHistory(t, 5)
	a := f.member(t, "doej")
	for _, history := range []int{5, 0} {
		f.changeSetting(t, "passwordHistory", history)
		if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
			account.NewPasswordRequest{Password: "some quiet lamp 7"}); err != nil {
			t.Fatal(err)
		}
		if got, err := passwords.PreviousHashes(t.Context(), a.ID); err != nil || (len(got) > 0) != (history > 0) {
			t.Errorf("%d: %v %v", history, got, err)
		}
	}
}

// V07: the own change is one write: password, former ones, the event, the session closed and the one in its place.
func TestChangeOwnPasswordInTheTable(t *testing.T) {
	f := newFixture(t)
	s, _, passwords := f.withPasswordHistory(t, 3)
	a := f.member(t, "doej")
	sc := f.signInAs(t, "doej", secret)
	f.signInAs(t, "doej", secret)
	sc.Env = f.currentScope(t).Env
	before := time.Now().Add(-time.Second)
	got, err := s.ChangeOwnPassword(t.Context(), sc, secret, "eleven quiet lamps", signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	is, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
	hash, _ := fakeHasher{}.Hash("eleven quiet lamps")
	if err != nil || is.PasswordHash != hash || is.PasswordChangedAt.Before(before) || is.FailedTries != 0 ||
		is.Epoch != a.Epoch+1 {
		t.Errorf("%+v %v", is, err)
	}
	if kept, err := passwords.PreviousHashes(t.Context(), a.ID); err != nil || len(kept) != 1 ||
		kept[0] != a.PasswordHash {
		t.Errorf("%v %v", kept, err)
	}
	if _, err := s.Authenticate(t.Context(), got.Access.Reveal()); err != nil {
		t.Error(err)
	}
	sessions, _, err := sessions.Store{Table: f.table}.Sessions(t.Context(), a.ID, "", 10)
	if err != nil || len(sessions) != 3 || sessions[0].ID != got.Session.ID {
		t.Fatalf("%+v %v", sessions, err)
	}
	for _, old := range sessions {
		if (old.ID == sc.Caller.SessionID) == old.Closed.IsZero() {
			t.Errorf("%+v", old)
		}
	}
	// The session that was closed changes nothing any more.
	if _, err := s.ChangeOwnPassword(t.Context(), sc, "eleven quiet lamps", "twelve quiet lamps",
		signin.ClientInfo{}); fault.As(err).Code != "busy" {
		t.Errorf("from the closed session: %v", err)
	}
}

// V07, C01: of 30 parallel guesses at the current password as many are verified as the limit of tries, and the account
// is blocked; the right one is not let in among them.
func TestGuessesAtTheCurrentPasswordAreLimited(t *testing.T) {
	f := newFixture(t)
	s, _, _ := f.withPasswordHistory(t, 0)
	f.member(t, "doej")
	sc := f.signInAs(t, "doej", secret)
	counted := &countingHasher{}
	s.useVerifier(counted)
	var operations []func() error
	for range 30 {
		operations = append(operations, func() error {
			_, err := s.ChangeOwnPassword(t.Context(), sc, "wrong", "eleven quiet lamps", signin.ClientInfo{})
			return err
		})
	}
	for _, err := range inParallel(operations...) {
		if !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	}
	if got := counted.verified.Load(); got > int64(sc.Env.Settings.TryLimit()) {
		t.Errorf("%d verified", got)
	}
	if _, err := s.ChangeOwnPassword(t.Context(), sc, secret, "eleven quiet lamps", signin.ClientInfo{}); !fault.Is(err,
		fault.Invalid) {
		t.Errorf("the right one, blocked: %v", err)
	}
}

// V08: a hash made with less is replaced at the sign-in, and neither a newer password nor a renamed account's is
// touched.
func TestRehashInTheTable(t *testing.T) {
	f := newFixture(t)
	_, passwords, _ := f.withPasswordHistory(t, 0)
	a := f.member(t, "doej")
	now := f.currentScope(t)
	if err := passwords.Rehash(t.Context(), now.Env, a, "hashed anew"); err != nil {
		t.Fatal(err)
	}
	is, _ := f.accounts.Get(t.Context(), now, a.ID)
	if is.PasswordHash != "hashed anew" || is.Version != a.Version || is.Epoch != a.Epoch ||
		!is.PasswordChangedAt.Equal(a.PasswordChangedAt) {
		t.Errorf("%+v", is)
	}
	if _, err := f.accounts.SetPassword(t.Context(), now, a.ID, 0,
		account.NewPasswordRequest{Password: "a newer quiet lamp"}); err != nil {
		t.Fatal(err)
	}
	if err := passwords.Rehash(t.Context(), now.Env, is, "of the old one"); err != nil {
		t.Fatal(err)
	}
	newer, _ := f.accounts.Get(t.Context(), now, a.ID)
	if newer.PasswordHash == "of the old one" {
		t.Error("a newer password is overwritten")
	}
	if _, err := f.accounts.Change(t.Context(), now, a.ID, newer.Version, field.Patch{"username": "doejane"}); err != nil {
		t.Fatal(err)
	}
	if err := passwords.Rehash(t.Context(), now.Env, newer, "at the old name"); err != nil {
		t.Fatal(err)
	}
	moved, _ := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
	if !strings.HasPrefix(moved.PasswordHash, "fast$") || !moved.PasswordChangedAt.Equal(newer.PasswordChangedAt) {
		t.Errorf("after the renaming: %+v", moved)
	}
}

// changeSetting changes one of the environment's settings.
func (f *fixture) changeSetting(t *testing.T, name string, value int) {
	t.Helper()
	sc := f.currentScope(t)
	if _, err := f.settingsService().Change(t.Context(), sc, sc.Env.SettingsVersion,
		field.Patch{name: int64(value)}); err != nil {
		t.Fatal(err)
	}
}
