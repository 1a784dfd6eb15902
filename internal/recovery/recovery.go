// Package recovery is the way to a password without the old one: a link mailed to the address that is on the account, asked
// for by the person or sent by an administrator, that sets a password once. It signs nobody in: whoever has the link still
// takes every step of a sign-in, the second factor included (V25).
package recovery

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Asks is what asking for a link needs of the table. Every method takes as long for an identifier that is nobody's (V23).
type Asks interface {
	// Find reads the environment and where an identifier (normalised) leads: the directory key of an account, or "".
	Find(ctx context.Context, env, identifier string) (environment.Environment, string, error)
	// CountAsk counts one ask of a network address in this hour, unless there were limit already.
	CountAsk(ctx context.Context, env, address string, now time.Time, limit int) (bool, error)
	// Asked reads the account at a directory key, or a decoy for "", and whether it got three links within the hour before now.
	Asked(ctx context.Context, env environment.Environment, key string, now time.Time) (a account.Account, found, enough bool, err error)
	// Offer replaces the account's link and writes the mail with it, unless three were asked for within an hour.
	Offer(ctx context.Context, env environment.Environment, l account.PasswordLink, m mail.Message) (bool, error)
	// Pretend does the same work and offers nothing.
	Pretend(ctx context.Context, env environment.Environment, l account.PasswordLink, m mail.Message) error
}

// Offered is a link with its account and environment.
type Offered struct {
	Env     environment.Environment
	Account account.Account
	Link    account.PasswordLink
}

// Links is what using a link needs of the table.
type Links interface {
	// Link reads the account's link; NotFound if there is none or no such account.
	Link(ctx context.Context, env, accountID string) (Offered, error)
	// Write does w whole: account.ErrRaced if the account changed since it was read, or the link was used.
	Write(ctx context.Context, env environment.Environment, w account.Write) error
}

// Catalogues reads reference data.
type Catalogues interface {
	// Catalogue returns the environment's reference data, from memory where it did not change.
	Catalogue(ctx context.Context, env environment.Environment) (*catalogue.Catalogue, error)
}

// Service mails links and lets them set passwords.
type Service struct {
	EnvID      string
	Asks       Asks
	Links      Links
	Catalogues Catalogues
	Passwords  account.Chooser
	Mail       *mail.Desk
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	Now    func() time.Time
	NewID  func() ulid.ULID
}

// AsksPerHour is how many links one network address may ask for within an hour of the clock, so that there are not more than
// twice as many in any hour. An account gets three in any hour (Asks.Offer).
const AsksPerHour = 10

// Forgotten mails a link to the account that the identifier names, if it may set its password by one. What it answers and how
// long that takes does not depend on whether there is such an account, nor on how it is. Only a flood from one network address
// is told so, whomever it asks for. It never blocks anybody.
func (s *Service) Forgotten(ctx context.Context, identifier, from string) error {
	now := s.now()
	counted, err := s.Asks.CountAsk(ctx, s.EnvID, session.Network(from), now, AsksPerHour)
	if err != nil {
		return err
	}
	if !counted {
		return fault.New(fault.TooMany, "tooMany", "Too many links were asked for from this network; try again in an hour.").After(now.Truncate(time.Hour).Add(time.Hour).Sub(now))
	}
	normal, ok := account.Normalise(identifier)
	if !ok {
		normal = "\x00" // nobody's; the same work is done for it
	}
	env, key, err := s.Asks.Find(ctx, s.EnvID, normal)
	if err != nil {
		return err
	}
	a, found, enough, err := s.Asks.Asked(ctx, env, key, now)
	if err != nil {
		return err
	}
	apiOnly, err := s.apiOnly(ctx, env, a)
	if err != nil {
		return err
	}
	if !found || enough || apiOnly || !account.MayAskForLink(a, now) {
		decoy := account.Account{ID: s.NewID().String(), Username: normal, Name: normal, Email: "nobody@invalid.invalid"}
		l, m, err := s.link(ctx, env, decoy, now)
		if err != nil {
			return err
		}
		return s.Asks.Pretend(ctx, env, l, m)
	}
	l, m, err := s.link(ctx, env, a, now)
	if err != nil {
		return err
	}
	_, err = s.Asks.Offer(ctx, env, l, m)
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

// link makes a link and its mail.
func (s *Service) link(ctx context.Context, env environment.Environment, a account.Account, now time.Time) (account.PasswordLink, mail.Message, error) {
	l, issued, err := account.IssueLink(s.Random, s.NewID(), a, account.LinkForgotten, now, now.Add(account.ForgottenLife))
	if err != nil {
		return account.PasswordLink{}, mail.Message{}, err
	}
	m, err := s.Mail.Secret(ctx, env, mail.Forgotten, a.Addressee(), now, l.Expires, issued.Reveal())
	return l, m, err
}

// badLink is the one answer to a link that sets nothing (any more), whatever the reason (C17).
func badLink() error {
	return fault.New(fault.Malformed, "link", "This link is over, was used or replaced by a newer one, or is not whole. Ask for a new one.")
}

// SetPassword sets the password of the account whose link the token opens, once. It ends every session of the account, and
// lifts a block by failed tries; a block by an administrator stays. Nobody is signed in by it.
func (s *Service) SetPassword(ctx context.Context, text, password, from string) error {
	given, err := token.Parse(token.Link, text)
	if err != nil {
		return badLink()
	}
	const tries = 4
	for attempt := 1; ; attempt++ {
		err := s.setPassword(ctx, given, password, from)
		if !errors.Is(err, account.ErrRaced) {
			return err
		}
		if attempt == tries {
			return fault.New(fault.Conflict, "busy", "The account is being changed just now; try again.").After(time.Second)
		}
	}
}

func (s *Service) setPassword(ctx context.Context, given token.Token, password, from string) error {
	got, err := s.Links.Link(ctx, s.EnvID, given.Account.String())
	if fault.Is(err, fault.NotFound) {
		return badLink()
	}
	if err != nil {
		return err
	}
	now, a := s.now(), got.Account
	apiOnly, err := s.apiOnly(ctx, got.Env, a)
	if err != nil {
		return err
	}
	if !given.Matches(got.Link.Hash) || apiOnly || !got.Link.Opens(a, now) {
		return badLink()
	}
	write := account.Write{Before: &a, After: a, ClearTries: true, UsesLink: got.Link.Hash, Event: journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.PasswordChanged, By: a.Username, ByID: a.ID, Address: from,
		Note: "By a mailed link.", Keep: got.Env.Settings.LogRetentionDays,
	}}
	if err := s.Passwords.Choose(ctx, got.Env, &write, password, account.ByOwner, now); err != nil {
		return err
	}
	write.After.ForcePasswordChange, write.After.PasswordExpires = false, time.Time{}
	write.After.FailedTries, write.After.TriesBlockedAt = 0, time.Time{}
	shown := a.Presented()
	write.Event.Changes = account.Fields().Compare(&shown, &write.After)
	write.After.Version, write.After.UpdatedAt = a.Version+1, now
	write.After.Epoch++
	write.After.DeviceEpoch++ // V36
	write.Event.Version = write.After.Version
	write.Mails = s.Mail.Notice(got.Env, mail.PasswordChanged, a.Addressee(), now, "It was set by a link that was mailed to this address.")
	return s.Links.Write(ctx, got.Env, write)
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
