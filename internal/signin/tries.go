package signin

import (
	"context"
	"time"

	"useraccounts/internal/environment"
	"useraccounts/internal/token"
)

// HardStop is how many failures in a row only an administrator, or the right password before it, can undo: NIST SP
// 800-63B-4, 3.2.2.
const HardStop = 100

// Allowance says which tries of an account are charged at a time.
type Allowance struct {
	// Limit is how many failures in a row block the account.
	Limit int
	// Release lets single tries through after a block, each after the wait of Wait.
	Release bool
	Now     time.Time
}

func allowance(env environment.Environment, now time.Time) Allowance {
	return Allowance{Limit: env.Settings.TryLimit(), Release: env.Settings.FailedTryRelease, Now: now}
}

// Waits are how long a blocked account waits after the last try for the next one: after the first block, and after each
// further failure; the last for all that follow. The failures in a row are themselves the place on this ladder, so there is
// nothing else to store, nothing to overflow (C10), and what ends the ladder is what zeroes the failures: the right
// password, or an administrator. A release gives one try, not a whole new budget: five more each quarter of an hour would
// be five times the guesses, and one right try ends it all.
func Waits() []time.Duration {
	return []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
}

// Wait returns how long an account with that many failures in a row waits after its last try, and false if it waits for an
// administrator.
func (a Allowance) Wait(failures int64) (time.Duration, bool) {
	limit := int64(a.Limit)
	if !a.Release || failures >= HardStop {
		return 0, false
	}
	waits := Waits()
	return waits[min(max(failures-limit, 0), int64(len(waits)-1))], true
}

// chargeFrom counts a try on the trusted device that it comes from, if there is one that has tries left: so strangers, who
// have no such device, cannot lock its owner out of it. Everybody else is charged on the account. Which of the two is known
// from what FindFrom read in any case, so a token that opens nothing costs what none does, and says nothing.
func (s *Service) chargeFrom(ctx context.Context, found Found, given token.Token) (Charged, error) {
	limit, now := found.Env.Settings.TryLimit(), s.now()
	d := found.Device
	if d.ID == "" || found.Env.Settings.TrustedDeviceDays <= 0 || d.Tries >= int64(limit) || !d.Judge(given, now, d.Epoch).Good() {
		return s.charge(ctx, found.Env, found.Key)
	}
	owner := given.Account.String()
	got, err := s.Accounts.ChargeDevice(ctx, found.Env, found.Key, owner, d, limit)
	if err != nil {
		return Charged{}, err
	}
	if !got.Charged || got.Account.ID != owner || !got.Device.Judge(given, now, got.Account.DeviceEpoch).Good() {
		return s.charge(ctx, found.Env, found.Key) // it was used up, or forgotten, by then
	}
	return got, nil
}
