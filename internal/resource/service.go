package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// ErrConcurrentChange is what Store.Write returns if something that the write depends on was changed since it was read.
// Nothing was written.
var ErrConcurrentChange = errors.New("resource changed since it was read")

// Store is what the service needs of the table.
type Store interface {
	// Resource returns the resource with a code; NotFound if the environment has none or the snapshot sees none.
	Resource(ctx context.Context, env environment.Environment, code string) (Resource, error)
	// Page returns up to limit resources whose key comes after the given one, in order, and the key to go on from, empty
	// at the end.
	Page(ctx context.Context, env environment.Environment, after string, limit int) ([]Resource, string, error)
	// Write does w in one transaction and returns it with the code that a new resource got: ErrConcurrentChange after a
	// concurrent change, a Conflict that names the code if it is taken.
	Write(ctx context.Context, env environment.Environment, w Write) (Write, error)
	// EventsSince returns the events of the resource's versions after the given one, oldest first.
	EventsSince(ctx context.Context, env environment.Environment, r Resource, version int64) ([]auditlog.Event, error)
}

// UsageFinder finds what names a resource, other than managers and defaults, such as delegations.
type UsageFinder interface {
	// Usages describes what names the resource.
	Usages(ctx context.Context, sc access.Scope, r Resource) ([]string, error)
}

// Service does what administrators do with resources.
type Service struct {
	Store Store
	// UsageFinders find the things outside this package that can name a resource.
	UsageFinders []UsageFinder
	Now          func() time.Time
	NewID        func() string
}

// Rules returns the rules over the service's store.
func (s *Service) Rules() Rules {
	return Rules{Find: func(ctx context.Context, env environment.Environment, code string) (Resource, bool, error) {
		r, err := s.Store.Resource(ctx, env, code)
		if fault.Is(err, fault.NotFound) {
			return Resource{}, false, nil
		}
		return r, err == nil, err
	}}
}

// Create creates a resource that belongs to no account.
func (s *Service) Create(ctx context.Context, sc access.Scope, patch field.Patch) (Resource, error) {
	return s.writeWithRetry(ctx, sc, func() (Write, error) {
		return s.Rules().Create(ctx, sc, patch, CreateOptions{Now: s.now()})
	})
}

// Get returns one resource. A missing one, or one of another environment, is NotFound.
func (s *Service) Get(ctx context.Context, sc access.Scope, code string) (Resource, error) {
	if catalogue.CodeFault(code) != "" {
		return Resource{}, notFoundFault()
	}
	return s.Store.Resource(ctx, sc.Env, code)
}

func notFoundFault() error {
	return fault.New(fault.NotFound, "notFound", "There is no such resource.")
}

// Change applies a patch to the resource if version is still its newest. With reset, the group's defaults replace what
// the patch leaves out.
func (s *Service) Change(ctx context.Context, sc access.Scope, code string, version int64, patch field.Patch,
	reset bool) (Resource, error) {
	return s.update(ctx, sc, code, version, func(before Resource) (Write, error) {
		return s.Rules().Change(ctx, sc, before, patch, reset, s.now())
	})
}

// SetActive locks or unlocks the resource. Version 0 means any version.
func (s *Service) SetActive(ctx context.Context, sc access.Scope, code string, version int64, active bool) (Resource,
	error) {
	return s.update(ctx, sc, code, version, func(before Resource) (Write, error) {
		if before.Active == active {
			return Write{}, nil
		}
		kind := auditlog.Locked
		if active {
			kind = auditlog.Unlocked
		}
		after, now := before, s.now()
		after.Active, after.Version = active, before.Version+1
		w := Write{Before: &before, After: after, Event: newEvent(sc, kind, after, now)}
		w.Event.Changes = Fields().Compare(&before, &after)
		w.After.UpdatedAt = now
		return w, nil
	})
}

// Delete deletes the resource if version is still its newest and nothing names it.
func (s *Service) Delete(ctx context.Context, sc access.Scope, code string, version int64) error {
	_, err := s.update(ctx, sc, code, version, func(before Resource) (Write, error) {
		if err := s.checkUnused(ctx, sc, before); err != nil {
			return Write{}, err
		}
		e := newEvent(sc, auditlog.Deleted, before, s.now())
		e.Version++
		return Write{Before: &before, After: before, Deleted: true, Event: e}, nil
	})
	return err
}

// maxListedUsages is how many usages an answer lists.
const maxListedUsages = 20

// checkUnused refuses to delete a resource that something names, and lists what does. A resource that was never named
// is not looked for.
func (s *Service) checkUnused(ctx context.Context, sc access.Scope, r Resource) error {
	var uses []string
	if r.AccountID != "" {
		uses = append(uses, "the account "+r.AccountID+", whose resource it is")
	}
	for _, group := range sc.Catalogue.All(catalogue.ResourceGroup) {
		if catalogue.Fold(group.Defaults.Manager) == r.Key() {
			uses = append(uses, "the resource group "+group.Code+", as its default manager")
		}
	}
	if r.Stored.ReferenceCount > 0 {
		err := s.forEach(ctx, sc.Env, func(other Resource) {
			if catalogue.Fold(other.Manager) == r.Key() {
				uses = append(uses, "the resource "+other.Code+", as its manager")
			}
		})
		if err != nil {
			return err
		}
		for _, o := range s.UsageFinders {
			more, err := o.Usages(ctx, sc, r)
			if err != nil {
				return err
			}
			uses = append(uses, more...)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	named, more := uses, ""
	if len(uses) > maxListedUsages {
		named, more = uses[:maxListedUsages], fmt.Sprintf("; and %d more", len(uses)-maxListedUsages)
	}
	fields := make([]fault.Field, len(named))
	for i, use := range named {
		fields[i] = fault.Field{Field: "code", Code: "inUse", Message: "Named by " + use + "."}
	}
	return fault.New(fault.Conflict, "inUse", "%s", "Resource "+r.Code+" is named by "+strings.Join(named, "; ")+more+
		". Remove it there first, or lock it instead.").WithFields(fields...)
}

// update changes a resource with optimistic locking: it reads, compares the caller's version, lets prepare return the
// write, and writes. Version 0 means any version. If the write has no event kind, nothing is written.
func (s *Service) update(ctx context.Context, sc access.Scope, code string, version int64,
	prepare func(Resource) (Write, error)) (Resource, error) {
	return s.writeWithRetry(ctx, sc, func() (Write, error) {
		before, err := s.Get(ctx, sc, code)
		if err != nil {
			return Write{}, err
		}
		if version != 0 && version != before.Version {
			events, err := s.Store.EventsSince(ctx, sc.Env, before, version)
			if err != nil {
				return Write{}, err
			}
			return Write{}, auditlog.Stale("The resource "+before.Code, before.Version, events)
		}
		w, err := prepare(before)
		if w.Event.Kind == "" {
			w.After = before
		}
		return w, err
	})
}

// writeWithRetry prepares and writes, and tries again after a concurrent change.
func (s *Service) writeWithRetry(ctx context.Context, sc access.Scope, prepare func() (Write, error)) (Resource,
	error) {
	const maxAttempts = 6
	for range maxAttempts {
		w, err := prepare()
		if err != nil || w.Event.Kind == "" {
			return w.After, err
		}
		w.Event.ID = s.NewID()
		w, err = s.Store.Write(ctx, sc.Env, w)
		if !errors.Is(err, ErrConcurrentChange) {
			return w.After, err
		}
	}
	return Resource{}, busyFault()
}

func busyFault() error {
	return fault.New(fault.Conflict, "busy",
		"Others are changing this resource; try again in a moment.").WithRetryAfter(time.Second)
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
