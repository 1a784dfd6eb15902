// Package recovery resets forgotten passwords: a link, mailed to the address on the account, sets a password once. The
// person asks for it or an administrator sends it. It signs nobody in: whoever has the link still takes every step of a
// sign-in, the second factor included (V25).
package recovery

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// ResetRequests is what requesting a link needs of the table. Every method takes as long for an identifier that no
// account has (V23).
type ResetRequests interface {
	// Find reads the environment and where an identifier (normalised) leads: the directory key of an account, or "".
	Find(ctx context.Context, env, identifier string) (environment.Environment, string, error)
	// CountResetRequest counts one request of a network in this hour, unless there were limit already.
	CountResetRequest(ctx context.Context, env, address string, now time.Time, limit int) (bool, error)
	// ResetCandidate reads the account at a directory key, or a decoy for "", and whether it got three links within the
	// hour before now.
	ResetCandidate(ctx context.Context, env environment.Environment, key string, now time.Time) (a account.Account, found,
		limited bool, err error)
	// IssueLink replaces the account's link and writes its mail, unless three were requested within an hour.
	IssueLink(ctx context.Context, env environment.Environment, l account.PasswordLink, m mail.Message) (bool, error)
	// IssueDecoyLink does the same work and issues nothing.
	IssueDecoyLink(ctx context.Context, env environment.Environment, l account.PasswordLink, m mail.Message) error
}

// LinkContext is a link with its account and environment.
type LinkContext struct {
	Env     environment.Environment
	Account account.Account
	Link    account.PasswordLink
}

// LinkStore is what using a link needs of the table.
type LinkStore interface {
	// Link reads the account's link; NotFound if there is none or no such account.
	Link(ctx context.Context, env, accountID string) (LinkContext, error)
	// Write writes w in one transaction; account.ErrConcurrentChange if the account changed since it was read, or the
	// link was used.
	Write(ctx context.Context, env environment.Environment, w account.Write) error
}

// Catalogues reads reference data.
type Catalogues interface {
	// Catalogue returns the environment's reference data, from memory unless it changed.
	Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error)
}

// Service mails links and lets them set passwords.
type Service struct {
	EnvID      string
	Requests   ResetRequests
	Links      LinkStore
	Catalogues Catalogues
	Passwords  account.PasswordSetter
	Mail       *mail.Composer
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	Now    func() time.Time
	NewID  func() ulid.ULID
}

// ResetRequestsPerHour is how many links one network may request within an hour of the clock, so at most twice as many
// in any hour. An account gets three in any hour (ResetRequests.IssueLink).
const ResetRequestsPerHour = 10

// RequestReset mails a link to the account that the identifier names, if the account may set its password by one. The
// answer and the time it takes do not depend on whether there is such an account, nor on its state. Only too many
// requests from one network are refused, whatever account they name. It never blocks an account.
func (s *Service) RequestReset(ctx context.Context, identifier, from string) error {
	now := s.now()
	counted, err := s.Requests.CountResetRequest(ctx, s.EnvID, session.Network(from), now, ResetRequestsPerHour)
	if err != nil {
		return err
	}
	if !counted {
		return fault.New(fault.TooManyRequests, "tooMany",
			"Too many links were requested from your network. Try again in an hour.").WithRetryAfter(
			now.Truncate(time.Hour).Add(time.Hour).Sub(now))
	}
	normal, ok := account.Normalise(identifier)
	if !ok {
		normal = "\x00" // no account has it; looking it up is the same work
	}
	env, key, err := s.Requests.Find(ctx, s.EnvID, normal)
	if err != nil {
		return err
	}
	a, found, limited, err := s.Requests.ResetCandidate(ctx, env, key, now)
	if err != nil {
		return err
	}
	apiOnly, err := s.apiOnly(ctx, env, a)
	if err != nil {
		return err
	}
	if !found || limited || apiOnly || !account.MayRequestPasswordLink(a, now) {
		// What was typed is kept nowhere: it may be a password in the wrong box (V102).
		decoy := account.Account{ID: s.NewID().String(), Username: "nobody", Name: "Nobody", Email: "nobody@invalid.invalid"}
		l, m, err := s.newLink(ctx, env, decoy, now)
		if err != nil {
			return err
		}
		return s.Requests.IssueDecoyLink(ctx, env, l, m)
	}
	l, m, err := s.newLink(ctx, env, a, now)
	if err != nil {
		return err
	}
	_, err = s.Requests.IssueLink(ctx, env, l, m)
	return err
}

// apiOnly reports whether the account's licence is one without a password. For nobody it does the same work.
func (s *Service) apiOnly(ctx context.Context, env environment.Environment, a account.Account) (bool, error) {
	known, err := s.Catalogues.Catalogue(ctx, env)
	if err != nil {
		return false, err
	}
	licence, _ := known.Find(catalogue.Licence, a.UserType)
	return licence.APIOnly, nil
}

// newLink makes a link with its mail.
func (s *Service) newLink(ctx context.Context, env environment.Environment, a account.Account,
	now time.Time,
) (account.PasswordLink, mail.Message, error) {
	l, issued, err := account.IssuePasswordLink(s.Random, s.NewID(), a, account.PasswordLinkForgotten, now,
		now.Add(account.ForgottenLinkLifetime))
	if err != nil {
		return account.PasswordLink{}, mail.Message{}, err
	}
	m, err := s.Mail.SecretMail(ctx, env, mail.ForgottenPasswordLink, a.Addressee(), now, l.Expires, issued.Reveal())
	return l, m, err
}

// invalidLink is the one answer to a link that is not valid (any more), whatever the reason (C17).
func invalidLink() error {
	return fault.New(fault.Malformed, "link",
		"This link has expired, was used or replaced by a newer one, or is incomplete. Ask for a new one.")
}

// SetPassword sets the password of the account with that link, once. It ends every session of the account and lifts a
// block by failed tries; a block by an administrator stays. It signs nobody in.
func (s *Service) SetPassword(ctx context.Context, text, password, from string) error {
	given, err := token.Parse(token.PasswordLink, text)
	if err != nil {
		return invalidLink()
	}
	const tries = 4
	for attempt := 1; ; attempt++ {
		err := s.setPassword(ctx, given, password, from)
		if !errors.Is(err, account.ErrConcurrentChange) {
			return err
		}
		if attempt == tries {
			return fault.New(fault.Conflict, "busy",
				"The account was changed at the same time. Try again.").WithRetryAfter(time.Second)
		}
	}
}

func (s *Service) setPassword(ctx context.Context, given token.Token, password, from string) error {
	got, err := s.Links.Link(ctx, s.EnvID, given.Account.String())
	if fault.Is(err, fault.NotFound) {
		return invalidLink()
	}
	if err != nil {
		return err
	}
	now, a := s.now(), got.Account
	apiOnly, err := s.apiOnly(ctx, got.Env, a)
	if err != nil {
		return err
	}
	if !given.Matches(got.Link.Hash) || apiOnly || !got.Link.ValidFor(a, now) {
		return invalidLink()
	}
	write := account.Write{Before: &a, After: a, ClearTries: true, ConsumeLinkHash: got.Link.Hash, Event: auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: auditlog.PasswordChanged, By: a.Username, ByID: a.ID, Address: from,
		Note: "By a mailed link.", RetentionDays: got.Env.Settings.LogRetentionDays,
	}}
	if err := s.Passwords.Set(ctx, got.Env, &write, password, account.SetByOwner, now); err != nil {
		return err
	}
	write.After.PasswordByMail = a.PasswordHash != "" // a first password is no reset
	write.After.ForcePasswordChange, write.After.PasswordExpires = false, time.Time{}
	write.After.FailedTries, write.After.TriesBlockedAt = 0, time.Time{}
	shown := a.ForDisplay(field.DateOf(now))
	write.Event.Changes = account.Fields().Compare(&shown, &write.After)
	write.After.Version, write.After.UpdatedAt = a.Version+1, now
	write.After.Epoch++
	write.After.DeviceEpoch++ // V36
	write.Event.Version = write.After.Version
	write.Mails = s.Mail.Notice(got.Env, mail.PasswordChanged, a.Addressee(), now,
		"It was set with a link that was mailed to this address.")
	return s.Links.Write(ctx, got.Env, write)
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
