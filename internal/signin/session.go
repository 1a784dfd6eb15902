package signin

import (
	"context"
	"errors"
	"io"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// TokenRotator replaces the tokens of sessions.
type TokenRotator interface {
	// Renew replaces the session's tokens if it still has the refresh hash that old holds; account.ErrConcurrentChange if
	// not.
	Renew(ctx context.Context, old, renewed session.Session) error
}

// KeySessions keeps the sessions that API keys open.
type KeySessions interface {
	// OpenKeySession writes a session that the key opens, with its event and, where that is due, the key's use.
	OpenKeySession(ctx context.Context, k session.APIKey, s session.Session, e auditlog.Event) error
}

// SessionService renews and closes sessions, and opens those of API keys.
type SessionService struct {
	*TokenAuthenticator
	// Limiter is nil where requests are not limited by network.
	Limiter *RateLimiter
	Rotator TokenRotator
	Keys    KeySessions
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	NewID  func() ulid.ULID
}

// Refresh exchanges a refresh token, once, for new tokens of its session.
//
// The new tokens are derived from the given one (token.Successors). A client that asks again within
// session.RefreshGrace, because the answer was lost or two requests ran at once, gets the same tokens: the session has
// one lineage, never two branches (V41, V42). An earlier token after that, of any generation, closes the session,
// because one of its two holders stole it (RFC 9700, 4.14.2).
func (s *SessionService) Refresh(ctx context.Context, refresh string, c ClientInfo) (Result, error) {
	given, err := token.Parse(token.Refresh, refresh)
	if err != nil {
		return Result{}, noSession()
	}
	rateCheck := s.Limiter.start(ctx, c.Address)
	for range 2 { // after a concurrent refresh, the second round finds its tokens
		got, _, err := s.checkSession(ctx, given)
		if err := rateCheck(); err != nil {
			return Result{}, err
		}
		if err != nil {
			return Result{}, err
		}
		if got.Session.ByCookie != c.Web {
			return Result{}, noSession() // the token was copied out of a browser, or into one (C35)
		}
		now := s.now()
		accessToken, refreshToken := given.Successors(got.Session.Salt)
		result := Result{Next: session.Done, Session: got.Session, Access: accessToken, Refresh: refreshToken}
		switch {
		case given.Matches(got.Session.RefreshHash):
			renewed := got.Session
			renewed.AccessHash, renewed.RefreshHash = accessToken.Hash(), refreshToken.Hash()
			renewed.UsedRefreshHash, renewed.Renewed = got.Session.RefreshHash, now
			renewed.RefreshDue = renewed.NextRefreshDue(now, got.Env.Settings.SessionIdle.Duration())
			err := s.Rotator.Renew(ctx, got.Session, renewed)
			if errors.Is(err, account.ErrConcurrentChange) {
				continue
			}
			if err != nil {
				return Result{}, err
			}
			result.Session = renewed
			return result, nil
		case given.Matches(got.Session.UsedRefreshHash) && got.Session.InRefreshGrace(now) &&
			refreshToken.Matches(got.Session.RefreshHash):
			return result, nil
		case given.InFamily(got.Session.FamilyHash):
			end := session.End{At: now, Reason: session.RefreshReused, FromAddress: c.Address}
			if _, err := s.Credentials.Close(ctx, got.Anchor.ID, got.Session.ID, end); err != nil {
				return Result{}, err
			}
		}
		return Result{}, noSession()
	}
	return Result{}, noSession()
}

// Logout closes the caller's session. Closing a closed one is not an error.
func (s *SessionService) Logout(ctx context.Context, sc access.Scope, c ClientInfo) error {
	_, err := s.Credentials.Close(ctx, sc.Caller.AccountID, sc.Caller.SessionID, session.End{
		At: s.now(), Reason: session.SignedOut, By: sc.Caller.Username, ByID: sc.Caller.AccountID, FromAddress: c.Address,
	})
	return err
}

// clientField is the name that a session is listed under.
var clientField = field.Def[ClientInfo]{Name: "client", Label: "Client", Kind: field.Text, Max: 100}

// LoginWithKey opens a short session for the holder of an API key, of KeySessionLife and without a refresh token.
func (s *SessionService) LoginWithKey(ctx context.Context, key string, c ClientInfo) (Result, error) {
	client, bad := clientField.Clean(c.Client)
	if bad != nil {
		return Result{}, fault.InvalidFields([]fault.Field{*bad})
	}
	c.Client = client
	given, err := token.Parse(token.APIKey, key)
	if err != nil {
		return Result{}, keyRefused()
	}
	rateCheck := s.Limiter.start(ctx, c.Address)
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
		Client: c.Client, UserAgent: c.UserAgent, Address: c.Address,
		Start: now, RefreshDue: got.Key.SessionEnd(now), HardEnd: got.Key.SessionEnd(now),
	}
	return Result{Next: session.Done, Session: opened, Access: issued},
		s.Keys.OpenKeySession(ctx, got.Key, opened, auditlog.Event{
			ID: s.NewID().String(), At: now, Kind: auditlog.SignedIn, By: got.Anchor.Username, ByID: got.Anchor.ID,
			Key: got.Key.ID, Note: c.Client, Address: c.Address, RetentionDays: got.Env.Settings.LogRetentionDays,
		})
}
