package signin

import (
	"context"
	"strings"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// reasonUnlinked is what the access record says of an identity that is linked to nobody. No account's log has it: it is
// nobody's.
const reasonUnlinked = "The identity at the provider is linked to no account."

// LoginWithProvider lets in the account that somebody's identity at a provider is linked to, empty where it is linked
// to none. strong says that the provider vouches for a second factor. It is charged like any try, so that what blocks
// passwords blocks this way too, and every refusal is the one answer (C07, C23).
func (s *Service) LoginWithProvider(ctx context.Context, accountID string, strong bool, d ClientInfo) (Result, error) {
	given, _ := token.Parse(token.TrustedDevice, d.DeviceToken) //nolint:errcheck // the zero token is none
	found, err := s.locateLinked(ctx, accountID, given)
	if err != nil {
		return Result{}, err
	}
	env := found.Env
	got, err := s.reserveAttemptFrom(ctx, found, given)
	if err != nil {
		return Result{}, err
	}
	if got.Account.ID != accountID { // it was renamed between the two reads, or there is none
		got.Found, got.Account = false, account.Account{}
	}
	switch {
	case !got.Found:
		result, err := s.refuse(ctx, env, got, reasonUnlinked, d)
		if d.OnRefused != nil {
			d.OnRefused("", reasonUnlinked)
		}
		return result, err
	case !got.Reserved:
		return s.refuse(ctx, env, got, reasonUsedUp, d)
	}
	if reason := accessReasons(got.Account, s.now()); reason != "" {
		return s.refuse(ctx, env, got, "By a provider: "+reason, d)
	}
	proof := session.ByProvider
	if strong {
		proof = session.ByProviderWithMFA
	}
	d.reservedDevice = got.Device.ID
	result, err := s.afterFirstFactor(ctx, env, withoutPassword(got.Account), proof, d)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, reasonChangedOrAPI, d)
	}
	return result, err
}

const reasonChangedOrAPI = "By a provider: the account's licence is for API clients, or it was changed, or blocked, " +
	"at the same moment."

// locateLinked reads where an account is, with the remembered device that a token names, if it is the account's.
func (s *Service) locateLinked(ctx context.Context, accountID string, given token.Token) (Lookup, error) {
	env, key, err := s.locateAccount(ctx, accountID)
	found := Lookup{Env: env, Key: key}
	if err != nil || key == "" || given.Account.String() != accountID {
		return found, err
	}
	factors, err := s.Factors.LoadFactors(ctx, accountID, given.ID.String())
	found.Device = factors.Device
	return found, err
}

// accessReasons returns why an account may not sign in whatever it proved, or "".
func accessReasons(a account.Account, now time.Time) string {
	var out []string
	for _, condition := range []struct {
		bad bool
		why string
	}{{!a.Active, reasonLocked}, {a.AccessLocked, reasonBlocked}, {!a.TriesBlockedAt.IsZero(), reasonUsedUp},
		{!a.InDates(field.DateOf(now)), reasonDates}} {
		if condition.bad {
			out = append(out, condition.why)
		}
	}
	return strings.Join(out, " ")
}

// withoutPassword is an account as it comes in without its password: that it has none, or a temporary one that is over,
// does not stand in its way. It is not to be written.
func withoutPassword(a account.Account) account.Account {
	a.PasswordHash, a.PasswordExpires = "", time.Time{}
	return a
}
