package account

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Allow lets the account sign in: it lifts a block, by an administrator or by failed tries, and resets the failed
// tries. Version 0 means any version.
func (s *Service) Allow(ctx context.Context, sc access.Scope, id string, version int64) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		if before.Active && !before.AccessLocked && before.FailedTries == 0 && before.TriesBlockedAt.IsZero() {
			return Write{}, nil
		}
		after, err := withAccessAllowed(before)
		if err != nil {
			return Write{}, err
		}
		return Write{After: after, ClearTries: true, Event: auditlog.Event{
			Kind: auditlog.AccessAllowed, Changes: Fields().Compare(&before, &after),
		}}, nil
	})
}

// withAccessAllowed returns the account with login access allowed. A locked one is refused: it could not sign in
// nevertheless.
func withAccessAllowed(a Account) (Account, error) {
	if !a.Active {
		return Account{}, fault.New(fault.Conflict, "locked",
			"%s is locked, so it cannot sign in even if access is allowed. Unlock the account first.", a.Username)
	}
	a.AccessLocked, a.LockedAt, a.LockedReason, a.LockedBy, a.BlockKind = false, time.Time{}, "", "", ""
	return a, nil
}

// Block ends the account's access at once: every session is over at its next request. A reason is required; blocking a
// blocked account replaces the reason. Version 0 means any version, so that nobody can prevent a block by changing the
// account.
func (s *Service) Block(ctx context.Context, sc access.Scope, id string, version int64,
	reason string) (Account, error) {
	reason, invalid := Fields().Find("lockedReason").Clean(reason)
	if invalid == nil && reason == "" {
		invalid = &fault.Field{Code: "required", Message: "Give a reason for the block."}
	}
	if invalid != nil {
		invalid.Field = "reason"
		return Account{}, fault.InvalidFields([]fault.Field{*invalid})
	}
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) {
		if before.ID == sc.Caller.AccountID {
			return Write{}, fault.New(fault.Conflict, "self", "You cannot block yourself; another administrator can.")
		}
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		after := before
		after.AccessLocked, after.LockedAt, after.LockedReason, after.LockedBy = true, s.now(), reason, sc.Caller.Username
		after.BlockKind = BlockedByAdministrator
		after.Epoch++
		after.DeviceEpoch++
		return Write{After: after, CallerEpoch: sc.Caller.Epoch, Event: auditlog.Event{
			Kind: auditlog.AccessBlocked, Note: reason, Changes: Fields().Compare(&before, &after),
		}}, nil
	})
}

// ChangeCodes adds codes to a field of an account, such as roles, and removes others, by the rules of Change.
func (s *Service) ChangeCodes(ctx context.Context, sc access.Scope, id, name string,
	add, remove []string) (Account, error) {
	return s.update(ctx, sc, id, 0, func(before Account) (Write, error) {
		had, _ := Fields().Value(&before, name).([]string)
		codes := slices.DeleteFunc(slices.Clone(had), func(code string) bool { return catalogue.ContainsCode(remove, code) })
		for _, code := range add {
			if !catalogue.ContainsCode(had, code) {
				codes = append(codes, code)
			}
		}
		if slices.Equal(codes, had) {
			return Write{}, nil
		}
		return s.changeWrite(sc, before, field.Patch{name: codes})
	})
}

// GuardAdministrator lets only administrators act on administrators. As nobody can end their own access, an
// administrator who can sign in is always left.
func GuardAdministrator(sc access.Scope, target Account) error {
	rights := access.Permissions(sc.Catalogue, target.Roles, target.Groups)
	if rights.Has(access.AccountAdmin) && !sc.Caller.May(access.AccountAdmin) {
		return fault.New(fault.Forbidden, "administrator", "%s is an administrator; only another administrator can do this.",
			target.Username)
	}
	return nil
}

// guardChange checks who may change what of whom.
func guardChange(sc access.Scope, before, after Account, today field.Date) error {
	if err := GuardAdministrator(sc, before); err != nil {
		return err
	}
	if before.ID != sc.Caller.AccountID {
		return nil
	}
	if lost := lostRights(sc, before, after); len(lost) > 0 {
		return fault.New(fault.Conflict, "self",
			"You cannot remove the permission %s from yourself; another administrator can.", lost[0])
	}
	if before.InDates(today) && !after.InDates(today) {
		return fault.New(fault.Conflict, "self", "You cannot end your own access by its dates; another administrator can.")
	}
	if becomesAPIOnly(sc, before, after) {
		return fault.New(fault.Conflict, "self",
			"You cannot give yourself a licence for API clients; another administrator can.")
	}
	return nil
}

// lostRights returns the permissions that a change removes.
func lostRights(sc access.Scope, before, after Account) []access.Permission {
	had := access.Permissions(sc.Catalogue, before.Roles, before.Groups)
	return access.Permissions(sc.Catalogue, after.Roles, after.Groups).Missing(had)
}

// endsAdministrator reports whether a change takes account.admin, or access today, from an administrator.
func endsAdministrator(sc access.Scope, before, after Account, today field.Date) bool {
	had := access.Permissions(sc.Catalogue, before.Roles, before.Groups)
	return had.Has(access.AccountAdmin) && (slices.Contains(lostRights(sc, before, after), access.AccountAdmin) ||
		becomesAPIOnly(sc, before, after) || before.InDates(today) && !after.InDates(today))
}

// becomesAPIOnly reports whether a change makes the account an API client.
func becomesAPIOnly(sc access.Scope, before, after Account) bool {
	previous, _ := sc.Catalogue.Find(catalogue.Licence, before.UserType)
	current, _ := sc.Catalogue.Find(catalogue.Licence, after.UserType)
	return current.APIOnly && !previous.APIOnly
}
