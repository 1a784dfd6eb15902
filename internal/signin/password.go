package signin

import (
	"context"
	"errors"
	"slices"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/password"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Rehasher stores passwords hashed with more work.
type Rehasher interface {
	// Rehash stores a's password with its new hash, unless another password has been set.
	Rehash(ctx context.Context, env environment.Environment, a account.Account, hash string) error
}

// StrengthEstimator says how good passwords and hashes are.
type StrengthEstimator interface {
	// NeedsRehash reports whether a hash was made with less work than is usual by now.
	NeedsRehash(hash string) bool
	// Estimate says how hard a password is to guess for somebody who knows these texts about the person.
	Estimate(password string, about []string) password.Strength
}

// PasswordService signs people in with passwords.
type PasswordService struct {
	*Steps
	// Limiter is nil where requests are not limited by network.
	Limiter *RateLimiter
	// Passwords verifies passwords and sets new ones.
	Passwords account.PasswordSetter
	// Strength is nil where hashes are not renewed and nothing is estimated; Rehasher is needed beside it.
	Strength StrengthEstimator
	Rehasher Rehasher
}

// Login takes an identifier and a password. Every refusal is the same fault, after the same work.
func (s *PasswordService) Login(ctx context.Context, identifier, password string, c ClientInfo) (Result, error) {
	normal, ok := account.Normalise(identifier)
	if !ok {
		normal = nobody
	}
	rateCheck := s.Limiter.start(ctx, c.Address)
	given, _ := token.Parse(token.TrustedDevice, c.DeviceToken) // the zero token is none
	found, err := s.Accounts.FindWithDevice(ctx, s.EnvID, normal, given)
	if refusal := rateCheck(); refusal != nil {
		return Result{}, refusal
	}
	if err != nil {
		return Result{}, err
	}
	env := found.Env
	got, err := s.reserveAttemptFrom(ctx, found, given, c.Address)
	if err != nil {
		return Result{}, err
	}
	hash := got.Account.PasswordHash
	if !got.Reserved {
		hash = "" // beyond the limit nothing is verified, though the work is done (C01)
	}
	right := s.Passwords.Verifier.Verify(hash, password)
	if !got.Found || !got.Reserved {
		return s.refuse(ctx, env, got, reasonUsedUp, c)
	}
	if reason := refusalReasons(got.Account, right, s.now()); reason != "" {
		return s.refuse(ctx, env, got, reason, c)
	}
	if err := s.rehash(ctx, env, got.Account, password); err != nil {
		return Result{}, err
	}
	c.reservedDevice = got.Device.ID
	result, err := s.afterFirstFactor(ctx, env, got.Account, session.ByPassword, c)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, reasonChanged, c)
	}
	return result, err
}

// rehash stores the right password hashed with the present parameters, if its hash took less work (V08). Nothing else
// changes: the version, the epoch and the time at which the password was set stay.
func (s *PasswordService) rehash(ctx context.Context, env environment.Environment, a account.Account,
	right string,
) error {
	if s.Strength == nil || !s.Strength.NeedsRehash(a.PasswordHash) {
		return nil
	}
	hash, err := s.Passwords.Passwords.Hash(right)
	if err != nil {
		return err
	}
	return s.Rehasher.Rehash(ctx, env, a, hash)
}

// ChangePassword takes the step "changePassword": the ticket and the person's own new password. It opens the session
// and ends every other.
func (s *PasswordService) ChangePassword(ctx context.Context, ticket, password string, c ClientInfo) (Result, error) {
	got, err := s.checkTicket(ctx, ticket, session.ChangePassword)
	if err != nil {
		return Result{}, err
	}
	now := s.now()
	write := s.passwordChange(got.Env, got.Account, c, now)
	if err := s.Passwords.Set(ctx, got.Env, &write, password, account.SetByOwner, now); err != nil {
		return Result{}, err
	}
	s.completePasswordChange(got.Env, &write, now)
	result, err := s.completeStep(ctx, got.Env,
		StepTransition{Ticket: got.Ticket, Account: got.Account, Write: &write}, "", c)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{}, invalidTicket()
	}
	return result, err
}

// passwordChange begins a write by which the owner of an account sets their own password.
func (s *Attempts) passwordChange(env environment.Environment, a account.Account, c ClientInfo,
	now time.Time,
) account.Write {
	return account.Write{Before: &a, After: a, ClearTries: true, Event: auditlog.Event{
		ID: s.NewID().String(), At: now, Kind: auditlog.PasswordChanged, By: a.Username, ByID: a.ID, Address: c.Address,
		RetentionDays: env.Settings.LogRetentionDays,
	}}
}

// completePasswordChange completes that write: every session and every trusted device ends (V36).
func (s *Attempts) completePasswordChange(env environment.Environment, w *account.Write, now time.Time) {
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

// PasswordRating is what can be said of a password before it is set.
type PasswordRating struct {
	password.Strength
	Faults               []fault.Field
	MinLength, MaxLength int
}

// RatePassword says how good a password is, for a form while somebody types. It concerns no account and keeps nothing.
func (s *PasswordService) RatePassword(ctx context.Context, typed string, about []string) (PasswordRating, error) {
	env, _, err := s.Accounts.Find(ctx, s.EnvID, nobody)
	if err != nil {
		return PasswordRating{}, err
	}
	settings := account.PasswordPolicyFor(env.Settings, account.Account{})
	about = append(slices.Clone(about), env.ID)
	return PasswordRating{
		Strength:  s.Strength.Estimate(typed, append(about, settings.MailSenderName)),
		Faults:    s.Passwords.Passwords.Check(settings, typed, about),
		MinLength: settings.PasswordMinLength,
		MaxLength: password.MaxLength,
	}, nil
}
