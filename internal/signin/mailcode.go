package signin

import (
	"cmp"
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
)

// MailCodeStore is what codes by mail need of the table.
type MailCodeStore interface {
	// SaveMailCode keeps a code in place of the previous one and writes its mail, unless too many were sent lately or too
	// many in a row were wrong; it reports whether it did.
	SaveMailCode(ctx context.Context, env, accountID string, c mfa.MailedCode, m mail.Message) (bool, error)
	// ReserveMailCodeAttempt counts one attempt at the code that was sent for a ticket, before anything is verified,
	// unless there is none (any more); it reports whether it did.
	ReserveMailCodeAttempt(ctx context.Context, accountID, ticket string, now time.Time) (mfa.MailedCode, bool, error)
}

// mailCodeAllowed reports whether a code by mail is a second factor of the account. It is none beside one of its own,
// and none for administrators: who reads the mail can reset the password as well (V99).
func (s *Steps) mailCodeAllowed(ctx context.Context, env environment.Environment, a account.Account) (bool, error) {
	if !env.Settings.EmailCodeAllowed || a.Email == "" || a.MFAEnabled {
		return false, nil
	}
	known, err := s.Credentials.Catalogue(ctx, env)
	return err == nil && !access.Permissions(known, a.Roles, a.Groups).Has(access.AccountAdmin), err
}

// methods returns the ways to take the step secondFactor.
func methods(a account.Account, found mfa.Factors) []mfa.Method {
	if a.MFAEnabled {
		return found.Methods()
	}
	return []mfa.Method{mfa.MailCode}
}

// SendMailCode mails a code for the step "secondFactor" to the account's email. The ticket stays valid. The code is for
// its sign-in alone, and the next one replaces it.
func (s *FactorService) SendMailCode(ctx context.Context, ticket string) error {
	got, err := s.checkTicket(ctx, ticket, session.SecondFactor)
	if err != nil {
		return err
	}
	allowed, err := s.mailCodeAllowed(ctx, got.Env, got.Account)
	if err != nil {
		return err
	}
	if !allowed {
		return fault.New(fault.Conflict, "noMailCode",
			"No code can be mailed: codes by mail are not allowed, or the account has another method or no email. "+
				"Use another method.")
	}
	code, kept, err := mfa.NewMailCode(s.Random, s.Hasher, got.Ticket.ID, s.now())
	if err != nil {
		return err
	}
	m, err := s.Mail.SecretMail(ctx, got.Env, mail.SignInCode, got.Account.Addressee(), kept.Sent, kept.Expires, code)
	if err != nil {
		return err
	}
	sent, err := s.MailCodes.SaveMailCode(ctx, s.EnvID, got.Account.ID, kept, m)
	if err == nil && !sent {
		return fault.New(fault.TooManyRequests, "tooManyCodes",
			"Three codes were mailed within 15 minutes, or too many codes in a row were wrong. Use another method, or wait.").
			WithRetryAfter(mfa.MailCodeWindow)
	}
	return err
}

// verifyMailCode counts the attempt and verifies the code that was mailed for this sign-in.
func (s *FactorService) verifyMailCode(ctx context.Context, got TicketContext, text string, c ClientInfo) (
	*mfa.Change, error,
) {
	if allowed, err := s.mailCodeAllowed(ctx, got.Env, got.Account); err != nil || !allowed {
		return nil, cmp.Or(err, unknownMethod())
	}
	code, parsed := mfa.ParseCode(text)
	if !parsed {
		return nil, fault.InvalidFields([]fault.Field{{
			Field: "code", Code: "format",
			Message: "Enter the six digits from the mail.",
		}})
	}
	a := got.Account
	sent, counted, err := s.MailCodes.ReserveMailCodeAttempt(ctx, a.ID, got.Ticket.ID, s.now())
	if err != nil {
		return nil, err
	}
	if !counted {
		return nil, s.countUnverified(ctx, fault.New(fault.Unauthenticated, "mailCode",
			"There is no code to check: none was mailed for this sign-in, or it has expired, was replaced, was used, or was "+
				"tried five times. Ask for another code."))
	}
	if s.Hasher.Verify(sent.Hash, code) {
		return &mfa.Change{MailCode: &sent}, nil
	}
	if err := s.recordFactorFailure(ctx, got, string(mfa.MailCode), c); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Unauthenticated, "code",
		"This is not the code that was mailed last. Check the newest mail and try again, or ask for another code.")
}
