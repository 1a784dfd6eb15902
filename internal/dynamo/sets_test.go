package dynamo_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/sets"
	"useraccounts/internal/token"
)

func (f *fixture) setService() *sets.Service {
	return &sets.Service{Store: dynamo.Sets{Table: f.table}, Now: time.Now, NewID: token.NewIDString}
}

// otherUser is the scope of another person of the same environment.
func (f *fixture) otherUser(permissions ...access.Permission) access.Scope {
	sc := f.admin
	sc.Caller = access.Caller{AccountID: token.NewIDString(), Username: "somebody", Permissions: access.Set{}}
	for _, p := range permissions {
		sc.Caller.Permissions[p] = struct{}{}
	}
	return sc
}

func setChoice(name string, shared, standard bool) sets.Patch {
	return sets.Patch{Name: &name, Columns: &[]sets.Column{{Field: "name", Width: 120}},
		Filters: &map[string]string{"find": name}, Shared: &shared, Default: &standard}
}

func TestSetsAreKept(t *testing.T) {
	f := newFixture(t)
	s, other := f.setService(), f.otherUser()
	private, err := s.Create(t.Context(), f.admin, setChoice("Private", false, true))
	if err != nil {
		t.Fatal(err)
	}
	shared, err := s.Create(t.Context(), f.admin, setChoice("Shared", true, false))
	if err != nil {
		t.Fatal(err)
	}
	list := func(sc access.Scope) string {
		t.Helper()
		found, _, err := s.List(t.Context(), sc, "", nil, 50)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, v := range found {
			out += fmt.Sprintf("%s %d %v %v %v; ", v.Name, v.Version, v.Own, v.Default, v.Shared)
		}
		return out
	}
	if got := list(f.admin); got != "Private 1 true true false; Shared 1 true false true; " {
		t.Error(got)
	}
	if got := list(other); got != "Shared 1 false false true; " {
		t.Error(got)
	}
	elsewhere := other
	elsewhere.Env.ID = "other" // V58
	if got := list(elsewhere); got != "" {
		t.Errorf("another environment sees %s", got)
	}
	if _, err := s.Get(t.Context(), elsewhere, shared.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another environment reads it: %v", err)
	}
	if _, err := s.Get(t.Context(), other, private.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another reads a private one: %v", err)
	}
	if v, err := s.Change(t.Context(), other, shared.ID, 1, sets.Patch{Default: new(true)}); err != nil || !v.Default {
		t.Errorf("%+v, %v", v, err)
	}
	if got := list(f.admin) +
		list(other); got != "Private 1 true true false; Shared 1 true false true; Shared 1 false true true; " {
		t.Error(got)
	}
	// It moves out of sharing and back in; what it holds and who starts with it stays.
	for version, share := range []bool{false, true} {
		if _, err := s.Change(t.Context(), f.admin, shared.ID, int64(version+1), sets.Patch{Shared: &share}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Get(t.Context(), other, shared.ID); err != nil || got.Version != 3 || !got.Default ||
		got.Filters["find"] != "Shared" || got.Columns[0].Width != 120 || got.Owner != "admin" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Delete(t.Context(), f.admin, private.ID, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), f.admin, private.ID, 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("a second click: %v", err)
	}
	if got := list(f.admin); got != "Shared 3 true false true; " {
		t.Error(got)
	}
}

// Of writers at once one wins, the others are told; and nobody gets past the bound by saving many at once.
func TestSetsHoldTheirBoundsUnderRaces(t *testing.T) {
	f := newFixture(t)
	s, sc := f.setService(), f.otherUser()
	v, err := s.Create(t.Context(), sc, setChoice("0", false, false))
	if err != nil {
		t.Fatal(err)
	}
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := s.Change(t.Context(), sc, v.ID, 1, sets.Patch{Name: new(fmt.Sprint("by ", i))})
			switch {
			case err == nil:
				won.Add(1)
			case fault.Is(err, fault.Stale), fault.Is(err, fault.Unavailable):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 7 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
	for i := 1; i < sets.MaxOwned-2; i++ {
		if _, err := s.Create(t.Context(), sc, setChoice(fmt.Sprint(i), false, false)); err != nil {
			t.Fatal(i, err)
		}
	}
	won.Store(0)
	for range 6 {
		wg.Go(func() {
			if _, err := s.Create(t.Context(), sc, setChoice("more", false, true)); err == nil {
				won.Add(1)
			} else if !fault.HasCode(err, "tooManySets") && !fault.Is(err, fault.Unavailable) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 2 {
		t.Errorf("%d more were saved, there was room for 2", won.Load())
	}
	if err := s.Delete(t.Context(), sc, v.ID, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), sc, setChoice("room again", false, false)); err != nil {
		t.Error(err)
	}
}
