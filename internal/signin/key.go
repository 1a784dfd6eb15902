package signin

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Keyed is what Checks.CheckKey reads.
type Keyed struct {
	Key session.Key
	// Session is the zero value where none was asked for.
	Session session.Session
	Anchor  account.Anchor
	Env     environment.Environment
}

// KeySessions keeps the sessions that API keys open.
type KeySessions interface {
	// OpenByKey writes a session that the key opens, the event that tells of it and, where that is due, the key's use.
	OpenByKey(ctx context.Context, k session.Key, s session.Session, e journal.Event) error
}

// byKey checks an API key that is the bearer itself.
func (g *Gate) byKey(ctx context.Context, bearer string) (access.Scope, error) {
	given, err := token.Parse(token.Key, bearer)
	if err != nil {
		return access.Scope{}, expired()
	}
	got, known, err := g.checkKey(ctx, given, given.ID.String(), "")
	if err != nil {
		return access.Scope{}, err
	}
	scope := keyScope(got, known)
	scope.Trouble = g.noteUse(ctx, got.Key)
	return scope, nil
}

// byKeySession checks the token of a session that an API key opened.
func (g *Gate) byKeySession(ctx context.Context, bearer string) (access.Scope, error) {
	given, err := token.Parse(token.KeyAccess, bearer)
	if err != nil {
		return access.Scope{}, expired()
	}
	got, known, err := g.checkKey(ctx, given, given.Via.String(), given.ID.String())
	if err != nil {
		return access.Scope{}, err
	}
	return keyScope(got, known), nil
}

// checkKey reads what a key, or a session of it, needs, and holds it against everything that could end it. Whatever is
// wrong, it is one round trip and one answer: an unknown id, a wrong secret and a locked key cannot be told apart. A wrong
// secret is not counted, because 256 bits cannot be guessed, and a count would let strangers lock a key.
func (g *Gate) checkKey(ctx context.Context, given token.Token, keyID, sessionID string) (Keyed, *catalogue.Catalogue, error) {
	got, err := g.Checks.CheckKey(ctx, g.EnvID, given.Account.String(), keyID, sessionID)
	if fault.Is(err, fault.NotFound) {
		return Keyed{}, nil, expired()
	}
	if err != nil {
		return Keyed{}, nil, err
	}
	now, hash, live := g.now(), got.Key.Hash, true
	if sessionID != "" {
		hash = got.Session.AccessHash
		live = got.Session.Key == keyID && got.Session.Live(now, got.Anchor.Epoch)
	}
	if !given.Matches(hash) || !live || got.Key.State(now) != session.KeyActive || !mayUseKeys(got.Anchor, now) {
		return Keyed{}, nil, expired()
	}
	known, err := g.Checks.Catalogue(ctx, got.Env)
	if err != nil {
		return Keyed{}, nil, err
	}
	if licence, _ := known.Find(catalogue.Licence, got.Anchor.UserType); !licence.APIOnly {
		return Keyed{}, nil, expired()
	}
	return got, known, nil
}

// mayUseKeys decides by the account's state rather than its epoch: a key outlives what ends sessions alone (C27, C28).
func mayUseKeys(a account.Anchor, now time.Time) bool {
	return a.Active && !a.AccessLocked && a.InDates(field.DateOf(now))
}

func keyScope(got Keyed, known *catalogue.Catalogue) access.Scope {
	caller := access.Caller{
		AccountID: got.Anchor.ID, SessionID: got.Session.ID, Username: got.Anchor.Username, Epoch: got.Anchor.Epoch,
		Permissions: access.Permissions(known, got.Anchor.Roles, got.Anchor.Groups),
	}
	return access.Scope{Env: got.Env, Catalogue: known, Caller: caller.ByKey(got.Key.ID)}
}

// noteUse writes down that a key is used, where that is due. A failure fails no request: the next one tries again.
func (g *Gate) noteUse(ctx context.Context, k session.Key) error {
	if now := g.now(); k.UseIsDue(now) {
		return g.Checks.NoteUse(ctx, k.AccountID, k.ID, now)
	}
	return nil
}

// badKey is the one answer to a key that opens no session, whatever the reason.
func badKey() error {
	return fault.New(fault.Unauthenticated, "keyRefused",
		"The key is not right, was locked or has expired, or its account may not use it. Check it, or ask your administrator for a new one.")
}

// clientField is what a session is listed as.
var clientField = field.Def[Device]{Name: "client", Label: "Client", Kind: field.Text, Max: 100}

// LoginByKey opens a short session for the holder of an API key, of KeySessionLife and without a refresh token.
func (s *Service) LoginByKey(ctx context.Context, key string, d Device) (Result, error) {
	client, bad := clientField.Clean(d.Client)
	if bad != nil {
		return Result{}, fault.InvalidFields([]fault.Field{*bad})
	}
	d.Client = client
	given, err := token.Parse(token.Key, key)
	if err != nil {
		return Result{}, badKey()
	}
	admitted := s.admit(ctx, d.Address)
	got, _, err := s.checkKey(ctx, given, given.ID.String(), "")
	if refusal := admitted(); refusal != nil {
		return Result{}, refusal
	}
	if fault.Is(err, fault.Unauthenticated) {
		return Result{}, badKey()
	}
	if err != nil {
		return Result{}, err
	}
	id, now := s.NewID(), s.now()
	issued, err := token.IssueKeyAccess(s.Random, given.Account, id, given.ID)
	if err != nil {
		return Result{}, err
	}
	opened := session.Session{
		AccountID: got.Anchor.ID, ID: id.String(), Key: got.Key.ID, AccessHash: issued.Hash(), Epoch: got.Anchor.Epoch,
		Client: d.Client, UserAgent: d.UserAgent, Address: d.Address,
		Start: now, RefreshDue: got.Key.SessionEnd(now), HardEnd: got.Key.SessionEnd(now),
	}
	return Result{Next: session.Done, Session: opened, Access: issued}, s.ByKey.OpenByKey(ctx, got.Key, opened, journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.SignedIn, By: got.Anchor.Username, ByID: got.Anchor.ID,
		Key: got.Key.ID, Note: d.Client, Address: d.Address, Keep: got.Env.Settings.LogRetentionDays,
	})
}
