// Package reference changes reference data: licences, roles, groups and the other codes that accounts and resources
// refer to. Package catalogue says what an entry has. Here are the rules between entries, the impact of a change on
// those who have its codes, and the rule that nobody gains permissions by it.
//
// A change reads the whole catalogue and checks itself against it and against everybody who has codes. It is then
// written in one transaction, which fails if the catalogue was changed or, where holders matter, a code was given
// since. A write that gives codes fails, in turn, if a rule was changed since it was checked. So a change and an
// assignment that break each other's rules cannot both happen, and nothing has to be undone.
package reference

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// ErrConcurrentChange is what Store.Write returns if the catalogue was changed, or codes were given, since the change
// was checked.
var ErrConcurrentChange = errors.New("reference data changed since it was read")

// Current is an environment and its catalogue as they are now.
type Current struct {
	Env       environment.Environment
	Catalogue *catalogue.Catalogue
	// Assignments are the counters of codes given. They are read before everything else, so that a later assignment is
	// noticed.
	Assignments []int64
}

// Change is one change of one entry, written in one transaction.
type Change struct {
	Env string
	// BaseVersion is the version of the catalogue that the change was checked against; the change makes the next one.
	BaseVersion int64
	// Before is nil for a new entry, After for a deleted one.
	Before, After *Entry
	// Assignments, if not nil, must still be those of Current. Writes that give codes and were checked before this change
	// then fail after it.
	Assignments []int64
	Event       auditlog.Event
	// CallerEpoch is the epoch that the caller's account (Event.ByID) must still have.
	CallerEpoch int64
}

// Store is what the service needs of the table.
type Store interface {
	// Current reads the environment as it is now.
	Current(ctx context.Context, env string) (Current, error)
	// Write does c; ErrConcurrentChange if something that it was checked against was changed.
	Write(ctx context.Context, c Change) error
	// EventsSince returns the events of a subject's versions after the given one, oldest first.
	EventsSince(ctx context.Context, env, subject string, version int64) ([]auditlog.Event, error)
}

// Holder is an account or a resource that has codes.
type Holder struct {
	// Type is "account" or "resource"; ID and Name say which.
	Type, ID, Name string
	Codes          map[catalogue.Kind][]string
	// CanSignIn says that an account could sign in with its password today, apart from its licence.
	CanSignIn bool
}

// HolderSource finds holders of one type.
type HolderSource interface {
	// VisitHolders visits all holders that can have codes of the kind, in the environment's snapshot.
	VisitHolders(ctx context.Context, env environment.Environment, kind catalogue.Kind, visit func(Holder)) error
}

// Resources finds managers.
type Resources interface {
	// ActiveResource returns the code of a resource in its own spelling, and whether there is an active one.
	ActiveResource(ctx context.Context, env environment.Environment, code string) (string, bool, error)
}

// Service changes reference data.
type Service struct {
	Store         Store
	HolderSources []HolderSource
	Resources     Resources
	Now           func() time.Time
	NewID         func() string
}

// Get returns one entry of the caller's catalogue.
func (s *Service) Get(sc access.Scope, kind catalogue.Kind, code string) (Entry, error) {
	e, ok := sc.Catalogue.Find(kind, code)
	if !ok {
		return Entry{}, notFoundFault(kind)
	}
	return e, nil
}

// Create creates an entry from the fields given; it is active by default.
func (s *Service) Create(ctx context.Context, sc access.Scope, kind catalogue.Kind, patch field.Patch) (Entry, error) {
	return s.writeWithRetry(ctx, sc, func(now Current) (Change, error) {
		after, err := s.validate(ctx, sc, now, input{kind, nil, patch})
		if err != nil {
			return Change{}, err
		}
		if _, taken := now.Catalogue.Find(kind, after.Code); taken {
			return Change{}, takenFault(after)
		}
		if len(now.Catalogue.All(kind)) >= catalogue.MaxEntries {
			return Change{}, fault.New(fault.Conflict, "tooMany",
				"There are already %d, which is the maximum. Delete one that is not used.", catalogue.MaxEntries)
		}
		blank := Entry{Active: true}
		return s.newChange(sc, now, auditlog.Created, nil, &after, Fields(kind).Compare(&blank, &after)), nil
	})
}

// Ref refers to an entry at the version that the caller read.
type Ref struct {
	Kind    catalogue.Kind
	Code    string
	Version int64
}

// Change applies a patch to an entry if its version is still the newest. A patch that changes nothing writes nothing.
func (s *Service) Change(ctx context.Context, sc access.Scope, ref Ref, patch field.Patch) (Entry, error) {
	return s.writeWithRetry(ctx, sc, func(now Current) (Change, error) {
		before, err := s.find(ctx, now, ref)
		if err != nil {
			return Change{}, err
		}
		after, err := s.validate(ctx, sc, now, input{ref.Kind, &before, patch})
		if err != nil {
			return Change{}, err
		}
		diff := Fields(ref.Kind).Compare(&before, &after)
		if len(diff) == 0 {
			return Change{After: &before}, nil
		}
		change := s.newChange(sc, now, auditlog.Changed, &before, &after, diff)
		return change, s.checkImpact(ctx, sc, now, &change)
	})
}

// validate applies a patch and checks every rule except those about holders.
func (s *Service) validate(ctx context.Context, sc access.Scope, now Current, in input) (Entry, error) {
	after, faults := validate(sc, now.Catalogue, in)
	manager := &after.Defaults.Manager
	if *manager != "" && len(faults) == 0 && (in.before == nil || in.before.Defaults.Manager != *manager) {
		code, ok, err := s.Resources.ActiveResource(ctx, now.Env, *manager)
		if err != nil {
			return Entry{}, err
		}
		if !ok {
			faults = append(faults, fault.Field{Field: "manager", Code: "unknownCode",
				Message: "There is no active resource " + catalogue.QuoteCode(*manager) + "."})
		}
		*manager = code
	}
	if len(faults) == 0 {
		faults = aboveOwnRights(sc, now.Catalogue, in.before, after)
	}
	return after, fault.InvalidFields(faults)
}

// Delete deletes an entry if its version is still the newest and nothing has its code.
func (s *Service) Delete(ctx context.Context, sc access.Scope, ref Ref) error {
	_, err := s.writeWithRetry(ctx, sc, func(now Current) (Change, error) {
		before, err := s.find(ctx, now, ref)
		if err != nil {
			return Change{}, err
		}
		change := s.newChange(sc, now, auditlog.Deleted, &before, nil,
			Fields(ref.Kind).Compare(&before, &Entry{Active: before.Active}))
		return change, s.checkImpact(ctx, sc, now, &change)
	})
	return err
}

// Amend changes what no field of an entry holds, such as credentials. amend returns the entry as it shall be.
func (s *Service) Amend(ctx context.Context, sc access.Scope, kind catalogue.Kind, code string, event auditlog.Kind,
	amend func(Entry) (after Entry, note string, err error),
) (Entry, error) {
	return s.writeWithRetry(ctx, sc, func(now Current) (Change, error) {
		before, ok := now.Catalogue.Find(kind, code)
		if !ok {
			return Change{}, notFoundFault(kind)
		}
		after, note, err := amend(before)
		if err != nil {
			return Change{}, err
		}
		change := s.newChange(sc, now, event, &before, &after, nil)
		change.Event.Note = note
		return change, nil
	})
}

// find returns the entry to change, if it is still at the version that the caller read.
func (s *Service) find(ctx context.Context, now Current, ref Ref) (Entry, error) {
	e, ok := now.Catalogue.Find(ref.Kind, ref.Code)
	if !ok {
		return Entry{}, notFoundFault(ref.Kind)
	}
	if e.Version == ref.Version {
		return e, nil
	}
	events, err := s.Store.EventsSince(ctx, now.Env.ID, subject(e), ref.Version)
	if err != nil {
		return Entry{}, err
	}
	return Entry{}, auditlog.Stale("The "+kindName(ref.Kind)+" "+e.Code, e.Version, events)
}

// writeWithRetry prepares a change and writes it, and tries again after a concurrent change. A change without an event
// writes nothing.
func (s *Service) writeWithRetry(ctx context.Context, sc access.Scope,
	prepare func(Current) (Change, error)) (Entry, error) {
	const maxAttempts = 6
	for attempt := 1; ; attempt++ {
		now, err := s.Store.Current(ctx, sc.Env.ID)
		if err != nil {
			return Entry{}, err
		}
		change, err := prepare(now)
		if err != nil {
			return Entry{}, err
		}
		if change.Event.Kind != "" {
			err = s.Store.Write(ctx, change)
		}
		switch {
		case errors.Is(err, ErrConcurrentChange) && attempt < maxAttempts:
			continue
		case errors.Is(err, ErrConcurrentChange):
			return Entry{}, fault.New(fault.Conflict, "busy",
				"Others are changing reference data, or giving its codes to accounts; try again in a moment.").
				WithRetryAfter(2 * time.Second)
		case err != nil || change.After == nil:
			return Entry{}, err
		}
		return *change.After, nil
	}
}

// newChange returns the change from before to after, at the catalogue's next version.
func (s *Service) newChange(sc access.Scope, now Current, kind auditlog.Kind, before, after *Entry,
	diff []field.Diff) Change {
	base := now.Env.CatalogueVersion
	entry := before
	if after != nil {
		after.Version, entry = base+1, after
	}
	return Change{
		Env: now.Env.ID, BaseVersion: base, Before: before, After: after, CallerEpoch: sc.Caller.Epoch,
		Event: auditlog.Event{
			ID: s.NewID(), At: s.Now().UTC().Truncate(time.Millisecond), Kind: kind,
			By: sc.Caller.Username, ByID: sc.Caller.AccountID, Key: sc.Caller.KeyID,
			Subject: subject(*entry), Version: base + 1, Changes: diff, RetentionDays: now.Env.Settings.LogRetentionDays,
		},
	}
}

// subject is the entry's name in the environment's log.
func subject(e Entry) string { return string(e.Kind) + "/" + e.Code }

func notFoundFault(kind catalogue.Kind) error {
	return fault.New(fault.NotFound, "notFound", "There is no such %s.", kindName(kind))
}

func takenFault(e Entry) error {
	message := "There is already a " + kindName(e.Kind) + " with this code, perhaps in another spelling; choose another."
	return fault.New(fault.Conflict, "taken", "%s", message).
		WithFields(fault.Field{Field: "code", Code: "taken", Message: message})
}
