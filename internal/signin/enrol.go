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
	// AskPasskey returns what a browser makes a passkey from, and ConfirmPasskey checks what it made.
	AskPasskey(challenge []byte, who mfa.Holder, have mfa.Factors) ([]byte, error)
	ConfirmPasskey(challenge []byte, who mfa.Holder, have mfa.Factors, anew bool, credential []byte, name string) (mfa.Change, []string, error)
}

// Begun is what a second factor is set up from: an authenticator, or the options for a passkey.
type Begun struct {
	mfa.Enrolment
	Options []byte
}

// NewFactor is how the step "setUpSecondFactor" is answered: by a code of the authenticator, or a credential with the name that
// the passkey gets.
type NewFactor struct {
	Code       string
	Credential []byte
	Name       string
}

// settingUp reads the ticket of the step. One who has a second factor by now does not get another by an old ticket.
func (s *Service) settingUp(ctx context.Context, ticket string) (Ticketed, error) {
	got, err := s.taken(ctx, ticket, session.SetUpSecondFactor)
	if err == nil && got.Account.MFAEnabled {
		err = badTicket()
	}
	return got, err
}

// BeginSetUp takes the first half of the step "setUpSecondFactor". The ticket stays good for the second, and for beginning
// anew.
func (s *Service) BeginSetUp(ctx context.Context, ticket string, method mfa.Method) (Begun, error) {
	got, err := s.settingUp(ctx, ticket)
	if err != nil {
		return Begun{}, err
	}
	a := got.Account
	switch method {
	case mfa.TOTP, "":
		shown, err := s.Enrol.Begin(ctx, s.EnvID, a.ID, got.Env.Settings.MailSenderName, a.Username)
		return Begun{Enrolment: shown}, err
	case mfa.ByPasskey:
		options, err := s.Enrol.AskPasskey(mfa.TicketChallenge(got.Ticket.Hash, mfa.ToCreate), holderOf(a), mfa.Factors{})
		return Begun{Options: options}, err
	}
	return Begun{}, unknownMethod()
}

// ConfirmSetUp takes the second half: one good code, or the passkey. The recovery codes are in the result, this once.
func (s *Service) ConfirmSetUp(ctx context.Context, ticket string, with NewFactor, d Device) (Result, error) {
	got, err := s.settingUp(ctx, ticket)
	if err != nil {
		return Result{}, err
	}
	change, codes, method := mfa.Change{}, []string(nil), mfa.TOTP
	if len(with.Credential) > 0 {
		method = mfa.ByPasskey
		challenge := mfa.TicketChallenge(got.Ticket.Hash, mfa.ToCreate)
		change, codes, err = s.Enrol.ConfirmPasskey(challenge, holderOf(got.Account), mfa.Factors{}, true, with.Credential, with.Name)
	} else {
		change, codes, err = s.Enrol.Confirm(ctx, s.EnvID, got.Account.ID, with.Code)
		change.Anew = true
	}
	if err != nil {
		return Result{}, err
	}
	now, a := s.now(), got.Account
	write := account.Write{Before: &a, After: a, Event: journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.SecondFactorAdded, By: a.Username, ByID: a.ID, Address: d.Address,
		Note: string(method), Keep: got.Env.Settings.LogRetentionDays,
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

func holderOf(a account.Account) mfa.Holder {
	return mfa.Holder{AccountID: a.ID, Username: a.Username, Name: a.Name}
}
