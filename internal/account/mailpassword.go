package account

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// PasswordLinkIssuer makes the links that administrators send.
type PasswordLinkIssuer struct {
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	NewID  func() ulid.ULID
}

// errLinksNotConfigured is a service that was built without what sending links takes.
var errLinksNotConfigured = errors.New("account: no links, or no mails, are configured")

// MailPassword mails the account a link to set a password (Auto mail new password). It works once, for the hours that
// the settings say, and replaces any link before it. The password that the account has stays until then; unlock also
// allows login access, in the same step.
func (s *Service) MailPassword(ctx context.Context, sc access.Scope, id string, version int64, unlock bool) (Account,
	error) {
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
			write.CallerEpoch = 0 // the write is conditioned on the caller's account as it is
		}
		if unlock {
			after, write.ClearTries = withAccessAllowed(after), true
		}
		link, issued,
			err := IssuePasswordLink(s.LinkIssuer.Random, s.LinkIssuer.NewID(), after, PasswordLinkFromAdministrator, now,
			expires)
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
			shown = before.ForDisplay()
		}
		write.Event.Changes = Fields().Compare(&shown, &after)
		return write, nil
	})
}

// guardMailPassword holds the rules about who mails whom a link: those of setting a password, and there has to be
// somebody to receive it.
func (s *Service) guardMailPassword(sc access.Scope, before Account, unlock bool) error {
	if err := GuardRights(sc, before, "send a link to set the password of"); err != nil {
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
			"%s has no email to send a link to. Give the account one, or set the password yourself.", before.Username)
	}
	if !before.Active {
		return fault.New(fault.Conflict, "locked", "%s is locked, and a link would set nothing. Unlock the account first.",
			before.Username)
	}
	return nil
}
