package account

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
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
		return s.newPassword(sc, before, choice, journal.PasswordSet)
	})
}

// ResetPassword gives the account a random temporary password, that has to be changed at the next sign-in, and returns it.
// It is kept nowhere.
func (s *Service) ResetPassword(ctx context.Context, sc access.Scope, id string, version int64, unlock bool) (Account, string, error) {
	var generated string
	a, err := s.edit(ctx, sc, id, version, func(before Account) (Write, error) {
		var err error
		if generated, err = s.Generator.Generate(sc.Env.Settings, Words(before)); err != nil {
			return Write{}, err
		}
		choice := NewPassword{Password: generated, ForceChange: true, Unlock: unlock}
		return s.newPassword(sc, before, choice, journal.PasswordReset)
	})
	if err != nil {
		return Account{}, "", err
	}
	return a, generated, nil
}

// newPassword is the write of a password that an administrator gives.
func (s *Service) newPassword(sc access.Scope, before Account, choice NewPassword, kind journal.Kind) (Write, error) {
	if err := guardRights(sc, before, "set the password of"); err != nil {
		return Write{}, err
	}
	if choice.Unlock && !sc.Caller.May(access.AccountBlock) {
		return Write{}, fault.New(fault.Forbidden, "forbidden", "Allowing login access needs the permission account.block.")
	}
	if err := guardPassword(sc, before); err != nil {
		return Write{}, err
	}
	if err := fault.InvalidFields(s.Passwords.Check(sc.Env.Settings, choice.Password, Words(before))); err != nil {
		return Write{}, err
	}
	hash, err := s.Passwords.Hash(choice.Password)
	if err != nil {
		return Write{}, err
	}
	after := before
	after.PasswordHash, after.ForcePasswordChange, after.PasswordExpires = hash, choice.ForceChange, time.Time{}
	if choice.ForceChange {
		after.PasswordExpires = s.now().Add(time.Duration(max(1, sc.Env.Settings.PasswordLinkHours)) * time.Hour)
	}
	after.Epoch++
	write := Write{After: after, CallerEpoch: sc.Caller.Epoch, Event: journal.Event{Kind: kind}}
	if before.ID == sc.Caller.AccountID {
		write.CallerEpoch = 0 // one transaction cannot both check and raise the same epoch
	}
	if choice.Unlock {
		write.After, write.ClearTries = allowed(after), true
	}
	write.Event.Changes = Fields().Compare(&before, &write.After)
	return write, nil
}

// Words returns the texts that the account's password must not be made of.
func Words(a Account) []string { return []string{a.Username, a.Email, a.Name} }
