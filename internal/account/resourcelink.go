package account

import (
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
)

// LinkResource returns the write that links a resource to an account, without the event's id. An account has at most
// one resource, and the link stays.
func LinkResource(sc access.Scope, before Account, resource string, now time.Time) (Write, error) {
	if !sc.Caller.May(access.AccountUpdate) {
		return Write{}, fault.New(fault.Forbidden, "forbidden",
			"Linking a resource to an account needs the permission account.update too.")
	}
	if err := GuardAdministrator(sc, before); err != nil {
		return Write{}, err
	}
	if before.Resource != "" {
		return Write{}, fault.New(fault.Conflict, "hasResource", "%s already has the resource %s; change that one.",
			before.Username, before.Resource)
	}
	return AddResource(sc, Write{}, before, resource, now)
}

// AddResource returns the write w of an account with a resource added. If w has no event kind it changes nothing else,
// and before is the account. The code can be left out and be set by WithResource later.
func AddResource(sc access.Scope, w Write, before Account, code string, now time.Time) (Write, error) {
	if w.Event.Kind == "" {
		if err := GuardAdministrator(sc, before); err != nil {
			return Write{}, err
		}
		after := before
		after.Version, after.UpdatedAt = before.Version+1, now
		event := newEvent(sc, auditlog.Changed, now)
		event.Version = after.Version
		w = Write{Before: &before, After: after, Event: event}
	}
	return w.WithResource(code), nil
}

// WithResource returns the write with the code of the resource, and with the change in its event.
func (w Write) WithResource(code string) Write {
	w.After.Resource = code
	if w.Before == nil {
		return w
	}
	w.Event.Changes = withoutUpdatedAt(Fields().Compare(w.Before, &w.After))
	return w
}
