package signin

import (
	"context"
	"errors"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/mail"
	"useraccounts/internal/password"
	"useraccounts/internal/session"
)

// OwnPasswords is what changing one's own password needs of the table.
type OwnPasswords interface {
	// Account returns an account by its id.
	Account(ctx context.Context, env environment.Environment, id string) (account.Account, error)
	// Rekey writes the new password, closes the session that it was changed in and opens the one in its place, all in one;
	// account.ErrRaced if the account changed or was blocked, or the session was closed.
	Rekey(ctx context.Context, env environment.Environment, w account.Write, old, opened session.Session) error
	// ClearTries zeroes the tries of an account whose password was right, unless it was blocked meanwhile.
	ClearTries(ctx context.Context, env environment.Environment, a account.Account, now time.Time) error
	// Rehash stores a's password hashed anew, unless another has been set.
	Rehash(ctx context.Context, env environment.Environment, a account.Account, hash string) error
}

// Meter says how good passwords and hashes are.
type Meter interface {
	// Outdated reports whether a hash was made with less work than is usual by now.
	Outdated(hash string) bool
	// Estimate says how hard a password is to guess for somebody who knows these texts about the person.
	Estimate(password string, about []string) password.Strength
}

// Rating is what can be said of a password before it is set.
type Rating struct {
	password.Strength
	Bad               []fault.Field
	Shortest, Longest int
}

// Rate says how good a password is, for a form while somebody types. It is about no account, and keeps nothing.
func (s *Service) Rate(ctx context.Context, typed string, about []string) (Rating, error) {
	env, _, err := s.Accounts.Find(ctx, s.EnvID, "\x00")
	if err != nil {
		return Rating{}, err
	}
	settings := account.PolicyFor(env.Settings, account.Account{})
	about = append(slices.Clone(about), env.ID)
	return Rating{
		Strength: s.Meter.Estimate(typed, append(about, settings.MailSenderName)), Bad: s.Passwords.Check(settings, typed, about),
		Shortest: settings.PasswordMinLength, Longest: password.MaxLength,
	}, nil
}

// chooser holds new passwords against what is asked of them.
func (s *Service) chooser() account.Chooser {
	return account.Chooser{Passwords: s.Passwords, Verifier: s.Hasher, Former: s.Former, Breaches: s.Breaches}
}

// rehash stores the right password hashed with the present parameters, if it was with less (V08). Nothing else changes: the
// version, the epoch and the time the password was set stay.
func (s *Service) rehash(ctx context.Context, env environment.Environment, a account.Account, right string) error {
	if s.Meter == nil || !s.Meter.Outdated(a.PasswordHash) {
		return nil
	}
	hash, err := s.Passwords.Hash(right)
	if err != nil {
		return err
	}
	return s.Own.Rehash(ctx, env, a, hash)
}

// overAge reports whether the policy wants the password changed because of its age (V06).
func (s *Service) overAge(env environment.Environment, a account.Account) bool {
	return a.PasswordOverAge(env.Settings, s.now())
}

// ChangeOwnPassword replaces the password of the caller, who has to know the present one: a wrong one counts as a failed try
// of the account (V07). The caller goes on in a session with new tokens; every other, and every remembered device, ends.
func (s *Service) ChangeOwnPassword(ctx context.Context, sc access.Scope, current, chosen string, d Device) (Result, error) {
	a, err := s.Own.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return Result{}, err
	}
	if a.PasswordHash == "" || sc.Caller.KeyID != "" {
		return Result{}, fault.New(fault.Conflict, "apiOnly", "This account has no password that could be changed.")
	}
	if err := fault.InvalidFields(s.chooser().Policy(sc.Env, a, chosen)); err != nil {
		return Result{}, err // before a try is counted: the present password has nothing to do with it
	}
	if err := s.confirm(ctx, sc.Env, a, current, d); err != nil {
		return Result{}, err
	}
	now := s.now()
	write := account.Write{Before: &a, After: a, ClearTries: true, Event: journal.Event{
		ID: s.NewID().String(), At: now, Kind: journal.PasswordChanged, By: a.Username, ByID: a.ID, Address: d.Address,
		Keep: sc.Env.Settings.LogRetentionDays,
	}}
	err = s.chooser().Choose(ctx, sc.Env, &write, chosen, account.ByOwner, now)
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			// The present password was right, so the try that was counted was none.
			err = errors.Join(s.Own.ClearTries(ctx, sc.Env, a, now), err)
		}
		return Result{}, err
	}
	s.owned(sc.Env, &write, now)
	return s.rekey(ctx, sc, write, d)
}

// owned completes a write by which a person set their own password: every session and remembered device ends (V36).
func (s *Service) owned(env environment.Environment, w *account.Write, now time.Time) {
	w.After.ForcePasswordChange, w.After.PasswordExpires = false, time.Time{}
	w.Event.Changes = account.Fields().Compare(w.Before, &w.After)
	w.After.FailedTries, w.After.TriesBlockedAt = 0, time.Time{}
	w.After.Version, w.After.UpdatedAt = w.Before.Version+1, now
	w.After.Epoch++
	w.After.DeviceEpoch++
	w.Event.Version = w.After.Version
	if s.Mail != nil {
		w.Mails = append(w.Mails, s.Mail.Notice(env, mail.PasswordChanged, w.After.Addressee(), now, "")...)
	}
}

const whyWrongCurrent = "Wrong current password, asked for in an open session."

// confirm verifies the present password of somebody who is signed in, as a sign-in does: within the limit of tries, which
// ends in a block.
func (s *Service) confirm(ctx context.Context, env environment.Environment, a account.Account, current string, d Device) error {
	got, err := s.charge(ctx, env, a.DirectoryKey())
	if err != nil {
		return err
	}
	hash, why := got.Account.PasswordHash, whyWrongCurrent
	if !got.Found || !got.Charged {
		hash, why = "", whyUsedUp // beyond the limit nothing is verified, though the work is done (C01)
	}
	if s.Hasher.Verify(hash, current) && !got.Account.PasswordOver(s.now()) {
		if got.Account.Stored.BlockedAt.IsZero() {
			return nil
		}
		return s.Own.ClearTries(ctx, env, got.Account, s.now()) // the try that a block let through ends it
	}
	if _, err := s.refuse(ctx, env, got, why, d); !fault.HasCode(err, refusedCode) {
		return err
	}
	return fault.InvalidFields([]fault.Field{{Field: "current", Code: "wrong",
		Message: "The current password is not right, or too many were wrong. Every wrong one counts as a failed sign-in."}})
}

// rekey does the write and opens a session in place of the caller's, which ends when that would have (V38).
func (s *Service) rekey(ctx context.Context, sc access.Scope, w account.Write, d Device) (Result, error) {
	checked, err := s.Checks.Check(ctx, s.EnvID, sc.Caller.AccountID, sc.Caller.SessionID)
	if fault.Is(err, fault.NotFound) {
		return Result{}, expired()
	}
	if err != nil {
		return Result{}, err
	}
	d.Client = checked.Session.Client
	result, err := s.newSession(sc.Env, w.After, d)
	if err != nil {
		return Result{}, err
	}
	result.Session.HardEnd = checked.Session.HardEnd
	result.Session.RefreshDue = result.Session.Due(w.Event.At, sc.Env.Settings.SessionIdle.Duration())
	err = s.Own.Rekey(ctx, sc.Env, w, checked.Session, result.Session)
	if errors.Is(err, account.ErrRaced) {
		return Result{}, fault.New(fault.Conflict, "busy", "The account or this session was changed just now; nothing was done. Try again.").After(time.Second)
	}
	return result, err
}
