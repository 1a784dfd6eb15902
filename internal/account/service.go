package account

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
)

// ErrConcurrentChange is what Store.Write returns when the account is no longer as the write read it. Nothing was
// written.
var ErrConcurrentChange = errors.New("account changed since it was read")

// Store is what the service needs of the table.
type Store interface {
	// Account returns the account with the id; NotFound if the environment has none or the snapshot sees none.
	Account(ctx context.Context, env environment.Environment, id string) (Account, error)
	// Write does w whole: ErrConcurrentChange if the account changed since it was read, a Conflict naming the field if a
	// username or email is taken.
	Write(ctx context.Context, env environment.Environment, w Write) error
	// EventsSince returns the events that made versions after the given one, oldest first.
	EventsSince(ctx context.Context, env environment.Environment, id string, version int64) ([]auditlog.Event, error)
}

// Passwords checks new passwords against the policy and hashes them.
type Passwords interface {
	// Check returns what is wrong with a new password for this person; context holds words it must not be.
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

// Create makes an account from the fields given. It starts with login access not yet allowed and no password.
func (s *Service) Create(ctx context.Context, sc access.Scope, patch field.Patch) (Account, error) {
	write, err := s.Rules.Create(sc, patch, s.NewID(), s.now())
	if err != nil {
		return Account{}, err
	}
	write.Event.ID = s.NewID()
	return write.After, s.Store.Write(ctx, sc.Env, write)
}

// Create returns the write that makes an account with the given id from a patch, or the faults of its fields.
func (r Rules) Create(sc access.Scope, patch field.Patch, id string, now time.Time) (Write, error) {
	a, faults := r.validate(sc, nil, patch, field.DateOf(now))
	if err := fault.InvalidFields(faults); err != nil {
		return Write{}, err
	}
	a.ID, a.Version, a.Epoch = id, 1, 1
	a.AccessLocked, a.LockedAt, a.LockedReason, a.LockedBy = true, now, ReasonNotYetAllowed, sc.Caller.Username
	a.CreatedAt, a.UpdatedAt = now, now
	return Write{After: a, SeatLimit: seatLimit(sc, a), Event: auditlog.Event{
		At: now, Kind: auditlog.Created, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID, Version: 1,
	}}, nil
}

// Change returns the write that applies a patch to an account, but for the event's id; a write without an event kind
// if nothing would change. The error is the faults of its fields, or the rule about who may change whom.
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
	if becomesAPIOnly(sc, before, after) {
		after.PasswordHash, after.PasswordExpires = "", time.Time{}
	}
	// An administrator's sessions end with the right, so that of two who take it from each other at once only one can:
	// the other's write depends on the epoch (Change, or the import's commit).
	if becomesAPIOnly(sc, before, after) || !before.InDates(today) && after.InDates(today) {
		after.DeviceEpoch++ // what ended with the dates does not come back with them
	}
	if becomesAPIOnly(sc, before, after) || endsAdministrator(sc, before, after, today) {
		after.Epoch++
	}
	after.Version, after.UpdatedAt = before.Version+1, now
	return Write{Before: &before, After: after, DropFactors: before.MFAEnabled && !after.MFAEnabled, Event: auditlog.Event{
		At: now, Kind: auditlog.Changed, By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
		Version: after.Version, Changes: diff, RetentionDays: sc.Env.Settings.LogRetentionDays,
	}}, nil
}

// Get returns one account. A missing one, or one of another environment, is NotFound.
func (s *Service) Get(ctx context.Context, sc access.Scope, id string) (Account, error) {
	return s.Store.Account(ctx, sc.Env, id)
}

// Change applies a patch to the account if version is still its newest. A patch that changes nothing writes nothing.
func (s *Service) Change(ctx context.Context, sc access.Scope, id string, version int64, patch field.Patch) (Account,
	error) {
	return s.update(ctx, sc, id, version, func(before Account) (Write, error) { return s.changeWrite(sc, before, patch) })
}

// changeWrite works out the write that applies a patch to an account as read.
func (s *Service) changeWrite(sc access.Scope, before Account, patch field.Patch) (Write, error) {
	write, err := s.Rules.Change(sc, before, patch, s.now())
	if write.After.Epoch > before.Epoch && before.ID != sc.Caller.AccountID {
		write.CallerEpoch = sc.Caller.Epoch
	}
	if err == nil && write.Event.Kind != "" && write.After.Email != before.Email {
		// To the address that it was: whoever took it over would not tell (ASVS 7.5.1).
		write.Mails = s.Mail.Notice(sc.Env, mail.EmailChanged, before.Addressee(), s.now(), "")
	}
	return write, err
}

// update runs one change under optimistic locking: it reads, holds the caller's version against what is there, lets fn
// work out the write, and writes. version 0 means that the caller does not mind which; then a race is run again. A fn
// that returns a Write without an event kind changes nothing.
func (s *Service) update(ctx context.Context, sc access.Scope, id string, version int64,
	prepare func(Account) (Write, error)) (Account, error) {
	const tries = 5
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
		if errors.Is(err, ErrConcurrentChange) && attempt < tries {
			continue // with a version given, the next read finds it stale and says so
		}
		if errors.Is(err, ErrConcurrentChange) {
			return Account{},
				fault.New(fault.Conflict, "busy",
					"The account is being changed by others just now; try again.").WithRetryAfter(time.Second)
		}
		return write.After, err
	}
}

func (s *Service) finishWrite(sc access.Scope, before Account, w *Write) {
	now := s.now()
	w.Before = &before
	w.SeatLimit = seatLimit(sc, w.After)
	w.After.Version = before.Version + 1
	w.After.UpdatedAt = now
	w.Event.ID, w.Event.At, w.Event.Version = s.NewID(), now, w.After.Version
	w.Event.By, w.Event.ByID, w.Event.Key = sc.Caller.Username, sc.Caller.AccountID, sc.Caller.KeyID
	w.Event.RetentionDays = sc.Env.Settings.LogRetentionDays
	if w.ClearTries {
		w.After.FailedTries, w.After.TriesBlockedAt = 0, time.Time{}
	}
}

// staleFault says which fields changed since the version the caller read, who changed them and when.
func (s *Service) staleFault(ctx context.Context, sc access.Scope, current Account, version int64) error {
	e := fault.New(fault.Stale, "stale",
		"The account is at version %d by now. Read it again, look at what changed, and send your change with the new ETag.",
		current.Version)
	events, err := s.Store.EventsSince(ctx, sc.Env, current.ID, version)
	if err != nil {
		return err
	}
	for _, event := range events {
		for _, diff := range event.Changes {
			if diff.Field == "updatedAt" {
				continue
			}
			at := event.At
			e.Fields = append(e.Fields, fault.Field{
				Field: diff.Field, Code: "changed", Message: "Changed since you read it.", By: event.By, At: &at,
			})
		}
	}
	return e
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
