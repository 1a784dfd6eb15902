package account

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// Generator makes passwords that the policy allows.
type Generator interface {
	// Generate returns a random password for the person whom the words are about.
	Generate(settings environment.Settings, words []string) (string, error)
}

// NewPasswordRequest is what an administrator chooses when setting a password.
type NewPasswordRequest struct {
	Password string
	// ForceChange makes the person choose their own at the next sign-in. The password is then a temporary one
	// (TemporaryPasswordExpiry).
	ForceChange bool
	// Unlock also allows login access, in the same step.
	Unlock bool
}

// TemporaryPasswordGrace is how long a temporary password goes on signing in after it first did.
const TemporaryPasswordGrace = 15 * time.Minute

// TemporaryPasswordExpiry returns when the account's temporary password is over once it was right at now. A temporary
// password is one that somebody else gave or made: others may have seen it, so it is good for one thing, once (V09). It
// leads to the step in which the person sets their own, opens nothing else, is over with the settings'
// PasswordLinkHours, as a mailed link is, and dead once their own is set.
//
// It is used up by that change and not by being typed: between the two a browser closes, a ticket of five minutes runs
// out, or an authenticator has to be installed first, and whoever was locked out by that would have to ask their
// administrator again, on their first day. So the first time that it is right leaves it TemporaryPasswordGrace to begin
// anew in, and no later time adds to that; of several who do, the first to set a password ends the others. What was
// overheard is worth nothing a quarter of an hour after its owner came, whether or not they got to the end.
func (a Account) TemporaryPasswordExpiry(now time.Time) time.Time {
	if end := now.Add(TemporaryPasswordGrace); end.Before(a.PasswordExpires) {
		return end
	}
	return a.PasswordExpires
}

// SetPassword gives the account a password and ends its sessions. A block stays unless Unlock is set.
func (s *Service) SetPassword(ctx context.Context, sc access.Scope, id string, version int64,
	request NewPasswordRequest) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if !sc.Env.Settings.AdminSetsPasswords {
			return Write{}, fault.New(fault.Conflict, "passwordsOff",
				"This environment does not let administrators choose passwords. Send a link, by which the person sets their own.")
		}
		return s.newPassword(ctx, sc, before, request, auditlog.PasswordSet)
	})
}

// ResetPassword gives the account a random temporary password, that has to be changed at the next sign-in, and returns
// it. It is kept nowhere.
func (s *Service) ResetPassword(ctx context.Context, sc access.Scope, id string, version int64, unlock bool) (Account,
	string, error) {
	var generated string
	a, err := s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		var err error
		if generated,
			err = s.Generator.Generate(PasswordPolicyFor(sc.Env.Settings, before),
			append(ContextWords(before), sc.Env.ID)); err != nil {
			return Write{}, err
		}
		request := NewPasswordRequest{Password: generated, ForceChange: true, Unlock: unlock}
		return s.newPassword(ctx, sc, before, request, auditlog.PasswordReset)
	})
	if err != nil {
		return Account{}, "", err
	}
	return a, generated, nil
}

// newPassword is the write of a password that an administrator gives.
func (s *Service) newPassword(ctx context.Context, sc access.Scope, before Account, request NewPasswordRequest,
	kind auditlog.Kind) (Write, error) {
	if before.ID == sc.Caller.AccountID { // a session alone must not be enough to take an account over (V07)
		return Write{},
			fault.New(fault.Conflict, "self", "Your own password is changed with the current one: use POST /api/me/password.")
	}
	if err := GuardRights(sc, before, "set the password of"); err != nil {
		return Write{}, err
	}
	if request.Unlock && !sc.Caller.May(access.AccountBlock) {
		return Write{}, fault.New(fault.Forbidden, "forbidden", "Allowing login access needs the permission account.block.")
	}
	if err := guardPassword(sc, before); err != nil {
		return Write{}, err
	}
	write := Write{Before: &before, After: before, CallerEpoch: sc.Caller.Epoch, Event: auditlog.Event{Kind: kind}}
	chooser := PasswordSetter{Passwords: s.Passwords, History: s.PasswordHistory, Breaches: s.Breaches}
	if err := chooser.Set(ctx, sc.Env, &write, request.Password, SetByOther, s.now()); err != nil {
		return Write{}, err
	}
	after := write.After
	after.ForcePasswordChange, after.PasswordExpires = request.ForceChange, time.Time{}
	if request.ForceChange {
		after.PasswordExpires = s.now().Add(time.Duration(max(1, sc.Env.Settings.PasswordLinkHours)) * time.Hour)
	}
	after.Epoch++
	if kind == auditlog.PasswordReset {
		after.DeviceEpoch++ // V36; an administrator's own choice of a password leaves devices remembered
	}
	write.After = after
	if request.Unlock {
		write.After, write.ClearTries = withAccessAllowed(after), true
	}
	write.Event.Changes = Fields().Compare(&before, &write.After)
	write.Mails = s.Mail.Notice(sc.Env, mail.PasswordChanged, before.Addressee(), s.now(), "An administrator set it.")
	return write, nil
}

// ContextWords returns the texts that the account's password must not be made of.
func ContextWords(a Account) []string { return []string{a.Username, a.Email, a.Name} }
