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
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/mail"
)

// Link says that an identity at a provider is an account's.
type Link struct {
	ProviderID, ObjectID string
	AccountID            string
	// Email is the account's when the link was made, to recognise it by.
	Email string
	At    time.Time
	By    string
}

// LinkWrite makes or removes one link, with the event that tells of it in the account's log.
type LinkWrite struct {
	Env  string
	Link Link
	// Row is where the account's directory row is.
	Row  string
	Gone bool
	// Of makes the write depend on the account being as it was read, its links too; nil for no such condition.
	Of    *account.Account
	Event journal.Event
	// Mails tell the account's owner.
	Mails []mail.Message
	// CallerEpoch makes the write depend on the caller's account (Event.ByID) still having that epoch.
	CallerEpoch int64
}

// LinkStore is what Links needs of the table.
type LinkStore interface {
	// LinksOf returns the links of an account.
	LinksOf(ctx context.Context, accountID string) ([]Link, error)
	// Whose returns the links of object ids at a provider; those that are nobody's are missing.
	Whose(ctx context.Context, env, providerID string, objectIDs []string) (map[string]Link, error)
	// ByEmail returns the accounts that have one of these emails (normalised), by email, as far as the environment's
	// snapshot sees them.
	ByEmail(ctx context.Context, env environment.Environment, emails []string) (map[string]account.Account, error)
	// WriteLinks does all of ws, or none: ErrRaced if an account is no longer as it was read, an object id is linked, or an
	// account has a link at the provider; when Gone, if the link is not there any more. At most MostTogether.
	WriteLinks(ctx context.Context, ws []LinkWrite) error
}

// MostTogether is how many links a store writes in one transaction: each with its event and its mail, and the caller.
const MostTogether = 14

// Accounts reads the account that links are of.
type Accounts interface {
	// Get returns one account; NotFound if the caller's environment has none of that id (V58).
	Get(ctx context.Context, sc access.Scope, id string) (account.Account, error)
}

// Links administers links.
type Links struct {
	Store     LinkStore
	Accounts  Accounts
	Providers *Providers
	// Mail tells the owner of each link that is made or removed, whoever does it: it is another way into the account, or one
	// less. The wizard writes a mail for every account too and none for the whole: who never asked for a link has to hear of it.
	// That stays bounded, because a mail is a part of its link's transaction, of which a request writes so many and no more
	// (MostPairs, MostAtATime), and the outbox lets them out as fast as the mail service takes them; a line that is linked
	// already writes neither.
	Mail  *mail.Desk
	Now   func() time.Time
	NewID func() string
}

// Of returns the links of an account.
func (s *Links) Of(ctx context.Context, sc access.Scope, accountID string) ([]Link, error) {
	if _, err := s.Accounts.Get(ctx, sc, accountID); err != nil {
		return nil, err
	}
	return s.Store.LinksOf(ctx, accountID)
}

// Link links an identity to an account. To do what is done already changes nothing; an identity or an account that is linked
// otherwise is a Conflict.
func (s *Links) Link(ctx context.Context, sc access.Scope, accountID, providerID, objectID string) (Link, error) {
	objectID, bad := cleanObjectID(objectID)
	if bad != nil {
		return Link{}, fault.InvalidFields([]fault.Field{*bad})
	}
	p, err := s.Providers.Get(ctx, sc.Env.ID, providerID)
	if err != nil {
		return Link{}, err
	}
	const tries = 3
	for attempt := 1; ; attempt++ {
		a, err := s.Accounts.Get(ctx, sc, accountID)
		if err != nil {
			return Link{}, err
		}
		if err := mayLink(sc, a); err != nil {
			return Link{}, err
		}
		there, err := s.there(ctx, sc, p, a, objectID)
		if err != nil || there != nil {
			return deref(there), err
		}
		w := s.write(sc, p, a, objectID)
		if err = s.Store.WriteLinks(ctx, []LinkWrite{w}); !errors.Is(err, ErrRaced) || attempt == tries {
			return w.Link, busy(err)
		}
	}
}

// there returns the link if it is made already, and a Conflict if another stands in its way.
func (s *Links) there(ctx context.Context, sc access.Scope, p Provider, a account.Account, objectID string) (*Link, error) {
	whose, err := s.Store.Whose(ctx, sc.Env.ID, p.ID, []string{objectID})
	if err != nil {
		return nil, err
	}
	if had, ok := whose[objectID]; ok {
		if had.AccountID == a.ID {
			return &had, nil
		}
		return nil, fault.New(fault.Conflict, "linkedToAnother", "This identity at %s is linked to another account. Remove that link first, if it is wrong.", p.Name)
	}
	of, err := s.Store.LinksOf(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	for _, had := range of {
		if had.ProviderID == p.ID {
			return nil, fault.New(fault.Conflict, "hasLink", "%s is linked to another identity at %s. Remove that link first, if it is wrong.", a.Username, p.Name)
		}
	}
	return nil, nil
}

// Unlink removes an account's link at a provider. Removing one that is not there changes nothing.
func (s *Links) Unlink(ctx context.Context, sc access.Scope, accountID, providerID string) error {
	_, err := s.removed(ctx, sc, accountID, providerID)
	return err
}

// removed is Unlink, and reports whether there was a link.
func (s *Links) removed(ctx context.Context, sc access.Scope, accountID, providerID string) (had bool, err error) {
	err = s.unlink(ctx, sc, accountID, providerID, func(account.Account) (bool, error) {
		had = true
		return false, nil
	})
	return had, err
}

// unlink removes a link if may agrees, which is given the account and says whether it agrees only while that is as it is.
func (s *Links) unlink(ctx context.Context, sc access.Scope, accountID, providerID string, may func(account.Account) (bool, error)) error {
	const tries = 3
	for attempt := 1; ; attempt++ {
		a, err := s.Accounts.Get(ctx, sc, accountID)
		if err != nil {
			return err
		}
		if err := mayLink(sc, a); err != nil {
			return err
		}
		of, err := s.Store.LinksOf(ctx, accountID)
		if err != nil {
			return err
		}
		var had *Link
		for i := range of {
			if of[i].ProviderID == providerID {
				had = &of[i]
			}
		}
		if had == nil {
			return nil
		}
		onlyAsItIs, err := may(a)
		if err != nil {
			return err
		}
		name := providerID
		if p, err := s.Providers.Get(ctx, sc.Env.ID, providerID); err == nil { // a link outlives no provider, but must not depend on it
			name = p.Name
		}
		w := s.unwrite(sc, name, a, *had)
		if onlyAsItIs {
			w.Of = &a
		}
		if err = s.Store.WriteLinks(ctx, []LinkWrite{w}); !errors.Is(err, ErrRaced) || attempt == tries {
			return busy(err)
		}
	}
}

func (s *Links) write(sc access.Scope, p Provider, a account.Account, objectID string) LinkWrite {
	now := s.Now().UTC().Truncate(time.Millisecond)
	return LinkWrite{
		Env: sc.Env.ID, Row: a.DirectoryKey(), CallerEpoch: epochFor(sc, a),
		Link:  Link{ProviderID: p.ID, ObjectID: objectID, AccountID: a.ID, Email: a.Email, At: now, By: sc.Caller.Username},
		Event: s.event(sc, journal.Linked, p.ID, p.Name+": "+objectID, now),
		Mails: s.Mail.Notice(sc.Env, mail.LinkAdded, a.Addressee(), now, p.Name),
	}
}

func (s *Links) unwrite(sc access.Scope, provider string, a account.Account, l Link) LinkWrite {
	now := s.Now().UTC().Truncate(time.Millisecond)
	return LinkWrite{
		Env: sc.Env.ID, Row: a.DirectoryKey(), CallerEpoch: epochFor(sc, a), Link: l, Gone: true,
		Event: s.event(sc, journal.Unlinked, l.ProviderID, provider+": "+l.ObjectID, now),
		Mails: s.Mail.Notice(sc.Env, mail.LinkRemoved, a.Addressee(), now, provider),
	}
}

// epochFor leaves the caller's own account out: one transaction looks at an item once.
func epochFor(sc access.Scope, a account.Account) int64 {
	if a.ID == sc.Caller.AccountID {
		return 0
	}
	return sc.Caller.Epoch
}

func (s *Links) event(sc access.Scope, kind journal.Kind, providerID, note string, now time.Time) journal.Event {
	return journal.Event{
		ID: s.NewID(), At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		Subject: subject(providerID), Note: note, Keep: keep(sc.Env),
	}
}

// mayLink holds the rules about who links whom: whoever says whose identity is whose account can act as that account.
func mayLink(sc access.Scope, a account.Account) error {
	if err := account.GuardAdministrator(sc, a); err != nil || a.ID == sc.Caller.AccountID {
		return err
	}
	return account.GuardRights(sc, a, "link")
}

// cleanObjectID takes the id that a provider gave a person: printable, kept exactly but for white space around it.
func cleanObjectID(text string) (string, *fault.Field) {
	text = strings.TrimSpace(text)
	wrong := func(code, message string) (string, *fault.Field) {
		return "", &fault.Field{Field: "objectId", Code: code, Message: message}
	}
	switch {
	case text == "":
		return wrong("required", "Give the object id, as the provider shows it.")
	case len(text) > MaxObjectID:
		return wrong("tooLong", "An object id has at most 255 characters.")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return wrong("characters", "An object id is one line of printable characters.")
	}
	return text, nil
}

func busy(err error) error {
	if errors.Is(err, ErrRaced) {
		return fault.New(fault.Conflict, "busy", "Somebody else is linking the same just now; try again in a moment.").After(time.Second)
	}
	return err
}

func deref(l *Link) Link {
	if l == nil {
		return Link{}
	}
	return *l
}

// Owner returns whose account the identity of somebody who came back is linked to, or "" if it is nobody's (C36, C37).
func (s *Links) Owner(ctx context.Context, env string, a Arrival) (string, error) {
	whose, err := s.Store.Whose(ctx, env, a.Provider.ID, []string{a.Identity.Subject})
	return whose[a.Identity.Subject].AccountID, err
}
