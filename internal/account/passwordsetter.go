package account

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// MaxPasswordHistory is the most former passwords that are stored. A new password is verified against each of them,
// which takes about a second on a small Lambda function.
const MaxPasswordHistory = 24

// PasswordHistoryReader reads the former passwords of an account.
type PasswordHistoryReader interface {
	// PreviousHashes returns their hashes, newest first.
	PreviousHashes(ctx context.Context, accountID string) ([]string, error)
}

// BreachChecker knows passwords from published breaches.
type BreachChecker interface {
	// IsBreached reports whether the password is one of them; it is false if that cannot be found out.
	IsBreached(ctx context.Context, password string) bool
}

// Verifier checks a password against a hash.
type Verifier interface {
	Verify(hash, password string) bool
}

// PasswordSetter checks a new password and puts it into a write. Every new password goes through it.
type PasswordSetter struct {
	Passwords Passwords
	// Verifier and History are needed if the environment keeps former passwords; without History none are kept.
	Verifier Verifier
	History  PasswordHistoryReader
	// Breaches is nil if breaches are not checked.
	Breaches BreachChecker
}

// SetBy says who chose a password.
type SetBy bool

// Who chooses.
const (
	// SetByOther is an administrator or a generator. Former passwords are not checked: the answer would reveal one.
	SetByOther SetBy = false
	// SetByOwner is the person.
	SetByOwner SetBy = true
)

// CheckPolicy returns what the policy has against a new password, as faults of the field "password". It is cheap and
// reads nothing.
func (s PasswordSetter) CheckPolicy(env environment.Environment, a Account, password string) []fault.Field {
	return s.Passwords.Check(PasswordPolicyFor(env.Settings, a), password, append(ContextWords(a), env.ID))
}

// PasswordPolicyFor returns the settings with the minimum length for the account: in NIST mode 15 characters, or 8 if
// the account needs a second factor (V01, NIST SP 800-63B-4 3.1.1.2).
func PasswordPolicyFor(settings environment.Settings, a Account) environment.Settings {
	if settings.PasswordNIST {
		settings.PasswordMinLength = 15
		if a.MFARequired || settings.MFARequired && !a.MFAExempt {
			settings.PasswordMinLength = 8
		}
	}
	return settings
}

// Set puts a new password into w, whose Before and After are set, or returns what is wrong with it.
func (s PasswordSetter) Set(ctx context.Context, env environment.Environment, w *Write, password string, by SetBy,
	now time.Time) error {
	if err := fault.InvalidFields(s.CheckPolicy(env, *w.Before, password)); err != nil {
		return err
	}
	former, err := s.history(ctx, w.Before.ID)
	if err != nil {
		return err
	}
	if by == SetByOwner && s.isReused(env.Settings, *w.Before, former, password) {
		return reusedFault(env.Settings)
	}
	if s.Breaches != nil && s.Breaches.IsBreached(ctx, password) {
		return fault.InvalidFields([]fault.Field{{Field: "password", Code: "breached",
			Message: "This password was published in a data breach. Choose another one, and change it wherever " +
				"else you use it."}})
	}
	hash, err := s.Passwords.Hash(password)
	if err != nil {
		return err
	}
	w.After.PasswordHash, w.After.PasswordChangedAt, w.After.PasswordByMail = hash, now, false
	w.PasswordHistory = nextHistory(env.Settings, *w.Before, former)
	return nil
}

func (s PasswordSetter) history(ctx context.Context, id string) ([]string, error) {
	if s.History == nil {
		return nil, nil
	}
	return s.History.PreviousHashes(ctx, id)
}

// isReused reports whether the password is the present one or one of the former ones that the settings exclude.
func (s PasswordSetter) isReused(settings environment.Settings, a Account, former []string, password string) bool {
	if s.Verifier == nil {
		return false
	}
	hashes := former[:min(len(former), settings.PasswordHistory, MaxPasswordHistory)]
	if a.PasswordHash != "" {
		hashes = append([]string{a.PasswordHash}, hashes...)
	}
	return slices.ContainsFunc(hashes, func(hash string) bool { return s.Verifier.Verify(hash, password) })
}

func reusedFault(settings environment.Settings) error {
	f := fault.Field{Field: "password", Code: "same", Message: "This is your present password; choose a new one."}
	if settings.PasswordHistory > 0 {
		f.Code, f.Message = "reused", "You have used this password before; choose a new one."
	}
	return fault.InvalidFields([]fault.Field{f})
}

// nextHistory returns the former passwords that are kept from now on, nil if nothing changes. A temporary password was
// never the person's own, so it is not kept.
func nextHistory(settings environment.Settings, a Account, former []string) []string {
	limit := min(settings.PasswordHistory, MaxPasswordHistory)
	if limit == 0 && len(former) == 0 {
		return nil
	}
	out := []string{}
	if a.PasswordHash != "" && a.PasswordExpires.IsZero() {
		out = append(out, a.PasswordHash)
	}
	out = append(out, former...)
	return out[:min(len(out), limit)]
}

// PasswordExceedsMaxAge reports whether the password has to be changed because of its age (V06), which NIST mode never
// requires.
func (a Account) PasswordExceedsMaxAge(settings environment.Settings, now time.Time) bool {
	if settings.PasswordMaxAgeDays <= 0 || settings.PasswordNIST || a.PasswordHash == "" {
		return false
	}
	since := a.PasswordChangedAt
	if since.IsZero() {
		since = a.CreatedAt // set by an older release
	}
	return !now.Before(since.Add(time.Duration(settings.PasswordMaxAgeDays) * 24 * time.Hour))
}
