package signin

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/token"
)

// AttemptPolicy says which tries of an account are charged at a time.
type AttemptPolicy struct {
	// Limit is how many failures in a row block the account.
	Limit int
	// Release lets single tries through after a block, each after the wait of Wait.
	Release bool
	Now     time.Time
}

func attemptPolicy(env environment.Environment, now time.Time) AttemptPolicy {
	return AttemptPolicy{Limit: env.Settings.TryLimit(), Release: env.Settings.FailedTryRelease, Now: now}
}

// Wait returns how long an account with that many failures in a row waits after its last try, and false if it waits for
// an administrator.
func (a AttemptPolicy) Wait(failures int64) (time.Duration, bool) {
	if !a.Release {
		return 0, false
	}
	return account.BackoffDelay(a.Limit, failures)
}

// reserveAttemptFrom counts a try on the trusted device that it comes from, if there is one that has tries left: so
// strangers, who have no such device, cannot lock its owner out of it. Everybody else is charged on the account. Which
// of the two is known from what FindWithDevice read in any case, so a token that opens nothing costs what none does,
// and says nothing.
func (s *Service) reserveAttemptFrom(ctx context.Context, found Lookup, given token.Token) (Attempt, error) {
	limit, now := found.Env.Settings.TryLimit(), s.now()
	d := found.Device
	if d.ID == "" || found.Env.Settings.TrustedDeviceDays <= 0 || d.Tries >= int64(limit) ||
		!d.CheckSecret(given, now, d.Epoch).Valid() {
		return s.reserveAttempt(ctx, found.Env, found.Key)
	}
	owner := given.Account.String()
	got, err := s.Accounts.ReserveDeviceAttempt(ctx, found.Env, found.Key, owner, d, limit)
	if err != nil {
		return Attempt{}, err
	}
	if !got.Reserved || got.Account.ID != owner || !got.Device.CheckSecret(given, now, got.Account.DeviceEpoch).Valid() {
		return s.reserveAttempt(ctx, found.Env, found.Key) // it was used up, or forgotten, by then
	}
	return got, nil
}
