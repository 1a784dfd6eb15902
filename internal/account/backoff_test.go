package account_test

import (
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
)

// The next attempt is shown if the timed release allows one, and only then.
func TestWithBlockedUntil(t *testing.T) {
	tried := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	blocked := account.Account{FailedTries: 6, TriesBlockedAt: tried.Add(-time.Hour), LastTryAt: tried}
	with := func(change func(*account.Account)) account.Account {
		a := blocked
		change(&a)
		return a
	}
	on := environment.Settings{FailedTryLimit: 5, FailedTryRelease: true}
	for name, c := range map[string]struct {
		a    account.Account
		s    environment.Settings
		want time.Time
	}{
		"the second rung": {blocked, on, tried.Add(2 * time.Minute)},
		"the limit was lower": {blocked, environment.Settings{FailedTryLimit: 20, FailedTryRelease: true},
			tried.Add(time.Minute)},
		"no release": {blocked, environment.Settings{FailedTryLimit: 5}, time.Time{}},
		"the hundredth": {with(func(a *account.Account) { a.FailedTries = account.MaxConsecutiveFailures }), on,
			time.Time{}},
		"by an administrator": {with(func(a *account.Account) { a.AccessLocked = true }), on, time.Time{}},
		"not blocked":         {with(func(a *account.Account) { a.TriesBlockedAt = time.Time{} }), on, time.Time{}},
	} {
		if got := c.a.WithBlockedUntil(c.s).BlockedUntil; !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
