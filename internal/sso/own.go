package sso

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
)

// Prover verifies the caller's own password, within the limit of tries of a sign-in.
type Prover interface {
	ProvePassword(ctx context.Context, sc access.Scope, password string) error
}

// Factors reads what an account has besides a password.
type Factors interface {
	Recall(ctx context.Context, accountID, device string) (mfa.Factors, error)
}

// Own is what people do with the links of their own account.
type Own struct {
	Links  *Links
	Flow   *Flow
	Prover Prover
	// Factors tells of passkeys, which are a way in of their own.
	Factors Factors
	Now     func() time.Time
}

// prove wants a fresh proof of who the caller is: a sign-in within mfa.Fresh, or the password now (C15, V35).
func (s *Own) prove(ctx context.Context, sc access.Scope, password string) error {
	switch {
	case password != "":
		return s.Prover.ProvePassword(ctx, sc, password)
	case !sc.Caller.Fresh(s.Now(), mfa.Fresh):
		return fault.New(fault.Forbidden, "proofNeeded",
			"This needs a fresh proof of who you are: send your password with it, or sign in again and repeat it within five minutes.")
	}
	return nil
}

// List returns the caller's links.
func (s *Own) List(ctx context.Context, sc access.Scope) ([]Link, error) {
	return s.Links.Of(ctx, sc, sc.Caller.AccountID)
}

// Depart begins to link: the person proves to the provider who they are there. The attempt is of the account as it is now.
func (s *Own) Depart(ctx context.Context, sc access.Scope, providerID, password string) (Departure, error) {
	if err := s.prove(ctx, sc, password); err != nil {
		return Departure{}, err
	}
	return s.Flow.Depart(ctx, sc.Env.ID, providerID, Attempt{Purpose: ToLink, AccountID: sc.Caller.AccountID, Epoch: sc.Caller.Epoch})
}

// Return links whoever came back from the provider to the caller, who has to be who departed (C37).
func (s *Own) Return(ctx context.Context, sc access.Scope, r Return) (Link, error) {
	r.AccountID, r.Epoch = sc.Caller.AccountID, sc.Caller.Epoch
	got, err := s.Flow.Arrive(ctx, sc.Env.ID, r, ToLink)
	if err != nil {
		return Link{}, err
	}
	return s.Links.Link(ctx, sc, sc.Caller.AccountID, got.Provider.ID, got.Identity.Subject)
}

// Unlink removes the caller's link at a provider, unless no other way in would be left. It depends on the account being as it
// was judged: of a link and a passkey, each the last way in but for the other, two who remove both at once leave one.
func (s *Own) Unlink(ctx context.Context, sc access.Scope, providerID, password string) error {
	if err := s.prove(ctx, sc, password); err != nil {
		return err
	}
	open, err := s.Links.Providers.Enabled(ctx, sc.Env.ID)
	if err != nil {
		return err
	}
	ids := make([]string, len(open))
	for i, p := range open {
		ids[i] = p.ID
	}
	return s.Links.unlink(ctx, sc, sc.Caller.AccountID, providerID, func(a account.Account) (bool, error) {
		has, err := s.Factors.Recall(ctx, a.ID, "")
		if err != nil {
			return false, err
		}
		left := account.WaysIn{Account: a, Passkeys: len(has.Passkeys), Providers: ids}
		left.Account.SignOn = slices.DeleteFunc(slices.Clone(a.SignOn), func(id string) bool { return id == providerID })
		return true, left.Remain(s.Now())
	})
}
