// Package apikey is what administrators do with the API keys of an account: make them, list them, lock them. Whether a
// key opens anything is signin's to say, at each request.
package apikey

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

const (
	// MaxActiveKeys is how many keys an account may have at once that are neither locked nor expired: enough to give one
	// to each of its programs and to rotate them, few enough to look through.
	MaxActiveKeys = 50
	// DefaultValidDays is how long a key is valid unless said otherwise, MaxValidDays the longest.
	DefaultValidDays, MaxValidDays = 90, 3650
)

// Store is what the service needs of the table.
type Store interface {
	// Keys returns up to limit keys of an account, newest first, after the given id, and the id to go on from.
	Keys(ctx context.Context, accountID, after string, limit int) ([]session.APIKey, string, error)
	// CountActive returns how many keys of an account are active at now, and the count of keys made that this holds for.
	CountActive(ctx context.Context, accountID string, now time.Time) (active int, made int64, err error)
	// Create writes a key and the event that tells of it: account.ErrConcurrentChange if another was made since c.Made,
	// NotFound if the account is gone.
	Create(ctx context.Context, c NewKey) error
	// Key returns one key of an account; NotFound if it has none of that id.
	Key(ctx context.Context, accountID, id string) (session.APIKey, error)
	// Lock writes a lock and the event that tells of it: account.ErrConcurrentChange if the key is locked already.
	Lock(ctx context.Context, k session.APIKey, e auditlog.Event) error
}

// Accounts reads the account that keys are of.
type Accounts interface {
	// Get returns one account; NotFound if the caller's environment has none of that id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// NewKey is a new key, whole.
type NewKey struct {
	Env string
	Key session.APIKey
	// CreatedCount is the count of keys made that Store.CountActive gave.
	CreatedCount int64
	Event        auditlog.Event
	// CallerEpoch makes the write depend on the caller's account (Event.ByID) still having that epoch.
	CallerEpoch int64
}

// Service administers keys.
type Service struct {
	Store    Store
	Accounts Accounts
	Now      func() time.Time
	NewID    func() ulid.ULID
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
}

// CreateParams is what an administrator chooses of a new key.
type CreateParams struct {
	Description string
	ValidDays   int
}

// List returns up to limit keys of an account, newest first, after a key's id, and the id to go on from.
func (s *Service) List(ctx context.Context, sc access.Scope, accountID, after string, limit int) ([]session.APIKey,
	string, error) {
	if _, err := s.Accounts.Get(ctx, sc, accountID); err != nil {
		return nil, "", err
	}
	return s.Store.Keys(ctx, accountID, after, limit)
}

// Create makes a key. The token is its text, which nobody can read again.
func (s *Service) Create(ctx context.Context, sc access.Scope, accountID string, params CreateParams) (session.APIKey,
	token.Token, error) {
	if err := params.validate(); err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	const tries = 5
	for attempt := 1; ; attempt++ {
		k, issued, err := s.create(ctx, sc, accountID, params)
		if !errors.Is(err, account.ErrConcurrentChange) {
			return k, issued, err
		}
		if attempt == tries {
			return session.APIKey{}, token.Token{},
				fault.New(fault.Conflict, "busy",
					"Keys of this account are being made by others just now; try again.").WithRetryAfter(time.Second)
		}
	}
}

func (s *Service) create(ctx context.Context, sc access.Scope, accountID string, params CreateParams) (session.APIKey,
	token.Token, error) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	if err := authorizeCreate(sc, owner); err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	now := s.now()
	active, made, err := s.Store.CountActive(ctx, accountID, now)
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	if active >= MaxActiveKeys {
		return session.APIKey{}, token.Token{}, fault.New(fault.Conflict, "tooManyKeys",
			"%s has %d keys that are in force, and no account may have more. Lock those that are not needed any more, then "+
				"make the new one.", owner.Username, active)
	}
	ownerID, err := ulid.ParseStrict(owner.ID)
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	issued, err := token.Issue(s.Random, token.APIKey, ownerID, s.NewID())
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	k := session.APIKey{
		AccountID: owner.ID, ID: issued.ID.String(), Hash: issued.Hash(), Description: params.Description,
		Created: now, CreatedBy: sc.Caller.Username, Expires: now.AddDate(0, 0, params.ValidDays),
	}
	err = s.Store.Create(ctx,
		NewKey{Env: sc.Env.ID, Key: k, CreatedCount: made, CallerEpoch: sc.Caller.Epoch,
			Event: s.event(sc, auditlog.KeyCreated, k, now)})
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	return k, issued, nil
}

// Lock ends a key, and the sessions that it opened, at once and for good. On a locked key it changes nothing.
func (s *Service) Lock(ctx context.Context, sc access.Scope, accountID, id string) (session.APIKey, error) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return session.APIKey{}, err
	}
	if err := account.GuardAdministrator(sc, owner); err != nil {
		return session.APIKey{}, err
	}
	k, err := s.Store.Key(ctx, accountID, id)
	if err != nil || !k.Locked.IsZero() {
		return k, err
	}
	k.Locked, k.LockedBy = s.now(), sc.Caller.Username
	err = s.Store.Lock(ctx, k, s.event(sc, auditlog.KeyLocked, k, k.Locked))
	if errors.Is(err, account.ErrConcurrentChange) {
		return s.Store.Key(ctx, accountID, id) // somebody else locked it meanwhile
	}
	return k, err
}

func (s *Service) event(sc access.Scope, kind auditlog.Kind, k session.APIKey, now time.Time) auditlog.Event {
	return auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: k.ID,
		Note:          k.Description,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// description is the one field of a key that people write.
var description = field.Def[CreateParams]{Name: "description", Label: "Description", Kind: field.Text, Max: 200}

// validate puts the choice into the form that is kept, or says what is wrong with it.
func (c *CreateParams) validate() error {
	var bad []fault.Field
	text, wrong := description.Clean(c.Description)
	switch {
	case wrong != nil:
		bad = append(bad, *wrong)
	case text == "":
		bad = append(bad,
			fault.Field{Field: "description", Code: "required",
				Message: "Say what the key is for, such as the program that will hold it."})
	}
	c.Description = text
	if c.ValidDays < 1 || c.ValidDays > MaxValidDays {
		bad = append(bad,
			fault.Field{Field: "validDays", Code: "range", Message: "A key is valid for 1 to 3650 days; 90 is usual."})
	}
	return fault.InvalidFields(bad)
}

// authorizeCreate holds the rules about who makes keys for whom: whoever makes a key can act as its account.
func authorizeCreate(sc access.Scope, owner account.Account) error {
	if err := account.GuardAdministrator(sc, owner); err != nil {
		return err
	}
	if err := account.GuardRights(sc, owner, "make a key for"); err != nil {
		return err
	}
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, owner.UserType); !licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly",
			"API keys are for accounts with a licence for API clients only; %s has the licence %s, with which people sign in.",
			owner.Username, owner.UserType)
	}
	return nil
}
