// Package factor lets people administer their own second factor, and shows it to them and to administrators.
package factor

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
)

// Accounts reads and writes the account.
type Accounts interface {
	Account(ctx context.Context, env environment.Environment, id string) (account.Account, error)
	Write(ctx context.Context, env environment.Environment, w account.Write) error
}

// Store is the store of second factors.
type Store interface {
	// LoadFactors reads an account's factors.
	LoadFactors(ctx context.Context, accountID, device string) (mfa.Factors, error)
	// RecoveryCodes reads the recovery codes: hashes by lookup.
	RecoveryCodes(ctx context.Context, accountID string) (map[string]string, error)
	// TrustedDevices reads the trusted devices, expired ones too.
	TrustedDevices(ctx context.Context, accountID string) ([]mfa.TrustedDevice, error)
	// ForgetDevice forgets one device and writes the event and the mails; NotFound if there is none.
	ForgetDevice(ctx context.Context, accountID, device string, e auditlog.Event, mails []mail.Message) error
	// WriteFactors writes both changes in one transaction; account.ErrConcurrentChange if something changed since it was
	// read.
	WriteFactors(ctx context.Context, env environment.Environment, w account.Write, c mfa.Change) error
}

// PasswordVerifier verifies the caller's own password, within the limit of tries of a sign-in.
type PasswordVerifier interface {
	VerifyOwnPassword(ctx context.Context, sc access.Scope, password string) error
}

// Service administers second factors.
type Service struct {
	Accounts         Accounts
	Store            Store
	PasswordVerifier PasswordVerifier
	Enroller         *mfa.Enroller
	// Challenges is needed where passkeys are set up, Providers where they are removed.
	Challenges ChallengeStore
	Providers  Providers
	Hasher     mfa.Hasher
	// Mail tells the account's owner of each change.
	Mail *mail.Composer
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	Now    func() time.Time
	NewID  func() string
}

// Status is an account's second factor as its owner and administrators see it.
type Status struct {
	Account   account.Account
	Required  bool
	Methods   []mfa.Method
	Since     time.Time
	CodesLeft int
	// PausedUntil is until when no code is accepted, zero while they are. LockedOut says that an administrator has to
	// remove the second factor.
	PausedUntil time.Time
	LockedOut   bool
	Devices     []mfa.TrustedDevice
	// Passkeys are those of Methods. MailCode says that a code by mail is a method as well.
	Passkeys []mfa.Passkey
	MailCode bool
}

// Status returns the second factor of an account of the caller's environment.
func (s *Service) Status(ctx context.Context, sc access.Scope, id string) (Status, error) {
	a, err := s.Accounts.Account(ctx, sc.Env, id)
	if err != nil {
		return Status{}, err
	}
	out := Status{Account: a, Required: a.MFARequired || sc.Env.Settings.MFARequired && !a.MFAExempt}
	out.MailCode = sc.Env.Settings.EmailCodeAllowed && a.Email != ""
	if !a.MFAEnabled && !out.MailCode { // a code by mail can make devices trusted
		return out, nil
	}
	found, err := s.Store.LoadFactors(ctx, id, "")
	if err != nil {
		return Status{}, err
	}
	if !a.MFAEnabled {
		found = mfa.Factors{}
	}
	codes := map[string]string{}
	if a.MFAEnabled {
		if codes, err = s.Store.RecoveryCodes(ctx, id); err != nil {
			return Status{}, err
		}
	}
	devices, err := s.Store.TrustedDevices(ctx, id)
	if err != nil {
		return Status{}, err
	}
	now := s.now()
	out.Methods, out.Since, out.CodesLeft, out.Passkeys = found.Methods(), found.Since, len(codes), found.Passkeys
	out.PausedUntil, out.LockedOut = found.PausedUntil(now), found.LockedOut()
	out.Devices = slices.DeleteFunc(devices,
		func(d mfa.TrustedDevice) bool { return d.Epoch != a.DeviceEpoch || !now.Before(d.Expires) })
	slices.SortFunc(out.Devices, func(a, b mfa.TrustedDevice) int { return strings.Compare(b.ID, a.ID) })
	return out, nil
}

// Reauthenticate asks the caller for a fresh proof of who they are: one that the environment still takes for fresh, or
// the password now. Whatever weakens a sign-in needs it, the caller's own or another's (C15, V35). It fails closed: a
// caller without a person's session has neither.
func (s *Service) Reauthenticate(ctx context.Context, sc access.Scope, password string) error {
	switch {
	case sc.Caller.KeyID != "":
		return fault.New(fault.Conflict, "apiOnly", "An account for API clients has no second factor.")
	case password != "":
		return s.PasswordVerifier.VerifyOwnPassword(ctx, sc, password)
	}
	return credential.CheckProof(sc, s.now())
}

// reauthenticated reads the caller's account for a change of its second factor, after a fresh proof.
func (s *Service) reauthenticated(ctx context.Context, sc access.Scope, password string) (account.Account, error) {
	if err := s.Reauthenticate(ctx, sc, password); err != nil {
		return account.Account{}, err
	}
	return s.Accounts.Account(ctx, sc.Env, sc.Caller.AccountID)
}

// BeginTOTP begins to set up an authenticator. The present one is valid until the new one is confirmed (V31).
func (s *Service) BeginTOTP(ctx context.Context, sc access.Scope, password string) (mfa.TOTPEnrolment, error) {
	a, err := s.reauthenticated(ctx, sc, password)
	if err != nil {
		return mfa.TOTPEnrolment{}, err
	}
	return s.Enroller.BeginTOTP(ctx, sc.Env.ID, a.ID, sc.Env.Settings.MailSenderName, a.Username)
}

// ConfirmTOTP ends a set-up with one right code, and returns new recovery codes, this once. It needs no proof of its
// own: beginning needed one, and a set-up expires in minutes.
func (s *Service) ConfirmTOTP(ctx context.Context, sc access.Scope, code string) ([]string, error) {
	a, err := s.Accounts.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return nil, err
	}
	change, codes, err := s.Enroller.ConfirmTOTP(ctx, sc.Env.ID, a.ID, code)
	if err != nil {
		return nil, err
	}
	w := s.write(sc, a, auditlog.SecondFactorAdded)
	w.Event.Note = a.FirstFactorNote()
	w.Mails = s.Mail.Notice(sc.Env, mail.FactorAdded, a.Addressee(), s.now(), a.FirstFactorNote())
	w.After.MFAEnabled, change.FirstFactor = true, !a.MFAEnabled
	if a.MFAEnabled {
		w.After.DeviceEpoch++ // the devices were trusted in place of another authenticator
	}
	return codes, s.busyIfChanged(s.Store.WriteFactors(ctx, sc.Env, withChanges(w), change))
}

// RegenerateRecoveryCodes replaces the recovery codes and returns the new ones, this once.
func (s *Service) RegenerateRecoveryCodes(ctx context.Context, sc access.Scope, password string) ([]string, error) {
	a, err := s.reauthenticated(ctx, sc, password)
	if err != nil {
		return nil, err
	}
	if !a.MFAEnabled {
		return nil, noFactor()
	}
	shown, kept, err := mfa.NewRecoveryCodes(s.Random, s.Hasher)
	if err != nil {
		return nil, err
	}
	w := s.write(sc, a, auditlog.RecoveryCodesMade)
	return shown, s.busyIfChanged(s.Store.WriteFactors(ctx, sc.Env, withChanges(w), mfa.Change{Codes: kept}))
}

// Remove removes the caller's own second factor, with recovery codes and trusted devices, and ends every session, this
// one too. Where a second factor is required, the next sign-in leads to setting one up.
func (s *Service) Remove(ctx context.Context, sc access.Scope, password string) error {
	a, err := s.reauthenticated(ctx, sc, password)
	if err != nil || !a.MFAEnabled {
		return err
	}
	have, err := s.factorsOf(ctx, a)
	if err != nil {
		return err
	}
	w := s.write(sc, a, auditlog.SecondFactorRemoved)
	if len(have.Passkeys) > 0 {
		if err := s.requireOtherSignInMethod(ctx, sc, &w); err != nil {
			return err
		}
	}
	w.Mails = s.Mail.Notice(sc.Env, mail.FactorRemoved, a.Addressee(), s.now(), "")
	w.After.MFAEnabled, w.DropFactors = false, true
	w.After.Epoch++
	w.After.DeviceEpoch++
	return s.busyIfChanged(s.Accounts.Write(ctx, sc.Env, withChanges(w)))
}

// ForgetDevice removes one trusted device of an account, and tells its owner (V35).
func (s *Service) ForgetDevice(ctx context.Context, sc access.Scope, id, device string) error {
	a, err := s.Accounts.Account(ctx, sc.Env, id)
	if err != nil {
		return err
	}
	if id != sc.Caller.AccountID {
		if err := account.CheckCredentialAct(sc, credential.RemoveDevices, a, s.now()); err != nil {
			return err
		}
	}
	return s.Store.ForgetDevice(ctx, id, device, auditlog.Event{
		ID: s.NewID(), At: s.now(), Kind: auditlog.TrustedDevicesRemoved, By: sc.Caller.Username, ByID: sc.Caller.AccountID,
		Key: sc.Caller.KeyID, RetentionDays: sc.Env.Settings.LogRetentionDays,
	}, s.Mail.Notice(sc.Env, mail.DevicesRemoved, a.Addressee(), s.now(), ""))
}

// write begins a write of the caller's own account.
func (s *Service) write(sc access.Scope, a account.Account, kind auditlog.Kind) account.Write {
	now := s.now()
	w := account.Write{Before: &a, After: a, Event: auditlog.Event{
		ID: s.NewID(), At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Version: a.Version + 1,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}}
	w.After.Version, w.After.UpdatedAt = a.Version+1, now
	return w
}

// withChanges lists in the event what the write changes.
func withChanges(w account.Write) account.Write {
	before, after := *w.Before, w.After
	after.UpdatedAt = before.UpdatedAt
	w.Event.Changes = account.Fields().Compare(&before, &after)
	return w
}

func (s *Service) busyIfChanged(err error) error {
	if errors.Is(err, account.ErrConcurrentChange) {
		return fault.New(fault.Conflict, "busy",
			"The account was changed at the same time. Nothing was done; try again.").WithRetryAfter(time.Second)
	}
	return err
}

func noFactor() error {
	return fault.New(fault.Conflict, "noSecondFactor", "There is no second factor. Set one up first.")
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
