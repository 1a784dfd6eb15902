package signin

import (
	"context"
	"errors"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Refresh takes a refresh token, once, and returns the session with new tokens. The tokens are derived from the one
// that is given (token.Successors), so whoever asks again within session.RefreshGrace, because the answer was lost or
// two requests ran at once, gets the same ones: there is one lineage, never two branches (V41, V42). A former token
// after that, of any generation, closes the session, because one of its two holders stole it (RFC 9700, 4.14.2).
func (s *Service) Refresh(ctx context.Context, refresh string, d ClientInfo) (Result, error) {
	given, err := token.Parse(token.Refresh, refresh)
	if err != nil {
		return Result{}, noSession()
	}
	rateCheck := s.startRateCheck(ctx, d.Address)
	for range 2 { // whom another overtook finds what it did
		got, _, err := s.checkSession(ctx, given)
		if err := rateCheck(); err != nil {
			return Result{}, err
		}
		if err != nil {
			return Result{}, err
		}
		if got.Session.ByCookie != d.Web {
			return Result{}, noSession() // whoever copied it out of a browser, or into one, is not who it was given to (C35)
		}
		now := s.now()
		accessToken, refreshToken := given.Successors(got.Session.Salt)
		result := Result{Next: session.Done, Session: got.Session, Access: accessToken, Refresh: refreshToken}
		switch {
		case given.Matches(got.Session.RefreshHash):
			renewed := got.Session
			renewed.AccessHash, renewed.RefreshHash, renewed.UsedRefreshHash = accessToken.Hash(), refreshToken.Hash(),
				got.Session.RefreshHash
			renewed.Renewed, renewed.RefreshDue = now, renewed.NextRefreshDue(now, got.Env.Settings.SessionIdle.Duration())
			err := s.Sessions.Renew(ctx, got.Session, renewed)
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
			end := session.End{At: now, Reason: session.RefreshReused, FromAddress: d.Address}
			if _, err := s.Credentials.Close(ctx, got.Anchor.ID, got.Session.ID, end); err != nil {
				return Result{}, err
			}
		}
		return Result{}, noSession()
	}
	return Result{}, noSession()
}

// Logout closes the caller's session. Closing a closed one is no fault.
func (s *Service) Logout(ctx context.Context, sc access.Scope, d ClientInfo) error {
	_, err := s.Credentials.Close(ctx, sc.Caller.AccountID, sc.Caller.SessionID, session.End{
		At: s.now(), Reason: session.SignedOut, By: sc.Caller.Username, ByID: sc.Caller.AccountID, FromAddress: d.Address,
	})
	return err
}
