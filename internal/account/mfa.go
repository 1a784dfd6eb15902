package account

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// RemoveMFA takes an account's second factor away: methods, recovery codes and remembered devices. Whether one is
// required stays, so the person sets one up anew. Every session ends. An account without one is left as it is, except
// where codes are mailed: too many wrong ones in a row end that way in too.
func (s *Service) RemoveMFA(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := guardFactor(sc, before, "remove the second factor of"); err != nil || !before.MFAEnabled &&
			!sc.Env.Settings.EmailCodeAllowed {
			return Write{}, err
		}
		after := before
		after.MFAEnabled = false
		after.Epoch++
		after.DeviceEpoch++
		return Write{After: after, DropFactors: true,
			Mails: s.Mail.Notice(sc.Env, mail.FactorRemoved, before.Addressee(), s.now(), ""), CallerEpoch: sc.Caller.Epoch,
			Event: auditlog.Event{
				Kind: auditlog.SecondFactorRemoved, Changes: Fields().Compare(&before, &after),
			}}, nil
	})
}

// DoNotEnforceMFA lets an account sign in without a second factor, whatever the environment's default is, until one is
// required of it again. A second factor that is set up goes on being asked for.
func (s *Service) DoNotEnforceMFA(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := guardFactor(sc, before, "stop enforcing the second factor of"); err != nil || before.MFAExempt &&
			!before.MFARequired {
			return Write{}, err
		}
		after := before
		after.MFARequired, after.MFAExempt = false, true
		return Write{After: after, CallerEpoch: sc.Caller.Epoch,
			Mails: s.Mail.Notice(sc.Env, mail.FactorExempt, before.Addressee(), s.now(), ""), Event: auditlog.Event{
				Kind: auditlog.SecondFactorExempt, Changes: Fields().Compare(&before, &after),
			}}, nil
	})
}

// ForgetDevices forgets every remembered device of an account.
func (s *Service) ForgetDevices(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if before.ID != sc.Caller.AccountID {
			if err := GuardAdministrator(sc, before); err != nil {
				return Write{}, err
			}
		}
		after := before
		after.DeviceEpoch++
		return Write{After: after, Event: auditlog.Event{Kind: auditlog.TrustedDevicesRemoved},
			Mails: s.Mail.Notice(sc.Env, mail.DevicesRemoved, before.Addressee(), s.now(), "")}, nil
	})
}

// guardFactor lets nobody weaken the sign-in of an account above their own rights, or their own by a right over others:
// for one's own a fresh proof is asked, not a permission (C15).
func guardFactor(sc access.Scope, target Account, action string) error {
	if target.ID == sc.Caller.AccountID {
		return fault.New(fault.Conflict, "self",
			"This is your own account; change your second factor under your own settings.")
	}
	if err := GuardAdministrator(sc, target); err != nil {
		return err
	}
	if err := GuardRights(sc, target, action); err != nil {
		return err
	}
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, target.UserType); licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly", "An account with the licence %s has no second factor; it uses API keys.",
			licence.Code)
	}
	return nil
}

// Guard refuses an act on an administrator to whom is none.
func Guard(sc access.Scope, target Account) error { return GuardAdministrator(sc, target) }
