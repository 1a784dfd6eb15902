package staffing_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/resource"
	"useraccounts/internal/staffing"
)

var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// fakeStore has one account, and assigns the number 1. beforeWrite, if set, runs before each write, like a concurrent
// request.
type fakeStore struct {
	owner       account.Account
	beforeWrite func() error
	writes      []staffing.Write
}

func (m *fakeStore) Get(_ context.Context, _ access.Scope, id string) (account.Account, error) {
	if id != m.owner.ID {
		return account.Account{}, fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	return m.owner, nil
}

func (m *fakeStore) WriteWithAccount(_ context.Context, _ environment.Environment, w staffing.Write) (staffing.Write,
	error) {
	if m.beforeWrite != nil {
		if err := m.beforeWrite(); err != nil {
			return staffing.Write{}, err
		}
	}
	if w.Resource.After.Code == "" {
		w = w.WithCode("1")
	}
	m.writes = append(m.writes, w)
	return w, nil
}

func newService() (*staffing.Service, *fakeStore) {
	m := &fakeStore{
		owner: account.Account{ID: "7", Version: 3, Username: "walkerp", Name: "Pat Walker", UserType: "FULL", Active: true}}
	nobody := func(context.Context, environment.Environment, string) (resource.Resource, bool, error) {
		return resource.Resource{}, false, nil
	}
	return &staffing.Service{
		Accounts: m, Rules: resource.Rules{Find: nobody}, Store: m,
		Now: func() time.Time { return now.Add(time.Nanosecond) }, NewID: func() string { return "event" },
	}, m
}

func scope(may ...access.Permission) access.Scope {
	set := access.Set{}
	for _, p := range may {
		set[p] = struct{}{}
	}
	return access.Scope{
		Env: environment.Environment{ID: "test", Settings: environment.Defaults()},
		Catalogue: catalogue.New([]catalogue.Entry{
			{Kind: catalogue.ResourceGroup, Code: "STAFF", Active: true},
			{Kind: catalogue.Role, Code: "ADMIN", Active: true, Permissions: []string{string(access.AccountAdmin)}},
		}),
		Caller: access.Caller{AccountID: "9", Username: "editor", Permissions: set},
	}
}

func TestCreateLinksBothWays(t *testing.T) {
	s, m := newService()
	got, err := s.Create(context.Background(), scope(access.AccountUpdate), "7", field.Patch{"resourceGroup": "STAFF"})
	if err != nil || got.Code != "1" || got.AccountID != "7" || got.Description != "Pat Walker" || got.Country != "GB" {
		t.Fatalf("%+v %v", got, err)
	}
	w := m.writes[0]
	want := m.owner
	want.Resource, want.Version, want.UpdatedAt = "1", 4, now
	if !reflect.DeepEqual(w.Account.After, want) || !reflect.DeepEqual(*w.Account.Before, m.owner) ||
		!reflect.DeepEqual(w.Resource.After, got) {
		t.Errorf("%+v", w)
	}
	event := auditlog.Event{
		ID: "event", At: now, Kind: auditlog.Changed, By: "editor", ByID: "9", Version: 4, RetentionDays: 730,
		Changes: []field.Diff{{Field: "resource", From: nil, To: "1"}},
	}
	if !reflect.DeepEqual(w.Account.Event, event) || w.Resource.Event.Kind != "" {
		t.Errorf("events %+v and %+v", w.Account.Event, w.Resource.Event)
	}
}

func TestPreviewWritesNothing(t *testing.T) {
	s, m := newService()
	got, err := s.Preview(context.Background(), scope(access.AccountUpdate), "7",
		field.Patch{"resourceGroup": "STAFF", "description": "Given"})
	if err != nil || got.Code != "" || got.Description != "Given" || len(m.writes) > 0 {
		t.Errorf("%+v %+v %v", got, m.writes, err)
	}
}

func TestWhoMayHaveAResourceMade(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*account.Account)
		may    access.Permission
		id     string
		kind   fault.Kind
		code   string
	}{
		"without account.update": {func(*account.Account) {}, access.ResourceWrite, "7", fault.Forbidden, "forbidden"},
		"an administrator's": {func(a *account.Account) { a.Roles = []string{"ADMIN"} }, access.AccountUpdate, "7",
			fault.Forbidden, "administrator"},
		"a second one": {func(a *account.Account) { a.Resource = "PW" }, access.AccountUpdate, "7", fault.Conflict,
			"hasResource"},
		"nobody's": {func(*account.Account) {}, access.AccountUpdate, "8", fault.NotFound, "notFound"},
	} {
		s, m := newService()
		c.change(&m.owner)
		_, err := s.Create(context.Background(), scope(c.may), c.id, field.Patch{"resourceGroup": "STAFF"})
		_, preview := s.Preview(context.Background(), scope(c.may), c.id, field.Patch{"resourceGroup": "STAFF"})
		if !fault.Is(err, c.kind) || !fault.HasCode(err, c.code) || !fault.HasCode(preview, c.code) || len(m.writes) > 0 {
			t.Errorf("%s: %v, %v", name, err, preview)
		}
	}
	s, _ := newService()
	if _, err := s.Create(context.Background(), scope(access.AccountUpdate), "7", nil); !fault.HasCode(err, "invalid") {
		t.Errorf("without a group: %v", err)
	}
}

// After a concurrent change Create tries again: another name does not matter, another resource does.
func TestConcurrentChangesOfTheAccount(t *testing.T) {
	for _, conflict := range []error{account.ErrConcurrentChange, resource.ErrConcurrentChange} {
		s, m := newService()
		m.beforeWrite = func() error { m.beforeWrite, m.owner.Name, m.owner.Version = nil, "Changed", 4; return conflict }
		got, err := s.Create(context.Background(), scope(access.AccountUpdate), "7", field.Patch{"resourceGroup": "STAFF"})
		if err != nil || got.Description != "Changed" || m.writes[0].Account.After.Version != 5 {
			t.Errorf("%v: %+v %v", conflict, got, err)
		}
		s, m = newService()
		m.beforeWrite = func() error { m.owner.Resource = "PW"; return conflict }
		if _, err := s.Create(context.Background(), scope(access.AccountUpdate), "7",
			field.Patch{"resourceGroup": "STAFF"}); !fault.HasCode(err, "hasResource") {
			t.Errorf("%v: %v", conflict, err)
		}
		s, m = newService()
		m.beforeWrite = func() error { return conflict }
		if _, err := s.Create(context.Background(), scope(access.AccountUpdate), "7",
			field.Patch{"resourceGroup": "STAFF"}); !fault.HasCode(err, "busy") {
			t.Errorf("%v each time: %v", conflict, err)
		}
	}
	s, m := newService()
	broken := errors.New("broken")
	m.beforeWrite = func() error { return broken }
	if _, err := s.Create(context.Background(), scope(access.AccountUpdate), "7",
		field.Patch{"resourceGroup": "STAFF"}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
