package sso

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// FederatedIdentity links an identity at a provider to an account.
type FederatedIdentity struct {
	ProviderID, ObjectID string
	AccountID            string
	// Email is that of the account when the link was made.
	Email string
	At    time.Time
	By    string
}

// IdentityWrite makes or removes one link, with its event in the account's log.
type IdentityWrite struct {
	Env      string
	Identity FederatedIdentity
	// DirectoryKey is the key of the account's directory row.
	DirectoryKey string
	Delete       bool
	// ExpectedAccount makes the write conditional on the account and its links being as they were read; nil for no
	// condition.
	ExpectedAccount *account.Account
	Event           auditlog.Event
	// Mails notify the account's owner.
	Mails []mail.Message
	// CallerEpoch makes the write conditional on the epoch of the caller's account (Event.ByID).
	CallerEpoch int64
}

// IdentityStore is the store of Identities.
type IdentityStore interface {
	// IdentitiesOf returns the identities of an account.
	IdentitiesOf(ctx context.Context, accountID string) ([]FederatedIdentity, error)
	// IdentitiesByObjectID returns the identities with object ids at a provider; those without an account are missing.
	IdentitiesByObjectID(ctx context.Context, env, providerID string, objectIDs []string) (map[string]FederatedIdentity,
		error)
	// AccountsByEmail returns the accounts with one of these normalised emails, by email, as the environment's snapshot
	// sees them.
	AccountsByEmail(ctx context.Context, env environment.Environment, emails []string) (map[string]account.Account, error)
	// WriteIdentities does all of ws, or none: ErrConcurrentChange if an account is no longer as it was read, an object id
	// is linked, or an account has a link at the provider; when Gone, if the link is not there any more. At most
	// MaxPerTransaction.
	WriteIdentities(ctx context.Context, ws []IdentityWrite) error
}

// MaxPerTransaction is how many links a store writes in one transaction: each with its event and its mail, and the
// caller.
const MaxPerTransaction = 14

// Accounts reads the accounts of identities.
type Accounts interface {
	// Get returns one account; NotFound if the caller's environment has none with that id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// Identities administers the links between accounts and identities.
type Identities struct {
	Store     IdentityStore
	Accounts  Accounts
	Providers *Providers
	// Mail notifies the owner of each link that is made or removed, also by the wizard: a link is a sign-in method, which
	// the owner may not have asked for. The number of mails is bounded by the number of links per request.
	Mail  *mail.Composer
	Now   func() time.Time
	NewID func() string
}

// List returns the identities of an account.
func (s *Identities) List(ctx context.Context, sc access.Scope, accountID string) ([]FederatedIdentity, error) {
	if _, err := s.Accounts.Get(ctx, sc, accountID); err != nil {
		return nil, err
	}
	return s.Store.IdentitiesOf(ctx, accountID)
}

// Link links an identity to somebody else's account. It is idempotent. An identity or an account with another link is a
// Conflict.
func (s *Identities) Link(ctx context.Context, sc access.Scope, accountID, providerID,
	objectID string,
) (FederatedIdentity, error) {
	return s.link(ctx, sc, accountID, providerID, objectID, func(a account.Account) error {
		return account.CheckCredentialAct(sc, credential.LinkIdentity, a, s.Now())
	})
}

// link links an identity to an account that check allows.
func (s *Identities) link(ctx context.Context, sc access.Scope, accountID, providerID, objectID string,
	check func(account.Account) error,
) (FederatedIdentity, error) {
	objectID, bad := normaliseObjectID(objectID)
	if bad != nil {
		return FederatedIdentity{}, fault.InvalidFields([]fault.Field{*bad})
	}
	p, err := s.Providers.Get(ctx, sc.Env.ID, providerID)
	if err != nil {
		return FederatedIdentity{}, err
	}
	const tries = 3
	for attempt := 1; ; attempt++ {
		a, err := s.Accounts.Get(ctx, sc, accountID)
		if err != nil {
			return FederatedIdentity{}, err
		}
		if err := check(a); err != nil {
			return FederatedIdentity{}, err
		}
		existing, err := s.existing(ctx, sc, p, a, objectID)
		if err != nil || existing != nil {
			return deref(existing), err
		}
		w := s.linkWrite(sc, p, a, objectID)
		if err = s.Store.WriteIdentities(ctx, []IdentityWrite{w}); !errors.Is(err, ErrConcurrentChange) || attempt == tries {
			return w.Identity, busyFault(err)
		}
	}
}

// existing returns the link if it exists, and a Conflict if there is another link.
func (s *Identities) existing(ctx context.Context, sc access.Scope, p Provider, a account.Account,
	objectID string,
) (*FederatedIdentity, error) {
	linked, err := s.Store.IdentitiesByObjectID(ctx, sc.Env.ID, p.ID, []string{objectID})
	if err != nil {
		return nil, err
	}
	if identity, ok := linked[objectID]; ok {
		if identity.AccountID == a.ID {
			return &identity, nil
		}
		return nil, fault.New(fault.Conflict, "linkedToAnother",
			"This identity at %s is linked to another account. If that link is wrong, remove it first.", p.Name)
	}
	identities, err := s.Store.IdentitiesOf(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	for _, identity := range identities {
		if identity.ProviderID == p.ID {
			return nil, fault.New(fault.Conflict, "hasLink",
				"%s is linked to another identity at %s. If that link is wrong, remove it first.", a.Username, p.Name)
		}
	}
	return nil, nil
}

// Unlink removes an account's link at a provider. It is idempotent.
func (s *Identities) Unlink(ctx context.Context, sc access.Scope, accountID, providerID string) error {
	_, err := s.unlinkIfLinked(ctx, sc, accountID, providerID)
	return err
}

// unlinkIfLinked is Unlink, and reports whether there was a link.
func (s *Identities) unlinkIfLinked(ctx context.Context, sc access.Scope, accountID, providerID string) (linked bool,
	err error,
) {
	err = s.unlink(ctx, sc, accountID, providerID, func(a account.Account) (bool, error) {
		linked = true
		return false, account.CheckCredentialAct(sc, credential.UnlinkIdentity, a, s.Now())
	})
	return linked, err
}

// unlink removes a link if check allows it. check gets the account and says whether its answer holds only while the
// account is unchanged.
func (s *Identities) unlink(ctx context.Context, sc access.Scope, accountID, providerID string,
	check func(account.Account) (bool, error),
) error {
	const tries = 3
	for attempt := 1; ; attempt++ {
		a, err := s.Accounts.Get(ctx, sc, accountID)
		if err != nil {
			return err
		}
		identities, err := s.Store.IdentitiesOf(ctx, accountID)
		if err != nil {
			return err
		}
		var identity *FederatedIdentity
		for i := range identities {
			if identities[i].ProviderID == providerID {
				identity = &identities[i]
			}
		}
		if identity == nil {
			return nil
		}
		onlyIfUnchanged, err := check(a)
		if err != nil {
			return err
		}
		name := providerID
		// without its provider, the id names the link
		if p, err := s.Providers.Get(ctx, sc.Env.ID, providerID); err == nil {
			name = p.Name
		}
		w := s.unlinkWrite(sc, name, a, *identity)
		if onlyIfUnchanged {
			w.ExpectedAccount = &a
		}
		if err = s.Store.WriteIdentities(ctx, []IdentityWrite{w}); !errors.Is(err, ErrConcurrentChange) || attempt == tries {
			return busyFault(err)
		}
	}
}

func (s *Identities) linkWrite(sc access.Scope, p Provider, a account.Account, objectID string) IdentityWrite {
	now := s.Now().UTC().Truncate(time.Millisecond)
	return IdentityWrite{
		Env: sc.Env.ID, DirectoryKey: a.DirectoryKey(), CallerEpoch: callerEpoch(sc, a),
		Identity: FederatedIdentity{
			ProviderID: p.ID, ObjectID: objectID, AccountID: a.ID, Email: a.Email, At: now,
			By: sc.Caller.Username,
		},
		Event: s.event(sc, auditlog.IdentityLinked, p.ID, p.Name+": "+objectID, now),
		Mails: s.Mail.Notice(sc.Env, mail.IdentityLinked, a.Addressee(), now, p.Name),
	}
}

func (s *Identities) unlinkWrite(sc access.Scope, provider string, a account.Account,
	l FederatedIdentity,
) IdentityWrite {
	now := s.Now().UTC().Truncate(time.Millisecond)
	return IdentityWrite{
		Env: sc.Env.ID, DirectoryKey: a.DirectoryKey(), CallerEpoch: callerEpoch(sc, a), Identity: l, Delete: true,
		Event: s.event(sc, auditlog.IdentityUnlinked, l.ProviderID, provider+": "+l.ObjectID, now),
		Mails: s.Mail.Notice(sc.Env, mail.IdentityUnlinked, a.Addressee(), now, provider),
	}
}

// callerEpoch is 0 for the caller's own account: a transaction may have one condition per item only.
func callerEpoch(sc access.Scope, a account.Account) int64 {
	if a.ID == sc.Caller.AccountID {
		return 0
	}
	return sc.Caller.Epoch
}

func (s *Identities) event(sc access.Scope, kind auditlog.Kind, providerID, note string, now time.Time) auditlog.Event {
	return auditlog.Event{
		ID: s.NewID(), At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		Subject: subject(providerID), Note: note, RetentionDays: retentionDays(sc.Env),
	}
}

// normaliseObjectID returns a person's id at a provider without white space around it; it must be printable.
func normaliseObjectID(text string) (string, *fault.Field) {
	text = strings.TrimSpace(text)
	wrong := func(code, message string) (string, *fault.Field) {
		return "", &fault.Field{Field: "objectId", Code: code, Message: message}
	}
	switch {
	case text == "":
		return wrong("required", "Enter the object id as the provider shows it.")
	case len(text) > MaxObjectID:
		return wrong("tooLong", "An object id has at most 255 characters.")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return wrong("characters", "An object id consists of printable characters on one line.")
	}
	return text, nil
}

func busyFault(err error) error {
	if errors.Is(err, ErrConcurrentChange) {
		return fault.New(fault.Conflict, "busy",
			"Somebody else is changing the same link. Try again in a moment.").WithRetryAfter(time.Second)
	}
	return err
}

func deref(l *FederatedIdentity) FederatedIdentity {
	if l == nil {
		return FederatedIdentity{}
	}
	return *l
}

// Owner returns the account that the identity of a callback is linked to, or "" if there is none (C36, C37).
func (s *Identities) Owner(ctx context.Context, env string, a CallbackResult) (string, error) {
	identities, err := s.Store.IdentitiesByObjectID(ctx, env, a.Provider.ID, []string{a.Claims.Subject})
	return identities[a.Claims.Subject].AccountID, err
}
