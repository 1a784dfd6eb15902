package signin

import (
	"context"
	"errors"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/password"
	"useraccounts/internal/session"
)

// OwnPasswordStore is what changing one's own password needs of the table.
type OwnPasswordStore interface {
	// Account returns an account by its id.
	Account(ctx context.Context, env environment.Environment, id string) (account.Account, error)
	// ReplacePassword writes the new password, closes the session that it was changed in and opens the one in its place,
	// all in one; account.ErrConcurrentChange if the account changed or was blocked, or the session was closed.
	ReplacePassword(ctx context.Context, env environment.Environment, w account.Write, old, opened session.Session) error
	// ClearTries zeroes the tries of an account whose password was right, unless it was blocked meanwhile.
	ClearTries(ctx context.Context, env environment.Environment, a account.Account, now time.Time) error
	// Rehash stores a's password hashed anew, unless another has been set.
	Rehash(ctx context.Context, env environment.Environment, a account.Account, hash string) error
}

// StrengthEstimator says how good passwords and hashes are.
type StrengthEstimator interface {
	// NeedsRehash reports whether a hash was made with less work than is usual by now.
	NeedsRehash(hash string) bool
	// Estimate says how hard a password is to guess for somebody who knows these texts about the person.
	Estimate(password string, about []string) password.Strength
}

// PasswordRating is what can be said of a password before it is set.
type PasswordRating struct {
	password.Strength
	Faults               []fault.Field
	MinLength, MaxLength int
}

// RatePassword says how good a password is, for a form while somebody types. It is about no account, and keeps nothing.
func (s *Service) RatePassword(ctx context.Context, typed string, about []string) (PasswordRating, error) {
	env, _, err := s.Accounts.Find(ctx, s.EnvID, "\x00")
	if err != nil {
		return PasswordRating{}, err
	}
	settings := account.PasswordPolicyFor(env.Settings, account.Account{})
	about = append(slices.Clone(about), env.ID)
	return PasswordRating{
		Strength:  s.Strength.Estimate(typed, append(about, settings.MailSenderName)),
		Faults:    s.Passwords.Check(settings, typed, about),
		MinLength: settings.PasswordMinLength, MaxLength: password.MaxLength,
	}, nil
}

// chooser holds new passwords against what is asked of them.
func (s *Service) chooser() account.PasswordSetter {
	return account.PasswordSetter{Passwords: s.Passwords, Verifier: s.Verifier, History: s.History, Breaches: s.Breaches}
}

// rehash stores the right password hashed with the present parameters, if it was with less (V08). Nothing else changes:
// the version, the epoch and the time the password was set stay.
func (s *Service) rehash(ctx context.Context, env environment.Environment, a account.Account, right string) error {
	if s.Strength == nil || !s.Strength.NeedsRehash(a.PasswordHash) {
		return nil
	}
	hash, err := s.Passwords.Hash(right)
	if err != nil {
		return err
	}
	return s.OwnPasswords.Rehash(ctx, env, a, hash)
}

// overAge reports whether the policy wants the password changed because of its age (V06).
func (s *Service) overAge(env environment.Environment, a account.Account) bool {
	return a.PasswordExceedsMaxAge(env.Settings, s.now())
}

// ChangeOwnPassword replaces the password of the caller, who has to know the present one: a wrong one counts as a
// failed try of the account (V07). The caller goes on in a session with new tokens; every other, and every remembered
// device, ends.
func (s *Service) ChangeOwnPassword(ctx context.Context, sc access.Scope, current, chosen string,
	d ClientInfo) (Result, error) {
	a, err := s.OwnPasswords.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return Result{}, err
	}
	if a.PasswordHash == "" || sc.Caller.KeyID != "" {
		return Result{}, fault.New(fault.Conflict, "apiOnly", "This account has no password that could be changed.")
	}
	if err := fault.InvalidFields(s.chooser().CheckPolicy(sc.Env, a, chosen)); err != nil {
		return Result{}, err // before a try is counted: the present password has nothing to do with it
	}
	if err := s.verifyCurrent(ctx, sc.Env, a, current, d); err != nil {
		return Result{}, err
	}
	now := s.now()
	write := account.Write{Before: &a, After: a, ClearTries: true, Event: auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: auditlog.PasswordChanged, By: a.Username, ByID: a.ID, Address: d.Address,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}}
	err = s.chooser().Set(ctx, sc.Env, &write, chosen, account.SetByOwner, now)
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			// The present password was right, so the try that was counted was none.
			err = errors.Join(s.OwnPasswords.ClearTries(ctx, sc.Env, a, now), err)
		}
		return Result{}, err
	}
	s.finishOwnChange(sc.Env, &write, now)
	return s.replaceSession(ctx, sc, write, d)
}

// finishOwnChange completes a write by which a person set their own password: every session and remembered device ends
// (V36).
func (s *Service) finishOwnChange(env environment.Environment, w *account.Write, now time.Time) {
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

const reasonWrongCurrent = "Wrong current password, asked for in an open session."

// verifyCurrent verifies the present password of somebody who is signed in, as a sign-in does: within the limit of
// tries, which ends in a block.
func (s *Service) verifyCurrent(ctx context.Context, env environment.Environment, a account.Account, current string,
	d ClientInfo) error {
	got, err := s.reserveAttempt(ctx, env, a.DirectoryKey())
	if err != nil {
		return err
	}
	hash, reason := got.Account.PasswordHash, reasonWrongCurrent
	if !got.Found || !got.Reserved {
		hash, reason = "", reasonUsedUp // beyond the limit nothing is verified, though the work is done (C01)
	}
	if s.Verifier.Verify(hash, current) && !got.Account.PasswordExpired(s.now()) {
		if got.Account.Stored.BlockedAt.IsZero() {
			return nil
		}
		return s.OwnPasswords.ClearTries(ctx, env, got.Account, s.now()) // the try that a block let through ends it
	}
	if _, err := s.refuse(ctx, env, got, reason, d); !fault.HasCode(err, refusedCode) {
		return err
	}
	return fault.InvalidFields([]fault.Field{{Field: "current", Code: "wrong",
		Message: "The current password is not right, or too many were wrong. Every wrong one counts as a failed sign-in."}})
}

// replaceSession does the write and opens a session in place of the caller's, which ends when that would have (V38).
func (s *Service) replaceSession(ctx context.Context, sc access.Scope, w account.Write, d ClientInfo) (Result, error) {
	checked, err := s.Credentials.FindSession(ctx, s.EnvID, sc.Caller.AccountID, sc.Caller.SessionID)
	if fault.Is(err, fault.NotFound) {
		return Result{}, noSession()
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
	result.Session.RefreshDue = result.Session.NextRefreshDue(w.Event.At, sc.Env.Settings.SessionIdle.Duration())
	err = s.OwnPasswords.ReplacePassword(ctx, sc.Env, w, checked.Session, result.Session)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{},
			fault.New(fault.Conflict, "busy",
				"The account or this session was changed just now; nothing was done. Try again.").WithRetryAfter(time.Second)
	}
	return result, err
}
