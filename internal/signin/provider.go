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

// whyUnlinked is what the access record says of an identity that is linked to nobody. No account's log has it: it is nobody's.
const whyUnlinked = "The identity at the provider is linked to no account."

// ByProvider lets in the account that somebody's identity at a provider is linked to, empty where it is linked to none. strong
// says that the provider vouches for a second factor. It is charged like any try, so that what blocks passwords blocks this
// way too, and every refusal is the one answer (C07, C23).
func (s *Service) ByProvider(ctx context.Context, accountID string, strong bool, d Device) (Result, error) {
	given, _ := token.Parse(token.Device, d.Token) //nolint:errcheck // the zero token is none
	found, err := s.linkedFrom(ctx, accountID, given)
	if err != nil {
		return Result{}, err
	}
	env := found.Env
	got, err := s.chargeFrom(ctx, found, given)
	if err != nil {
		return Result{}, err
	}
	if got.Account.ID != accountID { // it was renamed between the two reads, or there is none
		got.Found, got.Account = false, account.Account{}
	}
	switch {
	case !got.Found:
		result, err := s.refuse(ctx, env, got, whyUnlinked, d)
		if d.Refused != nil {
			d.Refused("", whyUnlinked)
		}
		return result, err
	case !got.Charged:
		return s.refuse(ctx, env, got, whyUsedUp, d)
	}
	if why := hindrances(got.Account, s.now()); why != "" {
		return s.refuse(ctx, env, got, "By a provider: "+why, d)
	}
	proof := session.ByProvider
	if strong {
		proof = session.ByStrongProvider
	}
	d.charged = got.Device.ID
	result, err := s.proceed(ctx, env, withoutPassword(got.Account), proof, d)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, whyOvertakenOrAPI, d)
	}
	return result, err
}

const whyOvertakenOrAPI = "By a provider: the account's licence is for API clients, or it was changed, or blocked, at the same moment."

// linkedFrom reads where an account is, with the remembered device that a token names, if it is the account's.
func (s *Service) linkedFrom(ctx context.Context, accountID string, given token.Token) (Found, error) {
	env, key, err := s.placeOf(ctx, accountID)
	found := Found{Env: env, Key: key}
	if err != nil || key == "" || given.Account.String() != accountID {
		return found, err
	}
	factors, err := s.Factors.Recall(ctx, accountID, given.ID.String())
	found.Device = factors.Device
	return found, err
}

// hindrances returns why an account may not sign in whatever it proved, or "".
func hindrances(a account.Account, now time.Time) string {
	var out []string
	for _, h := range []struct {
		bad bool
		why string
	}{{!a.Active, whyLocked}, {a.AccessLocked, whyBlocked}, {!a.TriesBlockedAt.IsZero(), whyUsedUp}, {!a.InDates(field.DateOf(now)), whyDates}} {
		if h.bad {
			out = append(out, h.why)
		}
	}
	return strings.Join(out, " ")
}

// withoutPassword is an account as it comes in without its password: that it has none, or a temporary one that is over, does
// not stand in its way. It is not to be written.
func withoutPassword(a account.Account) account.Account {
	a.PasswordHash, a.PasswordExpires = "", time.Time{}
	return a
}
