package resource

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/field"
)

// Restore returns the write that gives a resource its previous fields back, and its account, by the rules of Change. If
// it has them already, the write has no event kind.
func (r Rules) Restore(ctx context.Context, sc access.Scope, before, previous Resource, now time.Time) (Write, error) {
	patch := field.Patch{}
	for _, d := range Fields().Compare(&before, &previous) {
		if !ChangeFields().Find(d.Field).ReadOnly {
			patch[d.Field] = d.To
		}
	}
	if before.AccountID != previous.AccountID {
		w, err := r.LinkAccount(ctx, sc, before, patch, false, previous.AccountID, now)
		if n := len(w.Event.Changes); n > 0 {
			w.Event.Changes[n-1].From = before.AccountID
		}
		return w, err
	}
	return r.Change(ctx, sc, before, patch, false, now)
}
