package account

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
)

// PasswordLinkIssuer issues the password links that administrators send.
type PasswordLinkIssuer struct {
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	NewID  func() ulid.ULID
}

// errLinksNotConfigured is the error of a service that cannot send links.
var errLinksNotConfigured = errors.New("account: links or mails are not configured")

// MailPassword mails the account a link to set a password (Auto mail new password). The link works once, for the hours
// that the settings say, and replaces any earlier one. The present password works until then. unlock also allows login
// access, in the same step.
func (s *Service) MailPassword(ctx context.Context, sc access.Scope, id string, version int64,
	unlock bool) (Account, error) {
	if s.LinkIssuer == nil || s.Mail == nil {
		return Account{}, errLinksNotConfigured
	}
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := s.guardMailPassword(sc, before, unlock); err != nil {
			return Write{}, err
		}
		now := s.now()
		expires := now.Add(time.Duration(max(1, sc.Env.Settings.PasswordLinkHours)) * time.Hour)
		after := before
		write := Write{CallerEpoch: sc.Caller.Epoch,
			Event: auditlog.Event{Kind: auditlog.PasswordLinkSent, Note: "To " + before.Email + "."}}
		if before.ID == sc.Caller.AccountID {
			write.CallerEpoch = 0 // the write depends on this account's version already
		}
		if unlock {
			var err error
			if after, err = withAccessAllowed(after); err != nil {
				return Write{}, err
			}
			write.ClearTries = true
		}
		link, issued, err := IssuePasswordLink(s.LinkIssuer.Random, s.LinkIssuer.NewID(), after,
			PasswordLinkFromAdministrator, now, expires)
		if err != nil {
			return Write{}, err
		}
		kind := mail.PasswordLink
		if before.PasswordHash == "" && before.LastLogin.IsZero() {
			kind = mail.Welcome
		}
		m, err := s.Mail.SecretMail(ctx, sc.Env, kind, before.Addressee(), now, expires, issued.Reveal())
		if err != nil {
			return Write{}, err
		}
		write.After, write.PasswordLink, write.Mails = after, &link, []mail.Message{m}
		shown := before
		if unlock {
			shown = before.ForDisplay(field.DateOf(now))
		}
		write.Event.Changes = Fields().Compare(&shown, &after)
		return write, nil
	})
}

// guardMailPassword checks who may mail whom a link: as for setting a password, and the account must have an email.
func (s *Service) guardMailPassword(sc access.Scope, before Account, unlock bool) error {
	if err := CheckCredentialAct(sc, credential.MailPassword, before, s.now()); err != nil {
		return err
	}
	if unlock && !sc.Caller.May(access.AccountBlock) {
		return fault.New(fault.Forbidden, "forbidden", "Allowing login access needs the permission account.block.")
	}
	if err := guardPassword(sc, before); err != nil {
		return err
	}
	if before.Email == "" {
		return fault.New(fault.Conflict, "noEmail",
			"%s has no email to send a link to. Add an email, or set the password yourself.", before.Username)
	}
	if !before.Active {
		return fault.New(fault.Conflict, "locked", "%s is locked, so a link would not work. Unlock the account first.",
			before.Username)
	}
	return nil
}
