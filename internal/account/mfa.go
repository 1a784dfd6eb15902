package account

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// RemoveMFA removes an account's second factor: methods, recovery codes and trusted devices. Every session ends. If a
// second factor is required, the person has to set it up again. An account without one stays as it is, unless codes are
// sent by mail: too many wrong codes block that method too.
func (s *Service) RemoveMFA(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		err := guardFactor(sc, before, "remove the second factor of")
		if err != nil || !before.MFAEnabled && !sc.Env.Settings.EmailCodeAllowed {
			return Write{}, err
		}
		after := before
		after.MFAEnabled = false
		after.Epoch++
		after.DeviceEpoch++
		return Write{
			After: after, DropFactors: true, CallerEpoch: sc.Caller.Epoch,
			Mails: s.Mail.Notice(sc.Env, mail.FactorRemoved, before.Addressee(), s.now(), ""),
			Event: auditlog.Event{Kind: auditlog.SecondFactorRemoved, Changes: Fields().Compare(&before, &after)},
		}, nil
	})
}

// DoNotEnforceMFA lets an account sign in without a second factor, whatever the environment's default is, until one is
// required of it again. A second factor that is set up is still asked for.
func (s *Service) DoNotEnforceMFA(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		err := guardFactor(sc, before, "stop enforcing the second factor of")
		if err != nil || before.MFAExempt && !before.MFARequired {
			return Write{}, err
		}
		after := before
		after.MFARequired, after.MFAExempt = false, true
		return Write{
			After: after, CallerEpoch: sc.Caller.Epoch,
			Mails: s.Mail.Notice(sc.Env, mail.FactorExempt, before.Addressee(), s.now(), ""),
			Event: auditlog.Event{Kind: auditlog.SecondFactorExempt, Changes: Fields().Compare(&before, &after)},
		}, nil
	})
}

// ForgetDevices forgets every trusted device of an account.
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

// guardFactor lets nobody weaken the sign-in of an account that holds more permissions than they do, or of their own:
// that needs a recent proof and not a permission (C15).
func guardFactor(sc access.Scope, target Account, action string) error {
	if target.ID == sc.Caller.AccountID {
		return fault.New(fault.Conflict, "self",
			"This is your own account; change your second factor in your own settings.")
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
