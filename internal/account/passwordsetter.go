package account

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// MaxPasswordHistory is how many former passwords are kept at most. Holding a new one against all of them is that many
// verifications, about a second on a small Lambda.
const MaxPasswordHistory = 24

// PasswordHistoryReader reads the passwords that an account had.
type PasswordHistoryReader interface {
	// PreviousHashes returns their hashes, newest first.
	PreviousHashes(ctx context.Context, accountID string) ([]string, error)
}

// BreachChecker knows passwords that were published.
type BreachChecker interface {
	// IsBreached reports whether the password is among them; false as well where that cannot be found out.
	IsBreached(ctx context.Context, password string) bool
}

// Verifier holds a password against a hash.
type Verifier interface {
	Verify(hash, password string) bool
}

// PasswordSetter holds a new password against everything that is asked of it and puts it into a write. Every way to set
// a password comes through here.
type PasswordSetter struct {
	Passwords Passwords
	// Verifier and Former are needed where an environment keeps former passwords; without Former none are kept.
	Verifier Verifier
	History  PasswordHistoryReader
	// Breaches is nil where published passwords are not asked about.
	Breaches BreachChecker
}

// SetBy says who chose a password.
type SetBy bool

// Who chooses.
const (
	// SetByOther is an administrator or chance: nobody but the person may learn which passwords they had.
	SetByOther SetBy = false
	// SetByOwner is the person.
	SetByOwner SetBy = true
)

// CheckPolicy returns what is wrong with a new password of an account by itself, as faults of the field "password". It
// does little work, and looks nothing up.
func (c PasswordSetter) CheckPolicy(env environment.Environment, a Account, password string) []fault.Field {
	return c.Passwords.Check(PasswordPolicyFor(env.Settings, a), password, append(ContextWords(a), env.ID))
}

// PasswordPolicyFor returns the settings with the shortest password that holds for the account: in NIST mode 15
// characters, or 8 where it has to have a second factor (V01, NIST SP 800-63B-4 3.1.1.2).
func PasswordPolicyFor(settings environment.Settings, a Account) environment.Settings {
	if settings.PasswordNIST {
		settings.PasswordMinLength = 15
		if a.MFARequired || settings.MFARequired && !a.MFAExempt {
			settings.PasswordMinLength = 8
		}
	}
	return settings
}

// Set puts a new password into w, whose Before and After are set, or returns the fault that says what is wrong with it.
func (c PasswordSetter) Set(ctx context.Context, env environment.Environment, w *Write, password string, by SetBy,
	now time.Time) error {
	if err := fault.InvalidFields(c.CheckPolicy(env, *w.Before, password)); err != nil {
		return err
	}
	former, err := c.history(ctx, w.Before.ID)
	if err != nil {
		return err
	}
	if by == SetByOwner && c.isReused(env.Settings, *w.Before, former, password) {
		return reusedFault(env.Settings)
	}
	if c.Breaches != nil && c.Breaches.IsBreached(ctx, password) {
		return fault.InvalidFields([]fault.Field{{Field: "password", Code: "breached",
			Message: "The password is in a list of published ones, so that others may try it; choose another, and change it " +
				"wherever else you use it."}})
	}
	hash, err := c.Passwords.Hash(password)
	if err != nil {
		return err
	}
	w.After.PasswordHash, w.After.PasswordChangedAt = hash, now
	w.PasswordHistory = nextHistory(env.Settings, *w.Before, former)
	return nil
}

func (c PasswordSetter) history(ctx context.Context, id string) ([]string, error) {
	if c.History == nil {
		return nil, nil
	}
	return c.History.PreviousHashes(ctx, id)
}

// isReused reports whether the password is the present one or one of those that count. The number is bounded, whatever
// is stored.
func (c PasswordSetter) isReused(settings environment.Settings, a Account, former []string, password string) bool {
	if c.Verifier == nil {
		return false
	}
	hashes := former[:min(len(former), settings.PasswordHistory, MaxPasswordHistory)]
	if a.PasswordHash != "" {
		hashes = append([]string{a.PasswordHash}, hashes...)
	}
	return slices.ContainsFunc(hashes, func(hash string) bool { return c.Verifier.Verify(hash, password) })
}

func reusedFault(settings environment.Settings) error {
	f := fault.Field{Field: "password", Code: "same", Message: "Choose another password than the present one."}
	if settings.PasswordHistory > 0 {
		f.Code, f.Message = "reused", "You had this password before; choose one that is new."
	}
	return fault.InvalidFields([]fault.Field{f})
}

// nextHistory returns the former passwords that are kept from now on, nil where nothing changes. A temporary password
// was never the person's, and pushes none of theirs out.
func nextHistory(settings environment.Settings, a Account, former []string) []string {
	most := min(settings.PasswordHistory, MaxPasswordHistory)
	if most == 0 && len(former) == 0 {
		return nil
	}
	out := []string{}
	if a.PasswordHash != "" && a.PasswordExpires.IsZero() {
		out = append(out, a.PasswordHash)
	}
	out = append(out, former...)
	return out[:min(len(out), most)]
}

// PasswordExceedsMaxAge reports whether the policy wants the password changed because of its age (V06). NIST mode never
// does.
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
