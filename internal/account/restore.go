package account

import (
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// Restore returns the write that gives an account the fields back that it had, but for the event's id; a write without an event
// kind if it has them all. What people can set is judged as if they set it now: nobody gets a right back that the caller does
// not hold, or a code that is there no more. What followed from those fields comes back with them.
func (r Rules) Restore(sc access.Scope, before, former Account, now time.Time) (Write, error) {
	patch := field.Patch{}
	for _, d := range Fields().Compare(&before, &former) {
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
	if w.Event.Kind == "" && before.Resource == former.Resource {
		return Write{}, nil
	}
	if w.Event.Kind == "" {
		return Employed(sc, w, before, former.Resource, now)
	}
	w.After.MFARequired, w.After.MFAExempt, w.After.MFAEnabled = former.MFARequired, former.MFAExempt, former.MFAEnabled
	w.After.MobileE164, w.After.ForcePasswordChange = former.MobileE164, former.ForcePasswordChange
	if before.PasswordHash == "" { // taken away by what is undone, as its licence had none; the epoch stays where that put it
		w.After.PasswordHash, w.After.PasswordExpires = former.PasswordHash, former.PasswordExpires
	}
	return w.Employs(former.Resource), nil
}

// Unmake returns the write that takes back an account which was made and never used. Only imports stage such a write.
func (r Rules) Unmake(sc access.Scope, before Account) (Write, error) {
	if before.ID == sc.Caller.AccountID {
		return Write{}, fault.New(fault.Conflict, "self", "You cannot delete yourself; another administrator can.")
	}
	if err := GuardAdministrator(sc, before); err != nil {
		return Write{}, err
	}
	return Write{Before: &before, After: Account{ID: before.ID}, Gone: true}, nil
}

// Blanks returns what a deletion takes away, for the log.
func (a Account) Blanks() []field.Diff {
	blank := Account{Active: a.Active}
	return slices.DeleteFunc(Fields().Compare(&a, &blank), func(d field.Diff) bool { return d.Field == "updatedAt" })
}
