package sso

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/credential"
	"useraccounts/internal/mfa"
)

// Prover verifies the caller's own password. Failures count as failed tries.
type Prover interface {
	VerifyOwnPassword(ctx context.Context, sc access.Scope, password string) error
}

// Factors reads an account's factors besides its password.
type Factors interface {
	LoadFactors(ctx context.Context, accountID, device string) (mfa.Factors, error)
}

// SelfService is what people do with the links of their own account.
type SelfService struct {
	Identities *Identities
	Flow       *Flow
	Prover     Prover
	// Factors returns passkeys, which are a sign-in method.
	Factors Factors
	Now     func() time.Time
}

// requireReauthentication requires the password now, or a proof that is fresh already (C15, V35).
func (s *SelfService) requireReauthentication(ctx context.Context, sc access.Scope, password string) error {
	if password != "" {
		return s.Prover.VerifyOwnPassword(ctx, sc, password)
	}
	return credential.CheckProof(sc, s.Now())
}

// List returns the caller's identities.
func (s *SelfService) List(ctx context.Context, sc access.Scope) ([]FederatedIdentity, error) {
	return s.Identities.List(ctx, sc, sc.Caller.AccountID)
}

// BeginLink starts to link an identity: the person authenticates at the provider. The request is bound to the account
// and its epoch.
func (s *SelfService) BeginLink(ctx context.Context, sc access.Scope, providerID, password string) (AuthRedirect,
	error,
) {
	if err := s.requireReauthentication(ctx, sc, password); err != nil {
		return AuthRedirect{}, err
	}
	return s.Flow.Begin(ctx, sc.Env.ID, providerID,
		AuthRequest{Purpose: ToLink, AccountID: sc.Caller.AccountID, Epoch: sc.Caller.Epoch})
}

// CompleteLink links the identity of a callback to the caller, who must be the account that started the request (C37).
func (s *SelfService) CompleteLink(ctx context.Context, sc access.Scope, r Callback) (FederatedIdentity, error) {
	r.AccountID, r.Epoch = sc.Caller.AccountID, sc.Caller.Epoch
	got, err := s.Flow.Complete(ctx, sc.Env.ID, r, ToLink)
	if err != nil {
		return FederatedIdentity{}, err
	}
	return s.Identities.link(ctx, sc, sc.Caller.AccountID, got.Provider.ID, got.Claims.Subject,
		func(account.Account) error { return nil })
}

// Unlink removes the caller's link at a provider, unless it is the last sign-in method. The write is conditional on the
// unchanged account: of two requests that each remove one of the last two methods, one fails.
func (s *SelfService) Unlink(ctx context.Context, sc access.Scope, providerID, password string) error {
	if err := s.requireReauthentication(ctx, sc, password); err != nil {
		return err
	}
	enabled, err := s.Identities.Providers.Enabled(ctx, sc.Env.ID)
	if err != nil {
		return err
	}
	ids := make([]string, len(enabled))
	for i, p := range enabled {
		ids[i] = p.ID
	}
	return s.Identities.unlink(ctx, sc, sc.Caller.AccountID, providerID, func(a account.Account) (bool, error) {
		factors, err := s.Factors.LoadFactors(ctx, a.ID, "")
		if err != nil {
			return false, err
		}
		remaining := account.SignInMethods{Account: a, Passkeys: len(factors.Passkeys), Providers: ids}
		remaining.Account.LinkedProviders = slices.DeleteFunc(slices.Clone(a.LinkedProviders),
			func(id string) bool { return id == providerID })
		return true, remaining.RequireOne(s.Now())
	})
}
