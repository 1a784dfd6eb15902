package signin

import (
	"context"
	"errors"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// overtaken is the neutral refusal for an account that changed between the password and the session: it was blocked, or
// its password set anew.
func overtaken(err error) error {
	if errors.Is(err, account.ErrRaced) {
		return refused()
	}
	return err
}

// badTicket is the one answer to a ticket that is wrong, used or over.
func badTicket() error {
	return fault.New(fault.Unauthenticated, "ticket", "This step is over, or was taken already. Sign in again from the start.")
}

// ChangePassword takes the step "changePassword": the ticket and the person's own new password. It opens the session and
// ends every other.
func (s *Service) ChangePassword(ctx context.Context, ticket, password string, d Device) (Result, error) {
	given, err := token.Parse(token.Ticket, ticket)
	if err != nil {
		return Result{}, badTicket()
	}
	got, err := s.Sessions.Ticket(ctx, s.EnvID, given.Account.String(), given.ID.String())
	if fault.Is(err, fault.NotFound) {
		return Result{}, badTicket()
	}
	if err != nil {
		return Result{}, err
	}
	now, a := s.now(), got.Account
	if !given.Matches(got.Ticket.Hash) || !got.Ticket.Usable(session.ChangePassword, now, a.Epoch) || !maySignIn(a, now) {
		return Result{}, badTicket()
	}
	bad := s.Passwords.Check(got.Env.Settings, password, account.Words(a))
	if len(bad) == 0 && s.Hasher.Verify(a.PasswordHash, password) {
		bad = []fault.Field{{Field: "password", Code: "same", Message: "Choose another password than the one you were given."}}
	}
	if err := fault.InvalidFields(bad); err != nil {
		return Result{}, err
	}
	hash, err := s.Passwords.Hash(password)
	if err != nil {
		return Result{}, err
	}
	write := account.Write{Before: &a, After: a, ClearTries: true, Event: journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.PasswordChanged, By: a.Username, ByID: a.ID, Address: d.Address,
		Keep: got.Env.Settings.LogRetentionDays,
	}}
	write.After.PasswordHash, write.After.ForcePasswordChange = hash, false
	write.Event.Changes = account.Fields().Compare(&a, &write.After)
	write.After.Version, write.After.UpdatedAt = a.Version+1, now
	write.After.Epoch++
	write.Event.Version = write.After.Version
	d.Client = got.Ticket.Client
	result, err := s.newSession(got.Env, write.After, d)
	if err != nil {
		return Result{}, err
	}
	err = s.Sessions.Redeem(ctx, got.Env, got.Ticket, write, result.Session)
	if errors.Is(err, account.ErrRaced) {
		return Result{}, badTicket()
	}
	return result, err
}

// Refresh takes a refresh token, once, and returns the session with new tokens. A token used before closes the session,
// because one of its two holders stole it (RFC 9700, 4.14.2).
func (s *Service) Refresh(ctx context.Context, refresh string) (Result, error) {
	given, err := token.Parse(token.Refresh, refresh)
	if err != nil {
		return Result{}, expired()
	}
	got, err := s.check(ctx, given)
	if err != nil {
		return Result{}, err
	}
	if !given.Matches(got.Session.RefreshHash) {
		if given.Matches(got.Session.UsedRefreshHash) {
			if _, err := s.Checks.Close(ctx, got.Anchor.ID, got.Session.ID, s.now(), session.RefreshReused); err != nil {
				return Result{}, err
			}
		}
		return Result{}, expired()
	}
	accessToken, err := token.Issue(s.Random, token.Access, given.Account, given.ID)
	if err != nil {
		return Result{}, err
	}
	refreshToken, err := token.Issue(s.Random, token.Refresh, given.Account, given.ID)
	if err != nil {
		return Result{}, err
	}
	renewed := got.Session
	renewed.AccessHash, renewed.RefreshHash, renewed.UsedRefreshHash = accessToken.Hash(), refreshToken.Hash(), got.Session.RefreshHash
	renewed.RefreshDue = renewed.Due(s.now(), got.Env.Settings.SessionIdle.Duration())
	if err := s.Sessions.Renew(ctx, got.Session, renewed); err != nil {
		if errors.Is(err, account.ErrRaced) {
			return Result{}, expired() // another refresh with the same token won; the session is theirs
		}
		return Result{}, err
	}
	return Result{Next: session.Done, Session: renewed, Access: accessToken, Refresh: refreshToken}, nil
}

// Logout closes the caller's session. Closing a closed one is no fault.
func (s *Service) Logout(ctx context.Context, sc access.Scope) error {
	_, err := s.Checks.Close(ctx, sc.Caller.AccountID, sc.Caller.SessionID, s.now(), session.SignedOut)
	return err
}
