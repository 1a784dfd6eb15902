package signin

import (
	"context"
	"errors"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
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
	got, err := s.taken(ctx, ticket, session.ChangePassword)
	if err != nil {
		return Result{}, err
	}
	now, a := s.now(), got.Account
	write := account.Write{Before: &a, After: a, ClearTries: true, Event: journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.PasswordChanged, By: a.Username, ByID: a.ID, Address: d.Address,
		Keep: got.Env.Settings.LogRetentionDays,
	}}
	if err := s.chooser().Choose(ctx, got.Env, &write, password, account.ByOwner, now); err != nil {
		return Result{}, err
	}
	s.owned(got.Env, &write, now)
	result, err := s.advance(ctx, got.Env, Move{Used: got.Ticket, Account: a, Write: &write}, "", d)
	if errors.Is(err, account.ErrRaced) {
		return Result{}, badTicket()
	}
	return result, err
}
