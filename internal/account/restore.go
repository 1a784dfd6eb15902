package account

import (
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Restore returns the write that gives an account the fields back that it had, but for the event's id; a write without
// an event kind if it has them all. What people can set is judged as if they set it now: nobody gets a right back that
// the caller does not hold, or a code that is there no more. What followed from those fields comes back with them.
func (r Rules) Restore(sc access.Scope, before, previous Account, now time.Time) (Write, error) {
	patch := field.Patch{}
	for _, d := range Fields().Compare(&before, &previous) {
		if !Fields().Find(d.Field).ReadOnly {
			patch[d.Field] = d.To
		}
		if day, ok := d.To.(string); ok && Fields().Find(d.Field).Kind == field.Day {
			patch[d.Field] = field.Date(day)
		}
	}
	w, err := r.Change(sc, before, patch, now)
	if err != nil {
		return Write{}, err
	}
	if w.Event.Kind == "" && before.Resource == previous.Resource {
		return Write{}, nil
	}
	if w.Event.Kind == "" {
		return AddResource(sc, w, before, previous.Resource, now)
	}
	w.After.MFARequired, w.After.MFAExempt, w.After.MFAEnabled = previous.MFARequired, previous.MFAExempt,
		previous.MFAEnabled
	w.After.MobileE164, w.After.ForcePasswordChange = previous.MobileE164, previous.ForcePasswordChange
	// taken away by what is undone, as its licence had none; the epoch stays where that put it
	if before.PasswordHash == "" {
		w.After.PasswordHash, w.After.PasswordExpires = previous.PasswordHash, previous.PasswordExpires
	}
	return w.WithResource(previous.Resource), nil
}

// UndoCreate returns the write that takes back an account which was made and never used. Only imports stage such a
// write.
func (r Rules) UndoCreate(sc access.Scope, before Account) (Write, error) {
	if before.ID == sc.Caller.AccountID {
		return Write{}, fault.New(fault.Conflict, "self", "You cannot delete yourself; another administrator can.")
	}
	if err := GuardAdministrator(sc, before); err != nil {
		return Write{}, err
	}
	return Write{Before: &before, After: Account{ID: before.ID}, Tombstone: true}, nil
}

// ClearedFields returns what a deletion takes away, for the log.
func (a Account) ClearedFields() []field.Diff {
	blank := Account{Active: a.Active}
	return slices.DeleteFunc(Fields().Compare(&a, &blank), func(d field.Diff) bool { return d.Field == "updatedAt" })
}
