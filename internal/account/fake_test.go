package account_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/phone"
)

// now is the time of every test, with more precision than is stored.
var now = time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)

var nowStored = now.Truncate(time.Millisecond)

const today field.Date = "2026-01-05"

// fakeStore is a Store of accounts by id. beforeWrite, if set, runs before each write, like a concurrent request.
type fakeStore struct {
	accounts    map[string]account.Account
	events      []auditlog.Event
	writes      []account.Write
	beforeWrite func(m *fakeStore)
	fail        error
}

func (m *fakeStore) Account(_ context.Context, _ environment.Environment, id string) (account.Account, error) {
	a, ok := m.accounts[id]
	if !ok {
		return account.Account{}, fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	return a, m.fail
}

func (m *fakeStore) Write(_ context.Context, _ environment.Environment, w account.Write) error {
	if m.beforeWrite != nil {
		m.beforeWrite(m)
	}
	if m.fail != nil {
		return m.fail
	}
	if w.Before != nil && m.accounts[w.After.ID].Version != w.Before.Version {
		return account.ErrConcurrentChange
	}
	m.accounts[w.After.ID] = w.After
	m.writes = append(m.writes, w)
	m.events = append(m.events, w.Event)
	return nil
}

func (m *fakeStore) EventsSince(_ context.Context, _ environment.Environment, _ string,
	version int64) ([]auditlog.Event, error) {
	var out []auditlog.Event
	for _, e := range m.events {
		if e.Version > version {
			out = append(out, e)
		}
	}
	return out, m.fail
}

// fakePasswords is a Passwords with a policy of one rule, at least 8 characters and none of the words.
type fakePasswords struct{ fail error }

func (fakePasswords) Check(_ environment.Settings, secret string, words []string) []fault.Field {
	for _, w := range words {
		if w != "" && strings.Contains(secret, w) {
			return []fault.Field{{Field: "password", Code: "personal"}}
		}
	}
	if len(secret) < 8 {
		return []fault.Field{{Field: "password", Code: "tooShort"}}
	}
	return nil
}

func (p fakePasswords) Hash(secret string) (string, error) { return "hash of " + secret, p.fail }

func entry(kind catalogue.Kind, code string, set func(*catalogue.Entry)) catalogue.Entry {
	e := catalogue.Entry{Kind: kind, Code: code, Active: true}
	if set != nil {
		set(&e)
	}
	return e
}

func testCatalogue() *catalogue.Catalogue {
	roles := func(codes ...string) func(*catalogue.Entry) { return func(e *catalogue.Entry) { e.Roles = codes } }
	may := func(p ...access.Permission) func(*catalogue.Entry) {
		return func(e *catalogue.Entry) {
			for _, p := range p {
				e.Permissions = append(e.Permissions, string(p))
			}
		}
	}
	var all []access.Permission
	for p := range access.All() {
		all = append(all, p)
	}
	return catalogue.New([]catalogue.Entry{
		entry(catalogue.Licence, "FULL", nil), entry(catalogue.Licence, "TEAM", roles("VIEWER")),
		entry(catalogue.Licence, "API", func(e *catalogue.Entry) { e.APIOnly = true }),
		entry(catalogue.Licence, "OLD", func(e *catalogue.Entry) { e.Active = false }),
		entry(catalogue.Role, "ADMIN", may(all...)), entry(catalogue.Role, "VIEWER", may(access.AccountRead)),
		entry(catalogue.Role, "EDITOR", may(access.AccountRead, access.AccountUpdate, access.AccountIdentity,
			access.AccountCreate)),
		entry(catalogue.Role, "DESK", may(access.AccountRead, access.AccountBlock, access.AccountPassword)),
		entry(catalogue.Role, "RETIRED", func(e *catalogue.Entry) { e.Active = false }),
		entry(catalogue.Group, "STAFF", roles("VIEWER")), entry(catalogue.Group, "BOARD", roles("ADMIN")),
		entry(catalogue.Group, "NEST", func(e *catalogue.Entry) { e.Groups = []string{"BOARD", "NEST"} }),
		entry(catalogue.DACGroup, "DAC1", nil),
	})
}

// scope is a request of the account with the id, which holds the roles.
func scope(id string, roles ...string) access.Scope {
	settings := environment.Defaults()
	settings.DACEnabled = true
	return access.Scope{
		Env: environment.Environment{ID: "test", Settings: settings}, Catalogue: testCatalogue(),
		Caller: access.Caller{AccountID: id, Username: "u" + id, Epoch: 70, AuthenticatedAt: now,
			Permissions: access.Permissions(testCatalogue(), roles, nil)},
	}
}

// testAccount is an account that can sign in.
func testAccount(id string, roles ...string) account.Account {
	return account.Account{
		ID: id, Version: 4, Epoch: 7, UserType: "FULL", Username: "u" + id, Name: "Somebody " + id,
		Email:    "u" + id + "@example.com",
		DateFrom: "2026-01-01", Active: true, Roles: roles, PasswordHash: "hash",
	}
}

// unusedAccount is an account that nobody ever signed in to, with nothing to sign in with.
func unusedAccount(id string, roles ...string) account.Account {
	a := testAccount(id, roles...)
	a.PasswordHash = ""
	return a
}

func newService(accounts ...account.Account) (*account.Service, *fakeStore) {
	m := &fakeStore{accounts: map[string]account.Account{}}
	for _, a := range accounts {
		m.accounts[a.ID] = a
	}
	n := 0
	return &account.Service{Rules: account.Rules{E164: phone.E164}, Store: m, Passwords: fakePasswords{},
		Now: func() time.Time { return now }, NewID: func() string {
			n++
			return fmt.Sprintf("id%d", n)
		}}, m
}

// wantFault fails the test unless err is a fault of the kind and code; with a field, that is the one field it names.
func wantFault(t *testing.T, name string, err error, kind fault.Kind, code, of string) {
	t.Helper()
	f := fault.As(err)
	switch {
	case f == nil || f.Kind != kind:
		t.Errorf("%s: %v", name, err)
	case of == "" && f.Code != code:
		t.Errorf("%s: code %s, want %s", name, f.Code, code)
	case of != "" && (len(f.Fields) != 1 || f.Fields[0].Field != of || f.Fields[0].Code != code):
		t.Errorf("%s: fields %+v, want %s of %s", name, f.Fields, code, of)
	}
}

func validPatch() field.Patch {
	return field.Patch{"username": "Doej", "name": "John Doe", "email": "john@example.com", "userType": "full"}
}

func patchWith(more field.Patch) field.Patch {
	p := validPatch()
	for k, v := range more {
		p[k] = v
	}
	return p
}
