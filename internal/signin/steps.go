package signin

import (
	"context"
	"errors"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
)

// refusedIfChanged is the neutral refusal for an account that changed between the password and the session: it was
// blocked, or its password set anew.
func refusedIfChanged(err error) error {
	if errors.Is(err, account.ErrConcurrentChange) {
		return refused()
	}
	return err
}

// invalidTicket is the one answer to a ticket that is wrong, used or over.
func invalidTicket() error {
	return fault.New(fault.Unauthenticated, "ticket",
		"This step is over, or was taken already. Sign in again from the start.")
}

// ChangePassword takes the step "changePassword": the ticket and the person's own new password. It opens the session
// and ends every other.
func (s *Service) ChangePassword(ctx context.Context, ticket, password string, d ClientInfo) (Result, error) {
	got, err := s.checkTicket(ctx, ticket, session.ChangePassword)
	if err != nil {
		return Result{}, err
	}
	now, a := s.now(), got.Account
	write := account.Write{Before: &a, After: a, ClearTries: true, Event: auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: auditlog.PasswordChanged, By: a.Username, ByID: a.ID, Address: d.Address,
		RetentionDays: got.Env.Settings.LogRetentionDays,
	}}
	if err := s.chooser().Set(ctx, got.Env, &write, password, account.SetByOwner, now); err != nil {
		return Result{}, err
	}
	s.finishOwnChange(got.Env, &write, now)
	result, err := s.completeStep(ctx, got.Env, StepTransition{Ticket: got.Ticket, Account: a, Write: &write}, "", d)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{}, invalidTicket()
	}
	return result, err
}
