package reference_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/reference"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fakeStore has the catalogue in memory.
type fakeStore struct {
	current reference.Current
	written []reference.Change
	events  []auditlog.Event
	// beforeWrite, if set, runs before each write and can make it fail.
	beforeWrite func(attempt int) error
	attempts    int
}

func (s *fakeStore) Current(context.Context, string) (reference.Current, error) {
	return s.current, nil
}

func (s *fakeStore) Write(_ context.Context, c reference.Change) error {
	s.attempts++
	if s.beforeWrite != nil {
		if err := s.beforeWrite(s.attempts); err != nil {
			return err
		}
	}
	if c.BaseVersion != s.current.Env.CatalogueVersion {
		return errors.New("written on another version than the one read")
	}
	s.written = append(s.written, c)
	s.current.Env.CatalogueVersion++
	if c.After != nil {
		s.current.Catalogue = s.current.Catalogue.Replace(*c.After)
	} else {
		s.current.Catalogue = s.current.Catalogue.Without(*c.Before)
	}
	s.events = append(s.events, c.Event)
	return nil
}

func (s *fakeStore) EventsSince(_ context.Context, _, subject string, version int64) ([]auditlog.Event, error) {
	return slices.DeleteFunc(slices.Clone(s.events),
		func(e auditlog.Event) bool { return e.Subject != subject || e.Version <= version }), nil
}

// ActiveResource knows one resource.
func (s *fakeStore) ActiveResource(_ context.Context, _ environment.Environment, code string) (string, bool, error) {
	return "M1", strings.EqualFold(code, "M1"), nil
}

type fakeHolders []reference.Holder

func (h fakeHolders) VisitHolders(_ context.Context, _ environment.Environment, _ catalogue.Kind,
	visit func(reference.Holder)) error {
	for _, holder := range h {
		visit(holder)
	}
	return nil
}

// accountHolder is an account that can sign in.
func accountHolder(name, licence string, roles, groups []string) reference.Holder {
	return reference.Holder{Type: "account", ID: name, Name: name, CanSignIn: true, Codes: map[catalogue.Kind][]string{
		catalogue.Licence: {licence}, catalogue.Role: roles, catalogue.Group: groups,
	}}
}

func entry(kind catalogue.Kind, code string, set func(*catalogue.Entry)) catalogue.Entry {
	e := catalogue.Entry{Kind: kind, Code: code, Active: true, Version: 1}
	if set != nil {
		set(&e)
	}
	return e
}

func testEntries() []catalogue.Entry {
	roles := func(codes ...string) func(*catalogue.Entry) { return func(e *catalogue.Entry) { e.Roles = codes } }
	allows := func(p ...string) func(*catalogue.Entry) { return func(e *catalogue.Entry) { e.Permissions = p } }
	return []catalogue.Entry{
		entry(catalogue.Licence, "FULL", nil),
		entry(catalogue.Licence, "TEAM", roles("VIEWER", "SELF")),
		entry(catalogue.Licence, "API", func(e *catalogue.Entry) { e.APIOnly = true }),
		entry(catalogue.Role, "ADMIN", allows("account.read", "account.admin", "access.write", "settings.write")),
		entry(catalogue.Role, "VIEWER", allows("account.read")),
		entry(catalogue.Role, "EDITOR", allows("account.update", "account.read")),
		entry(catalogue.Role, "SELF", nil),
		entry(catalogue.Role, "OLD",
			func(e *catalogue.Entry) { e.Active, e.Permissions = false, []string{"account.delete"} }),
		entry(catalogue.Group, "STAFF", roles("SELF")),
		entry(catalogue.Group, "DESK",
			func(e *catalogue.Entry) { e.Roles, e.Groups = []string{"VIEWER"}, []string{"STAFF"} }),
		entry(catalogue.Group, "BOSSES", roles("ADMIN")),
		entry(catalogue.DACGroup, "DAC1", nil),
		entry(catalogue.Department, "SALES", nil),
		entry(catalogue.Department, "IDLE", nil),
		entry(catalogue.CostCentre, "100", nil),
		entry(catalogue.ResourceGroup, "STAFF",
			func(e *catalogue.Entry) { e.Defaults.Department, e.Defaults.Currency = "SALES", "GBP" }),
	}
}

// fixture is a service over a catalogue, and the scope of its administrator.
type fixture struct {
	*reference.Service
	store *fakeStore
	scope access.Scope
	ids   int
}

func newFixture(people ...reference.Holder) *fixture {
	s := &fakeStore{current: reference.Current{
		Env:       environment.Environment{ID: "e", CatalogueVersion: 7, Settings: environment.Defaults()},
		Catalogue: catalogue.New(testEntries()), Assignments: []int64{3},
	}}
	f := &fixture{store: s}
	f.Service = &reference.Service{Store: s, Resources: s, HolderSources: []reference.HolderSource{fakeHolders(people)},
		Now: func() time.Time { return now }, NewID: func() string {
			f.ids++
			return fmt.Sprint("id", f.ids)
		}}
	f.scope = f.as("boss", "account.read", "account.admin", "access.write", "settings.write", "account.update")
	return f
}

func (f *fixture) as(name string, permissions ...access.Permission) access.Scope {
	set := access.Set{}
	for _, p := range permissions {
		set[p] = struct{}{}
	}
	return access.Scope{Env: f.store.current.Env, Catalogue: f.store.current.Catalogue,
		Caller: access.Caller{AccountID: name, Username: name, Epoch: 4, Permissions: set}}
}

func (f *fixture) patch(kind catalogue.Kind, code string, p field.Patch) error {
	e, ok := f.store.current.Catalogue.Find(kind, code)
	if !ok {
		return errors.New("no such entry in the fixture")
	}
	_, err := f.Change(context.Background(), f.scope, reference.Ref{Kind: kind, Code: code, Version: e.Version}, p)
	return err
}

func (f *fixture) remove(kind catalogue.Kind, code string) error {
	e, _ := f.store.current.Catalogue.Find(kind, code)
	return f.Delete(context.Background(), f.scope, reference.Ref{Kind: kind, Code: code, Version: e.Version})
}

// wantFault fails unless err is a fault of the code that contains the texts, and nothing was written.
func (f *fixture) wantFault(t *testing.T, err error, kind fault.Kind, code string, naming ...string) {
	t.Helper()
	e := fault.As(err)
	if e == nil || e.Kind != kind || e.Code != code {
		t.Fatalf("%v; want %s", err, code)
	}
	said := e.Detail
	for _, field := range e.Fields {
		said += " " + field.Field + " " + field.Code + " " + field.Message
	}
	for _, name := range naming {
		if !strings.Contains(said, name) {
			t.Errorf("%q does not name %s", said, name)
		}
	}
	if len(f.store.written) > 0 {
		t.Errorf("written all the same: %+v", f.store.written)
	}
}

func TestCreateWritesTheEntryWithItsEvent(t *testing.T) {
	f := newFixture()
	got, err := f.Create(t.Context(), f.scope, catalogue.Group, field.Patch{
		"code": " NEW ", "description": "New", "roles": []string{"viewer", "ＳＥＬＦ", "VIEWER"}, "groups": []string{"staff"},
	})
	want := catalogue.Entry{Kind: catalogue.Group, Code: "NEW", Description: "New", Active: true, Version: 8,
		Roles: []string{"SELF", "VIEWER"}, Groups: []string{"STAFF"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	w := f.store.written[0]
	if w.BaseVersion != 7 || w.Assignments != nil || w.Before != nil || w.CallerEpoch != 4 {
		t.Errorf("%+v", w)
	}
	e := w.Event
	if e.Kind != auditlog.Created || e.Subject != "group/NEW" || e.Version != 8 || e.By != "boss" || e.ByID != "boss" ||
		e.At != now || e.ID == "" || e.RetentionDays != 730 {
		t.Errorf("%+v", e)
	}
	if diff := []field.Diff{{Field: "code", To: "NEW"}, {Field: "description", To: "New"},
		{Field: "roles", To: []string{"SELF", "VIEWER"}},
		{Field: "groups", To: []string{"STAFF"}}}; !reflect.DeepEqual(e.Changes, diff) {
		t.Errorf("%+v", e.Changes)
	}
}

func TestFieldsAreHeldAgainstTheCatalogue(t *testing.T) {
	long := strings.Repeat("x", 51)
	for name, c := range map[string]struct {
		kind  catalogue.Kind
		patch field.Patch
		field string
	}{
		"no code":                {catalogue.Department, field.Patch{"description": "x"}, "code"},
		"a blank code":           {catalogue.Department, field.Patch{"code": " \t "}, "code"},
		"a semicolon":            {catalogue.Department, field.Patch{"code": "A;B"}, "code"},
		"a slash":                {catalogue.Department, field.Patch{"code": "A/B"}, "code"},
		"a control character":    {catalogue.Department, field.Patch{"code": "A\x00B"}, "code"},
		"an invisible character": {catalogue.Department, field.Patch{"code": "A\u200bB"}, "code"},
		"a way up":               {catalogue.Department, field.Patch{"code": ".."}, "code"},
		"a sheet's word":         {catalogue.Department, field.Patch{"code": "<CLEAR>"}, "code"},
		"too long":               {catalogue.Department, field.Patch{"code": long}, "code"},
		"too long unfolded":      {catalogue.Department, field.Patch{"code": strings.Repeat("\ufdfa", 20)}, "code"},
		"a long description": {catalogue.Department, field.Patch{"code": "A", "description": strings.Repeat("x", 201)},
			"description"},
		"an unknown permission": {catalogue.Role, field.Patch{"code": "A", "permissions": []string{"account.fly"}},
			"permissions"},
		"an unknown role":  {catalogue.Group, field.Patch{"code": "A", "roles": []string{"NONE"}}, "roles"},
		"a locked role":    {catalogue.Group, field.Patch{"code": "A", "roles": []string{"OLD"}}, "roles"},
		"an unknown group": {catalogue.Group, field.Patch{"code": "A", "groups": []string{"NONE"}}, "groups"},
		"an allowed role":  {catalogue.Licence, field.Patch{"code": "A", "roles": []string{"NONE"}}, "roles"},
		"seats":            {catalogue.Licence, field.Patch{"code": "A", "seats": int64(-1)}, "seats"},
		"a department":     {catalogue.ResourceGroup, field.Patch{"code": "A", "department": "NONE"}, "department"},
		"a cost centre":    {catalogue.ResourceGroup, field.Patch{"code": "A", "costCentre": "NONE"}, "costCentre"},
		"a payment method": {catalogue.ResourceGroup, field.Patch{"code": "A", "paymentMethod": "NONE"},
			"paymentMethod"},
		"payment terms":     {catalogue.ResourceGroup, field.Patch{"code": "A", "paymentTerms": "NONE"}, "paymentTerms"},
		"a currency":        {catalogue.ResourceGroup, field.Patch{"code": "A", "currency": "DEM"}, "currency"},
		"no manager's code": {catalogue.ResourceGroup, field.Patch{"code": "A", "manager": "A;B"}, "manager"},
		"a manager":         {catalogue.ResourceGroup, field.Patch{"code": "A", "manager": "M2"}, "manager"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			_, err := f.Create(t.Context(), f.scope, c.kind, c.patch)
			f.wantFault(t, err, fault.Invalid, "invalid", c.field)
			if n := len(fault.As(err).Fields); n != 1 {
				t.Errorf("%d faults: %+v", n, fault.As(err).Fields)
			}
		})
	}
}

// V63 for codes: unique without regard to case, width or composition.
func TestACodeIsTakenInAnySpelling(t *testing.T) {
	for _, code := range []string{"SALES", "sales", "ＳＡＬＥＳ", "Sales "} {
		f := newFixture()
		_, err := f.Create(t.Context(), f.scope, catalogue.Department, field.Patch{"code": code})
		f.wantFault(t, err, fault.Conflict, "taken", "code")
	}
	f := newFixture()
	if _, err := f.Create(t.Context(), f.scope, catalogue.CostCentre, field.Patch{"code": "SALES"}); err != nil {
		t.Errorf("another kind: %v", err)
	}
}

func TestDefaultsAreSpelledAsTheCatalogueDoes(t *testing.T) {
	f := newFixture()
	got, err := f.Create(t.Context(), f.scope, catalogue.ResourceGroup, field.Patch{
		"code": "A", "department": "sales", "manager": "m1", "costCentre": "１００", "currency": "eur", "allowExpenses": true,
	})
	want := catalogue.ResourceDefaults{Department: "SALES", Manager: "M1", CostCentre: "100", Currency: "EUR",
		AllowExpenses: true}
	if err != nil || got.Defaults != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCodesDoNotChange(t *testing.T) {
	f := newFixture()
	f.wantFault(t, f.patch(catalogue.Department, "SALES", field.Patch{"code": "SELL"}), fault.Invalid, "invalid", "code")
}

// V62: an entry that was changed since is not overwritten; the answer says what changed, by whom and when.
func TestAStaleVersionIsToldWhatChanged(t *testing.T) {
	f := newFixture()
	if err := f.patch(catalogue.Department, "SALES", field.Patch{"description": "Selling"}); err != nil {
		t.Fatal(err)
	}
	f.store.written = nil
	_, err := f.Change(t.Context(), f.scope, reference.Ref{Kind: catalogue.Department, Code: "SALES", Version: 1},
		field.Patch{"description": "x"})
	f.wantFault(t, err, fault.Stale, "stale", "department SALES", "description")
	if got := fault.As(err).Fields[0]; got.By != "boss" || got.At == nil || !got.At.Equal(now) {
		t.Errorf("%+v", got)
	}
	f.wantFault(t, f.Delete(t.Context(), f.scope, reference.Ref{Kind: catalogue.Department, Code: "SALES", Version: 1}),
		fault.Stale, "stale")
	_, err = f.Change(t.Context(), f.scope, reference.Ref{Kind: catalogue.Department, Code: "NONE", Version: 1}, nil)
	f.wantFault(t, err, fault.NotFound, "notFound")
}

func TestAChangeOfNothingWritesNothing(t *testing.T) {
	f := newFixture()
	got, err := f.Change(t.Context(), f.scope, reference.Ref{Kind: catalogue.Role, Code: "EDITOR", Version: 1},
		field.Patch{"description": nil, "active": true})
	if err != nil || got.Version != 1 || len(f.store.written) != 0 {
		t.Errorf("%+v, %v, %+v", got, err, f.store.written)
	}
}

// Seeded codes are not sorted; only a list in the patch is sorted.
func TestAListThatIsNotGivenStaysAsItIs(t *testing.T) {
	f := newFixture()
	if err := f.patch(catalogue.Role, "EDITOR", field.Patch{"description": "x"}); err != nil {
		t.Fatal(err)
	}
	if got := f.store.written[0].Event.Changes; len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestACodeLockedSinceMayStay(t *testing.T) {
	f := newFixture()
	f.store.current.Catalogue = f.store.current.Catalogue.Replace(
		entry(catalogue.Group, "KEEPS", func(e *catalogue.Entry) { e.Roles = []string{"OLD", "SELF"} }))
	if err := f.patch(catalogue.Group, "KEEPS", field.Patch{"roles": []string{"OLD"}}); err != nil {
		t.Error(err)
	}
}

func TestGroupsAreNoCircle(t *testing.T) {
	f := newFixture()
	f.wantFault(t, f.patch(catalogue.Group, "STAFF", field.Patch{"groups": []string{"STAFF"}}), fault.Invalid, "invalid",
		"STAFF → STAFF")
	f.wantFault(t, f.patch(catalogue.Group, "STAFF", field.Patch{"groups": []string{"desk"}}), fault.Invalid, "invalid",
		"STAFF → DESK → STAFF")
	f.store.current.Catalogue = f.store.current.Catalogue.Replace(
		entry(catalogue.Group, "TOP", func(e *catalogue.Entry) { e.Groups, e.Active = []string{"DESK"}, false }))
	f.wantFault(t, f.patch(catalogue.Group, "STAFF", field.Patch{"groups": []string{"BOSSES", "DESK"}}), fault.Invalid,
		"invalid", "STAFF → DESK → STAFF")
	_, err := f.Create(t.Context(), f.scope, catalogue.Group, field.Patch{"code": "SOLO", "groups": []string{"SOLO"}})
	f.wantFault(t, err, fault.Invalid, "invalid", "groups")
}

func TestGroupsGoTenDeep(t *testing.T) {
	f := newFixture()
	for i := range 10 {
		f.store.current.Catalogue = f.store.current.Catalogue.Replace(
			entry(catalogue.Group, fmt.Sprint("G", i), func(e *catalogue.Entry) {
				if i > 0 {
					e.Groups = []string{fmt.Sprint("G", i-1)}
				}
			}))
	}
	_, err := f.Create(t.Context(), f.scope, catalogue.Group, field.Patch{"code": "ON", "groups": []string{"G9"}})
	f.wantFault(t, err, fault.Invalid, "invalid", "groups", "10")
	f.wantFault(t, f.patch(catalogue.Group, "G0", field.Patch{"groups": []string{"STAFF"}}), fault.Invalid, "invalid",
		"G9")
	if _, err := f.Create(t.Context(), f.scope, catalogue.Group,
		field.Patch{"code": "ON", "groups": []string{"G8"}}); err != nil {
		t.Error(err)
	}
}

func TestAChangeThatMeetsAnotherIsJudgedAgain(t *testing.T) {
	f := newFixture()
	f.store.beforeWrite = func(attempt int) error {
		if attempt > 2 {
			return nil
		}
		f.store.current.Env.CatalogueVersion++
		return reference.ErrConcurrentChange
	}
	if err := f.patch(catalogue.Department, "SALES", field.Patch{"description": "x"}); err != nil ||
		f.store.written[0].BaseVersion != 9 {
		t.Errorf("%v, %+v", err, f.store.written)
	}
	f = newFixture()
	f.store.beforeWrite = func(int) error { return reference.ErrConcurrentChange }
	f.wantFault(t, f.patch(catalogue.Department, "SALES", field.Patch{"description": "x"}), fault.Conflict, "busy")
}

func TestListIsInOrderFilteredAndPaged(t *testing.T) {
	f := newFixture()
	codes := func(asked reference.Filter) string {
		found, next := f.List(f.scope, catalogue.Role, asked)
		var out []string
		for _, e := range found {
			out = append(out, e.Code)
		}
		return strings.Join(out, " ") + " | " + next
	}
	yes, no := true, false
	for want, asked := range map[string]reference.Filter{
		"ADMIN EDITOR OLD SELF VIEWER | ": {Limit: 5},
		"ADMIN EDITOR | editor":           {Limit: 2},
		"OLD SELF | self":                 {Limit: 2, After: "editor"},
		"VIEWER | ":                       {Limit: 2, After: "self"},
		"OLD | ":                          {Limit: 9, Active: &no},
		"ADMIN EDITOR SELF VIEWER | ":     {Limit: 9, Active: &yes},
		"EDITOR | ":                       {Limit: 9, Find: "ＤＩt"},
		" | ":                             {Limit: 9, Find: "nothing"},
	} {
		if got := codes(asked); got != want {
			t.Errorf("%+v: %q, want %q", asked, got, want)
		}
	}
}
