package account

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/credential"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
)

// RemoveMFA removes an account's second factor: methods, recovery codes and trusted devices. Every session ends. If a
// second factor is required, the person has to set it up again. An account without one stays as it is, unless codes are
// sent by mail: too many wrong codes block that method too.
func (s *Service) RemoveMFA(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		err := guardFactor(sc, credential.RemoveFactor, before, s.now())
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
		err := guardFactor(sc, credential.WaiveFactor, before, s.now())
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

// ForgetDevices forgets every trusted device of somebody else's account.
func (s *Service) ForgetDevices(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := CheckCredentialAct(sc, credential.RemoveDevices, before, s.now()); err != nil {
			return Write{}, err
		}
		return s.withoutDevices(sc, before), nil
	})
}

// ForgetOwnDevices forgets every trusted device of the caller's account. It lets nobody in, so it needs no proof.
func (s *Service) ForgetOwnDevices(ctx context.Context, sc access.Scope) error {
	_, err := s.update(ctx, sc, sc.Caller.AccountID, 0, func(before Account) (Write, error) {
		return s.withoutDevices(sc, before), nil
	})
	return err
}

func (s *Service) withoutDevices(sc access.Scope, before Account) Write {
	after := before
	after.DeviceEpoch++
	return Write{After: after, Event: auditlog.Event{Kind: auditlog.TrustedDevicesRemoved},
		Mails: s.Mail.Notice(sc.Env, mail.DevicesRemoved, before.Addressee(), s.now(), "")}
}

// guardFactor holds the rule about an act on the second factor of an account, which programs have none of.
func guardFactor(sc access.Scope, act credential.Act, target Account, now time.Time) error {
	if err := CheckCredentialAct(sc, act, target, now); err != nil {
		return err
	}
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, target.UserType); licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly", "An account with the licence %s has no second factor; it uses API keys.",
			licence.Code)
	}
	return nil
}
