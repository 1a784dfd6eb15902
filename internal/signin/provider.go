package signin

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
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
// linked to none. mfa says that the provider vouches for a second factor. It is neither counted as an attempt
// nor stopped by those of others. Every refusal gets the one answer (C07, C23).
func (s *ProviderService) LoginWithProvider(ctx context.Context, accountID string, mfa bool, c ClientInfo) (
	Result, error,
) {
	env, got, err := s.loadUncounted(ctx, s.Directory, accountID)
	if err != nil {
		return Result{}, err
	}
	if !got.Found {
		result, err := s.refuse(ctx, env, got, reasonUnlinked, c)
		if c.OnRefused != nil {
			c.OnRefused("", reasonUnlinked)
		}
		return result, err
	}
	if reason := accessReasons(got.Account, s.now()); reason != "" {
		return s.refuse(ctx, env, got, providerPrefix+reason, c)
	}
	proof := session.ByProvider
	if mfa {
		proof = session.ByProviderWithMFA
	}
	result, err := s.afterFirstFactor(ctx, env, withoutPassword(got.Account), proof, c)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, reasonChangedOrAPI, c)
	}
	return result, err
}

// withoutPassword is an account as it signs in without its password: no password, or a temporary one that has expired,
// does not stand in its way. It must not be written.
func withoutPassword(a account.Account) account.Account {
	a.PasswordHash, a.PasswordExpires = "", time.Time{}
	return a
}
