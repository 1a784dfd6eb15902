package account

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/mail"
)

// Generator makes passwords that the policy allows.
type Generator interface {
	// Generate returns a random password for the person whom the words are about.
	Generate(settings environment.Settings, words []string) (string, error)
}

// NewPassword is what an administrator chooses when setting a password.
type NewPassword struct {
	Password string
	// ForceChange makes the person choose their own at the next sign-in. The password is then a temporary one (TemporaryEnds).
	ForceChange bool
	// Unlock also allows login access, in the same step.
	Unlock bool
}

// TemporaryUse is how long a temporary password goes on signing in after it first did.
const TemporaryUse = 15 * time.Minute

// TemporaryEnds returns when the account's temporary password is over once it was right at now. A temporary password is one
// that somebody else gave or made: others may have seen it, so it is good for one thing, once (V09). It leads to the step in
// which the person sets their own, opens nothing else, is over with the settings' PasswordLinkHours, as a mailed link is, and
// dead once their own is set.
//
// It is used up by that change and not by being typed: between the two a browser closes, a ticket of five minutes runs out, or
// an authenticator has to be installed first, and whoever was locked out by that would have to ask their administrator again,
// on their first day. So the first time that it is right leaves it TemporaryUse to begin anew in, and no later time adds to
// that; of several who do, the first to set a password ends the others. What was overheard is worth nothing a quarter of an
// hour after its owner came, whether or not they got to the end.
func (a Account) TemporaryEnds(now time.Time) time.Time {
	if end := now.Add(TemporaryUse); end.Before(a.PasswordExpires) {
		return end
	}
	return a.PasswordExpires
}

// SetPassword gives the account a password and ends its sessions. A block stays unless Unlock is set.
func (s *Service) SetPassword(ctx context.Context, sc access.Scope, id string, version int64, choice NewPassword) (Account, error) {
	return s.edit(ctx, sc, id, version, func(before Account) (Write, error) {
		if !sc.Env.Settings.AdminSetsPasswords {
			return Write{}, fault.New(fault.Conflict, "passwordsOff",
				"This environment does not let administrators choose passwords. Send a link, by which the person sets their own.")
		}
		return s.newPassword(ctx, sc, before, choice, journal.PasswordSet)
	})
}

// ResetPassword gives the account a random temporary password, that has to be changed at the next sign-in, and returns it.
// It is kept nowhere.
func (s *Service) ResetPassword(ctx context.Context, sc access.Scope, id string, version int64, unlock bool) (Account, string, error) {
	var generated string
	a, err := s.edit(ctx, sc, id, version, func(before Account) (Write, error) {
		var err error
		if generated, err = s.Generator.Generate(PolicyFor(sc.Env.Settings, before), append(Words(before), sc.Env.ID)); err != nil {
			return Write{}, err
		}
		choice := NewPassword{Password: generated, ForceChange: true, Unlock: unlock}
		return s.newPassword(ctx, sc, before, choice, journal.PasswordReset)
	})
	if err != nil {
		return Account{}, "", err
	}
	return a, generated, nil
}

// newPassword is the write of a password that an administrator gives.
func (s *Service) newPassword(ctx context.Context, sc access.Scope, before Account, choice NewPassword, kind journal.Kind) (Write, error) {
	if before.ID == sc.Caller.AccountID { // a session alone must not be enough to take an account over (V07)
		return Write{}, fault.New(fault.Conflict, "self", "Your own password is changed with the current one: use POST /api/me/password.")
	}
	if err := GuardRights(sc, before, "set the password of"); err != nil {
		return Write{}, err
	}
	if choice.Unlock && !sc.Caller.May(access.AccountBlock) {
		return Write{}, fault.New(fault.Forbidden, "forbidden", "Allowing login access needs the permission account.block.")
	}
	if err := guardPassword(sc, before); err != nil {
		return Write{}, err
	}
	write := Write{Before: &before, After: before, CallerEpoch: sc.Caller.Epoch, Event: journal.Event{Kind: kind}}
	chooser := Chooser{Passwords: s.Passwords, Former: s.Former, Breaches: s.Breaches}
	if err := chooser.Choose(ctx, sc.Env, &write, choice.Password, ByOther, s.now()); err != nil {
		return Write{}, err
	}
	after := write.After
	after.ForcePasswordChange, after.PasswordExpires = choice.ForceChange, time.Time{}
	if choice.ForceChange {
		after.PasswordExpires = s.now().Add(time.Duration(max(1, sc.Env.Settings.PasswordLinkHours)) * time.Hour)
	}
	after.Epoch++
	if kind == journal.PasswordReset {
		after.DeviceEpoch++ // V36; an administrator's own choice of a password leaves devices remembered
	}
	write.After = after
	if choice.Unlock {
		write.After, write.ClearTries = allowed(after), true
	}
	write.Event.Changes = Fields().Compare(&before, &write.After)
	write.Mails = s.Mail.Notice(sc.Env, mail.PasswordChanged, before.Addressee(), s.now(), "An administrator set it.")
	return write, nil
}

// Words returns the texts that the account's password must not be made of.
func Words(a Account) []string { return []string{a.Username, a.Email, a.Name} }
