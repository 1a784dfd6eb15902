package directory_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

// fakeStore is a Store of accounts in memory. It gives a scan's batches to several goroutines.
type fakeStore struct {
	all     []account.Account
	queries int
	fail    error
}

func (d *fakeStore) sorted(after string) []directory.Row {
	var out []directory.Row
	for _, a := range d.all {
		if key := a.DirectoryKey(); key > after {
			out = append(out, directory.Row{Key: key, Account: a})
		}
	}
	slices.SortFunc(out, func(a, b directory.Row) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func (d *fakeStore) Scan(_ context.Context, _ environment.Environment, after string, fields []string,
	visit func([]directory.Row)) error {
	var wg sync.WaitGroup
	table := account.Fields()
	for batch := range slices.Chunk(d.sorted(after), 3) {
		for i, row := range batch { // only what was asked for is filled in
			some := account.Account{ID: row.Account.ID, Version: row.Account.Version, TriesBlockedAt: row.Account.TriesBlockedAt}
			if slices.Contains(fields, directory.StatusFilter) {
				some.BlockKind = row.Account.BlockKind
				fields = slices.Concat(fields, account.StatusFields())
			}
			for _, name := range fields {
				copyField(&some, &row.Account, table.Find(name))
			}
			batch[i].Account = some
		}
		wg.Go(func() { visit(batch) })
	}
	wg.Wait()
	return d.fail
}

func copyField(to, from *account.Account, def *field.Def[account.Account]) {
	switch at := def.At(to).(type) {
	case *string:
		*at = *def.At(from).(*string)
	case *bool:
		*at = *def.At(from).(*bool)
	case *int64:
		*at = *def.At(from).(*int64)
	case *field.Date:
		*at = *def.At(from).(*field.Date)
	case *time.Time:
		*at = *def.At(from).(*time.Time)
	case *[]string:
		*at = *def.At(from).(*[]string)
	}
}

func (d *fakeStore) ByKeys(_ context.Context, _ environment.Environment, keys []string) ([]account.Account, error) {
	var out []account.Account
	for _, key := range keys {
		if i := slices.IndexFunc(d.all, func(a account.Account) bool { return a.DirectoryKey() == key }); i >= 0 {
			out = append(out, d.all[i])
		}
	}
	return out, nil
}

func (d *fakeStore) Page(_ context.Context, _ environment.Environment, after string, limit int) ([]account.Account,
	string, error) {
	d.queries++
	rows := d.sorted(after)
	next := ""
	if len(rows) > limit {
		rows, next = rows[:limit], rows[limit-1].Key
	}
	out := make([]account.Account, len(rows))
	for i, row := range rows {
		out[i] = row.Account
	}
	return out, next, d.fail
}

func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// sampleAccounts are accounts that differ in every kind of field.
func sampleAccounts() []account.Account {
	return []account.Account{
		{ID: "1", Username: "Doej", Name: "John Doe", Email: "John.Doe@Example.com", Mobile: "020 7946 0018",
			MobileE164: "+442079460018", UserType: "FULL",
			Active: true, DateFrom: "2026-01-01", DateTo: "2026-12-31", Roles: []string{"ADMIN", "VIEWER"},
			LastLogin: parseTime("2026-02-01T23:59:59Z"), FailedTries: 2},
		{ID: "2", Username: "müller", Name: "Ｊürgen Müller", Email: "jm@example.de", UserType: "TEAM", Active: true,
			DateFrom: "2026-02-01", AccessLocked: true,
			LockedAt: parseTime("2026-03-01T00:00:00Z"), LockedReason: "Left", LockedBy: "admin"},
		{ID: "3", Username: "api", Name: "Payroll", UserType: "API", Active: true, DateFrom: "2026-01-15",
			Groups: []string{"STAFF"}, FailedTries: 5,
			TriesBlockedAt: parseTime("2026-03-02T12:00:00Z")},
		{ID: "4", Username: "zoe", Name: "Zoe Left", Email: "zoe@example.com", UserType: "team", DateFrom: "2025-01-01",
			DateTo: "2025-12-31"},
	}
}

func newService(accounts ...account.Account) (*directory.Service, *fakeStore) {
	d := &fakeStore{all: accounts}
	return &directory.Service{Store: d, Now: func() time.Time { return parseTime("2026-04-01T00:00:00Z") }}, d
}

// testScope is the scope of a request; lists look at its environment only.
func testScope() access.Scope {
	return access.Scope{Env: environment.Environment{ID: "test"}}
}

// listIDs returns the ids of all pages of a search, and fails if a page is longer than asked for.
func listIDs(t *testing.T, s *directory.Service, filters map[string]string, sort string, limit int) string {
	t.Helper()
	f, faults := directory.ParseFilter(filters)
	if faults != nil {
		t.Fatalf("%v: %+v", filters, faults)
	}
	o, invalid := directory.ParseOrder(sort)
	if invalid != nil {
		t.Fatalf("%s: %+v", sort, invalid)
	}
	q := directory.Query{Filter: f, Order: o, Limit: limit}
	var ids []string
	for {
		page, next, err := s.Search(context.Background(), testScope(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("a page of %d, asked for %d", len(page), limit)
		}
		for _, a := range page {
			ids = append(ids, a.ID)
		}
		if next == nil {
			return strings.Join(ids, "")
		}
		if len(next.SortKey) > 256 {
			t.Fatalf("a position of %d bytes does not fit a cursor", len(next.SortKey))
		}
		q.After = *next
	}
}

func TestEveryFilter(t *testing.T) {
	s, _ := newService(sampleAccounts()...)
	for _, c := range []struct {
		filters string
		want    string
	}{
		{"", "312"}, {"active=any", "3124"}, {"active=false", "4"}, {"active=true", "312"},
		{"username=DOEJ", "1"}, {"username=doe", ""}, {"username.contains=OE&active=any", "14"}, {"username=MÜLLER", "2"},
		{"username=müller", "2"}, {"username=mu\u0308ller", "2"},
		{"email=john.doe@EXAMPLE.com", "1"}, {"email.contains=example", "12"}, {"email.empty=true", "3"},
		{"email.empty=false", "12"},
		{"userType=team", "2"}, {"userType=TEAM&active=any", "24"}, {"userType=full;Api", "31"}, {"userType= ; TEAM ", "2"},
		{"roles=viewer", "1"}, {"roles=NONE;admin", "1"}, {"roles.empty=true", "32"}, {"groups=STAFF", "3"},
		{"groups.empty=true", "12"},
		{"dateFrom.from=2026-01-15", "32"}, {"dateFrom.to=2026-01-15", "31"},
		{"dateFrom.from=2026-01-02&dateFrom.to=2026-01-31", "3"},
		{"dateTo.to=2999-01-01", "1"}, {"dateTo.from=2000-01-01&active=any", "14"}, {"dateTo.empty=true", "32"},
		{"lastLogin.to=2026-02-01", "1"}, {"lastLogin.to=2026-01-31", ""}, {"lastLogin.from=2026-02-01", "1"},
		{"lastLogin.from=2026-02-02", ""},
		{"lastLogin.to=2026-02-01T23:59:58Z", ""}, {"lastLogin.from=2026-02-02T00:59:59%2B01:00", "1"},
		{"lastLogin.empty=true", "32"},
		{"failedTries.from=2", "31"}, {"failedTries.to=2", "12"}, {"failedTries.from=3&failedTries.to=9", "3"},
		// A block by tries is shown as any other, and found as it is shown.
		{"accessLocked=true", "32"}, {"accessLocked=false", "1"}, {"lockedReason.contains=TRIES", "3"},
		{"lockedAt.from=2026-03-02", "3"}, {"lockedBy.empty=false", "2"},
		{"find=doe", "1"}, {"find=john doe", "1"}, {"find=doe john", "1"}, {"find=john miller", ""}, {"find=JÜRGEN", "2"},
		{"find=example.com", "1"}, {"find=7946", "1"}, {"find=+4420794", "1"}, {"find=left&active=any", "4"},
		{"find=o&userType=api", "3"}, {"name.contains=ｄｏｅ", "1"}, {"mobile.empty=false", "1"}, {"mfaRequired=true", ""},
		{"resource.empty=false", ""},
		{"status=active", "1"}, {"status=blocked", "2"}, {"status=tooManyTries", "3"}, {"status=locked", "4"},
		{"status=blocked;locked", "24"}, {"status=blocked;locked&active=true", "2"}, {"status=notYetAllowed", ""},
	} {
		filters := map[string]string{}
		for pair := range strings.SplitSeq(c.filters, "&") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				filters[name] = strings.ReplaceAll(value, "%2B", "+")
			}
		}
		for _, limit := range []int{1, 2, 50} {
			if got := listIDs(t, s, filters, "username", limit); got != c.want {
				t.Errorf("%q by %d: %s, want %s", c.filters, limit, got, c.want)
			}
		}
		f, _ := directory.ParseFilter(filters)
		if n, err := s.Count(context.Background(), testScope(), f); err != nil || n != len(c.want) {
			t.Errorf("%q: counts %d, %v; want %d", c.filters, n, err, len(c.want))
		}
	}
}

// Each filter that is declared is read, and a value that it cannot take is refused by its name.
func TestBadFiltersAreNamed(t *testing.T) {
	good := map[directory.FilterOp]map[field.Kind]string{
		directory.FilterEquals:   {field.Bool: "true", field.Choice: "locked;active", "": "x"},
		directory.FilterContains: {"": "x"},
		directory.FilterEmpty:    {"": "false"},
		directory.FilterFrom:     {field.Number: "3", "": "2026-01-31"},
		directory.FilterTo:       {field.Number: "3", "": "2026-01-31"},
	}
	for _, f := range directory.Filters() {
		if good[f.Op] == nil {
			t.Fatalf("internal/directory/directory_test.go: add a value that the operator %s takes to good", f.Op)
		}
		value, ok := good[f.Op][f.Field.Kind]
		if !ok {
			value = good[f.Op][""]
		}
		if _, faults := directory.ParseFilter(map[string]string{f.Name: value}); faults != nil {
			t.Errorf("%s=%s: %+v", f.Name, value, faults)
		}
		invalid := []string{"", "  "}
		if value != "x" {
			invalid = append(invalid, "perhaps", "2026-02-30", "1.5")
		} else {
			invalid = append(invalid, strings.Repeat("x", 1001))
		}
		for _, value := range invalid {
			if _, faults := directory.ParseFilter(map[string]string{f.Name: value}); len(faults) != 1 ||
				faults[0].Field != f.Name ||
				faults[0].Message == "" {
				t.Errorf("%s=%.20q: %+v", f.Name, value, faults)
			}
		}
	}
	for name, value := range map[string]string{
		"find": " ", "active": "yes", "password": "x", "email.from": "x", "failedTries": "3", "dateTo": "2026-01-01",
		"Email": "x", "roles.contains": "x", "": "x",
	} {
		if _, faults := directory.ParseFilter(map[string]string{name: value}); len(faults) != 1 || faults[0].Field != name {
			t.Errorf("%s=%s: %+v", name, value, faults)
		}
	}
	if _, faults := directory.ParseOrder("--name"); faults == nil {
		t.Error("an order of no field is taken")
	}
}

func TestEveryOrder(t *testing.T) {
	s, _ := newService(sampleAccounts()...)
	for sort, want := range map[string]string{
		"username": "3124", "-username": "4213", "name": "1234", "-name": "4321", "email": "3214", "-email": "4123",
		"userType": "3124", "-userType": "2413", // of one type by username: müller, zoe
		"dateTo": "3241", "-dateTo": "1432", "lastLogin": "3241", "-lastLogin": "1324", "failedTries": "2413",
		"-failedTries": "3124",
		"accessLocked": "1432", "-accessLocked": "3214", "lockedAt": "1423", "roles": "3241", "active": "4312",
		"mobile": "3241", "status": "4231", "-status": "1324",
	} {
		for _, limit := range []int{1, 2, 3, 4} {
			if got := listIDs(t, s, map[string]string{"active": "any"}, sort, limit); got != want {
				t.Errorf("%s by %d: %s, want %s", sort, limit, got, want)
			}
		}
	}
	for _, sort := range directory.Orders() {
		if got := listIDs(t, s, map[string]string{"active": "any"}, sort, 3); len(got) != 4 {
			t.Errorf("%s lists %s", sort, got)
		}
	}
}

// Whatever is asked for, the pages together are all that a list in one piece would be: each once, in order.
func TestPagesAreTheWholeOnce(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	var all []account.Account
	for i := range 40 {
		all = append(all, account.Account{
			ID: fmt.Sprintf("<%d>", i), Username: fmt.Sprintf("u%d", r.IntN(1<<30)*1000+i),
			Name:   strings.Repeat("é", r.IntN(300)) + string(rune('a'+r.IntN(3))),
			Active: r.IntN(4) > 0, FailedTries: int64(r.IntN(3)), UserType: []string{"FULL", "full", "TEAM"}[r.IntN(3)],
		})
	}
	s, _ := newService(all...)
	for _, sort := range []string{"username", "-username", "name", "-name", "failedTries", "-userType", "active"} {
		for _, filters := range []map[string]string{{}, {"active": "any"}, {"userType": "FULL"},
			{"active": "any", "failedTries.from": "1"}} {
			whole := listIDs(t, s, filters, sort, 1000)
			f, _ := directory.ParseFilter(filters)
			n, _ := s.Count(context.Background(), testScope(), f)
			if strings.Count(whole, "<") != n || n == 0 {
				t.Fatalf("seed %d: %v lists %d of %d", seed, filters, strings.Count(whole, "<"), n)
			}
			for _, limit := range []int{1, 7} {
				if got := listIDs(t, s, filters, sort, limit); got != whole {
					t.Errorf("seed %d: %v by %s in pages of %d is not the whole", seed, filters, sort, limit)
				}
			}
		}
	}
}

// The usual list reads a page and not the directory, however many locked accounts are in between.
func TestTheUsualListReadsNoMoreThanItNeeds(t *testing.T) {
	var all []account.Account
	for i := range 400 {
		all = append(all, account.Account{ID: fmt.Sprint(i), Username: fmt.Sprintf("u%03d", i), Active: i < 100 || i > 150})
	}
	s, d := newService(all...)
	d.fail = nil
	s.Store = &noScanStore{fakeStore: d, t: t}
	f, _ := directory.ParseFilter(nil)
	for after, queries := range map[string]int{"": 1, "u089": 3, "u398": 1} {
		d.queries = 0
		page, next, err := s.Search(context.Background(), testScope(),
			directory.Query{Filter: f, After: directory.Position{Key: after}, Limit: 50})
		if err != nil || d.queries > queries || after == "" && (len(page) != 50 || next == nil || next.Key != "u049") {
			t.Errorf("after %q: %d accounts, next %v, %d queries, %v", after, len(page), next, d.queries, err)
		}
	}
}

// noScanStore fails the test at a scan.
type noScanStore struct {
	*fakeStore
	t *testing.T
}

func (s *noScanStore) Scan(context.Context, environment.Environment, string, []string, func([]directory.Row)) error {
	s.t.Error("the whole directory is read")
	return nil
}

func TestALateChangeIsNotShown(t *testing.T) {
	s, d := newService(sampleAccounts()...)
	d.all[0].Active = true
	s.Store = &changingStore{Store: d, change: func() { d.all[0].Email = "" }}
	if got := listIDs(t, s, map[string]string{"email.empty": "false"}, "name", 10); got != "2" {
		t.Errorf("an account that does not match any more is shown: %s", got)
	}
	d.fail = errors.New("down")
	if _, _, err := s.Search(context.Background(), testScope(), directory.Query{Limit: 1}); !errors.Is(err, d.fail) {
		t.Errorf("%v", err)
	}
	locked, _ := directory.ParseFilter(map[string]string{"active": "false"})
	if _, _, err := s.Search(context.Background(), testScope(), directory.Query{Filter: locked, Limit: 1}); !errors.Is(err,
		d.fail) {
		t.Errorf("%v", err)
	}
}

// changingStore changes something between the scan and the reading of the page.
type changingStore struct {
	directory.Store
	change func()
}

func (c *changingStore) ByKeys(ctx context.Context, env environment.Environment, keys []string) ([]account.Account,
	error) {
	c.change()
	return c.Store.ByKeys(ctx, env, keys)
}
