package account

import (
	"time"

	"useraccounts/internal/environment"
)

// MaxConsecutiveFailures is how many failures in a row there are of one account, wherever they came from, before only
// an administrator can let the person sign in again: NIST SP 800-63B-4, 3.2.2.
const MaxConsecutiveFailures = 100

// BackoffDelays are the delays of a blocked account between the last attempt and the next: the first after the block,
// then one after each further failure, the last for all that follow. The count of failures in a row is the index, so
// nothing else is stored and nothing can overflow (C10). The right password, or an administrator, resets the count.
// Each delay ends with one attempt and not with a new series: five attempts each quarter of an hour would be five times
// the guesses.
func BackoffDelays() []time.Duration {
	return []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
}

// BackoffDelay returns the delay of an account with that many failures in a row, of which limit block it. It is false
// if only an administrator can end the block.
func BackoffDelay(limit int, failures int64) (time.Duration, bool) {
	if failures >= MaxAccountFailures(limit) {
		return 0, false
	}
	delays := BackoffDelays()
	return delays[min(max(failures-int64(limit), 0), int64(len(delays)-1))], true
}

// WithBlockedUntil returns the account with BlockedUntil set, if failed tries block it and the timed release will allow
// another attempt. It stays zero if only an administrator can end the block.
func (a Account) WithBlockedUntil(s environment.Settings) Account {
	a.BlockedUntil = time.Time{}
	if a.TriesBlockedAt.IsZero() || a.AccessLocked || !s.FailedTryRelease {
		return a
	}
	last := a.LastTryAt
	if last.IsZero() {
		last = a.TriesBlockedAt
	}
	if delay, ok := BackoffDelay(s.TryLimit(), a.FailedTries); ok {
		a.BlockedUntil = last.Add(delay)
	}
	return a
}
