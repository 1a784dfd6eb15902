package signin

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// KeyContext is what Checks.FindKey reads.
type KeyContext struct {
	Key session.APIKey
	// Session is the zero value where none was asked for.
	Session session.Session
	Anchor  account.Anchor
	Env     environment.Environment
}

// KeySessions keeps the sessions that API keys open.
type KeySessions interface {
	// OpenKeySession writes a session that the key opens, the event that tells of it and, where that is due, the key's
	// use.
	OpenKeySession(ctx context.Context, k session.APIKey, s session.Session, e auditlog.Event) error
}

// authenticateKey checks an API key that is the bearer itself.
func (g *TokenAuthenticator) authenticateKey(ctx context.Context, bearer string) (access.Scope, error) {
	given, err := token.Parse(token.APIKey, bearer)
	if err != nil {
		return access.Scope{}, noSession()
	}
	got, known, err := g.checkKey(ctx, given, given.ID.String(), "")
	if err != nil {
		return access.Scope{}, err
	}
	scope := keyScope(got, known)
	scope.NonFatalErr = g.recordKeyUse(ctx, got.Key)
	return scope, nil
}

// authenticateKeySession checks the token of a session that an API key opened.
func (g *TokenAuthenticator) authenticateKeySession(ctx context.Context, bearer string) (access.Scope, error) {
	given, err := token.Parse(token.KeyAccess, bearer)
	if err != nil {
		return access.Scope{}, noSession()
	}
	got, known, err := g.checkKey(ctx, given, given.KeyID.String(), given.ID.String())
	if err != nil {
		return access.Scope{}, err
	}
	return keyScope(got, known), nil
}

// checkKey reads what a key, or a session of it, needs, and holds it against everything that could end it. Whatever is
// wrong, it is one round trip and one answer: an unknown id, a wrong secret and a locked key cannot be told apart. A
// wrong secret is not counted, because 256 bits cannot be guessed, and a count would let strangers lock a key.
func (g *TokenAuthenticator) checkKey(ctx context.Context, given token.Token, keyID, sessionID string) (KeyContext,
	*catalogue.Catalogue, error) {
	got, err := g.Credentials.FindKey(ctx, g.EnvID, given.Account.String(), keyID, sessionID)
	if fault.Is(err, fault.NotFound) {
		return KeyContext{}, nil, noSession()
	}
	if err != nil {
		return KeyContext{}, nil, err
	}
	now, hash, live := g.now(), got.Key.Hash, true
	if sessionID != "" {
		hash = got.Session.AccessHash
		live = got.Session.KeyID == keyID && got.Session.Live(now, got.Anchor.Epoch)
	}
	if !given.Matches(hash) || !live || got.Key.State(now) != session.KeyActive || !mayUseKeys(got.Anchor, now) {
		return KeyContext{}, nil, noSession()
	}
	known, err := g.Credentials.Catalogue(ctx, got.Env)
	if err != nil {
		return KeyContext{}, nil, err
	}
	if licence, _ := known.Find(catalogue.Licence, got.Anchor.UserType); !licence.APIOnly {
		return KeyContext{}, nil, noSession()
	}
	return got, known, nil
}

// mayUseKeys decides by the account's state rather than its epoch: a key outlives what ends sessions alone (C27, C28).
func mayUseKeys(a account.Anchor, now time.Time) bool {
	return a.Active && !a.AccessLocked && a.InDates(field.DateOf(now))
}

func keyScope(got KeyContext, known *catalogue.Catalogue) access.Scope {
	caller := access.Caller{
		AccountID: got.Anchor.ID, SessionID: got.Session.ID, Username: got.Anchor.Username, Epoch: got.Anchor.Epoch,
		Permissions: access.Permissions(known, got.Anchor.Roles, got.Anchor.Groups),
	}
	return access.Scope{Env: got.Env, Catalogue: known, Caller: caller.AsAPIKey(got.Key.ID)}
}

// recordKeyUse writes down that a key is used, where that is due. A failure fails no request: the next one tries again.
func (g *TokenAuthenticator) recordKeyUse(ctx context.Context, k session.APIKey) error {
	if now := g.now(); k.UseDue(now) {
		return g.Credentials.RecordKeyUse(ctx, k.AccountID, k.ID, now)
	}
	return nil
}

// keyRefused is the one answer to a key that opens no session, whatever the reason.
func keyRefused() error {
	return fault.New(fault.Unauthenticated, "keyRefused",
		"The key is not right, was locked or has expired, or its account may not use it. Check it, or ask your "+
			"administrator for a new one.")
}

// clientField is what a session is listed as.
var clientField = field.Def[ClientInfo]{Name: "client", Label: "Client", Kind: field.Text, Max: 100}

// LoginWithKey opens a short session for the holder of an API key, of KeySessionLife and without a refresh token.
func (s *Service) LoginWithKey(ctx context.Context, key string, d ClientInfo) (Result, error) {
	client, bad := clientField.Clean(d.Client)
	if bad != nil {
		return Result{}, fault.InvalidFields([]fault.Field{*bad})
	}
	d.Client = client
	given, err := token.Parse(token.APIKey, key)
	if err != nil {
		return Result{}, keyRefused()
	}
	rateCheck := s.startRateCheck(ctx, d.Address)
	got, _, err := s.checkKey(ctx, given, given.ID.String(), "")
	if refusal := rateCheck(); refusal != nil {
		return Result{}, refusal
	}
	if fault.Is(err, fault.Unauthenticated) {
		return Result{}, keyRefused()
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
		AccountID: got.Anchor.ID, ID: id.String(), KeyID: got.Key.ID, AccessHash: issued.Hash(), Epoch: got.Anchor.Epoch,
		Client: d.Client, UserAgent: d.UserAgent, Address: d.Address,
		Start: now, RefreshDue: got.Key.SessionEnd(now), HardEnd: got.Key.SessionEnd(now),
	}
	return Result{Next: session.Done, Session: opened, Access: issued},
		s.KeySessions.OpenKeySession(ctx, got.Key, opened, auditlog.Event{
			ID: s.NewID().String(), At: now, Kind: auditlog.SignedIn, By: got.Anchor.Username, ByID: got.Anchor.ID,
			Key: got.Key.ID, Note: d.Client, Address: d.Address, RetentionDays: got.Env.Settings.LogRetentionDays,
		})
}
