package bulk_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/bulk"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/directory"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
)

// now is every test's time.
var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// fakeStore is the store of accounts and of the directory, for several goroutines at once. seats are those in use.
type fakeStore struct {
	mu       sync.Mutex
	accounts map[string]account.Account
	writes   []account.Write
	seats    map[string]int64
	fail     error
}

func (s *fakeStore) Account(_ context.Context, _ environment.Environment, id string) (account.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return account.Account{}, fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	return a, s.fail
}

func (s *fakeStore) Write(_ context.Context, _ environment.Environment, w account.Write) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.accounts[w.After.ID].Version != w.Before.Version {
		return account.ErrConcurrentChange
	}
	s.accounts[w.After.ID] = w.After
	s.writes = append(s.writes, w)
	return nil
}

func (s *fakeStore) EventsSince(context.Context, environment.Environment, string, int64) ([]auditlog.Event, error) {
	return nil, s.fail
}

func (s *fakeStore) Seats(context.Context, string) (map[string]int64, error) {
	return maps.Clone(s.seats), nil
}

// byKey returns the accounts as they are now, by directory key.
func (s *fakeStore) byKey() map[string]account.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]account.Account{}
	for _, a := range s.accounts {
		out[a.DirectoryKey()] = a
	}
	return out
}

func (s *fakeStore) Page(context.Context, environment.Environment, string, int) ([]account.Account, string, error) {
	panic("a bulk action goes by a scan")
}

func (s *fakeStore) Scan(_ context.Context, _ environment.Environment, after string, _ []string,
	visit func([]directory.Row)) error {
	var wg sync.WaitGroup
	for key, a := range s.byKey() {
		if key > after {
			wg.Go(func() { visit([]directory.Row{{Key: key, Account: a}}) })
		}
	}
	wg.Wait()
	return s.fail
}

func (s *fakeStore) ByKeys(_ context.Context, _ environment.Environment, keys []string) ([]account.Account, error) {
	all := s.byKey()
	out := make([]account.Account, len(keys))
	for i, key := range keys {
		out[i] = all[key]
	}
	return out, nil
}

func newService(accounts ...account.Account) (*bulk.Service, *fakeStore) {
	store := &fakeStore{accounts: map[string]account.Account{}}
	for _, a := range accounts {
		store.accounts[a.ID] = a
	}
	return &bulk.Service{
		Accounts: &account.Service{
			Rules: account.Rules{E164: func(string, string) string { return "" }}, Store: store, Seats: store,
			Now: func() time.Time { return now }, NewID: func() string { return "id" },
		},
		Directory: &directory.Service{Store: store, Now: func() time.Time { return now }},
	}, store
}

// testAccount is an account that can sign in.
func testAccount(id string, roles ...string) account.Account {
	return account.Account{
		ID: id, Version: 4, Epoch: 7, UserType: "FULL", Username: "u" + id, Name: "Somebody " + id,
		Email: "u" + id + "@example.com", DateFrom: "2026-01-01", Active: true, Roles: roles, PasswordHash: "hash",
	}
}

// limited returns some accounts that are locked, and the scope of an administrator where their licence has 10 seats.
func limited(ids ...string) ([]account.Account, access.Scope) {
	var locked []account.Account
	for _, id := range ids {
		a := testAccount(id)
		a.Active = false
		locked = append(locked, a)
	}
	sc := scope("9", "ADMIN")
	full, _ := sc.Catalogue.Find(catalogue.Licence, "FULL")
	full.Seats = 10
	sc.Catalogue = sc.Catalogue.Replace(full)
	return locked, sc
}

func testCatalogue() *catalogue.Catalogue {
	role := func(code string, permissions ...access.Permission) catalogue.Entry {
		e := catalogue.Entry{Kind: catalogue.Role, Code: code, Active: true}
		for _, p := range permissions {
			e.Permissions = append(e.Permissions, string(p))
		}
		return e
	}
	return catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Licence, Code: "FULL", Active: true},
		role("ADMIN", slices.Collect(maps.Keys(access.All()))...),
		role("VIEWER", access.AccountRead),
		role("EDITOR", access.AccountRead, access.AccountUpdate, access.AccountCreate),
		role("DESK", access.AccountRead, access.AccountBlock, access.AccountPassword),
		{Kind: catalogue.Group, Code: "STAFF", Active: true, Roles: []string{"VIEWER"}},
	})
}

// scope is a request of the account with the id, which holds the roles.
func scope(id string, roles ...string) access.Scope {
	return access.Scope{
		Env: environment.Environment{ID: "test", Settings: environment.Defaults()}, Catalogue: testCatalogue(),
		Caller: access.Caller{AccountID: id, Username: "u" + id, Epoch: 70, AuthenticatedAt: now,
			Permissions: access.Permissions(testCatalogue(), roles, nil)},
	}
}

// wantFault fails the test unless err is an Invalid fault of the one field and code.
func wantFault(t *testing.T, name string, err error, field, code string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Field != field ||
		f.Fields[0].Code != code {
		t.Errorf("%s: %v %+v, want %s of %s", name, err, f, code, field)
	}
}
