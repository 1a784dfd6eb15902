// Package reference is how reference data is changed: licences, roles, groups and the other codes that accounts and
// resources refer to. What an entry holds is catalogue's; here are the rules between entries, what a change would do to
// those who hold codes, and that nobody gains rights by it.
//
// A change reads the whole catalogue, judges itself against it and against everybody who holds codes, and is then written
// in one transaction on two conditions: that the catalogue is still the one read, and, where holders matter, that nobody was
// given a code since. Writes that give codes depend in turn on no rule having changed since they were judged. So a change
// and an assignment that would break each other's rules cannot both happen, and nothing is ever half done or to be undone.
package reference

import (
	"context"
	"errors"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

// ErrRaced is what Store.Write returns when the catalogue was changed, or codes were given, since the change was judged.
var ErrRaced = errors.New("reference data changed since it was read")

// Current is an environment and its catalogue as they stand.
type Current struct {
	Env       environment.Environment
	Catalogue *catalogue.Catalogue
	// Given tells whether codes were given to anybody since: it was read before everything else.
	Given []int64
}

// Change is one change of one entry, to be written whole or not at all.
type Change struct {
	Env string
	// From is the version of the catalogue that the change was judged on; it makes the next.
	From int64
	// Before is nil for a new entry, After for a deleted one.
	Before, After *Entry
	// Given, where it is not nil, must still be what Current said, and writes that give codes and were judged before this
	// change must fail after it.
	Given []int64
	Event journal.Event
	// CallerEpoch makes the write depend on the caller's account (Event.ByID) still having that epoch.
	CallerEpoch int64
}

// Store is what the service needs of the table.
type Store interface {
	// Current reads the environment now.
	Current(ctx context.Context, env string) (Current, error)
	// Write does c; ErrRaced if what it was judged on is not so any more.
	Write(ctx context.Context, c Change) error
	// EventsSince returns the events of a subject that made versions after the given one, oldest first.
	EventsSince(ctx context.Context, env, subject string, version int64) ([]journal.Event, error)
}

// Holder is somebody, or something, that names codes.
type Holder struct {
	// What is "account" or "resource"; ID and Name say which.
	What, ID, Name string
	Codes          map[catalogue.Kind][]string
	// SignsIn says that an account could sign in with its password today, but for its licence.
	SignsIn bool
}

// Holders knows everything of one sort that names codes.
type Holders interface {
	// Holders visits all that can name codes of the kind, as far as the environment's snapshot sees them.
	Holders(ctx context.Context, env environment.Environment, kind catalogue.Kind, visit func(Holder)) error
}

// Resources knows who can be a manager.
type Resources interface {
	// ActiveResource returns a resource's code as it is spelled, and whether there is an active one.
	ActiveResource(ctx context.Context, env environment.Environment, code string) (string, bool, error)
}

// Service changes reference data.
type Service struct {
	Store     Store
	Holders   []Holders
	Resources Resources
	Now       func() time.Time
	NewID     func() string
}

// Get returns one entry as the caller's scope has it.
func (s *Service) Get(sc access.Scope, kind catalogue.Kind, code string) (Entry, error) {
	e, ok := sc.Catalogue.Find(kind, code)
	if !ok {
		return Entry{}, notFound(kind)
	}
	return e, nil
}

// Create makes an entry from the fields given; it is active unless they say otherwise.
func (s *Service) Create(ctx context.Context, sc access.Scope, kind catalogue.Kind, patch field.Patch) (Entry, error) {
	return s.alter(ctx, sc, func(now Current) (Change, error) {
		after, err := s.plan(ctx, sc, now, draft{kind, nil, patch})
		if err != nil {
			return Change{}, err
		}
		if _, there := now.Catalogue.Find(kind, after.Code); there {
			return Change{}, taken(after)
		}
		if len(now.Catalogue.All(kind)) >= catalogue.MaxEntries {
			return Change{}, fault.New(fault.Conflict, "tooMany", "There are %d already, which is the most there can be. Delete one that is not used.", catalogue.MaxEntries)
		}
		blank := Entry{Active: true}
		return s.change(sc, now, journal.Created, nil, &after, Fields(kind).Compare(&blank, &after)), nil
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
	return s.alter(ctx, sc, func(now Current) (Change, error) {
		before, err := s.find(ctx, now, ref)
		if err != nil {
			return Change{}, err
		}
		after, err := s.plan(ctx, sc, now, draft{ref.Kind, &before, patch})
		if err != nil {
			return Change{}, err
		}
		diff := Fields(ref.Kind).Compare(&before, &after)
		if len(diff) == 0 {
			return Change{After: &before}, nil
		}
		change := s.change(sc, now, journal.Changed, &before, &after, diff)
		return change, s.judge(ctx, sc, now, &change)
	})
}

// plan applies a patch and holds the outcome against everything but holders.
func (s *Service) plan(ctx context.Context, sc access.Scope, now Current, d draft) (Entry, error) {
	after, bad := plan(now.Catalogue, d)
	manager := &after.Defaults.Manager
	if *manager != "" && len(bad) == 0 && (d.before == nil || d.before.Defaults.Manager != *manager) {
		code, there, err := s.Resources.ActiveResource(ctx, now.Env, *manager)
		if err != nil {
			return Entry{}, err
		}
		if !there {
			bad = append(bad, fault.Field{Field: "manager", Code: "unknownCode", Message: "There is no active resource " + quote(*manager) + "."})
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
	_, err := s.alter(ctx, sc, func(now Current) (Change, error) {
		before, err := s.find(ctx, now, ref)
		if err != nil {
			return Change{}, err
		}
		change := s.change(sc, now, journal.Deleted, &before, nil, Fields(ref.Kind).Compare(&before, &Entry{Active: before.Active}))
		return change, s.judge(ctx, sc, now, &change)
	})
	return err
}

// find returns the entry to change, as it is now, if it is still at the version that the caller read.
func (s *Service) find(ctx context.Context, now Current, ref Ref) (Entry, error) {
	e, ok := now.Catalogue.Find(ref.Kind, ref.Code)
	if !ok {
		return Entry{}, notFound(ref.Kind)
	}
	if e.Version == ref.Version {
		return e, nil
	}
	events, err := s.Store.EventsSince(ctx, now.Env.ID, subject(e), ref.Version)
	if err != nil {
		return Entry{}, err
	}
	return Entry{}, journal.Stale("The "+nameOf(ref.Kind)+" "+e.Code, e.Version, events)
}

// alter judges a change and writes it, again where others changed reference data or gave codes at the same moment. A change
// without an event has nothing to write.
func (s *Service) alter(ctx context.Context, sc access.Scope, judged func(Current) (Change, error)) (Entry, error) {
	const tries = 6
	for attempt := 1; ; attempt++ {
		now, err := s.Store.Current(ctx, sc.Env.ID)
		if err != nil {
			return Entry{}, err
		}
		change, err := judged(now)
		if err != nil {
			return Entry{}, err
		}
		if change.Event.Kind != "" {
			err = s.Store.Write(ctx, change)
		}
		switch {
		case errors.Is(err, ErrRaced) && attempt < tries:
			continue
		case errors.Is(err, ErrRaced):
			return Entry{}, fault.New(fault.Conflict, "busy", "Others are changing reference data or giving codes to accounts just now; try again in a moment.").After(2 * time.Second)
		case err != nil || change.After == nil:
			return Entry{}, err
		}
		return *change.After, nil
	}
}

// change returns the change that makes after of before, at the catalogue's next version.
func (s *Service) change(sc access.Scope, now Current, kind journal.Kind, before, after *Entry, diff []field.Diff) Change {
	from := now.Env.CatalogueVersion
	is := before
	if after != nil {
		after.Version, is = from+1, after
	}
	return Change{
		Env: now.Env.ID, From: from, Before: before, After: after, CallerEpoch: sc.Caller.Epoch,
		Event: journal.Event{
			ID: s.NewID(), At: s.Now().UTC().Truncate(time.Millisecond), Kind: kind, By: sc.Caller.Username, ByID: sc.Caller.AccountID,
			Key: sc.Caller.KeyID, Subject: subject(*is), Version: from + 1, Changes: diff, Keep: now.Env.Settings.LogRetentionDays,
		},
	}
}

// subject is what the environment's log calls an entry.
func subject(e Entry) string { return string(e.Kind) + "/" + e.Code }

func notFound(kind catalogue.Kind) error {
	return fault.New(fault.NotFound, "notFound", "There is no such %s.", nameOf(kind))
}

func taken(e Entry) error {
	message := "There is a " + nameOf(e.Kind) + " with this code already, perhaps in another spelling; choose another."
	return fault.New(fault.Conflict, "taken", "%s", message).WithFields(fault.Field{Field: "code", Code: "taken", Message: message})
}
