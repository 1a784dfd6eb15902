// Package apikey is what administrators do with the API keys of an account: make them, list them, lock them. Whether a key
// opens anything is signin's to say, at each request.
package apikey

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

const (
	// MostActive is how many keys an account may have at once that are neither locked nor expired: enough to give one to
	// each of its programs and to rotate them, few enough to look through.
	MostActive = 50
	// StandardDays is how long a key is valid unless said otherwise, MostDays the longest.
	StandardDays, MostDays = 90, 3650
)

// Store is what the service needs of the table.
type Store interface {
	// Keys returns up to limit keys of an account, newest first, after the given id, and the id to go on from.
	Keys(ctx context.Context, accountID, after string, limit int) ([]session.Key, string, error)
	// Active returns how many keys of an account are active at now, and the count of keys made that this holds for.
	Active(ctx context.Context, accountID string, now time.Time) (active int, made int64, err error)
	// Create writes a key and the event that tells of it: account.ErrRaced if another was made since c.Made, NotFound if
	// the account is gone.
	Create(ctx context.Context, c Creation) error
	// Key returns one key of an account; NotFound if it has none of that id.
	Key(ctx context.Context, accountID, id string) (session.Key, error)
	// Lock writes a lock and the event that tells of it: account.ErrRaced if the key is locked already.
	Lock(ctx context.Context, k session.Key, e journal.Event) error
}

// Accounts reads the account that keys are of.
type Accounts interface {
	// Get returns one account; NotFound if the caller's environment has none of that id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// Creation is a new key, whole.
type Creation struct {
	Env string
	Key session.Key
	// Made is the count of keys made that Store.Active gave.
	Made  int64
	Event journal.Event
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

// Choice is what an administrator chooses of a new key.
type Choice struct {
	Description string
	ValidDays   int
}

// List returns up to limit keys of an account, newest first, after a key's id, and the id to go on from.
func (s *Service) List(ctx context.Context, sc access.Scope, accountID, after string, limit int) ([]session.Key, string, error) {
	if _, err := s.Accounts.Get(ctx, sc, accountID); err != nil {
		return nil, "", err
	}
	return s.Store.Keys(ctx, accountID, after, limit)
}

// Create makes a key. The token is its text, which nobody can read again.
func (s *Service) Create(ctx context.Context, sc access.Scope, accountID string, choice Choice) (session.Key, token.Token, error) {
	if err := choice.clean(); err != nil {
		return session.Key{}, token.Token{}, err
	}
	const tries = 5
	for attempt := 1; ; attempt++ {
		k, issued, err := s.create(ctx, sc, accountID, choice)
		if !errors.Is(err, account.ErrRaced) {
			return k, issued, err
		}
		if attempt == tries {
			return session.Key{}, token.Token{}, fault.New(fault.Conflict, "busy", "Keys of this account are being made by others just now; try again.").After(time.Second)
		}
	}
}

func (s *Service) create(ctx context.Context, sc access.Scope, accountID string, choice Choice) (session.Key, token.Token, error) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return session.Key{}, token.Token{}, err
	}
	if err := mayCreate(sc, owner); err != nil {
		return session.Key{}, token.Token{}, err
	}
	now := s.now()
	active, made, err := s.Store.Active(ctx, accountID, now)
	if err != nil {
		return session.Key{}, token.Token{}, err
	}
	if active >= MostActive {
		return session.Key{}, token.Token{}, fault.New(fault.Conflict, "tooManyKeys",
			"%s has %d keys that are in force, and no account may have more. Lock those that are not needed any more, then make the new one.", owner.Username, active)
	}
	ownerID, err := ulid.ParseStrict(owner.ID)
	if err != nil {
		return session.Key{}, token.Token{}, err
	}
	issued, err := token.Issue(s.Random, token.Key, ownerID, s.NewID())
	if err != nil {
		return session.Key{}, token.Token{}, err
	}
	k := session.Key{
		AccountID: owner.ID, ID: issued.ID.String(), Hash: issued.Hash(), Description: choice.Description,
		Created: now, CreatedBy: sc.Caller.Username, Expires: now.AddDate(0, 0, choice.ValidDays),
	}
	err = s.Store.Create(ctx, Creation{Env: sc.Env.ID, Key: k, Made: made, CallerEpoch: sc.Caller.Epoch, Event: s.event(sc, journal.KeyCreated, k, now)})
	if err != nil {
		return session.Key{}, token.Token{}, err
	}
	return k, issued, nil
}

// Lock ends a key, and the sessions that it opened, at once and for good. On a locked key it changes nothing.
func (s *Service) Lock(ctx context.Context, sc access.Scope, accountID, id string) (session.Key, error) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return session.Key{}, err
	}
	if err := account.GuardAdministrator(sc, owner); err != nil {
		return session.Key{}, err
	}
	k, err := s.Store.Key(ctx, accountID, id)
	if err != nil || !k.Locked.IsZero() {
		return k, err
	}
	k.Locked, k.LockedBy = s.now(), sc.Caller.Username
	err = s.Store.Lock(ctx, k, s.event(sc, journal.KeyLocked, k, k.Locked))
	if errors.Is(err, account.ErrRaced) {
		return s.Store.Key(ctx, accountID, id) // somebody else locked it meanwhile
	}
	return k, err
}

func (s *Service) event(sc access.Scope, kind journal.Kind, k session.Key, now time.Time) journal.Event {
	return journal.Event{
		ID: s.NewID().String(), At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: k.ID, Note: k.Description,
		Keep: sc.Env.Settings.LogRetentionDays,
	}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// description is the one field of a key that people write.
var description = field.Def[Choice]{Name: "description", Label: "Description", Kind: field.Text, Max: 200}

// clean puts the choice into the form that is kept, or says what is wrong with it.
func (c *Choice) clean() error {
	var bad []fault.Field
	text, wrong := description.Clean(c.Description)
	switch {
	case wrong != nil:
		bad = append(bad, *wrong)
	case text == "":
		bad = append(bad, fault.Field{Field: "description", Code: "required", Message: "Say what the key is for, such as the program that will hold it."})
	}
	c.Description = text
	if c.ValidDays < 1 || c.ValidDays > MostDays {
		bad = append(bad, fault.Field{Field: "validDays", Code: "range", Message: "A key is valid for 1 to 3650 days; 90 is usual."})
	}
	return fault.InvalidFields(bad)
}

// mayCreate holds the rules about who makes keys for whom: whoever makes a key can act as its account.
func mayCreate(sc access.Scope, owner account.Account) error {
	if err := account.GuardAdministrator(sc, owner); err != nil {
		return err
	}
	if err := account.GuardRights(sc, owner, "make a key for"); err != nil {
		return err
	}
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, owner.UserType); !licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly", "API keys are for accounts with a licence for API clients only; %s has the licence %s, with which people sign in.", owner.Username, owner.UserType)
	}
	return nil
}
