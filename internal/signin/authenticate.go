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

// CredentialStore reads what one request's token needs, in one round trip.
type CredentialStore interface {
	// FindSession reads the session, its account's anchor and the environment together; NotFound if one is missing.
	FindSession(ctx context.Context, env, accountID, sessionID string) (SessionContext, error)
	// Close closes the session, if it is open.
	Close(ctx context.Context, accountID, sessionID string, end session.End) (bool, error)
	// Catalogue returns the environment's reference data.
	Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error)
	// FindKey reads an API key, its account's anchor and the environment together, and a session that the key opened
	// unless sessionID is empty; NotFound if one is missing.
	FindKey(ctx context.Context, env, accountID, keyID, sessionID string) (KeyContext, error)
	// RecordKeyUse writes down when a key was used, unless a use within session.KeyUseInterval before is written down.
	RecordKeyUse(ctx context.Context, accountID, keyID string, at time.Time) error
}

// SessionContext is what CredentialStore.FindSession reads.
type SessionContext struct {
	Session session.Session
	Anchor  account.Anchor
	Env     environment.Environment
}

// TokenAuthenticator checks the access token or API key of every request.
type TokenAuthenticator struct {
	// EnvID is the environment that this deployment serves.
	EnvID       string
	Credentials CredentialStore
	Now         func() time.Time
}

func (g *TokenAuthenticator) now() time.Time { return g.Now().UTC().Truncate(time.Millisecond) }

// noSession is the one answer to a token that is not valid (any more).
func noSession() error {
	return fault.New(fault.Unauthenticated, "session", "There is no open session for this token. Sign in again.")
}

// Authenticate checks an access token or an API key and returns the scope of the request. A blocked, locked or changed
// account fails here at its next request, by its epoch or its state.
func (g *TokenAuthenticator) Authenticate(ctx context.Context, bearer string) (access.Scope, error) {
	switch token.KindOf(bearer) {
	case token.APIKey:
		return g.authenticateKey(ctx, bearer)
	case token.KeyAccess:
		return g.authenticateKeySession(ctx, bearer)
	default: // a session's, or nothing that lets anybody in
	}
	given, err := token.Parse(token.Access, bearer)
	if err != nil {
		return access.Scope{}, noSession()
	}
	got, known, err := g.checkSession(ctx, given)
	if err != nil {
		return access.Scope{}, err
	}
	if !given.Matches(got.Session.AccessHash) {
		return access.Scope{}, noSession()
	}
	return access.Scope{Env: got.Env, Catalogue: known, Caller: access.Caller{
		AccountID: got.Anchor.ID, SessionID: got.Session.ID, Username: got.Anchor.Username, Epoch: got.Anchor.Epoch,
		AuthenticatedAt: got.Session.AuthenticatedAt(),
		Permissions:     access.Permissions(known, got.Anchor.Roles, got.Anchor.Groups),
	}}, nil
}

// checkSession reads a token's session and checks it against the clock, the account's epoch, its dates and its licence.
//
// An account that is given a licence for API clients ends its sessions through the epoch. The check here is for a
// licence that itself becomes one for API clients. Whoever changes it is kept from that while accounts hold it
// (reference), but a session must not depend on another row's rule.
func (g *TokenAuthenticator) checkSession(ctx context.Context, given token.Token) (
	SessionContext, *catalogue.Catalogue, error,
) {
	got, err := g.Credentials.FindSession(ctx, g.EnvID, given.Account.String(), given.ID.String())
	if fault.Is(err, fault.NotFound) {
		return SessionContext{}, nil, noSession()
	}
	if err != nil {
		return SessionContext{}, nil, err
	}
	known, err := g.Credentials.Catalogue(ctx, got.Env)
	if err != nil {
		return SessionContext{}, nil, err
	}
	if !got.Usable(known, g.now()) {
		return SessionContext{}, nil, noSession()
	}
	return got, known, nil
}

// Usable reports whether a person may work with the session at now. Tokens for applications end by the same rule.
func (c SessionContext) Usable(known *catalogue.Catalogue, now time.Time) bool {
	licence, _ := known.Find(catalogue.Licence, c.Anchor.UserType)
	return c.Session.Live(now, c.Anchor.Epoch) && c.Anchor.InDates(field.DateOf(now)) && !licence.APIOnly
}
