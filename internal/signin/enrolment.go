package signin

import (
	"context"
	"errors"
	"strings"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
)

// Enroller sets up a second factor.
type Enroller interface {
	// BeginTOTP makes a seed to be confirmed, and returns what an authenticator is set up from.
	BeginTOTP(ctx context.Context, env, accountID, issuer, username string) (mfa.TOTPEnrolment, error)
	// ConfirmTOTP verifies the first code of that seed. It returns the change that makes it the authenticator, with new
	// recovery codes to show once.
	ConfirmTOTP(ctx context.Context, env, accountID, code string) (mfa.Change, []string, error)
	// BeginPasskey returns what a browser makes a passkey from, and ConfirmPasskey checks what it made.
	BeginPasskey(challenge []byte, who mfa.PasskeyUser, have mfa.Factors) ([]byte, error)
	ConfirmPasskey(challenge []byte, who mfa.PasskeyUser, have mfa.Factors, firstFactor bool, credential []byte,
		name string) (mfa.Change, []string, error)
}

// Enrolment is what a second factor is set up from: an authenticator, or the options for a passkey.
type Enrolment struct {
	mfa.TOTPEnrolment
	PasskeyOptions []byte
}

// EnrolmentResponse is how the step "setUpSecondFactor" is answered: by a code of the authenticator, or a credential
// with the name that the passkey gets.
type EnrolmentResponse struct {
	Code       string
	Credential []byte
	Name       string
}

// checkEnrolmentTicket reads the ticket of the step. An old ticket does not set up another factor for an account that
// has one by now.
func (s *FactorService) checkEnrolmentTicket(ctx context.Context, ticket string) (TicketContext, error) {
	got, err := s.checkTicket(ctx, ticket, session.SetUpSecondFactor)
	if err == nil && got.Account.MFAEnabled {
		err = invalidTicket()
	}
	return got, err
}

// BeginEnrolment takes the first half of the step "setUpSecondFactor". The ticket stays valid for the second half, and
// for beginning again.
func (s *FactorService) BeginEnrolment(ctx context.Context, ticket string, method mfa.Method) (Enrolment, error) {
	got, err := s.checkEnrolmentTicket(ctx, ticket)
	if err != nil {
		return Enrolment{}, err
	}
	a := got.Account
	switch method {
	case mfa.TOTP, "":
		shown, err := s.Enroller.BeginTOTP(ctx, s.EnvID, a.ID, got.Env.Settings.MailSenderName, a.Username)
		return Enrolment{TOTPEnrolment: shown}, err
	case mfa.PasskeyMethod:
		challenge := mfa.TicketChallenge(got.Ticket.Hash, mfa.PurposeCreation)
		options, err := s.Enroller.BeginPasskey(challenge, passkeyUser(a), mfa.Factors{})
		return Enrolment{PasskeyOptions: options}, err
	default:
		return Enrolment{}, unknownMethod()
	}
}

// ConfirmEnrolment takes the second half: one right code, or the passkey. Only its result has the recovery codes.
func (s *FactorService) ConfirmEnrolment(ctx context.Context, ticket string, with EnrolmentResponse, c ClientInfo) (
	Result, error,
) {
	got, err := s.checkEnrolmentTicket(ctx, ticket)
	if err != nil {
		return Result{}, err
	}
	change, codes, method := mfa.Change{}, []string(nil), mfa.TOTP
	if len(with.Credential) > 0 {
		method = mfa.PasskeyMethod
		challenge := mfa.TicketChallenge(got.Ticket.Hash, mfa.PurposeCreation)
		change, codes, err = s.Enroller.ConfirmPasskey(challenge, passkeyUser(got.Account), mfa.Factors{}, true,
			with.Credential, with.Name)
	} else {
		change, codes, err = s.Enroller.ConfirmTOTP(ctx, s.EnvID, got.Account.ID, with.Code)
		change.FirstFactor = true
	}
	if err != nil {
		return Result{}, err
	}
	now, a := s.now(), got.Account
	write := account.Write{Before: &a, After: a, Event: auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: auditlog.SecondFactorAdded, By: a.Username, ByID: a.ID, Address: c.Address,
		Note: strings.TrimSpace(string(method) + " " + a.FirstFactorNote()), RetentionDays: got.Env.Settings.LogRetentionDays,
	}}
	write.After.MFAEnabled = true
	write.Event.Changes = account.Fields().Compare(&a, &write.After)
	write.After.Version, write.After.UpdatedAt = a.Version+1, now
	write.Event.Version = write.After.Version
	write.Mails = s.Mail.Notice(got.Env, mail.FactorAdded, a.Addressee(), now, a.FirstFactorNote())
	result, err := s.completeStep(ctx, got.Env,
		StepTransition{Ticket: got.Ticket, Account: a, Write: &write, Factors: &change}, session.ByOwnSecondFactor, c)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{}, invalidTicket()
	}
	if err != nil {
		return Result{}, err
	}
	result.RecoveryCodes = codes
	return result, nil
}

func passkeyUser(a account.Account) mfa.PasskeyUser {
	return mfa.PasskeyUser{AccountID: a.ID, Username: a.Username, Name: a.Name}
}
