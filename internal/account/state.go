package account

import (
	"context"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Lock takes the account out of use: it ends every session and frees the seat. Whether login access is blocked does not
// change. Version 0 means any version.
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

// Unlock puts a locked account back into use, if its licence has a free seat. A block of login access stays.
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

// ResetTries resets the failed tries and lifts a block by them, but never a block by an administrator.
func (s *Service) ResetTries(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil || before.FailedTries == 0 && before.TriesBlockedAt.IsZero() {
			return Write{}, err
		}
		// The log shows the block as people saw it: a block by failed tries is stored in other fields.
		shown, after := before.ForDisplay(field.DateOf(s.now())), before
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

// guardPassword refuses actions on the password of an account that cannot have one.
func guardPassword(sc access.Scope, a Account) error {
	if licence, _ := sc.Catalogue.Find(catalogue.Licence, a.UserType); licence.APIOnly {
		return fault.New(fault.Conflict, "apiOnly", "An account with the licence %s has no password; it uses API keys.",
			licence.Code)
	}
	return nil
}
