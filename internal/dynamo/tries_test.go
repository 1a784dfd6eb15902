package dynamo_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/fault"
	"useraccounts/internal/signin"
	"useraccounts/internal/transfer"
)

// countingHasher counts the passwords that are held against somebody's hash.
type countingHasher struct {
	fakeHasher
	verified atomic.Int64
}

func (c *countingHasher) Verify(hash, p string) bool {
	if hash != "" {
		c.verified.Add(1)
	}
	return c.fakeHasher.Verify(hash, p)
}

const secret = "a long enough secret"

// member makes an account that can sign in.
func (f *fixture) member(t *testing.T, username string) account.Account {
	t.Helper()
	a := f.create(t, username, nil)
	a, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret, Unlock: true})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) login(t *testing.T, s *signIn, identifier, password string) func() error {
	return func() error {
		_, err := s.Login(t.Context(), identifier, password, signin.ClientInfo{})
		return err
	}
}

// C01, C02, C03, V12: of 200 wrong guesses at once, under every spelling of username and email, no more are verified
// than the limit allows; then the account is blocked, and the right password is not even looked at.
func TestParallelGuessesAreVerifiedUpToTheLimit(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doëj")
	hasher := &countingHasher{}
	s := f.signin.clone()
	s.useVerifier(hasher)
	var operations []func() error
	for i := range 200 {
		as := []string{"doëj", "DOËJ", " doëj@example.com", "ｄｏëｊ", "DoËJ＠Example.com", "doe\u0308j",
			"DOE\u0308J@example.com"}[i%7]
		operations = append(operations, f.login(t, s, as, "wrong"))
	}
	for _, err := range inParallel(operations...) {
		if !fault.HasCode(err, "signInRefused") {
			t.Fatalf("a guess: %v", err)
		}
	}
	if n := hasher.verified.Load(); n != 5 {
		t.Errorf("%d guesses were verified, want 5", n)
	}
	if err := f.login(t, s, "doëj", secret)(); !fault.HasCode(err, "signInRefused") || hasher.verified.Load() != 5 {
		t.Errorf("the right password: %v, %d verified", err, hasher.verified.Load())
	}
	got, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
	if err != nil || got.FailedTries != 5 || got.TriesBlockedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := f.accounts.Allow(t.Context(), f.currentScope(t), a.ID, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.login(t, s, "doe\u0308j", secret)(); err != nil {
		t.Errorf("let in again: %v", err)
	}
}

// V14: 50 right sign-ins of one account at once all succeed.
func TestParallelRightSignInsAllSucceed(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	var operations []func() error
	for range 50 {
		operations = append(operations, f.login(t, f.signin, "doej", secret))
	}
	for _, err := range inParallel(operations...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || got.FailedTries != 0 ||
		!got.TriesBlockedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
}

// V13: a try is charged before anything is verified, so a process that dies then leaves it charged.
func TestATryIsChargedBeforeItIsVerified(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	c := &crash{at: 1, after: true}
	hasher := &countingHasher{}
	s := f.signin.clone()
	s.Accounts = attempts.Store{Table: &dynamo.Table{Client: c.client(t), Name: f.table.Name}}
	s.useVerifier(hasher)
	if err := f.login(t, s, "doej", secret)(); !errors.Is(err, errProcessDied) || hasher.verified.Load() != 0 {
		t.Fatalf("%v, %d verified", err, hasher.verified.Load())
	}
	if got, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || got.FailedTries != 1 {
		t.Errorf("%+v %v", got, err)
	}
}

// C31: 20 uses of one ticket at once give one session.
func TestTicketsAreUsedOnce(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "doej", nil)
	if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret, ForceChange: true, Unlock: true}); err != nil {
		t.Fatal(err)
	}
	first, err := f.signin.Login(t.Context(), "doej", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var won []signin.Result
	repeat := func(use func() (signin.Result, error)) {
		won = nil
		var operations []func() error
		for range 20 {
			operations = append(operations, func() error {
				got, err := use()
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					won = append(won, got)
				}
				return err
			})
		}
		for _, err := range inParallel(operations...) {
			if err != nil && !fault.Is(err, fault.Unauthenticated) {
				t.Error(err)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d of 20 won", len(won))
		}
	}
	repeat(func() (signin.Result, error) {
		return f.signin.ChangePassword(t.Context(), first.Ticket.Reveal(), "a password of my own", signin.ClientInfo{})
	})
}

// C07: a block by tries that comes between the ticket and its use is not lifted by the use.
func TestATicketDoesNotLiftABlockThatCameAfterIt(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "doej", nil)
	if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), a.ID, 0,
		account.NewPasswordRequest{Password: secret, ForceChange: true, Unlock: true}); err != nil {
		t.Fatal(err)
	}
	first, err := f.signin.Login(t.Context(), "doej", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	s := f.signin.clone()
	s.useVerifier(hasherFunc(func() { // between the reading of the ticket and its use
		for range 5 {
			_, _ = f.signin.Login(t.Context(), "doej", "wrong", signin.ClientInfo{})
		}
	}))
	_, err = s.ChangePassword(t.Context(), first.Ticket.Reveal(), "a password of my own", signin.ClientInfo{})
	got, _ := f.accounts.Get(t.Context(), f.currentScope(t), a.ID)
	if !fault.HasCode(err, "ticket") || got.TriesBlockedAt.IsZero() || got.PasswordHash == "" || !got.ForcePasswordChange {
		t.Errorf("%v %+v", err, got)
	}
}

// hasherFunc is a Hasher that does something else first, and finds every password wrong.
type hasherFunc func()

func (h hasherFunc) Verify(string, string) bool {
	h()
	return false
}

// Of two administrators who take it from each other at the same time one stays.
func TestTwoAdministratorsCannotEndEachOther(t *testing.T) {
	f := newFixture(t)
	other := f.create(t, "second", map[string]any{"roles": []string{"ADMIN"}})
	if _, err := f.accounts.SetPassword(t.Context(), f.currentScope(t), other.ID, 0,
		account.NewPasswordRequest{Password: secret, Unlock: true}); err != nil {
		t.Fatal(err)
	}
	theirs := f.signInAs(t, "second", secret)
	mine := f.currentScope(t)
	take := map[string]any{"roles": []string{"VIEWER"}}
	errs := inParallel(
		func() error {
			_, err := f.accounts.Change(t.Context(), mine, theirs.Caller.AccountID, f.version(t, other.ID), take)
			return err
		},
		func() error {
			_, err := f.accounts.Change(t.Context(), theirs, mine.Caller.AccountID, f.version(t, mine.Caller.AccountID), take)
			return err
		},
	)
	left := 0
	for _, id := range []string{other.ID, mine.Caller.AccountID} {
		if a, err := f.accounts.Get(t.Context(), f.currentScope(t), id); err == nil && strings.Join(a.Roles, "") == "ADMIN" {
			left++
		}
	}
	if left != 1 || (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("%d administrators are left; %v", left, errs)
	}
}

func (f *fixture) version(t *testing.T, id string) int64 {
	t.Helper()
	a, err := f.accounts.Get(t.Context(), f.currentScope(t), id)
	if err != nil {
		t.Fatal(err)
	}
	return a.Version
}

// The fields that changed are named also where an import made the change, whose event is as old as its job.
func TestWhatAnImportChangedIsNamedToo(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "doej", nil)
	j := f.submit(t, transfer.Options{}, []any{"Username", "Description"}, []any{"doej", "By import"})
	time.Sleep(2 * time.Millisecond) // ids of one millisecond have no order
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, 1, map[string]any{"mobile": "1"}); err != nil {
		t.Fatal(err)
	}
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[int64]string{1: "mobile,name", 2: "name"} {
		_, err := f.accounts.Change(t.Context(), f.currentScope(t), a.ID, version, map[string]any{"name": "Mine"})
		var names []string
		for _, field := range fault.As(err).Fields {
			names = append(names, field.Field)
		}
		if got := strings.Join(names, ","); got != want {
			t.Errorf("since version %d: %s, want %s", version, got, want)
		}
	}
}
