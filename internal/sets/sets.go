// Package sets is Sets: saved views of a list, with columns, filters and order. A Set is private to its owner, or
// shared with everybody who may see the list. Each person chooses which one they start with.
package sets

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/fault"
)

// Accounts is the list of accounts, the only one with Sets so far.
const Accounts = "accounts"

// Limits of the stored Sets.
const (
	MaxOwned  = 100 // Sets of one person
	MaxShared = 500 // shared Sets of an environment: everybody's list reads them
)

// ErrConcurrentChange is what Store.Write returns if the Set, or the count of Sets, was changed since it was read.
// Nothing was written.
var ErrConcurrentChange = errors.New("set changed since it was read")

// Set is a saved view.
type Set struct {
	ID      string `dynamodbav:"id"`
	Version int64  `dynamodbav:"version"`
	OwnerID string `dynamodbav:"ownerId"`
	// Owner and ChangedBy are usernames as they were then.
	Owner     string            `dynamodbav:"owner"`
	Name      string            `dynamodbav:"name"`
	Grid      string            `dynamodbav:"grid"`
	Columns   []Column          `dynamodbav:"columns"`
	Filters   map[string]string `dynamodbav:"filters"`
	Sort      string            `dynamodbav:"sort"`
	Shared    bool              `dynamodbav:"shared"`
	ChangedAt time.Time         `dynamodbav:"changedAt"`
	ChangedBy string            `dynamodbav:"changedBy"`
}

// Column is one column of a list.
type Column struct {
	Field string `json:"field" dynamodbav:"field" help:"The name of a field." maxLength:"50" example:"username"`
	// Width is in pixels, 0 for the default.
	Width int `json:"width,omitzero" dynamodbav:"width,omitempty" help:"In pixels; left out, as wide as the grid makes it." minimum:"20" maximum:"2000" example:"180"`
}

// View is a Set as one person sees it.
type View struct {
	Set
	// Default says that the person starts with it, Own that they own it.
	Default, Own bool
}

// Visible is the Sets that a person sees, their own and shared ones, and the ids of their defaults by list.
type Visible struct {
	Sets     []Set
	Defaults map[string]string
}

// Write is one change of a Set, and of whose default it is, in one transaction.
type Write struct {
	// Before is nil for a new Set, After for a deleted one. If the versions are equal, the Set itself does not change.
	Before, After *Set
	// PersonID is who makes the change. Default, if not nil, makes the Set their default, or not.
	PersonID string
	Default  *bool
}

// Store is what the service needs of the table.
type Store interface {
	// Visible returns all Sets that a person sees.
	Visible(ctx context.Context, env, person string) (Visible, error)
	// Get returns one Set that a person sees; NotFound if there is none.
	Get(ctx context.Context, env, person, id string) (Visible, error)
	// Write does w: ErrConcurrentChange if the Set was changed since it was read, a Conflict if there would be too many.
	Write(ctx context.Context, env string, w Write) error
}

// Service does what people do with Sets.
type Service struct {
	Store Store
	Now   func() time.Time
	NewID func() string
}

// Position is the end of a page of a list.
type Position struct {
	Name string `json:"n"`
	ID   string `json:"i"`
}

// List returns up to limit Sets of a list that the caller sees, in the order of their names, and the position to go on
// from.
func (s *Service) List(ctx context.Context, sc access.Scope, grid string, after *Position, limit int) ([]View,
	*Position, error) {
	visible, err := s.Store.Visible(ctx, sc.Env.ID, sc.Caller.AccountID)
	if err != nil {
		return nil, nil, err
	}
	positions := map[string]Position{}
	compare := func(a, b Position) int {
		if by := strings.Compare(a.Name, b.Name); by != 0 {
			return by
		}
		return strings.Compare(a.ID, b.ID)
	}
	found := slices.DeleteFunc(visible.Sets, func(set Set) bool {
		positions[set.ID] = Position{account.Fold(set.Name), set.ID}
		return grid != "" && set.Grid != grid || after != nil && compare(positions[set.ID], *after) <= 0
	})
	slices.SortFunc(found, func(a, b Set) int { return compare(positions[a.ID], positions[b.ID]) })
	var next *Position
	if len(found) > limit {
		found = found[:limit]
		next = new(positions[found[limit-1].ID])
	}
	out := make([]View, len(found))
	for i, set := range found {
		out[i] = newView(sc, set, visible)
	}
	return out, next, nil
}

func newView(sc access.Scope, set Set, visible Visible) View {
	return View{Set: set, Default: visible.Defaults[set.Grid] == set.ID, Own: set.OwnerID == sc.Caller.AccountID}
}

// Get returns one Set; somebody else's private Set is NotFound.
func (s *Service) Get(ctx context.Context, sc access.Scope, id string) (View, error) {
	visible, err := s.Store.Get(ctx, sc.Env.ID, sc.Caller.AccountID, id)
	if err != nil {
		return View{}, err
	}
	return newView(sc, visible.Sets[0], visible), nil
}

// Create saves a new Set of the caller.
func (s *Service) Create(ctx context.Context, sc access.Scope, p Patch) (View, error) {
	now := s.now()
	set := Set{
		ID: s.NewID(), Version: 1, OwnerID: sc.Caller.AccountID, Owner: sc.Caller.Username, ChangedAt: now,
		ChangedBy: sc.Caller.Username,
		Grid:      Accounts, Sort: directory.DefaultOrder, Filters: map[string]string{},
	}
	if err := fault.InvalidFields(p.apply(&set, true)); err != nil {
		return View{}, err
	}
	if err := guardSharing(sc, Set{}, set); err != nil {
		return View{}, err
	}
	w := Write{After: &set, PersonID: sc.Caller.AccountID}
	if p.Default != nil && *p.Default {
		w.Default = p.Default
	}
	err := s.Store.Write(ctx, sc.Env.ID, w)
	if errors.Is(err, ErrConcurrentChange) {
		return View{}, busyFault()
	}
	return View{Set: set, Default: w.Default != nil, Own: true}, err
}

func busyFault() error {
	return fault.New(fault.Conflict, "busy",
		"Others are changing this Set; try again in a moment.").WithRetryAfter(time.Second)
}

func guardSharing(sc access.Scope, before, after Set) error {
	if after.Shared && !before.Shared && !sc.Caller.May(access.SetShare) {
		return fault.New(fault.Forbidden, "forbidden",
			"Sharing a Set needs the permission %s. Keep it private, or ask for the permission.", access.SetShare)
	}
	return nil
}

// guardOwner lets only owners and administrators change a Set.
func guardOwner(sc access.Scope, set Set) error {
	if set.OwnerID != sc.Caller.AccountID && !sc.Caller.May(access.AccountAdmin) {
		return fault.New(fault.Forbidden, "notOwner",
			"This Set belongs to %s; only they and administrators can change it. Save your own Set instead.", set.Owner)
	}
	return nil
}

func staleFault(set Set) error {
	at := set.ChangedAt
	return fault.New(fault.Stale, "stale",
		"%s changed the Set since you read it. Read it again, and send your change with the new ETag.", set.ChangedBy).
		WithFields(fault.Field{Field: "version", Code: "changed", Message: "Changed since you read it.", By: set.ChangedBy,
			At: &at})
}

// Change changes a Set if version is still its newest, and whether it is the caller's default. Anybody who sees a Set
// may change the latter.
func (s *Service) Change(ctx context.Context, sc access.Scope, id string, version int64, p Patch) (View, error) {
	before, err := s.Get(ctx, sc, id)
	if err != nil {
		return View{}, err
	}
	if before.Version != version {
		return View{}, staleFault(before.Set)
	}
	after := before
	if err := fault.InvalidFields(p.apply(&after.Set, false)); err != nil {
		return View{}, err
	}
	w := Write{Before: &before.Set, After: &after.Set, PersonID: sc.Caller.AccountID}
	if !equalSets(before.Set, after.Set) {
		if err := guardOwner(sc, before.Set); err != nil {
			return View{}, err
		}
		if err := guardSharing(sc, before.Set, after.Set); err != nil {
			return View{}, err
		}
		after.Version, after.ChangedAt, after.ChangedBy = version+1, s.now(), sc.Caller.Username
	}
	if p.Default != nil && *p.Default != before.Default {
		w.Default, after.Default = p.Default, *p.Default
	}
	if after.Version == before.Version && w.Default == nil {
		return before, nil
	}
	// An administrator who stops sharing somebody else's Set no longer sees it, but gets the result.
	return after, s.write(ctx, sc, w)
}

// Delete deletes a Set if version is still its newest.
func (s *Service) Delete(ctx context.Context, sc access.Scope, id string, version int64) error {
	before, err := s.Get(ctx, sc, id)
	if err != nil {
		return err
	}
	if err := guardOwner(sc, before.Set); err != nil {
		return err
	}
	if before.Version != version {
		return staleFault(before.Set)
	}
	w := Write{Before: &before.Set, PersonID: sc.Caller.AccountID}
	if before.Default {
		w.Default = new(bool)
	}
	return s.write(ctx, sc, w)
}

// write writes a change. After a concurrent change it returns the fault of a stale version.
func (s *Service) write(ctx context.Context, sc access.Scope, w Write) error {
	err := s.Store.Write(ctx, sc.Env.ID, w)
	if !errors.Is(err, ErrConcurrentChange) {
		return err
	}
	now, err := s.Get(ctx, sc, w.Before.ID)
	if err != nil {
		return err
	}
	if now.Version == w.Before.Version {
		return busyFault()
	}
	return staleFault(now.Set)
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
