package signin

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
)

// TriesStore is what verifying the password of somebody who is signed in needs of the table.
type TriesStore interface {
	AccountReader
	// ClearTries zeroes the failed tries of an account whose password was right, unless it was blocked meanwhile. Where
	// the attempt was counted on a known network, it zeroes those, and the account's if that is not blocked.
	ClearTries(ctx context.Context, env environment.Environment, a account.Account, now time.Time) error
}

// Reauthenticator verifies the password of somebody who is signed in, within the limit of attempts of a sign-in.
type Reauthenticator struct {
	*Attempts
	Tries    TriesStore
	Verifier account.Verifier
}

// VerifyOwnPassword verifies the caller's own password, as a fresh proof of who they are. A temporary one is no such
// proof: whoever issued it knows it too.
func (s *Reauthenticator) VerifyOwnPassword(ctx context.Context, sc access.Scope, password string) error {
	a, err := s.Tries.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return err
	}
	if !a.PasswordExpires.IsZero() {
		return fault.InvalidFields([]fault.Field{{
			Field: "password", Code: "temporary",
			Message: "Your password is temporary. Set your own first, or confirm with a passkey.",
		}})
	}
	if err := s.verifyCurrent(ctx, sc, &a, password, ClientInfo{}); err != nil {
		if fault.Is(err, fault.Invalid) {
			return fault.InvalidFields([]fault.Field{{
				Field: "password", Code: "wrong",
				Message: "The password is wrong, or too many were wrong. Every wrong one counts as a failed sign-in.",
			}})
		}
		return err
	}
	if a.Stored.Network != "" {
		return nil // done
	}
	return s.Tries.ClearTries(ctx, sc.Env, a, s.now())
}

const reasonWrongCurrent = "Wrong current password in an open session."

// verifyCurrent verifies the present password as a sign-in does, counted at the caller's network where that is known:
// too many wrong ones end in a block. Where it was right, a says whether the account's own count was left out.
func (s *Reauthenticator) verifyCurrent(ctx context.Context, sc access.Scope, a *account.Account, current string,
	c ClientInfo,
) error {
	env := sc.Env
	got, err := s.reserveAtNetwork(ctx, env, a.DirectoryKey(), a.Stored.Networks, sc.Caller.Address)
	if err != nil {
		return err
	}
	hash, reason := got.Account.PasswordHash, reasonWrongCurrent
	if !got.Found || !got.Reserved {
		hash, reason = "", reasonUsedUp // beyond the limit nothing is verified, though the work is done (C01)
	}
	if s.Verifier.Verify(hash, current) && !got.Account.PasswordExpired(s.now()) {
		a.Stored.SeparateTries, a.Stored.Network = got.Account.Stored.SeparateTries, got.Account.Stored.Network
		if got.Account.Stored.BlockedAt.IsZero() && a.Stored.Network == "" {
			return nil
		}
		return s.Tries.ClearTries(ctx, env, got.Account, s.now()) // the attempt that a block let through ends it
	}
	if _, err := s.refuse(ctx, env, got, reason, c); !fault.HasCode(err, refusedCode) {
		return err
	}
	return fault.InvalidFields([]fault.Field{{
		Field: "current", Code: "wrong",
		Message: "The current password is wrong, or too many were wrong. Every wrong one counts as a failed sign-in.",
	}})
}

// PasswordReplacer writes a password that somebody who is signed in set.
type PasswordReplacer interface {
	// ReplacePassword writes the new password, closes the session in which it was changed and opens the one in its place,
	// in one transaction; account.ErrConcurrentChange if the account changed or was blocked, or the session was closed.
	ReplacePassword(ctx context.Context, env environment.Environment, w account.Write,
		closed, opened session.Session) error
}

// SelfService is what people who are signed in do with their own passwords.
type SelfService struct {
	*Reauthenticator
	// Steps makes the session that takes the place of the caller's.
	Steps     *Steps
	Passwords account.PasswordSetter
	Replacer  PasswordReplacer
}

// ChangeOwnPassword replaces the password of the caller, who has to know the present one: a wrong one counts as a
// failed try of the account (V07). The caller continues in a session with new tokens. Every other session and every
// trusted device ends.
func (s *SelfService) ChangeOwnPassword(ctx context.Context, sc access.Scope, current, chosen string,
	c ClientInfo,
) (Result, error) {
	a, err := s.Tries.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return Result{}, err
	}
	if a.PasswordHash == "" || sc.Caller.KeyID != "" {
		return Result{}, fault.New(fault.Conflict, "apiOnly", "This account has no password to change.")
	}
	// The policy comes first: a password that it refuses does not count as an attempt at the present one.
	if err := fault.InvalidFields(s.Passwords.CheckPolicy(sc.Env, a, chosen)); err != nil {
		return Result{}, err
	}
	if err := s.verifyCurrent(ctx, sc, &a, current, c); err != nil {
		return Result{}, err
	}
	now := s.now()
	write := s.passwordChange(sc.Env, a, c, now)
	if err := s.Passwords.Set(ctx, sc.Env, &write, chosen, account.SetByOwner, now); err != nil {
		if fault.Is(err, fault.Invalid) {
			// The present password was right, so the attempt does not count.
			err = errors.Join(s.Tries.ClearTries(ctx, sc.Env, a, now), err)
		}
		return Result{}, err
	}
	s.completePasswordChange(sc.Env, &write, now)
	return s.replaceSession(ctx, sc, write, c)
}

// replaceSession does the write and opens a session in place of the caller's. It ends when the caller's would have
// (V38).
func (s *SelfService) replaceSession(ctx context.Context, sc access.Scope, w account.Write, c ClientInfo) (
	Result, error,
) {
	checked, err := s.Credentials.FindSession(ctx, s.EnvID, sc.Caller.AccountID, sc.Caller.SessionID)
	if fault.Is(err, fault.NotFound) {
		return Result{}, noSession()
	}
	if err != nil {
		return Result{}, err
	}
	c.Client = checked.Session.Client
	result, err := s.Steps.newSession(sc.Env, w.After, c)
	if err != nil {
		return Result{}, err
	}
	result.Session.HardEnd = checked.Session.HardEnd
	result.Session.RefreshDue = result.Session.NextRefreshDue(w.Event.At, sc.Env.Settings.SessionIdle.Duration())
	err = s.Replacer.ReplacePassword(ctx, sc.Env, w, checked.Session, result.Session)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{}, fault.New(fault.Conflict, "busy",
			"The account or this session was changed at the same time. Nothing was done; try again.").
			WithRetryAfter(time.Second)
	}
	return result, err
}
