package apikey_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/mail"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

var now = time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)

var stored = now.Truncate(time.Millisecond)

const payroll = "01JZ0000000000000000000007"

// fakeStore is the store and the directory. before, if set, runs ahead of each write, as another's request would.
type fakeStore struct {
	accounts     map[string]account.Account
	keys         []session.APIKey
	createdCount int64
	events       []auditlog.Event
	created      []apikey.NewKey
	before       func(m *fakeStore)
	fail         map[string]error
}

func (m *fakeStore) Get(_ context.Context, _ access.Scope, id string) (account.Account, error) {
	a, ok := m.accounts[id]
	if !ok {
		return account.Account{}, fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	return a, nil
}

func (m *fakeStore) Keys(_ context.Context, _, after string, limit int) ([]session.APIKey, string, error) {
	return m.keys, fmt.Sprint(after, limit), nil
}

func (m *fakeStore) CountActive(_ context.Context, _ string, at time.Time) (int, int64, error) {
	n := 0
	for _, k := range m.keys {
		if k.State(at) == session.KeyActive {
			n++
		}
	}
	return n, m.createdCount, m.fail["Active"]
}

func (m *fakeStore) race() {
	if m.before != nil {
		m.before(m)
	}
}

func (m *fakeStore) Create(_ context.Context, c apikey.NewKey) error {
	m.race()
	if m.fail["Create"] != nil {
		return m.fail["Create"]
	}
	if c.CreatedCount != m.createdCount {
		return account.ErrConcurrentChange
	}
	m.createdCount++
	m.keys, m.events, m.created = append(m.keys, c.Key), append(m.events, c.Event), append(m.created, c)
	return nil
}

func (m *fakeStore) Key(_ context.Context, accountID, id string) (session.APIKey, error) {
	for _, k := range m.keys {
		if k.ID == id && k.AccountID == accountID {
			return k, nil
		}
	}
	return session.APIKey{}, fault.New(fault.NotFound, "notFound", "The account has no such key.")
}

func (m *fakeStore) Lock(_ context.Context, locked session.APIKey, e auditlog.Event, _ []mail.Message) error {
	m.race()
	for i, k := range m.keys {
		if k.ID == locked.ID && k.Locked.IsZero() {
			m.keys[i], m.events = locked, append(m.events, e)
			return nil
		}
	}
	return account.ErrConcurrentChange
}

// newFakeStore is a store with API clients of different rights and a person, and a service over it.
func newFakeStore() (*fakeStore, *apikey.Service) {
	m := &fakeStore{fail: map[string]error{}, accounts: map[string]account.Account{
		payroll:  {ID: payroll, Username: "payroll", UserType: "api", Roles: []string{"VIEWER"}},
		"editor": {ID: "01JZ0000000000000000000008", Username: "editor", UserType: "API", Groups: []string{"EDITORS"}},
		"boss":   {ID: "01JZ0000000000000000000009", Username: "boss", UserType: "API", Roles: []string{"ADMIN"}},
		"doej":   {ID: "01JZ000000000000000000000A", Username: "doej", UserType: "FULL"},
	}}
	n := uint64(0)
	return m, &apikey.Service{
		Store: m, Accounts: m, Now: func() time.Time { return now }, Random: bytes.NewReader(bytes.Repeat([]byte{7}, 10000)),
		NewID: func() ulid.ULID { n++; return ulid.MustNew(n, bytes.NewReader(make([]byte, 10))) },
	}
}

func scope(permissions ...string) access.Scope {
	known := catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Licence, Code: "API", Active: true, APIOnly: true},
		{Kind: catalogue.Licence, Code: "FULL", Active: true},
		{Kind: catalogue.Role, Code: "VIEWER", Active: true, Permissions: []string{"account.read"}},
		{Kind: catalogue.Role, Code: "EDITOR", Active: true, Permissions: []string{"account.update"}},
		{Kind: catalogue.Role, Code: "ADMIN", Active: true, Permissions: []string{"account.admin"}},
		{Kind: catalogue.Group, Code: "EDITORS", Active: true, Roles: []string{"EDITOR"}},
	})
	sc := access.Scope{
		Catalogue: known,
		Caller: access.Caller{
			AccountID: "C", Username: "caller", Epoch: 9, AuthenticatedAt: now, Permissions: access.Set{access.AccountKey: {}},
		},
	}
	for _, p := range permissions {
		sc.Caller.Permissions[access.Permission(p)] = struct{}{}
	}
	return sc
}

func createParams() apikey.CreateParams {
	return apikey.CreateParams{Description: " Nightly run\u200b", ValidDays: 90}
}

// V46: what is stored is the hash; the text is in the answer alone, and the event tells who made what.
func TestCreate(t *testing.T) {
	m, s := newFakeStore()
	k, issued, err := s.Create(t.Context(), scope("account.read"), payroll, createParams())
	if err != nil {
		t.Fatal(err)
	}
	if k.AccountID != payroll || k.Description != "Nightly run" || !k.Created.Equal(stored) || k.CreatedBy != "caller" ||
		!k.Expires.Equal(stored.Add(90*24*time.Hour)) || !issued.Matches(k.Hash) || issued.ID.String() != k.ID {
		t.Errorf("%+v", k)
	}
	if given, err := token.Parse(token.APIKey, issued.Reveal()); err != nil || given.Account.String() != payroll {
		t.Errorf("%v", err)
	}
	e := m.events[0]
	if e.Kind != auditlog.KeyCreated || e.By != "caller" || e.ByID != "C" || e.Key != k.ID || e.Note != "Nightly run" ||
		!e.At.Equal(stored) || e.ID == "" {
		t.Errorf("%+v", e)
	}
	if c := m.created[0]; c.CallerEpoch != 9 || c.CreatedCount != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWhoMayMakeKeysForWhom(t *testing.T) {
	for _, c := range []struct {
		account string
		caller  []string
		want    string
	}{
		{payroll, []string{"account.read"}, ""},
		{payroll, nil, "aboveOwnRights"}, // V61
		{"editor", []string{"account.read"}, "aboveOwnRights"},
		{"editor", []string{"account.update"}, ""},
		{"boss", []string{"account.read", "account.update"}, "administrator"},
		{"boss", []string{"account.admin"}, ""},
		{"doej", []string{"account.admin"}, "apiOnly"},
		{"nobody", []string{"account.admin"}, "notFound"},
	} {
		m, s := newFakeStore()
		_, _, err := s.Create(t.Context(), scope(c.caller...), c.account, createParams())
		if (c.want == "") != (err == nil) || (c.want != "" && !fault.HasCode(err, c.want)) {
			t.Errorf("%s by %v: %v, want %q", c.account, c.caller, err, c.want)
		}
		if (len(m.keys) == 1) != (c.want == "") {
			t.Errorf("%s by %v: %d keys", c.account, c.caller, len(m.keys))
		}
	}
}

func TestChoicesAreChecked(t *testing.T) {
	for _, c := range []struct {
		choice apikey.CreateParams
		fields string
	}{
		{apikey.CreateParams{Description: "x", ValidDays: 1}, ""},
		{apikey.CreateParams{Description: strings.Repeat("é", 200), ValidDays: 3650}, ""},
		{apikey.CreateParams{Description: "x", ValidDays: 0}, "validDays"},
		{apikey.CreateParams{Description: "x", ValidDays: 3651}, "validDays"},
		{apikey.CreateParams{Description: " \u200b", ValidDays: -1}, "description validDays"},
		{apikey.CreateParams{Description: strings.Repeat("x", 201), ValidDays: 90}, "description"},
		{apikey.CreateParams{Description: "a\nb", ValidDays: 90}, "description"},
	} {
		_, s := newFakeStore()
		_, _, err := s.Create(t.Context(), scope("account.read"), payroll, c.choice)
		var named []string
		if f := fault.As(err); f != nil {
			for _, field := range f.Fields {
				named = append(named, field.Field)
			}
		}
		if got := strings.Join(named, " "); got != c.fields || (got == "") != (err == nil) {
			t.Errorf("%.20q, %d: %v", c.choice.Description, c.choice.ValidDays, err)
		}
	}
}

// Fifty keys in force are the most; locked and expired ones do not count.
func TestKeysInForceAreBounded(t *testing.T) {
	m, s := newFakeStore()
	for i := range 60 {
		k := session.APIKey{AccountID: payroll, ID: fmt.Sprint(i), Expires: now.Add(time.Hour)}
		if i < 6 {
			k.Locked = now
		} else if i < 11 {
			k.Expires = stored
		}
		m.keys = append(m.keys, k)
	}
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, createParams()); err != nil {
		t.Fatalf("the fiftieth: %v", err)
	}
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, createParams()); !fault.HasCode(err,
		"tooManyKeys") || !strings.Contains(err.Error(), "50") {
		t.Errorf("the fifty-first: %v", err)
	}
}

// Of two who make the fiftieth at once one looks again, and is refused.
func TestABoundHoldsAgainstARace(t *testing.T) {
	m, s := newFakeStore()
	for i := range 49 {
		m.keys = append(m.keys, session.APIKey{AccountID: payroll, ID: fmt.Sprint(i), Expires: now.Add(time.Hour)})
	}
	m.before = func(m *fakeStore) {
		m.before = nil
		m.keys, m.createdCount = append(m.keys,
			session.APIKey{AccountID: payroll, ID: "other", Expires: now.Add(time.Hour)}), m.createdCount+1
	}
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, createParams()); !fault.HasCode(err,
		"tooManyKeys") || len(m.keys) != 50 {
		t.Errorf("%v, %d keys", err, len(m.keys))
	}
	m, s = newFakeStore()
	m.before = func(m *fakeStore) { m.createdCount++ }
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, createParams()); !fault.HasCode(err, "busy") ||
		len(m.keys) != 0 {
		t.Errorf("raced without end: %v", err)
	}
}

func TestFailuresMakeNoKey(t *testing.T) {
	for _, method := range []string{"Active", "Create"} {
		m, s := newFakeStore()
		m.fail[method] = errors.New("down")
		_, issued, err := s.Create(t.Context(), scope("account.read"), payroll, createParams())
		if err == nil || err.Error() != "down" || issued != (token.Token{}) {
			t.Errorf("%s: %v", method, err)
		}
	}
	_, s := newFakeStore()
	s.Random = bytes.NewReader(nil)
	if _, issued,
		err := s.Create(t.Context(), scope("account.read"), payroll, createParams()); err == nil ||
		issued != (token.Token{}) {
		t.Errorf("without random: %v", err)
	}
}

func TestLockIsForGood(t *testing.T) {
	m, s := newFakeStore()
	made, _, err := s.Create(t.Context(), scope("account.read"), payroll, createParams())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(t.Context(), scope(), payroll, made.ID); !fault.HasCode(err, "aboveOwnRights") { // V91
		t.Errorf("a caller with fewer rights: %v", err)
	}
	locked, err := s.Lock(t.Context(), scope("account.read"), payroll, made.ID)
	if err != nil || !locked.Locked.Equal(stored) || locked.LockedBy != "caller" {
		t.Errorf("%+v, %v", locked, err)
	}
	if e := m.events[1]; e.Kind != auditlog.KeyLocked || e.Key != made.ID || e.By != "caller" {
		t.Errorf("%+v", e)
	}
	now = now.Add(time.Hour)
	defer func() { now = now.Add(-time.Hour) }()
	again, err := s.Lock(t.Context(), scope("account.read"), payroll, made.ID)
	if err != nil || !again.Locked.Equal(stored) || len(m.events) != 2 {
		t.Errorf("the second click: %+v, %v, %d events", again, err, len(m.events))
	}
	if _, err := s.Lock(t.Context(), scope("account.update"), "editor", made.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("through another account: %v", err)
	}
	if _, err := s.Lock(t.Context(), scope(), "nobody", made.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("through nobody: %v", err)
	}
	if _, err := s.Lock(t.Context(), scope(), "boss", made.ID); !fault.HasCode(err, "administrator") {
		t.Errorf("an administrator's: %v", err)
	}
}

func TestTwoLocksAtOnce(t *testing.T) {
	m, s := newFakeStore()
	made, _, err := s.Create(t.Context(), scope("account.read"), payroll, createParams())
	if err != nil {
		t.Fatal(err)
	}
	m.before = func(m *fakeStore) { m.keys[0].Locked, m.keys[0].LockedBy = stored.Add(-time.Second), "somebody" }
	got, err := s.Lock(t.Context(), scope("account.read"), payroll, made.ID)
	if err != nil || got.LockedBy != "somebody" || len(m.events) != 1 {
		t.Errorf("%+v, %v, %d events", got, err, len(m.events))
	}
}

// V58: the list of an account that the environment does not have is not there.
func TestList(t *testing.T) {
	m, s := newFakeStore()
	m.keys = []session.APIKey{{ID: "1"}}
	found, next, err := s.List(t.Context(), scope(), payroll, "after", 7)
	if err != nil || len(found) != 1 || next != "after7" {
		t.Errorf("%v %q %v", found, next, err)
	}
	if _, _, err := s.List(t.Context(), scope(), "nobody", "", 7); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}
