package account

import (
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// LinkResource returns the write that makes a resource the account's, but for the event's id. An account has at most
// one, for good.
func LinkResource(sc access.Scope, before Account, resource string, now time.Time) (Write, error) {
	if !sc.Caller.May(access.AccountUpdate) {
		return Write{},
			fault.New(fault.Forbidden, "forbidden", "Giving an account a resource needs the permission account.update as well.")
	}
	if err := GuardAdministrator(sc, before); err != nil {
		return Write{}, err
	}
	if before.Resource != "" {
		return Write{},
			fault.New(fault.Conflict, "hasResource", "%s has the resource %s already; change that one.", before.Username,
				before.Resource)
	}
	after := before
	after.Version, after.UpdatedAt = before.Version+1, now
	return Write{Before: &before, After: after, Event: auditlog.Event{
		At: now, Kind: auditlog.Changed, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		Version:       after.Version,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}}.WithLinkedResource(resource), nil
}

// WithLinkedResource returns the write with the code of the resource, which the store may find only when it writes.
func (w Write) WithLinkedResource(resource string) Write {
	w.After.Resource = resource
	w.Event.Changes = nil
	for _, d := range Fields().Compare(w.Before, &w.After) {
		if d.Field == "resource" {
			w.Event.Changes = append(w.Event.Changes, d)
		}
	}
	return w
}

// AddResource returns a planned write by which the account also gets a resource; w is without an event kind where
// nothing else changes, and before then says whose resource it becomes. Without a code, Employs gives it once it is
// known.
func AddResource(sc access.Scope, w Write, before Account, code string, now time.Time) (Write, error) {
	if w.Event.Kind == "" {
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		after := before
		after.Version, after.UpdatedAt = before.Version+1, now
		w = Write{Before: &before, After: after, Event: auditlog.Event{
			At: now, Kind: auditlog.Changed, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
			Version: after.Version, RetentionDays: sc.Env.Settings.LogRetentionDays,
		}}
	}
	return w.WithResource(code), nil
}

// WithResource returns the write with the code of the resource among its changes.
func (w Write) WithResource(code string) Write {
	w.After.Resource = code
	if w.Before == nil {
		return w
	}
	w.Event.Changes = slices.DeleteFunc(Fields().Compare(w.Before, &w.After),
		func(d field.Diff) bool { return d.Field == "updatedAt" })
	return w
}
