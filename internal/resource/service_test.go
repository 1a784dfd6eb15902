package resource_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
)

func TestCreateReturnsTheNumberThatTheStoreFound(t *testing.T) {
	s, m := newService(testResource("A"))
	got, err := s.Create(context.Background(), scope(), field.Patch{"description": "x", "resourceGroup": "BARE"})
	if err != nil || got.Code != "2" || m.events[0].Subject != "resource/2" {
		t.Errorf("%+v %+v %v", got, m.events, err)
	}
}

func TestGetRefusesWhatCannotBeACode(t *testing.T) {
	s, m := newService()
	m.fail = errors.New("asked")
	for _, code := range []string{"", "a/b", "a;b", "\x00", "..", strings.Repeat("x", 51)} {
		if _, err := s.Get(context.Background(), scope(), code); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", code, err)
		}
	}
}

// V62: a stale change is refused with what changed, also after a concurrent change.
func TestStaleChanges(t *testing.T) {
	s, m := newService(testResource("JD"))
	if _, err := s.Change(context.Background(), scope(), "JD", 4, field.Patch{"company": "Acme"}, false); err != nil {
		t.Fatal(err)
	}
	_, err := s.Change(context.Background(), scope(), "JD", 4, field.Patch{"company": "Other"}, false)
	f := fault.As(err)
	if f == nil || f.Kind != fault.Stale || len(f.Fields) != 1 || f.Fields[0].Field != "company" ||
		f.Fields[0].By != "admin" || !f.Fields[0].At.Equal(nowStored) {
		t.Errorf("%+v", err)
	}
	m.beforeWrite = func() {
		m.beforeWrite = nil
		r := m.resources["jd"]
		r.Version++
		m.resources["jd"] = r
	}
	if _, err := s.Change(context.Background(), scope(), "JD", 5, field.Patch{"company": "Other"}, false); !fault.Is(err,
		fault.Stale) {
		t.Errorf("concurrent change: %v", err)
	}
	m.beforeWrite = func() {
		r := m.resources["jd"]
		r.Version++
		m.resources["jd"] = r
	}
	if _, err := s.SetActive(context.Background(), scope(), "JD", 0, false); !fault.HasCode(err, "busy") {
		t.Errorf("concurrent changes each time: %v", err)
	}
}

func TestLockAndUnlock(t *testing.T) {
	s, m := newService(testResource("JD"))
	for i, active := range []bool{false, false, true} {
		got, err := s.SetActive(context.Background(), scope(), "jd", 0, active)
		if err != nil || got.Active != active {
			t.Errorf("%d: %+v %v", i, got, err)
		}
	}
	if len(m.events) != 2 || m.events[0].Kind != auditlog.Locked || m.events[1].Kind != auditlog.Unlocked ||
		!reflect.DeepEqual(m.events[0].Changes, []field.Diff{{Field: "active", From: true, To: false}}) ||
		m.resources["jd"].Version != 6 {
		t.Errorf("%+v", m.events)
	}
}

// fakeUsages is something else that names resources.
type fakeUsages []string

func (u fakeUsages) Usages(context.Context, access.Scope, resource.Resource) ([]string, error) {
	return u, nil
}

func TestDeleteOnlyWhatNothingNames(t *testing.T) {
	s, m := newService(testResource("JD"), testResource("OTHER"))
	s.UsageFinders = []resource.UsageFinder{fakeUsages{}}
	if err := s.Delete(context.Background(), scope(), "jd", 4); err != nil || len(m.resources) != 1 ||
		m.events[0].Kind != auditlog.Deleted || m.events[0].Version != 5 {
		t.Errorf("unused: %+v %v", m.resources, err)
	}
	for name, c := range map[string]struct {
		change func(*resource.Resource)
		others []resource.UsageFinder
		says   []string
		fields int
	}{
		"account": {func(r *resource.Resource) { r.AccountID, r.Stored.ReferenceCount = "7", 0 }, nil,
			[]string{"account 7"}, 1},
		"managers": {func(r *resource.Resource) { r.LegacyRef = "managed" }, nil,
			[]string{"REPORT00", "REPORT19", "and 5 more"}, 20},
		"default": {func(r *resource.Resource) { r.Code, r.Stored.ReferenceCount = "ＢＯＳＳ", 0 }, nil,
			[]string{"resource group STAFF"}, 1},
		"by another": {func(*resource.Resource) {}, []resource.UsageFinder{fakeUsages{}, fakeUsages{"the delegation of x"}},
			[]string{"the delegation of x"}, 1},
	} {
		r := testResource("JD")
		r.Stored.ReferenceCount = 1
		c.change(&r)
		s, m := newService(r)
		for i := range 25 {
			report := testResource(fmt.Sprintf("REPORT%02d", i))
			if report.Manager = "jd"; r.LegacyRef != "managed" {
				report.Manager = "X"
			}
			m.resources[report.Key()] = report
		}
		s.UsageFinders = c.others
		err := s.Delete(context.Background(), scope(), r.Code, 4)
		f := fault.As(err)
		if f == nil || f.Kind != fault.Conflict || f.Code != "inUse" || len(f.Fields) != c.fields || len(m.writes) > 0 {
			t.Errorf("%s: %+v", name, err)
			continue
		}
		for _, want := range c.says {
			if !strings.Contains(f.Detail, want) {
				t.Errorf("%s: %q does not say %q", name, f.Detail, want)
			}
		}
		if strings.Contains(f.Detail, "REPORT20") {
			t.Errorf("%s: %q says too much", name, f.Detail)
		}
	}
	s, _ = newService(testResource("JD"))
	if err := s.Delete(context.Background(), scope(), "JD", 3); !fault.Is(err, fault.Stale) {
		t.Errorf("stale: %v", err)
	}
}

// A resource that was never named is deleted without a search through all others.
func TestDeleteLooksForUsesOnlyWhereThereCanBeAny(t *testing.T) {
	s, m := newService(testResource("JD"))
	if err := s.Delete(context.Background(), scope(), "JD", 4); err != nil || len(m.pages) > 0 {
		t.Errorf("%v, pages %v", err, m.pages)
	}
}

func TestList(t *testing.T) {
	var there []resource.Resource
	for i := range 2500 {
		r := testResource(fmt.Sprintf("R%04d", i))
		r.Active = i%2 == 0
		if i%500 == 499 {
			r.ResourceGroup, r.LastName, r.FirstName, r.LegacyRef = "FEW", "Ｄoe", "Jörg", "X-1"
		}
		there = append(there, r)
	}
	s, m := newService(there...)
	yes, no := true, false
	for name, c := range map[string]struct {
		filter resource.Filter
		count  int
	}{
		"all": {resource.Filter{}, 2500}, "active": {resource.Filter{Active: &yes}, 1250},
		"locked": {resource.Filter{Active: &no}, 1250},
		"group":  {resource.Filter{Group: "few"}, 5}, "last name": {resource.Filter{Find: " DOE "}, 5},
		"first name": {resource.Filter{Find: "JO\u0308R"}, 5},
		"legacy ref": {resource.Filter{Find: "x-1"}, 5}, "code": {resource.Filter{Find: "r0012"}, 1},
		"description": {resource.Filter{Find: "SOMEBODY", Group: "FEW"}, 5},
		"nothing":     {resource.Filter{Find: "x-2"}, 0}, "both": {resource.Filter{Find: "x-1", Active: &yes}, 0},
	} {
		var got []string
		for after := ""; ; {
			found, next, err := s.List(context.Background(), scope(), c.filter, after, 40)
			if err != nil || len(found) > 40 || next != "" && len(found) != 40 {
				t.Fatalf("%s: %d, %q, %v", name, len(found), next, err)
			}
			for _, r := range found {
				got = append(got, r.Key())
			}
			if after = next; next == "" {
				break
			}
		}
		if len(got) != c.count || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != c.count {
			t.Errorf("%s: %d, want %d in order", name, len(got), c.count)
		}
	}
	m.pages = nil
	if found, next,
		err := s.List(context.Background(), scope(), resource.Filter{}, "", 2500); len(found) != 2500 || next != "" ||
		err != nil || len(m.pages) != 1 {
		t.Errorf("a page that holds all: %d, %q, %v, %v", len(found), next, err, m.pages)
	}
}
