package signin

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// What the log, or the access record, says of a provider's answer that was refused. An identity that is not linked is
// in the access record only.
const (
	reasonUnlinked     = "The identity at the provider is not linked to an account."
	reasonChangedOrAPI = providerPrefix + "the account's licence is for API clients, or the account was changed or " +
		"blocked at the same time."
	providerPrefix = "With a provider: "
)

// ProviderService signs people in whom an OpenID provider has authenticated.
type ProviderService struct {
	*Steps
	Directory AccountReader
}

// LoginWithProvider signs in the account that an identity at a provider is linked to; accountID is empty where it is
// linked to none. mfa says that the provider vouches for a second factor. It counts as an attempt like any other: what
// blocks passwords blocks this too, and every refusal gets the one answer (C07, C23).
func (s *ProviderService) LoginWithProvider(ctx context.Context, accountID string, mfa bool, c ClientInfo) (
	Result, error,
) {
	given, _ := token.Parse(token.TrustedDevice, c.DeviceToken) // the zero token is none
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
		result, err := s.refuse(ctx, env, got, reasonUnlinked, c)
		if c.OnRefused != nil {
			c.OnRefused("", reasonUnlinked)
		}
		return result, err
	case !got.Reserved:
		return s.refuse(ctx, env, got, reasonUsedUp, c)
	}
	if reason := accessReasons(got.Account, s.now()); reason != "" {
		return s.refuse(ctx, env, got, providerPrefix+reason, c)
	}
	proof := session.ByProvider
	if mfa {
		proof = session.ByProviderWithMFA
	}
	c.reservedDevice = got.Device.ID
	result, err := s.afterFirstFactor(ctx, env, withoutPassword(got.Account), proof, c)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, reasonChangedOrAPI, c)
	}
	return result, err
}

// locateLinked reads where an account is, with the trusted device that a token names, if it is the account's.
func (s *ProviderService) locateLinked(ctx context.Context, accountID string, given token.Token) (Lookup, error) {
	env, key, err := s.locateAccount(ctx, s.Directory, accountID)
	found := Lookup{Env: env, Key: key}
	if err != nil || key == "" || given.Account.String() != accountID {
		return found, err
	}
	factors, err := s.Devices.LoadFactors(ctx, accountID, given.ID.String())
	found.Device = factors.Device
	return found, err
}

// withoutPassword is an account as it signs in without its password: no password, or a temporary one that has expired,
// does not stand in its way. It must not be written.
func withoutPassword(a account.Account) account.Account {
	a.PasswordHash, a.PasswordExpires = "", time.Time{}
	return a
}
