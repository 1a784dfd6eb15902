package resource_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
)

// now is the time of every test, with more precision than is stored.
var now = time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)

var nowStored = now.Truncate(time.Millisecond)

// fakeStore is a Store of resources by key. beforeWrite, if set, runs before each write, like a concurrent request.
type fakeStore struct {
	resources   map[string]resource.Resource
	events      []auditlog.Event
	writes      []resource.Write
	pages       []int
	beforeWrite func()
	fail        error
}

func (m *fakeStore) Resource(_ context.Context, _ environment.Environment, code string) (resource.Resource, error) {
	r, ok := m.resources[catalogue.Fold(code)]
	if !ok {
		return resource.Resource{}, cmp.Or(m.fail, error(fault.New(fault.NotFound, "notFound", "There is no such resource.")))
	}
	return r, m.fail
}

func (m *fakeStore) Page(_ context.Context, _ environment.Environment, after string, limit int) ([]resource.Resource,
	string, error) {
	m.pages = append(m.pages, limit)
	var out []resource.Resource
	for _, k := range slices.Sorted(maps.Keys(m.resources)) {
		if k <= after {
			continue
		}
		if len(out) == limit {
			return out, out[limit-1].Key(), m.fail
		}
		out = append(out, m.resources[k])
	}
	return out, "", m.fail
}

func (m *fakeStore) Write(_ context.Context, _ environment.Environment, w resource.Write) (resource.Write, error) {
	if m.beforeWrite != nil {
		m.beforeWrite()
	}
	if m.fail != nil {
		return resource.Write{}, m.fail
	}
	if w.Before != nil && m.resources[w.After.Key()].Version != w.Before.Version {
		return resource.Write{}, resource.ErrConcurrentChange
	}
	if w.After.Code == "" {
		w = w.WithCode(fmt.Sprint(len(m.resources) + 1))
	}
	m.resources[w.After.Key()] = w.After
	if w.Deleted {
		delete(m.resources, w.After.Key())
	}
	m.writes = append(m.writes, w)
	m.events = append(m.events, w.Event)
	return w, nil
}

func (m *fakeStore) EventsSince(_ context.Context, _ environment.Environment, r resource.Resource,
	version int64) ([]auditlog.Event, error) {
	var out []auditlog.Event
	for _, e := range m.events {
		if e.Subject == r.Subject() && e.Version > version {
			out = append(out, e)
		}
	}
	return out, m.fail
}

func newService(existing ...resource.Resource) (*resource.Service, *fakeStore) {
	m := &fakeStore{resources: map[string]resource.Resource{}}
	for _, r := range existing {
		m.resources[r.Key()] = r
	}
	n := 0
	return &resource.Service{Store: m, Now: func() time.Time { return now },
		NewID: func() string { n++; return fmt.Sprint("id", n) }}, m
}

func testResource(code string) resource.Resource {
	return resource.Resource{
		Code: code, Version: 4, Description: "Somebody", ResourceGroup: "STAFF", Country: "GB", Currency: "GBP", Active: true,
		Department: "OLD", CreatedAt: nowStored, UpdatedAt: nowStored,
	}
}

func scope() access.Scope {
	entry := func(kind catalogue.Kind, code string) catalogue.Entry {
		return catalogue.Entry{Kind: kind, Code: code, Active: true}
	}
	staff, own, retired, old := entry(catalogue.ResourceGroup, "STAFF"), entry(catalogue.ResourceGroup, "OWN"),
		entry(catalogue.ResourceGroup, "CLOSED"), entry(catalogue.Department, "OLD")
	staff.Defaults = catalogue.ResourceDefaults{Department: "SALES", Manager: "boss", CostCentre: "100", Currency: "EUR",
		PaymentMethod: "FP", PaymentTerms: "1"}
	own.Defaults = catalogue.ResourceDefaults{Department: "OLD"}
	retired.Active, old.Active = false, false
	return access.Scope{
		Env: environment.Environment{ID: "test",
			Settings: environment.Settings{Country: "GB", Currency: "GBP", LogRetentionDays: 30}},
		Catalogue: catalogue.New([]catalogue.Entry{
			staff, own, retired, old, entry(catalogue.ResourceGroup, "BARE"), entry(catalogue.Department, "SALES"),
			entry(catalogue.Department, "FIN"),
			entry(catalogue.CostCentre, "100"), entry(catalogue.CostCentre, "200"), entry(catalogue.PaymentMethod, "FP"),
			entry(catalogue.PaymentTerms, "1"),
		}),
		Caller: access.Caller{AccountID: "9", Username: "admin", KeyID: "k"},
	}
}
