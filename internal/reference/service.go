// Package reference is how reference data is changed: licences, roles, groups and the other codes that accounts and
// resources refer to. What an entry holds is catalogue's; here are the rules between entries, what a change would do to
// those who hold codes, and that nobody gains rights by it.
//
// A change reads the whole catalogue, judges itself against it and against everybody who holds codes, and is then
// written in one transaction on two conditions: that the catalogue is still the one read, and, where holders matter,
// that nobody was given a code since. Writes that give codes depend in turn on no rule having changed since they were
// judged. So a change and an assignment that would break each other's rules cannot both happen, and nothing is ever
// half done or to be undone.
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

// ErrConcurrentChange is what Store.Write returns when the catalogue was changed, or codes were given, since the change
// was judged.
var ErrConcurrentChange = errors.New("reference data changed since it was read")

// Current is an environment and its catalogue as they stand.
type Current struct {
	Env       environment.Environment
	Catalogue *catalogue.Catalogue
	// Assignments tells whether codes were given to anybody since: it was read before everything else.
	Assignments []int64
}

// Change is one change of one entry, to be written whole or not at all.
type Change struct {
	Env string
	// BaseVersion is the version of the catalogue that the change was judged on; it makes the next.
	BaseVersion int64
	// Before is nil for a new entry, After for a deleted one.
	Before, After *Entry
	// Assignments, where it is not nil, must still be what Current said, and writes that give codes and were judged before
	// this change must fail after it.
	Assignments []int64
	Event       auditlog.Event
	// CallerEpoch makes the write depend on the caller's account (Event.ByID) still having that epoch.
	CallerEpoch int64
}

// Store is what the service needs of the table.
type Store interface {
	// Current reads the environment now.
	Current(ctx context.Context, env string) (Current, error)
	// Write does c; ErrConcurrentChange if what it was judged on is not so any more.
	Write(ctx context.Context, c Change) error
	// EventsSince returns the events of a subject that made versions after the given one, oldest first.
	EventsSince(ctx context.Context, env, subject string, version int64) ([]auditlog.Event, error)
}

// Holder is somebody, or something, that names codes.
type Holder struct {
	// Type is "account" or "resource"; ID and Name say which.
	Type, ID, Name string
	Codes          map[catalogue.Kind][]string
	// CanSignIn says that an account could sign in with its password today, but for its licence.
	CanSignIn bool
}

// HolderSource knows everything of one sort that names codes.
type HolderSource interface {
	// VisitHolders visits all that can name codes of the kind, as far as the environment's snapshot sees them.
	VisitHolders(ctx context.Context, env environment.Environment, kind catalogue.Kind, visit func(Holder)) error
}

// Resources knows who can be a manager.
type Resources interface {
	// ActiveResource returns a resource's code as it is spelled, and whether there is an active one.
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

// Get returns one entry as the caller's scope has it.
func (s *Service) Get(sc access.Scope, kind catalogue.Kind, code string) (Entry, error) {
	e, ok := sc.Catalogue.Find(kind, code)
	if !ok {
		return Entry{}, notFoundFault(kind)
	}
	return e, nil
}

// Create makes an entry from the fields given; it is active unless they say otherwise.
func (s *Service) Create(ctx context.Context, sc access.Scope, kind catalogue.Kind, patch field.Patch) (Entry, error) {
	return s.writeWithRetry(ctx, sc, func(now Current) (Change, error) {
		after, err := s.validate(ctx, sc, now, input{kind, nil, patch})
		if err != nil {
			return Change{}, err
		}
		if _, there := now.Catalogue.Find(kind, after.Code); there {
			return Change{}, takenFault(after)
		}
		if len(now.Catalogue.All(kind)) >= catalogue.MaxEntries {
			return Change{},
				fault.New(fault.Conflict, "tooMany",
					"There are %d already, which is the most there can be. Delete one that is not used.", catalogue.MaxEntries)
		}
		blank := Entry{Active: true}
		return s.newChange(sc, now, auditlog.Created, nil, &after, Fields(kind).Compare(&blank, &after)), nil
	})
}

// Ref names an entry, at the version that the caller read.
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

// validate applies a patch and holds the outcome against everything but holders.
func (s *Service) validate(ctx context.Context, sc access.Scope, now Current, d input) (Entry, error) {
	after, bad := validate(now.Catalogue, d)
	manager := &after.Defaults.Manager
	if *manager != "" && len(bad) == 0 && (d.before == nil || d.before.Defaults.Manager != *manager) {
		code, there, err := s.Resources.ActiveResource(ctx, now.Env, *manager)
		if err != nil {
			return Entry{}, err
		}
		if !there {
			bad = append(bad,
				fault.Field{Field: "manager", Code: "unknownCode", Message: "There is no active resource " + catalogue.QuoteCode(*manager) + "."})
		}
		*manager = code
	}
	if len(bad) == 0 {
		bad = aboveOwnRights(sc, now.Catalogue, d.before, after)
	}
	return after, fault.InvalidFields(bad)
}

// Delete deletes an entry if its version is still the newest and nothing names its code.
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

// find returns the entry to change, as it is now, if it is still at the version that the caller read.
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

// writeWithRetry judges a change and writes it, again where others changed reference data or gave codes at the same
// moment. A change without an event has nothing to write.
func (s *Service) writeWithRetry(ctx context.Context, sc access.Scope, prepare func(Current) (Change, error)) (Entry,
	error) {
	const tries = 6
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
		case errors.Is(err, ErrConcurrentChange) && attempt < tries:
			continue
		case errors.Is(err, ErrConcurrentChange):
			return Entry{},
				fault.New(fault.Conflict, "busy",
					"Others are changing reference data or giving codes to accounts just now; try again in a moment.").WithRetryAfter(
					2 * time.Second)
		case err != nil || change.After == nil:
			return Entry{}, err
		}
		return *change.After, nil
	}
}

// newChange returns the change that makes after of before, at the catalogue's next version.
func (s *Service) newChange(sc access.Scope, now Current, kind auditlog.Kind, before, after *Entry,
	diff []field.Diff) Change {
	from := now.Env.CatalogueVersion
	is := before
	if after != nil {
		after.Version, is = from+1, after
	}
	return Change{
		Env: now.Env.ID, BaseVersion: from, Before: before, After: after, CallerEpoch: sc.Caller.Epoch,
		Event: auditlog.Event{
			ID: s.NewID(), At: s.Now().UTC().Truncate(time.Millisecond), Kind: kind, By: sc.Caller.Username,
			ByID: sc.Caller.AccountID,
			Key:  sc.Caller.KeyID, Subject: subject(*is), Version: from + 1, Changes: diff,
			RetentionDays: now.Env.Settings.LogRetentionDays,
		},
	}
}

// subject is what the environment's log calls an entry.
func subject(e Entry) string { return string(e.Kind) + "/" + e.Code }

func notFoundFault(kind catalogue.Kind) error {
	return fault.New(fault.NotFound, "notFound", "There is no such %s.", kindName(kind))
}

func takenFault(e Entry) error {
	message := "There is a " + kindName(e.Kind) + " with this code already, perhaps in another spelling; choose another."
	return fault.New(fault.Conflict, "taken", "%s",
		message).WithFields(fault.Field{Field: "code", Code: "taken", Message: message})
}
