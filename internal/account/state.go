package account

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// Lock takes the account out of use: it ends every session, gives its seat back and takes it off the usual list.
// Whether login access is blocked stays as it is. version 0 acts on whatever version there is.
func (s *Service) Lock(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if before.ID == sc.Caller.AccountID {
			return Write{}, fault.New(fault.Conflict, "self", "You cannot lock yourself; another administrator can.")
		}
		if err := GuardAdministrator(sc, before); err != nil || !before.Active {
			return Write{}, err
		}
		after := before
		after.Active = false
		after.Epoch++
		after.DeviceEpoch++
		return Write{After: after, CallerEpoch: sc.Caller.Epoch, Event: auditlog.Event{
			Kind: auditlog.Locked, Changes: Fields().Compare(&before, &after),
		}}, nil
	})
}

// Unlock takes a locked account back into use, if its licence has a seat for it. It restores nothing else: a block
// stays.
func (s *Service) Unlock(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil || before.Active {
			return Write{}, err
		}
		after := before
		after.Active = true
		return Write{After: after,
			Event: auditlog.Event{Kind: auditlog.Unlocked, Changes: Fields().Compare(&before, &after)}}, nil
	})
}

// ResetTries zeroes the failed tries and lifts a block that they brought about; never an administrator's.
func (s *Service) ResetTries(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil || before.FailedTries == 0 && before.TriesBlockedAt.IsZero() {
			return Write{}, err
		}
		// What people see of a block by tries is not what is stored of an administrator's.
		shown, after := before.ForDisplay(), before
		return Write{After: after, ClearTries: true, Event: auditlog.Event{
			Kind: auditlog.TriesReset, Changes: Fields().Compare(&shown, &after),
		}}, nil
	})
}

// ForcePasswordChange makes the person choose a new password at the next sign-in. Sessions go on.
func (s *Service) ForcePasswordChange(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		if err := guardPassword(sc, before); err != nil || before.ForcePasswordChange {
			return Write{}, err
		}
		after := before
		after.ForcePasswordChange = true
		return Write{After: after,
			Event: auditlog.Event{Kind: auditlog.PasswordChangeForced, Changes: Fields().Compare(&before, &after)}}, nil
	})
}

// guardPassword refuses what makes no sense for an account without a password.
func guardPassword(sc access.Scope, a Account) error {
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, a.UserType); licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly", "An account with the licence %s has no password; it uses API keys.",
			licence.Code)
	}
	return nil
}
