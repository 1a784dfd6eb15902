package resource

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/field"
)

// LinkAccount returns the write by which a resource that belongs to no account becomes an account's, with a patch
// applied as Change does.
func (r Rules) LinkAccount(ctx context.Context, sc access.Scope, before Resource, patch field.Patch, reset bool,
	accountID string, now time.Time) (Write, error) {
	w, err := r.Change(ctx, sc, before, patch, reset, now)
	if err != nil {
		return Write{}, err
	}
	if w.Event.Kind == "" {
		w = Write{Before: &before, After: before}
		w.After.Version, w.After.UpdatedAt = before.Version+1, now
		w.Event = newEvent(sc, auditlog.Changed, w.After, now)
	}
	w.After.AccountID = accountID
	w.Event.Changes = append(w.Event.Changes, field.Diff{Field: "account", From: nil, To: accountID})
	return w, nil
}
