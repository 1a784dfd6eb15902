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
	// ForceChange makes the person choose their own at the next sign-in. The password is then a temporary one: it expires
	// with the settings' PasswordLinkHours, as a mailed link does (V09).
	ForceChange bool
	// Unlock also allows login access, in the same step.
	Unlock bool
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
