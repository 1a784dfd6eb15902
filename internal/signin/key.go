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
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// KeyContext is what CredentialStore.FindKey reads.
type KeyContext struct {
	Key session.APIKey
	// Session is the zero value where none was asked for.
	Session session.Session
	Anchor  account.Anchor
	Env     environment.Environment
}

// authenticateKey checks an API key that is sent as the bearer token.
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

// checkKey reads a key, or a session of it, and checks everything that could have ended it. Whatever is wrong, it is
// one round trip and one answer: an unknown id, a wrong secret and a locked key cannot be told apart. Wrong secrets are
// not counted: 256 bits cannot be guessed, and a count would let strangers lock a key.
func (g *TokenAuthenticator) checkKey(ctx context.Context, given token.Token, keyID, sessionID string) (
	KeyContext, *catalogue.Catalogue, error,
) {
	got, err := g.Credentials.FindKey(ctx, g.EnvID, given.Account.String(), keyID, sessionID)
	if fault.Is(err, fault.NotFound) {
		return KeyContext{}, nil, noSession()
	}
	if err != nil {
		return KeyContext{}, nil, err
	}
	hash := got.Key.Hash
	if sessionID != "" {
		hash = got.Session.AccessHash
	}
	if !given.Matches(hash) {
		return KeyContext{}, nil, noSession()
	}
	known, err := g.Credentials.Catalogue(ctx, got.Env)
	if err != nil {
		return KeyContext{}, nil, err
	}
	if !got.Usable(known, g.now()) {
		return KeyContext{}, nil, noSession()
	}
	return got, known, nil
}

// Usable reports whether a program may work with the key at now, and with the session that it opened, if there is one.
// Tokens for applications end by the same rule.
func (c KeyContext) Usable(known *catalogue.Catalogue, now time.Time) bool {
	if c.Session.ID != "" && (c.Session.KeyID != c.Key.ID || !c.Session.Live(now, c.Anchor.Epoch)) {
		return false
	}
	licence, _ := known.Find(catalogue.Licence, c.Anchor.UserType)
	return c.Key.State(now) == session.KeyActive && mayUseKeys(c.Anchor, now) && licence.APIOnly
}

// mayUseKeys decides by the account's state and not by its epoch: a key outlives what only ends sessions (C27, C28).
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

// recordKeyUse writes down that a key is used, where that is due. Its error fails no request: the next one tries again.
func (g *TokenAuthenticator) recordKeyUse(ctx context.Context, k session.APIKey) error {
	if now := g.now(); k.UseDue(now) {
		return g.Credentials.RecordKeyUse(ctx, k.AccountID, k.ID, now)
	}
	return nil
}

// keyRefused is the one answer to a key that opens no session, whatever the reason.
func keyRefused() error {
	return fault.New(fault.Unauthenticated, "keyRefused",
		"The key is wrong, locked or expired, or its account may not use it. Check the key, or ask your administrator "+
			"for a new one.")
}
