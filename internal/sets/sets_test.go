package sets_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/sets"
)

var now = time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)

// fakeStore is a Store of Sets. beforeWrite, if set, runs before each write.
type fakeStore struct {
	sets        map[string]sets.Set
	defaults    map[string]map[string]string
	writes      []sets.Write
	beforeWrite func(m *fakeStore)
	fail        error
}

func (m *fakeStore) visible(person string, s sets.Set) bool { return s.Shared || s.OwnerID == person }

func (m *fakeStore) Visible(_ context.Context, _, person string) (sets.Visible, error) {
	out := sets.Visible{Defaults: m.defaults[person]}
	for _, s := range m.sets {
		if m.visible(person, s) {
			out.Sets = append(out.Sets, s)
		}
	}
	return out, m.fail
}

func (m *fakeStore) Get(_ context.Context, _, person, id string) (sets.Visible, error) {
	s, ok := m.sets[id]
	if !ok || !m.visible(person, s) {
		return sets.Visible{}, fault.New(fault.NotFound, "notFound", "There is no such Set.")
	}
	return sets.Visible{Sets: []sets.Set{s}, Defaults: m.defaults[person]}, m.fail
}

func (m *fakeStore) Write(_ context.Context, _ string, w sets.Write) error {
	if m.beforeWrite != nil {
		m.beforeWrite(m)
	}
	if m.fail != nil {
		return m.fail
	}
	if w.Before != nil && m.sets[w.Before.ID].Version != w.Before.Version {
		return sets.ErrConcurrentChange
	}
	m.writes = append(m.writes, w)
	of := w.After
	if of == nil {
		of = w.Before
		delete(m.sets, of.ID)
	} else {
		m.sets[of.ID] = *of
	}
	if w.Default != nil {
		m.defaults[w.PersonID] = map[string]string{}
		if *w.Default {
			m.defaults[w.PersonID][of.Grid] = of.ID
		}
	}
	return nil
}

func newService() (*sets.Service, *fakeStore) {
	m := &fakeStore{sets: map[string]sets.Set{}, defaults: map[string]map[string]string{}}
	n := 0
	return &sets.Service{Store: m, Now: func() time.Time { return now },
		NewID: func() string { n++; return fmt.Sprintf("s%d", n) }}, m
}

func scope(id string, permissions ...access.Permission) access.Scope {
	may := access.Set{}
	for _, p := range permissions {
		may[p] = struct{}{}
	}
	return access.Scope{Env: environment.Environment{ID: "test"},
		Caller: access.Caller{AccountID: id, Username: "u" + id, Permissions: may}}
}

func patchNamed(name string) sets.Patch {
	return sets.Patch{Name: &name, Columns: &[]sets.Column{{Field: "username", Width: 180}, {Field: "name"}}}
}

func patchWith(c sets.Patch, change func(*sets.Patch)) sets.Patch {
	change(&c)
	return c
}

func create(t *testing.T, s *sets.Service, sc access.Scope, c sets.Patch) sets.View {
	t.Helper()
	v, err := s.Create(context.Background(), sc, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestASetKeepsWhatItIsGiven(t *testing.T) {
	s, m := newService()
	v := create(t, s, scope("1"), patchWith(patchNamed("  Leavers "), func(c *sets.Patch) {
		c.Filters, c.Sort, c.Default = &map[string]string{"dateTo.to": "2026-12-31"}, new("-dateTo"), new(true)
	}))
	if v.Name != "Leavers" || v.Version != 1 || !v.Default || !v.Own || v.Shared || v.Grid != sets.Accounts ||
		v.Sort != "-dateTo" || v.ChangedAt.Nanosecond() != 123000000 {
		t.Errorf("%+v", v)
	}
	if got, err := s.Get(context.Background(), scope("1"), v.ID); err != nil || !got.Default ||
		got.Columns[0].Width != 180 {
		t.Errorf("%+v, %v", got, err)
	}
	changed, err := s.Change(context.Background(), scope("1"), v.ID, 1, sets.Patch{Name: new("Gone"), Default: new(false)})
	if err != nil || changed.Name != "Gone" || changed.Version != 2 || changed.Default ||
		changed.Filters["dateTo.to"] == "" {
		t.Errorf("%+v, %v", changed, err)
	}
	if same, err := s.Change(context.Background(), scope("1"), v.ID, 2, sets.Patch{Name: new("Gone")}); err != nil ||
		same.Version != 2 || len(m.writes) != 2 {
		t.Errorf("a change to the same writes: %+v, %v", same, err)
	}
	if err := s.Delete(context.Background(), scope("1"), v.ID, 2); err != nil || len(m.sets) != 0 {
		t.Error(err)
	}
}

func TestBadSetsNameTheirFields(t *testing.T) {
	s, m := newService()
	many := make([]sets.Column, 61)
	lots := map[string]string{}
	for i := range 61 {
		lots[fmt.Sprint(i)] = "x"
	}
	for of, change := range map[string]func(*sets.Patch){
		"name":            func(c *sets.Patch) { c.Name = new(" ") },
		"columns":         func(c *sets.Patch) { c.Columns = &[]sets.Column{} },
		"columns.1.field": func(c *sets.Patch) { c.Columns = &[]sets.Column{{Field: "name"}, {Field: "passwordHash"}} },
		"columns.2.field": func(c *sets.Patch) {
			c.Columns = &[]sets.Column{{Field: "name"}, {Field: "email"}, {Field: "name"}}
		},
		"columns.0.width": func(c *sets.Patch) { c.Columns = &[]sets.Column{{Field: "name", Width: 19}} },
		"filters.dateTo":  func(c *sets.Patch) { c.Filters = &map[string]string{"dateTo": "2026-01-01"} },
		"filters.active":  func(c *sets.Patch) { c.Filters = &map[string]string{"active": "maybe"} },
		"filters":         func(c *sets.Patch) { c.Filters = &lots },
		"sort":            func(c *sets.Patch) { c.Sort = new("password") },
		"grid":            func(c *sets.Patch) { c.Grid = new("roles") },
	} {
		_, err := s.Create(context.Background(), scope("1"), patchWith(patchNamed("x"), change))
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Field != of {
			t.Errorf("%s: %+v", of, f)
		}
	}
	for _, change := range []func(*sets.Patch){func(c *sets.Patch) { c.Columns = &many },
		func(c *sets.Patch) { c.Name = new(strings.Repeat("x", 81)) }} {
		if _, err := s.Create(context.Background(), scope("1"), patchWith(patchNamed("x"), change)); !fault.Is(err,
			fault.Invalid) {
			t.Errorf("%v", err)
		}
	}
	if len(m.writes) != 0 {
		t.Error("something was written")
	}
}

func TestWhoSeesAndChangesASet(t *testing.T) {
	s, _ := newService()
	owner, other, admin := scope("1", access.SetShare), scope("2"), scope("3", access.AccountAdmin)
	private := create(t, s, owner, patchNamed("Private"))
	shared := create(t, s, owner, patchWith(patchNamed("Shared"), func(c *sets.Patch) { c.Shared = new(true) }))

	for _, sc := range []access.Scope{other, admin} {
		if _, err := s.Get(context.Background(), sc, private.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s reads a private Set: %v", sc.Caller.Username, err)
		}
		if _, err := s.Change(context.Background(), sc, private.ID, 1, patchNamed("x")); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s changes a private Set: %v", sc.Caller.Username, err)
		}
		if err := s.Delete(context.Background(), sc, private.ID, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s deletes a private Set: %v", sc.Caller.Username, err)
		}
	}
	if _, err := s.Change(context.Background(), other, shared.ID, 1, patchNamed("x")); !fault.HasCode(err, "notOwner") {
		t.Errorf("%v", err)
	}
	if err := s.Delete(context.Background(), other, shared.ID, 1); !fault.HasCode(err, "notOwner") {
		t.Errorf("%v", err)
	}
	if v, err := s.Change(context.Background(), other, shared.ID, 1, sets.Patch{Default: new(true)}); err != nil ||
		!v.Default || v.Version != 1 || v.Own {
		t.Errorf("somebody else's default: %+v, %v", v, err)
	}
	if v, _ := s.Get(context.Background(), owner, shared.ID); v.Default {
		t.Error("one person's default is another's")
	}
	if v, err := s.Change(context.Background(), admin, shared.ID, 1, sets.Patch{Name: new("Tidy")}); err != nil ||
		v.ChangedBy != "u3" || v.Owner != "u1" {
		t.Errorf("%+v, %v", v, err)
	}
	// Sharing needs its permission, at first and later; keeping a shared Set shared does not.
	if _, err := s.Create(context.Background(), other,
		patchWith(patchNamed("x"), func(c *sets.Patch) { c.Shared = new(true) })); !fault.HasCode(err, "forbidden") {
		t.Errorf("%v", err)
	}
	if _, err := s.Change(context.Background(), scope("1"), private.ID, 1,
		sets.Patch{Shared: new(true)}); !fault.HasCode(err, "forbidden") {
		t.Errorf("%v", err)
	}
	if _, err := s.Change(context.Background(), scope("1"), shared.ID, 2, sets.Patch{Sort: new("name")}); err != nil {
		t.Error(err)
	}
	if v, err := s.Change(context.Background(), admin, shared.ID, 3, sets.Patch{Shared: new(false)}); err != nil ||
		v.Shared {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := s.Get(context.Background(), other, shared.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestNothingIsOverwrittenUnseen(t *testing.T) {
	s, m := newService()
	sc := scope("1")
	v := create(t, s, sc, patchNamed("A"))
	if _, err := s.Change(context.Background(), sc, v.ID, 7, patchNamed("B")); !fault.Is(err, fault.Stale) {
		t.Errorf("%v", err)
	}
	if err := s.Delete(context.Background(), sc, v.ID, 7); !fault.Is(err, fault.Stale) {
		t.Errorf("%v", err)
	}
	m.beforeWrite = func(m *fakeStore) {
		set := m.sets[v.ID]
		set.Version, set.ChangedBy = 2, "somebody"
		m.sets[v.ID] = set
	}
	_, err := s.Change(context.Background(), sc, v.ID, 1, patchNamed("B"))
	if f := fault.As(err); f == nil || f.Kind != fault.Stale || f.Fields[0].By != "somebody" {
		t.Errorf("%v", err)
	}
	m.beforeWrite = nil
	m.fail = sets.ErrConcurrentChange
	if _, err := s.Create(context.Background(), sc, patchNamed("C")); !fault.HasCode(err, "busy") {
		t.Errorf("%v", err)
	}
	m.fail = errors.New("down")
	if _, _, err := s.List(context.Background(), sc, "", nil, 5); !errors.Is(err, m.fail) {
		t.Errorf("%v", err)
	}
}

func TestListIsByNameInPages(t *testing.T) {
	s, _ := newService()
	for _, name := range []string{"b", "Ａ", "c", "B", "a"} {
		create(t, s, scope("1"), patchNamed(name))
	}
	create(t, s, scope("2"), patchNamed("another's"))
	for _, limit := range []int{1, 2, 5, 9} {
		var got []string
		var after *sets.Position
		for {
			page, next, err := s.List(context.Background(), scope("1"), sets.Accounts, after, limit)
			if err != nil || len(page) > limit {
				t.Fatal(len(page), err)
			}
			for _, v := range page {
				got = append(got, v.Name)
			}
			if after = next; next == nil {
				break
			}
		}
		if !slices.Equal(got, []string{"Ａ", "a", "b", "B", "c"}) {
			t.Errorf("by %d: %q", limit, got)
		}
	}
	if none, _, _ := s.List(context.Background(), scope("1"), "other", nil, 5); len(none) != 0 {
		t.Errorf("%v", none)
	}
}
