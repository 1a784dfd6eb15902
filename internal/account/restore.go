package account

import (
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Restore returns the write that gives an account its previous fields back, without the event's id. If it has them
// already, the write has no event kind. Fields that people can set go through the rules of Change: nobody gets a
// permission back that the caller does not hold, or a code that no longer exists. Fields that follow from them come
// back as they were.
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
	// The import that is undone removed the password with the licence. The epoch stays as the import left it.
	if before.PasswordHash == "" {
		w.After.PasswordHash, w.After.PasswordExpires = previous.PasswordHash, previous.PasswordExpires
	}
	return w.WithResource(previous.Resource), nil
}

// UndoCreate returns the write that deletes an account which an import created and nobody used.
func (r Rules) UndoCreate(sc access.Scope, before Account) (Write, error) {
	if before.ID == sc.Caller.AccountID {
		return Write{}, fault.New(fault.Conflict, "self", "You cannot delete yourself; another administrator can.")
	}
	if err := GuardAdministrator(sc, before); err != nil {
		return Write{}, err
	}
	return Write{Before: &before, After: Account{ID: before.ID}, Tombstone: true}, nil
}

// ClearedFields returns the fields that a deletion clears, for the log.
func (a Account) ClearedFields() []field.Diff {
	blank := Account{Active: a.Active}
	return withoutUpdatedAt(Fields().Compare(&a, &blank))
}
