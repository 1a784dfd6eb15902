package account

import (
	"time"

	"useraccounts/internal/environment"
)

// MaxConsecutiveFailures is how many failures in a row only an administrator, or the right password before it, can
// undo: NIST SP 800-63B-4, 3.2.2.
const MaxConsecutiveFailures = 100

// BackoffDelays are how long a blocked account waits after the last try for the next one: after the first block, and
// after each further failure; the last for all that follow. The failures in a row are themselves the place on this
// ladder, so there is nothing else to store, nothing to overflow (C10), and what ends the ladder is what zeroes the
// failures: the right password, or an administrator. A release gives one try, not a whole new budget: five more each
// quarter of an hour would be five times the guesses, and one right try ends it all.
func BackoffDelays() []time.Duration {
	return []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
}

// BackoffDelay returns how long an account with that many failures in a row, of which limit block it, waits after its
// last try, and false if it waits for an administrator.
func BackoffDelay(limit int, failures int64) (time.Duration, bool) {
	if failures >= MaxConsecutiveFailures {
		return 0, false
	}
	waits := BackoffDelays()
	return waits[min(max(failures-int64(limit), 0), int64(len(waits)-1))], true
}

// WithBlockedUntil returns the account with BlockedUntil, where the timed release gives the next try to an account that
// failed tries block. It stays zero where only an administrator lets the person in again.
func (a Account) WithBlockedUntil(s environment.Settings) Account {
	a.BlockedUntil = time.Time{}
	if a.TriesBlockedAt.IsZero() || a.AccessLocked || !s.FailedTryRelease {
		return a
	}
	last := a.LastTryAt
	if last.IsZero() {
		last = a.TriesBlockedAt
	}
	if wait, released := BackoffDelay(s.TryLimit(), a.FailedTries); released {
		a.BlockedUntil = last.Add(wait)
	}
	return a
}
