package signin

import (
	"context"
	"errors"

	"useraccounts/internal/account"
	"useraccounts/internal/journal"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
)

// Enroller sets up a second factor.
type Enroller interface {
	// Begin makes a seed that waits for its confirmation, and returns what an authenticator is set up from.
	Begin(ctx context.Context, env, accountID, issuer, username string) (mfa.Enrolment, error)
	// Confirm verifies the first code of the seed that waits. It returns the change that makes it the authenticator, with new
	// recovery codes to show once.
	Confirm(ctx context.Context, env, accountID, code string) (mfa.Change, []string, error)
}

// BeginSetUp takes the first half of the step "setUpSecondFactor". The ticket stays good for the second, and for beginning
// anew.
func (s *Service) BeginSetUp(ctx context.Context, ticket string) (mfa.Enrolment, error) {
	got, err := s.taken(ctx, ticket, session.SetUpSecondFactor)
	if err != nil {
		return mfa.Enrolment{}, err
	}
	return s.Enrol.Begin(ctx, s.EnvID, got.Account.ID, got.Env.Settings.MailSenderName, got.Account.Username)
}

// ConfirmSetUp takes the second half: one good code. The recovery codes are in the result, this once.
func (s *Service) ConfirmSetUp(ctx context.Context, ticket, code string, d Device) (Result, error) {
	got, err := s.taken(ctx, ticket, session.SetUpSecondFactor)
	if err != nil {
		return Result{}, err
	}
	change, codes, err := s.Enrol.Confirm(ctx, s.EnvID, got.Account.ID, code)
	if err != nil {
		return Result{}, err
	}
	now, a := s.now(), got.Account
	write := account.Write{Before: &a, After: a, Event: journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.SecondFactorAdded, By: a.Username, ByID: a.ID, Address: d.Address,
		Note: string(mfa.TOTP), Keep: got.Env.Settings.LogRetentionDays,
	}}
	write.After.MFAEnabled = true
	write.Event.Changes = account.Fields().Compare(&a, &write.After)
	write.After.Version, write.After.UpdatedAt = a.Version+1, now
	write.Event.Version = write.After.Version
	write.Mails = s.Mail.Notice(got.Env, mail.FactorAdded, a.Addressee(), now, "")
	result, err := s.advance(ctx, got.Env, Move{Used: got.Ticket, Account: a, Write: &write, Factors: &change}, session.Another, d)
	if errors.Is(err, account.ErrRaced) {
		return Result{}, badTicket()
	}
	if err != nil {
		return Result{}, err
	}
	result.RecoveryCodes = codes
	return result, nil
}
