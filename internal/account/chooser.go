package account

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// MostFormer is how many former passwords are kept at most. Holding a new one against all of them is that many
// verifications, about a second on a small Lambda.
const MostFormer = 24

// FormerPasswords reads the passwords that an account had.
type FormerPasswords interface {
	// Former returns their hashes, newest first.
	Former(ctx context.Context, accountID string) ([]string, error)
}

// Breaches knows passwords that were published.
type Breaches interface {
	// Known reports whether the password is among them; false as well where that cannot be found out.
	Known(ctx context.Context, password string) bool
}

// Verifier holds a password against a hash.
type Verifier interface {
	Verify(hash, password string) bool
}

// Chooser holds a new password against everything that is asked of it and puts it into a write. Every way to set a password
// comes through here.
type Chooser struct {
	Passwords Passwords
	// Verifier and Former are needed where an environment keeps former passwords; without Former none are kept.
	Verifier Verifier
	Former   FormerPasswords
	// Breaches is nil where published passwords are not asked about.
	Breaches Breaches
}

// By says who chose a password.
type By bool

// Who chooses.
const (
	// ByOther is an administrator or chance: nobody but the person may learn which passwords they had.
	ByOther By = false
	// ByOwner is the person.
	ByOwner By = true
)

// Policy returns what is wrong with a new password of an account by itself, as faults of the field "password". It does little
// work, and looks nothing up.
func (c Chooser) Policy(env environment.Environment, a Account, password string) []fault.Field {
	return c.Passwords.Check(PolicyFor(env.Settings, a), password, append(Words(a), env.ID))
}

// PolicyFor returns the settings with the shortest password that holds for the account: in NIST mode 15 characters, or 8 where
// it has to have a second factor (V01, NIST SP 800-63B-4 3.1.1.2).
func PolicyFor(settings environment.Settings, a Account) environment.Settings {
	if settings.PasswordNIST {
		settings.PasswordMinLength = 15
		if a.MFARequired || settings.MFARequired && !a.MFAExempt {
			settings.PasswordMinLength = 8
		}
	}
	return settings
}

// Choose puts a new password into w, whose Before and After are set, or returns the fault that says what is wrong with it.
func (c Chooser) Choose(ctx context.Context, env environment.Environment, w *Write, password string, by By, now time.Time) error {
	if err := fault.InvalidFields(c.Policy(env, *w.Before, password)); err != nil {
		return err
	}
	former, err := c.former(ctx, w.Before.ID)
	if err != nil {
		return err
	}
	if by == ByOwner && c.had(env.Settings, *w.Before, former, password) {
		return reused(env.Settings)
	}
	if c.Breaches != nil && c.Breaches.Known(ctx, password) {
		return fault.InvalidFields([]fault.Field{{Field: "password", Code: "breached",
			Message: "The password is in a list of published ones, so that others may try it; choose another, and change it wherever else you use it."}})
	}
	hash, err := c.Passwords.Hash(password)
	if err != nil {
		return err
	}
	w.After.PasswordHash, w.After.PasswordChangedAt = hash, now
	w.Former = kept(env.Settings, *w.Before, former)
	return nil
}

func (c Chooser) former(ctx context.Context, id string) ([]string, error) {
	if c.Former == nil {
		return nil, nil
	}
	return c.Former.Former(ctx, id)
}

// had reports whether the password is the present one or one of those that count. The number is bounded, whatever is stored.
func (c Chooser) had(settings environment.Settings, a Account, former []string, password string) bool {
	if c.Verifier == nil {
		return false
	}
	hashes := former[:min(len(former), settings.PasswordHistory, MostFormer)]
	if a.PasswordHash != "" {
		hashes = append([]string{a.PasswordHash}, hashes...)
	}
	return slices.ContainsFunc(hashes, func(hash string) bool { return c.Verifier.Verify(hash, password) })
}

func reused(settings environment.Settings) error {
	f := fault.Field{Field: "password", Code: "same", Message: "Choose another password than the present one."}
	if settings.PasswordHistory > 0 {
		f.Code, f.Message = "reused", "You had this password before; choose one that is new."
	}
	return fault.InvalidFields([]fault.Field{f})
}

// kept returns the former passwords that are kept from now on, nil where nothing changes. A temporary password was never the
// person's, and pushes none of theirs out.
func kept(settings environment.Settings, a Account, former []string) []string {
	most := min(settings.PasswordHistory, MostFormer)
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

// PasswordOverAge reports whether the policy wants the password changed because of its age (V06). NIST mode never does.
func (a Account) PasswordOverAge(settings environment.Settings, now time.Time) bool {
	if settings.PasswordMaxAgeDays <= 0 || settings.PasswordNIST || a.PasswordHash == "" {
		return false
	}
	since := a.PasswordChangedAt
	if since.IsZero() {
		since = a.CreatedAt // set by an older release
	}
	return !now.Before(since.Add(time.Duration(settings.PasswordMaxAgeDays) * 24 * time.Hour))
}
