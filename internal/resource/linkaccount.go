package resource

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/field"
)

// LinkAccount returns the write that links a resource without an account to one, and applies a patch as Change does.
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
