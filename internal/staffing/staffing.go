// Package staffing creates the resource of an account. The packages account and resource do not know each other: here a
// change goes through the rules of both and is written in one transaction, so that each always names the other.
package staffing

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
)

// Accounts reads the account that gets a resource.
type Accounts interface {
	// Get returns the account with the id; NotFound if the environment has none.
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// Store is what the service needs of the table.
type Store interface {
	// WriteWithAccount does w in one transaction and returns it with the code that the resource got. It is
	// account.ErrConcurrentChange or resource.ErrConcurrentChange after a concurrent change, a Conflict that names the
	// code if that is taken.
	WriteWithAccount(ctx context.Context, env environment.Environment, w Write) (Write, error)
}

// Write is the write of an account that gets a resource, and the write of the resource.
type Write struct {
	Account  account.Write
	Resource resource.Write
}

// WithCode returns the write with the code that the store assigned to the resource.
func (w Write) WithCode(code string) Write {
	return Write{Account: w.Account.WithResource(code), Resource: w.Resource.WithCode(code)}
}

// Service creates resources for accounts.
type Service struct {
	Accounts Accounts
	Rules    resource.Rules
	Store    Store
	Now      func() time.Time
	NewID    func() string
}

// Preview returns the resource that Create would create, without a code if that would be the next number. It checks
// what Create checks, except whether the code is taken.
func (s *Service) Preview(ctx context.Context, sc access.Scope, accountID string,
	patch field.Patch) (resource.Resource, error) {
	w, err := s.prepare(ctx, sc, accountID, patch)
	return w.Resource.After, err
}

// Create creates a resource for an account and links the two. What the fields leave out comes from the account's name,
// the resource group's defaults and the environment's.
func (s *Service) Create(ctx context.Context, sc access.Scope, accountID string, patch field.Patch) (resource.Resource,
	error) {
	const maxAttempts = 6
	for range maxAttempts {
		w, err := s.prepare(ctx, sc, accountID, patch)
		if err != nil {
			return resource.Resource{}, err
		}
		w.Account.Event.ID = s.NewID()
		w, err = s.Store.WriteWithAccount(ctx, sc.Env, w)
		if !errors.Is(err, account.ErrConcurrentChange) && !errors.Is(err, resource.ErrConcurrentChange) {
			return w.Resource.After, err
		}
	}
	return resource.Resource{},
		fault.New(fault.Conflict, "busy",
			"Others are changing this account; try again in a moment.").WithRetryAfter(time.Second)
}

func (s *Service) prepare(ctx context.Context, sc access.Scope, accountID string, patch field.Patch) (Write, error) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return Write{}, err
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	linked, err := account.LinkResource(sc, owner, "", now)
	if err != nil {
		return Write{}, err
	}
	created, err := s.Rules.Create(ctx, sc, patch,
		resource.CreateOptions{AccountID: owner.ID, Description: owner.Name, Now: now})
	if err != nil {
		return Write{}, err
	}
	// One entry in the account's log is enough: that it got this resource.
	created.Event.Kind = ""
	return Write{Account: linked, Resource: created}.WithCode(created.After.Code), nil
}
