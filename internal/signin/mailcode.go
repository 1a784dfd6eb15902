package signin

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
)

// MailCodeStore is what codes by mail need of the store.
type MailCodeStore interface {
	// SaveMailCode keeps a code in place of any before and writes its mail, unless too many were sent lately or too many
	// in a row were wrong; it reports whether it did.
	SaveMailCode(ctx context.Context, env, accountID string, c mfa.MailedCode, m mail.Message) (bool, error)
	// ReserveMailCodeAttempt counts one go at the code that was sent for a ticket, before it is looked at, unless there is
	// none (any more); it reports whether it did.
	ReserveMailCodeAttempt(ctx context.Context, accountID, ticket string, now time.Time) (mfa.MailedCode, bool, error)
}

// mailCodeAllowed reports whether a code by mail is a second factor of the account.
func mailCodeAllowed(env environment.Environment, a account.Account) bool {
	return env.Settings.EmailCodeAllowed && a.Email != ""
}

// methods returns the ways to take the step secondFactor.
func methods(env environment.Environment, a account.Account, found mfa.Factors) []mfa.Method {
	var out []mfa.Method
	if a.MFAEnabled {
		out = found.Methods()
	}
	if mailCodeAllowed(env, a) {
		out = append(out, mfa.MailCode)
	}
	return out
}

// SaveMailCode mails a code for the step "secondFactor" to the account's email. The ticket stays good; the code is for
// its sign-in alone, and the next one replaces it.
func (s *Service) SendMailCode(ctx context.Context, ticket string) error {
	got, err := s.checkTicket(ctx, ticket, session.SecondFactor)
	if err != nil {
		return err
	}
	if !mailCodeAllowed(got.Env, got.Account) {
		return fault.New(fault.Conflict, "noMailCode",
			"No code can be mailed: it is not allowed here, or the account has no email. Take another of the methods.")
	}
	code, kept, err := mfa.NewMailCode(s.Random, codeHasher{s}, got.Ticket.ID, s.now())
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
			"Three codes were mailed within a quarter of an hour, or too many in a row were wrong. Take another of the "+
				"methods, or wait.").WithRetryAfter(mfa.MailCodeWindow)
	}
	return err
}

// codeHasher hashes codes as passwords.
type codeHasher struct{ *Service }

func (h codeHasher) Hash(secret string) (string, error) { return h.Passwords.Hash(secret) }

func (h codeHasher) Verify(hash, secret string) bool { return h.Verifier.Verify(hash, secret) }

// verifyMailCode counts the go and verifies the code that was mailed for this sign-in.
func (s *Service) verifyMailCode(ctx context.Context, got TicketContext, text string, d ClientInfo) (*mfa.Change,
	error) {
	if !mailCodeAllowed(got.Env, got.Account) {
		return nil, unknownMethod()
	}
	code, parsed := mfa.ParseCode(text)
	if !parsed {
		return nil, fault.InvalidFields(
			[]fault.Field{{Field: "code", Code: "format", Message: "Type the six digits of the mail."}})
	}
	a := got.Account
	sent, counted, err := s.MailCodes.ReserveMailCodeAttempt(ctx, a.ID, got.Ticket.ID, s.now())
	if err != nil {
		return nil, err
	}
	if !counted {
		return nil, s.countUnverified(ctx,
			fault.New(fault.Unauthenticated, "mailCode",
				"There is no code to try: none was mailed for this sign-in, or it is over, replaced, used, or was tried five "+
					"times. Have another mailed."))
	}
	if s.Verifier.Verify(sent.Hash, code) {
		return &mfa.Change{MailCode: &sent}, nil
	}
	if err := s.recordFactorFailure(ctx, got, string(mfa.MailCode), d); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Unauthenticated, "code",
		"This is not the code that was mailed last. Look at the newest mail and try again, or have another code mailed.")
}
