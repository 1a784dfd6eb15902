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
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
	"useraccounts/internal/journal"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

var now = time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)

var kept = now.Truncate(time.Millisecond)

const payroll = "01JZ0000000000000000000007"

// memory is the store and the directory. before, if set, runs ahead of each write, as another's request would.
type memory struct {
	accounts map[string]account.Account
	keys     []session.Key
	made     int64
	events   []journal.Event
	created  []apikey.Creation
	before   func(m *memory)
	fail     map[string]error
}

func (m *memory) Get(_ context.Context, _ access.Scope, id string) (account.Account, error) {
	a, ok := m.accounts[id]
	if !ok {
		return account.Account{}, fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	return a, nil
}

func (m *memory) Keys(_ context.Context, _, after string, limit int) ([]session.Key, string, error) {
	return m.keys, fmt.Sprint(after, limit), nil
}

func (m *memory) Active(_ context.Context, _ string, at time.Time) (int, int64, error) {
	n := 0
	for _, k := range m.keys {
		if k.State(at) == session.KeyActive {
			n++
		}
	}
	return n, m.made, m.fail["Active"]
}

func (m *memory) race() {
	if m.before != nil {
		m.before(m)
	}
}

func (m *memory) Create(_ context.Context, c apikey.Creation) error {
	m.race()
	if m.fail["Create"] != nil {
		return m.fail["Create"]
	}
	if c.Made != m.made {
		return account.ErrRaced
	}
	m.made++
	m.keys, m.events, m.created = append(m.keys, c.Key), append(m.events, c.Event), append(m.created, c)
	return nil
}

func (m *memory) Key(_ context.Context, accountID, id string) (session.Key, error) {
	for _, k := range m.keys {
		if k.ID == id && k.AccountID == accountID {
			return k, nil
		}
	}
	return session.Key{}, fault.New(fault.NotFound, "notFound", "The account has no such key.")
}

func (m *memory) Lock(_ context.Context, locked session.Key, e journal.Event) error {
	m.race()
	for i, k := range m.keys {
		if k.ID == locked.ID && k.Locked.IsZero() {
			m.keys[i], m.events = locked, append(m.events, e)
			return nil
		}
	}
	return account.ErrRaced
}

// given is a store with API clients of different rights and a person, and a service over it.
func given() (*memory, *apikey.Service) {
	m := &memory{fail: map[string]error{}, accounts: map[string]account.Account{
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
		{Kind: catalogue.Licence, Code: "API", Active: true, APIOnly: true}, {Kind: catalogue.Licence, Code: "FULL", Active: true},
		{Kind: catalogue.Role, Code: "VIEWER", Active: true, Permissions: []string{"account.read"}},
		{Kind: catalogue.Role, Code: "EDITOR", Active: true, Permissions: []string{"account.update"}},
		{Kind: catalogue.Role, Code: "ADMIN", Active: true, Permissions: []string{"account.admin"}},
		{Kind: catalogue.Group, Code: "EDITORS", Active: true, Roles: []string{"EDITOR"}},
	})
	sc := access.Scope{Catalogue: known, Caller: access.Caller{AccountID: "C", Username: "caller", Epoch: 9, Permissions: access.Set{}}}
	for _, p := range permissions {
		sc.Caller.Permissions[access.Permission(p)] = struct{}{}
	}
	return sc
}

func choice() apikey.Choice { return apikey.Choice{Description: " Nightly run\u200b", ValidDays: 90} }

// V46: what is stored is the hash; the text is in the answer alone, and the event tells who made what.
func TestCreate(t *testing.T) {
	m, s := given()
	k, issued, err := s.Create(t.Context(), scope("account.read"), payroll, choice())
	if err != nil {
		t.Fatal(err)
	}
	if k.AccountID != payroll || k.Description != "Nightly run" || !k.Created.Equal(kept) || k.CreatedBy != "caller" ||
		!k.Expires.Equal(kept.Add(90*24*time.Hour)) || !issued.Matches(k.Hash) || issued.ID.String() != k.ID {
		t.Errorf("%+v", k)
	}
	if given, err := token.Parse(token.Key, issued.Reveal()); err != nil || given.Account.String() != payroll {
		t.Errorf("%v", err)
	}
	e := m.events[0]
	if e.Kind != journal.KeyCreated || e.By != "caller" || e.ByID != "C" || e.Key != k.ID || e.Note != "Nightly run" || !e.At.Equal(kept) || e.ID == "" {
		t.Errorf("%+v", e)
	}
	if c := m.created[0]; c.CallerEpoch != 9 || c.Made != 0 {
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
		m, s := given()
		_, _, err := s.Create(t.Context(), scope(c.caller...), c.account, choice())
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
		choice apikey.Choice
		fields string
	}{
		{apikey.Choice{Description: "x", ValidDays: 1}, ""},
		{apikey.Choice{Description: strings.Repeat("é", 200), ValidDays: 3650}, ""},
		{apikey.Choice{Description: "x", ValidDays: 0}, "validDays"},
		{apikey.Choice{Description: "x", ValidDays: 3651}, "validDays"},
		{apikey.Choice{Description: " \u200b", ValidDays: -1}, "description validDays"},
		{apikey.Choice{Description: strings.Repeat("x", 201), ValidDays: 90}, "description"},
		{apikey.Choice{Description: "a\nb", ValidDays: 90}, "description"},
	} {
		_, s := given()
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
	m, s := given()
	for i := range 60 {
		k := session.Key{AccountID: payroll, ID: fmt.Sprint(i), Expires: now.Add(time.Hour)}
		if i < 6 {
			k.Locked = now
		} else if i < 11 {
			k.Expires = kept
		}
		m.keys = append(m.keys, k)
	}
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, choice()); err != nil {
		t.Fatalf("the fiftieth: %v", err)
	}
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, choice()); !fault.HasCode(err, "tooManyKeys") || !strings.Contains(err.Error(), "50") {
		t.Errorf("the fifty-first: %v", err)
	}
}

// Of two who make the fiftieth at once one looks again, and is refused.
func TestABoundHoldsAgainstARace(t *testing.T) {
	m, s := given()
	for i := range 49 {
		m.keys = append(m.keys, session.Key{AccountID: payroll, ID: fmt.Sprint(i), Expires: now.Add(time.Hour)})
	}
	m.before = func(m *memory) {
		m.before = nil
		m.keys, m.made = append(m.keys, session.Key{AccountID: payroll, ID: "other", Expires: now.Add(time.Hour)}), m.made+1
	}
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, choice()); !fault.HasCode(err, "tooManyKeys") || len(m.keys) != 50 {
		t.Errorf("%v, %d keys", err, len(m.keys))
	}
	m, s = given()
	m.before = func(m *memory) { m.made++ }
	if _, _, err := s.Create(t.Context(), scope("account.read"), payroll, choice()); !fault.HasCode(err, "busy") || len(m.keys) != 0 {
		t.Errorf("raced without end: %v", err)
	}
}

func TestFailuresMakeNoKey(t *testing.T) {
	for _, method := range []string{"Active", "Create"} {
		m, s := given()
		m.fail[method] = errors.New("down")
		_, issued, err := s.Create(t.Context(), scope("account.read"), payroll, choice())
		if err == nil || err.Error() != "down" || issued != (token.Token{}) {
			t.Errorf("%s: %v", method, err)
		}
	}
	_, s := given()
	s.Random = bytes.NewReader(nil)
	if _, issued, err := s.Create(t.Context(), scope("account.read"), payroll, choice()); err == nil || issued != (token.Token{}) {
		t.Errorf("without random: %v", err)
	}
}

func TestLockIsForGood(t *testing.T) {
	m, s := given()
	made, _, err := s.Create(t.Context(), scope("account.read"), payroll, choice())
	if err != nil {
		t.Fatal(err)
	}
	locked, err := s.Lock(t.Context(), scope(), payroll, made.ID) // nobody gains by it, so no rights are compared
	if err != nil || !locked.Locked.Equal(kept) || locked.LockedBy != "caller" {
		t.Errorf("%+v, %v", locked, err)
	}
	if e := m.events[1]; e.Kind != journal.KeyLocked || e.Key != made.ID || e.By != "caller" {
		t.Errorf("%+v", e)
	}
	now = now.Add(time.Hour)
	defer func() { now = now.Add(-time.Hour) }()
	again, err := s.Lock(t.Context(), scope(), payroll, made.ID)
	if err != nil || !again.Locked.Equal(kept) || len(m.events) != 2 {
		t.Errorf("the second click: %+v, %v, %d events", again, err, len(m.events))
	}
	if _, err := s.Lock(t.Context(), scope(), "editor", made.ID); !fault.Is(err, fault.NotFound) {
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
	m, s := given()
	made, _, err := s.Create(t.Context(), scope("account.read"), payroll, choice())
	if err != nil {
		t.Fatal(err)
	}
	m.before = func(m *memory) { m.keys[0].Locked, m.keys[0].LockedBy = kept.Add(-time.Second), "somebody" }
	got, err := s.Lock(t.Context(), scope(), payroll, made.ID)
	if err != nil || got.LockedBy != "somebody" || len(m.events) != 1 {
		t.Errorf("%+v, %v, %d events", got, err, len(m.events))
	}
}

// V58: the list of an account that the environment does not have is not there.
func TestList(t *testing.T) {
	m, s := given()
	m.keys = []session.Key{{ID: "1"}}
	found, next, err := s.List(t.Context(), scope(), payroll, "after", 7)
	if err != nil || len(found) != 1 || next != "after7" {
		t.Errorf("%v %q %v", found, next, err)
	}
	if _, _, err := s.List(t.Context(), scope(), "nobody", "", 7); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}
