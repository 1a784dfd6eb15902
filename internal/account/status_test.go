package account_test

import (
	"context"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// The first status that holds is the account's; a locked account with everything else is locked, and so on.
func TestTheFirstStatusThatHoldsCounts(t *testing.T) {
	blocked := func(kind account.BlockKind) func(*account.Account) {
		return func(a *account.Account) { a.AccessLocked, a.BlockKind = true, kind }
	}
	expired := func(a *account.Account) { a.DateFrom, a.DateTo = "2025-01-01", "2026-01-04" }
	notStarted := func(a *account.Account) { a.DateFrom = "2026-01-06" }
	tries := func(a *account.Account) { a.TriesBlockedAt = nowStored }
	locked := func(a *account.Account) { a.Active = false }
	for _, c := range []struct {
		want account.Status
		of   []func(*account.Account)
	}{
		{account.StatusActive, nil},
		{account.StatusExpired, []func(*account.Account){expired}},
		{account.StatusNotStarted, []func(*account.Account){notStarted}},
		{account.StatusNotYetAllowed, []func(*account.Account){blocked(account.NotYetAllowed), expired}},
		{account.StatusTooManyTries, []func(*account.Account){tries, blocked(account.NotYetAllowed), notStarted}},
		{account.StatusBlocked, []func(*account.Account){tries, blocked(account.BlockedByAdministrator), notStarted}},
		{account.StatusLocked, []func(*account.Account){locked, tries, blocked(account.BlockedByAdministrator), expired}},
	} {
		a := testAccount("1")
		a.LockedReason = account.ReasonNotYetAllowed // the text decides nothing
		for _, change := range c.of {
			change(&a)
		}
		if got := a.StatusOn(today); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	seen := map[string]bool{}
	for _, o := range account.Statuses() {
		seen[o.Value] = o.Label != ""
	}
	if len(seen) != 7 {
		t.Errorf("%v", seen)
	}
}

// A locked account is not allowed to sign in, whichever way it is asked for: unlock first. Nothing changes.
func TestAccessIsNotAllowedToALockedAccount(t *testing.T) {
	sc := scope("9", "ADMIN")
	for name, act := range map[string]func(*account.Service) error{
		"allow": func(s *account.Service) error { _, err := s.Allow(context.Background(), sc, "1", 0); return err },
		"set a password and unlock": func(s *account.Service) error {
			_, err := s.SetPassword(context.Background(), sc, "1", 0,
				account.NewPasswordRequest{Password: "long enough secret", Unlock: true})
			return err
		},
		"generate a password and unlock": func(s *account.Service) error {
			_, _, err := s.ResetPassword(context.Background(), sc, "1", 0, true)
			return err
		},
	} {
		for _, blocked := range []bool{false, true} {
			a := testAccount("1")
			a.Active, a.AccessLocked, a.LockedAt = false, blocked, nowStored.Add(-time.Hour)
			s, m := newService(a)
			s.Generator = fakeGenerator{}
			if err := act(s); !fault.HasCode(err, "locked") || len(m.writes) > 0 {
				t.Errorf("%s, blocked %v: %v, %d writes", name, blocked, err, len(m.writes))
			}
		}
	}
}
