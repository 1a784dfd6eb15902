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
	// RemindedDaysBefore says how many days before the expiry the owner was last reminded, 0 for never.
	RemindedDaysBefore int64
	// Position is its position in the list of expiring keys.
	Position string
}

// ReminderStore is what reminders need of the table.
type ReminderStore interface {
	// Environment reads the environment.
	Environment(ctx context.Context, env string) (environment.Environment, error)
	// ExpiringKeys returns up to limit keys that expire after from and by until, in order, after a position, and the
	// position to continue from.
	ExpiringKeys(ctx context.Context, env string, from, until time.Time, after string, limit int) ([]ExpiringKey, string,
		error)
	// Account returns the key's owner; NotFound if it is gone.
	Account(ctx context.Context, env environment.Environment, id string) (account.Account, error)
	// Key returns the key.
	Key(ctx context.Context, accountID, id string) (session.APIKey, error)
	// RecordReminder writes the mails, and that the owner was reminded so many days before; account.ErrConcurrentChange
	// if that is recorded already.
	RecordReminder(ctx context.Context, env environment.Environment, e ExpiringKey, days int64, mails []mail.Message) error
}

// Reminders reminds the owners of API keys 14 and 3 days before the keys expire.
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

// Run sends the reminders that are due, each once, however often it runs: a reminder is recorded with its mail. It
// reads only the keys that expire within 14 days. It returns how many reminders it wrote.
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

// remind returns how many mails it wrote about a key. An owner who cannot use the key now gets none; if access returns
// in time, they still do.
func (r *Reminders) remind(ctx context.Context, env environment.Environment, e ExpiringKey, now time.Time) (int,
	error,
) {
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
