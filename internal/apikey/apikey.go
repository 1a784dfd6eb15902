// Package apikey lets administrators create, list and lock the API keys of an account. Package signin checks a key at
// each request.
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
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

const (
	// MaxActiveKeys is how many active keys an account may have at once: enough to give one to each of its programs and
	// to rotate them, few enough to keep track of.
	MaxActiveKeys = 50
	// DefaultValidDays is how long a key is valid by default.
	DefaultValidDays = 90
	// MaxValidDays is how long a key can be valid at most.
	MaxValidDays = 3650
)

// Store is what the service needs of the table.
type Store interface {
	// Keys returns up to limit keys of an account, newest first, after the given id, and the id to continue from.
	Keys(ctx context.Context, accountID, after string, limit int) ([]session.APIKey, string, error)
	// CountActive returns how many keys of an account are active at now, and how many were ever created by then.
	CountActive(ctx context.Context, accountID string, now time.Time) (active int, made int64, err error)
	// Create writes a key with its event; account.ErrConcurrentChange if another was created since k.CreatedCount,
	// NotFound if the account is gone.
	Create(ctx context.Context, k NewKey) error
	// Key returns one key of an account; NotFound if it has none of that id.
	Key(ctx context.Context, accountID, id string) (session.APIKey, error)
	// Lock writes a lock with its event; account.ErrConcurrentChange if the key is locked already.
	Lock(ctx context.Context, k session.APIKey, e auditlog.Event, mails []mail.Message) error
}

// Accounts reads the owner of keys.
type Accounts interface {
	// Get returns one account; NotFound if the caller's environment has none of that id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// NewKey is all that is written of a new key.
type NewKey struct {
	Env string
	Key session.APIKey
	// CreatedCount is the count of created keys that Store.CountActive returned.
	CreatedCount int64
	Event        auditlog.Event
	// Mails tell of the key.
	Mails []mail.Message
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
	// Mail writes the notices of keys that are created or locked; nil for none.
	Mail *mail.Composer
}

// CreateParams is what an administrator chooses for a new key.
type CreateParams struct {
	Description string
	ValidDays   int
}

// List returns up to limit keys of an account, newest first, after a key's id, and the id to continue from.
func (s *Service) List(ctx context.Context, sc access.Scope, accountID, after string, limit int) ([]session.APIKey,
	string, error,
) {
	if _, err := s.Accounts.Get(ctx, sc, accountID); err != nil {
		return nil, "", err
	}
	return s.Store.Keys(ctx, accountID, after, limit)
}

// Create creates a key. The token is its text, which nobody can read again.
func (s *Service) Create(ctx context.Context, sc access.Scope, accountID string, params CreateParams) (session.APIKey,
	token.Token, error,
) {
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
					"Other keys of this account were created at the same time. Try again.").WithRetryAfter(time.Second)
		}
	}
}

func (s *Service) create(ctx context.Context, sc access.Scope, accountID string, params CreateParams) (session.APIKey,
	token.Token, error,
) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	if err := authorizeCreate(sc, owner, s.now()); err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	now := s.now()
	active, made, err := s.Store.CountActive(ctx, accountID, now)
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	if active >= MaxActiveKeys {
		return session.APIKey{}, token.Token{}, fault.New(fault.Conflict, "tooManyKeys",
			"%s has %d active keys, the most that an account may have. Lock those that are no longer needed, then create "+
				"the new one.", owner.Username, active)
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
		Created: now, CreatedBy: sc.Caller.Username, CreatedByID: sc.Caller.AccountID,
		Expires: now.AddDate(0, 0, params.ValidDays),
	}
	mails, err := s.notice(ctx, sc, mail.KeyCreated, owner, k, now)
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	err = s.Store.Create(ctx,
		NewKey{
			Env: sc.Env.ID, Key: k, CreatedCount: made, CallerEpoch: sc.Caller.Epoch,
			Event: s.event(sc, auditlog.KeyCreated, k, now), Mails: mails,
		})
	if err != nil {
		return session.APIKey{}, token.Token{}, err
	}
	return k, issued, nil
}

// Lock ends a key and the sessions that it opened, at once and for ever. On a locked key it changes nothing.
func (s *Service) Lock(ctx context.Context, sc access.Scope, accountID, id string) (session.APIKey, error) {
	owner, err := s.Accounts.Get(ctx, sc, accountID)
	if err != nil {
		return session.APIKey{}, err
	}
	if err := account.CheckCredentialAct(sc, credential.LockKey, owner, s.now()); err != nil {
		return session.APIKey{}, err
	}
	k, err := s.Store.Key(ctx, accountID, id)
	if err != nil || !k.Locked.IsZero() {
		return k, err
	}
	k.Locked, k.LockedBy = s.now(), sc.Caller.Username
	mails, err := s.notice(ctx, sc, mail.KeyLocked, owner, k, k.Locked)
	if err != nil {
		return session.APIKey{}, err
	}
	err = s.Store.Lock(ctx, k, s.event(sc, auditlog.KeyLocked, k, k.Locked), mails)
	if errors.Is(err, account.ErrConcurrentChange) {
		return s.Store.Key(ctx, accountID, id) // somebody else locked it meanwhile
	}
	return k, err
}

// notice returns the mail about a key: to the account's address, and where it has none, as most programs, to whoever
// created the key.
func (s *Service) notice(ctx context.Context, sc access.Scope, kind mail.Kind, owner account.Account, k session.APIKey,
	at time.Time,
) ([]mail.Message, error) {
	to := owner.Addressee()
	if to.Email == "" && k.CreatedByID != "" && s.Mail != nil {
		creator, err := s.Accounts.Get(ctx, sc, k.CreatedByID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		to = creator.Addressee()
		to.Username = owner.Username
	}
	return s.Mail.Notice(sc.Env, kind, to, at, "“"+k.Description+"”"), nil
}

func (s *Service) event(sc access.Scope, kind auditlog.Kind, k session.APIKey, now time.Time) auditlog.Event {
	return auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: k.ID,
		Note:          k.Description,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// description is the only field of a key that people enter.
var description = field.Def[CreateParams]{Name: "description", Label: "Description", Kind: field.Text, Max: 200}

// validate normalises the parameters, or says what is wrong with them.
func (c *CreateParams) validate() error {
	var bad []fault.Field
	text, wrong := description.Clean(c.Description)
	switch {
	case wrong != nil:
		bad = append(bad, *wrong)
	case text == "":
		bad = append(bad,
			fault.Field{
				Field: "description", Code: "required",
				Message: "Say what the key is for, such as the program that will use it.",
			})
	}
	c.Description = text
	if c.ValidDays < 1 || c.ValidDays > MaxValidDays {
		bad = append(bad,
			fault.Field{Field: "validDays", Code: "range", Message: "A key is valid for 1 to 3650 days; 90 is usual."})
	}
	return fault.InvalidFields(bad)
}

// authorizeCreate checks who may create a key for whom: whoever creates a key can act as its account.
func authorizeCreate(sc access.Scope, owner account.Account, now time.Time) error {
	if err := account.CheckCredentialAct(sc, credential.CreateKey, owner, now); err != nil {
		return err
	}
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, owner.UserType); !licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly",
			"API keys are for accounts with a licence for API clients only; %s has the licence %s, with which people sign in.",
			owner.Username, owner.UserType)
	}
	return nil
}
