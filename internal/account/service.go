package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/credential"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
)

// ErrConcurrentChange is what Store.Write returns if the account was changed since it was read. Nothing was written.
var ErrConcurrentChange = errors.New("account changed since it was read")

// Store is what the service needs of the table.
type Store interface {
	// Account returns the account with the id; NotFound if the environment has none or the snapshot sees none.
	Account(ctx context.Context, env environment.Environment, id string) (Account, error)
	// Write does w in one transaction: ErrConcurrentChange if the account changed since it was read, a Conflict that
	// names the field if a username or email is taken.
	Write(ctx context.Context, env environment.Environment, w Write) error
	// EventsSince returns the events of the versions after the given one, oldest first.
	EventsSince(ctx context.Context, env environment.Environment, id string, version int64) ([]auditlog.Event, error)
}

// Passwords checks new passwords against the policy and hashes them.
type Passwords interface {
	// Check returns what is wrong with a new password. It must not be made of the context words.
	Check(settings environment.Settings, password string, context []string) []fault.Field
	// Hash returns the PHC string to store.
	Hash(password string) (string, error)
}

// Service does what administrators do with accounts.
type Service struct {
	Rules     Rules
	Store     Store
	Passwords Passwords
	// Generator is for ResetPassword only, Deleter for Delete, Seats for SeatsInUse.
	Generator Generator
	Deleter   Deleter
	Seats     SeatCounter
	// PasswordHistory and Breaches are checks of new passwords besides the policy; nil leaves one out.
	PasswordHistory PasswordHistoryReader
	Breaches        BreachChecker
	// Mail writes the mails that changes cause; nil, as during set-up, for none. LinkIssuer is for MailPassword only.
	Mail       *mail.Composer
	LinkIssuer *PasswordLinkIssuer
	Now        func() time.Time
	NewID      func() string
}

// ReasonNotYetAllowed is the reason of the block that every account starts with.
const ReasonNotYetAllowed = "Not yet allowed"

// Create creates an account from the fields given. It has no password, and login access is not yet allowed.
func (s *Service) Create(ctx context.Context, sc access.Scope, patch field.Patch) (Account, error) {
	write, err := s.Rules.Create(sc, patch, s.NewID(), s.now())
	if err != nil {
		return Account{}, err
	}
	write.Event.ID = s.NewID()
	return write.After, s.Store.Write(ctx, sc.Env, write)
}

// Create returns the write that creates an account with the given id from a patch, or the faults of its fields.
func (r Rules) Create(sc access.Scope, patch field.Patch, id string, now time.Time) (Write, error) {
	a, faults := r.validate(sc, nil, patch, field.DateOf(now))
	if err := fault.InvalidFields(faults); err != nil {
		return Write{}, err
	}
	if makesAdministrator(sc, Account{}, a) {
		if err := credential.CheckProof(sc, now); err != nil {
			return Write{}, err
		}
	}
	a.ID, a.Version, a.Epoch = id, 1, 1
	a.AccessLocked, a.LockedAt, a.LockedReason, a.LockedBy = true, now, ReasonNotYetAllowed, sc.Caller.Username
	a.BlockKind = NotYetAllowed
	a.CreatedAt, a.UpdatedAt = now, now
	event := newEvent(sc, auditlog.Created, now)
	event.Version, event.RetentionDays = 1, 0 // the creation stays in the log as long as the account
	return Write{After: a, SeatLimit: seatLimit(sc, a), Event: event}, nil
}

// newEvent returns an event by the caller, without an id.
func newEvent(sc access.Scope, kind auditlog.Kind, now time.Time) auditlog.Event {
	return auditlog.Event{
		At: now, Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		RetentionDays: sc.Env.Settings.LogRetentionDays,
	}
}

// Change returns the write that applies a patch to an account, without the event's id. If nothing would change, the
// write has no event kind. The error is the faults of the fields, or the rule about who may change whom.
func (r Rules) Change(sc access.Scope, before Account, patch field.Patch, now time.Time) (Write, error) {
	today := field.DateOf(now)
	after, faults := r.validate(sc, &before, patch, today)
	if err := fault.InvalidFields(faults); err != nil {
		return Write{}, err
	}
	diff := Fields().Compare(&before, &after)
	if len(diff) == 0 {
		return Write{}, nil
	}
	if err := guardChange(sc, before, after, today); err != nil {
		return Write{}, err
	}
	acts := changeActs(sc, before, after)
	if err := checkActs(sc, acts, now); err != nil {
		return Write{}, err
	}
	if becomesAPIOnly(sc, before, after) || !before.InDates(today) && after.InDates(today) {
		after.DeviceEpoch++ // trusted devices end with the dates, and do not come back with them
	}
	// Who stops being an administrator loses their sessions. If two administrators do it to each other at the same time,
	// the second write fails, because it depends on the epoch of its caller.
	if becomesAPIOnly(sc, before, after) || endsAdministrator(sc, before, after, today) {
		after.Epoch++
	}
	after.Version, after.UpdatedAt = before.Version+1, now
	event := newEvent(sc, auditlog.Changed, now)
	event.Version, event.Changes = after.Version, diff
	_, switches := acts[credential.SwitchAPIOnly]
	return Write{Before: &before, After: after, NeverUsed: switches, Event: event}, nil
}

// Get returns one account. A missing one, or one of another environment, is NotFound.
func (s *Service) Get(ctx context.Context, sc access.Scope, id string) (Account, error) {
	return s.Store.Account(ctx, sc.Env, id)
}

// Shown returns an account as people see it now.
func (s *Service) Shown(sc access.Scope, a Account) Account {
	return a.WithBlockedUntil(sc.Env.Settings).ForDisplay(field.DateOf(s.now()))
}

// Change applies a patch to the account if version is still its newest. A patch that changes nothing writes nothing.
func (s *Service) Change(ctx context.Context, sc access.Scope, id string, version int64,
	patch field.Patch) (Account, error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) { return s.changeWrite(sc, before, patch) })
}

// changeWrite returns the write that applies a patch to an account.
func (s *Service) changeWrite(sc access.Scope, before Account, patch field.Patch) (Write, error) {
	write, err := s.Rules.Change(sc, before, patch, s.now())
	if write.After.Epoch > before.Epoch && before.ID != sc.Caller.AccountID {
		write.CallerEpoch = sc.Caller.Epoch
	}
	if err == nil && write.Event.Kind != "" {
		write.Mails = s.changeNotices(sc, before, write.After)
	}
	return write, err
}

// update changes an account with optimistic locking: it reads, compares the caller's version, lets prepare return the
// write, and writes. Version 0 means any version; a concurrent change is then followed by another attempt. If the write
// has no event kind, nothing is written.
func (s *Service) update(ctx context.Context, sc access.Scope, id string, version int64,
	prepare func(Account) (Write, error)) (Account, error) {
	const maxAttempts = 5
	for attempt := 1; ; attempt++ {
		before, err := s.Store.Account(ctx, sc.Env, id)
		if err != nil {
			return Account{}, err
		}
		if version != 0 && version != before.Version {
			return Account{}, s.staleFault(ctx, sc, before, version)
		}
		write, err := prepare(before)
		if err != nil || write.Event.Kind == "" {
			return before, err
		}
		s.finishWrite(sc, before, &write)
		err = s.Store.Write(ctx, sc.Env, write)
		if errors.Is(err, ErrConcurrentChange) && attempt < maxAttempts {
			continue // the next read finds a given version stale
		}
		if errors.Is(err, ErrConcurrentChange) {
			return Account{}, accountBusyFault()
		}
		return write.After, err
	}
}

// accountBusyFault is the fault of a change that kept losing to others.
func accountBusyFault() error {
	return fault.New(fault.Conflict, "busy", "Others are changing this account; try again in a moment.").
		WithRetryAfter(time.Second)
}

// finishWrite fills in what all writes of the service have in common.
func (s *Service) finishWrite(sc access.Scope, before Account, w *Write) {
	now := s.now()
	w.Before = &before
	w.SeatLimit = seatLimit(sc, w.After)
	w.After.Version = before.Version + 1
	w.After.UpdatedAt = now
	event := newEvent(sc, w.Event.Kind, now)
	event.ID, event.Version, event.Note, event.Changes = s.NewID(), w.After.Version, w.Event.Note, w.Event.Changes
	w.Event = event
	if w.ClearTries {
		w.After.FailedTries, w.After.TriesBlockedAt = 0, time.Time{}
	}
}

// staleFault says which fields changed since a version, who changed them and when.
func (s *Service) staleFault(ctx context.Context, sc access.Scope, current Account, version int64) error {
	events, err := s.Store.EventsSince(ctx, sc.Env, current.ID, version)
	if err != nil {
		return err
	}
	for i := range events {
		events[i].Changes = withoutUpdatedAt(events[i].Changes)
	}
	return auditlog.Stale("The account", current.Version, events)
}

// withoutUpdatedAt leaves out the one field that every change changes.
func withoutUpdatedAt(changes []field.Diff) []field.Diff {
	return slices.DeleteFunc(changes, func(d field.Diff) bool { return d.Field == "updatedAt" })
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
