package apikey

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
)

// ExpiringKey is a key that expires soon.
type ExpiringKey struct {
	AccountID, KeyID string
	Expires          time.Time
	// RemindedDaysBefore is before how many days its owner was last told, 0 for never.
	RemindedDaysBefore int64
	// Position is where it stands among those that expire.
	Position string
}

// ReminderStore is what reminders need of the table.
type ReminderStore interface {
	// Environment reads the environment.
	Environment(ctx context.Context, env string) (environment.Environment, error)
	// ExpiringKeys returns up to limit keys that expire after from and by until, in order, after a place, and the place to
	// go on from.
	ExpiringKeys(ctx context.Context, env string, from, until time.Time, after string, limit int) ([]ExpiringKey, string,
		error)
	// Account returns the key's owner; NotFound if it is gone.
	Account(ctx context.Context, env environment.Environment, id string) (account.Account, error)
	// Key returns the key.
	Key(ctx context.Context, accountID, id string) (session.APIKey, error)
	// RecordReminder writes the mails and that the owner was told so many days before; account.ErrConcurrentChange if that
	// is written already.
	RecordReminder(ctx context.Context, env environment.Environment, e ExpiringKey, days int64, mails []mail.Message) error
}

// Reminders tells the owners of keys, 14 and 3 days before, that they expire.
type Reminders struct {
	Store ReminderStore
	Mail  *mail.Composer
	Now   func() time.Time
}

const (
	firstReminder, lastReminder = 14, 3
	day                         = 24 * time.Hour
	reminderPageSize            = 100
)

// Run tells everybody who is due, each once for each reminder, however often it runs: what was told is written with the
// mail. It reads the keys of the next 14 days and no others. It returns how many it told.
func (r *Reminders) Run(ctx context.Context, envID string) (int, error) {
	env, err := r.Store.Environment(ctx, envID)
	if err != nil {
		return 0, err
	}
	now, told := r.Now().UTC().Truncate(time.Millisecond), 0
	for after := ""; ; {
		keys, next, err := r.Store.ExpiringKeys(ctx, envID, now, now.Add(firstReminder*day), after, reminderPageSize)
		if err != nil {
			return told, err
		}
		for _, e := range keys {
			did, err := r.remind(ctx, env, e, now)
			if err != nil {
				return told, err
			}
			told += did
		}
		if next == "" {
			return told, nil
		}
		after = next
	}
}

// remind returns how many mails it wrote about a key. Whoever cannot use the key now is not told; if access comes back
// in time they still are.
func (r *Reminders) remind(ctx context.Context, env environment.Environment, e ExpiringKey, now time.Time) (int,
	error) {
	days := int64(firstReminder)
	if e.Expires.Sub(now) <= lastReminder*day {
		days = lastReminder
	}
	if e.RemindedDaysBefore != 0 && e.RemindedDaysBefore <= days {
		return 0, nil
	}
	owner, err := r.Store.Account(ctx, env, e.AccountID)
	if fault.Is(err, fault.NotFound) || err == nil && (!owner.Active || owner.AccessLocked || owner.Email == "") {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	k, err := r.Store.Key(ctx, e.AccountID, e.KeyID)
	if fault.Is(err, fault.NotFound) || err == nil && !k.Locked.IsZero() {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	mails := r.Mail.ExpiringNotice(env, mail.KeyExpires, owner.Addressee(), now, k.Expires, "“"+k.Description+"”")
	err = r.Store.RecordReminder(ctx, env, e, days, mails)
	if errors.Is(err, account.ErrConcurrentChange) {
		return 0, nil // another run told them
	}
	return len(mails), err
}
