package account

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// Generator makes passwords that the policy allows.
type Generator interface {
	// Generate returns a random password that is not made of the context words.
	Generate(settings environment.Settings, context []string) (string, error)
}

// NewPasswordRequest is what an administrator chooses when setting a password.
type NewPasswordRequest struct {
	Password string
	// ForceChange makes the password temporary: the person has to choose their own at the next sign-in.
	ForceChange bool
	// Unlock also allows login access, in the same step.
	Unlock bool
}

// TemporaryPasswordGrace is how long a temporary password works after its first use.
const TemporaryPasswordGrace = 15 * time.Minute

// TemporaryPasswordExpiry returns when the account's temporary password expires if it is used at the time. Somebody
// else set or generated it and may have seen it, so it only leads to a change of password (V09). It is not used up at
// once: the person may have to start the change again, after closing the browser or installing an authenticator. So it
// works for TemporaryPasswordGrace after its first use, and later uses do not extend that.
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
				"Administrators cannot choose passwords in this environment. Mail a link, so that the person sets their own.")
		}
		return s.newPassword(ctx, sc, before, request, auditlog.PasswordSet)
	})
}

// ResetPassword gives the account a random temporary password and returns it. The password is stored nowhere.
func (s *Service) ResetPassword(ctx context.Context, sc access.Scope, id string, version int64,
	unlock bool) (Account, string, error) {
	var generated string
	a, err := s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		var err error
		policy, words := PasswordPolicyFor(sc.Env.Settings, before), append(ContextWords(before), sc.Env.ID)
		if generated, err = s.Generator.Generate(policy, words); err != nil {
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

// newPassword returns the write of a password that an administrator sets.
func (s *Service) newPassword(ctx context.Context, sc access.Scope, before Account, request NewPasswordRequest,
	kind auditlog.Kind) (Write, error) {
	act := credential.SetPassword
	if kind == auditlog.PasswordReset {
		act = credential.ResetPassword
	}
	if err := CheckCredentialAct(sc, act, before, s.now()); err != nil {
		return Write{}, err
	}
	if request.Unlock && !sc.Caller.May(access.AccountBlock) {
		return Write{}, fault.New(fault.Forbidden, "forbidden", "Allowing login access needs the permission account.block.")
	}
	if err := guardPassword(sc, before); err != nil {
		return Write{}, err
	}
	allowed := before
	if request.Unlock {
		var err error
		if allowed, err = withAccessAllowed(before); err != nil {
			return Write{}, err
		}
	}
	write := Write{Before: &before, After: allowed, CallerEpoch: sc.Caller.Epoch, ClearTries: request.Unlock,
		Event: auditlog.Event{Kind: kind}}
	setter := PasswordSetter{Passwords: s.Passwords, History: s.PasswordHistory, Breaches: s.Breaches}
	if err := setter.Set(ctx, sc.Env, &write, request.Password, SetByOther, s.now()); err != nil {
		return Write{}, err
	}
	after := write.After
	after.ForcePasswordChange, after.PasswordExpires = request.ForceChange, time.Time{}
	if request.ForceChange {
		after.PasswordExpires = s.now().Add(time.Duration(max(1, sc.Env.Settings.PasswordLinkHours)) * time.Hour)
	}
	after.Epoch++
	if kind == auditlog.PasswordReset {
		after.DeviceEpoch++ // V36; devices stay trusted if the administrator chose the password
	}
	write.After = after
	write.Event.Changes = Fields().Compare(&before, &write.After)
	write.Mails = s.Mail.Notice(sc.Env, mail.PasswordChanged, before.Addressee(), s.now(), "An administrator set it.")
	return write, nil
}

// ContextWords returns the texts that a password of the account must not be made of.
func ContextWords(a Account) []string { return []string{a.Username, a.Email, a.Name} }
