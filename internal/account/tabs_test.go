package account_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

// fakeTabStore stores the tabs of one account.
type fakeTabStore struct {
	contact     account.Contact
	delegations []account.Delegation
	events      []auditlog.Event
	// beforeWrite, if set, runs ahead of each write, as another's request would.
	beforeWrite func(*fakeTabStore)
	fail        error
}

func (d *fakeTabStore) write(e auditlog.Event, conflict func() bool, do func()) error {
	if d.beforeWrite != nil {
		d.beforeWrite(d)
	}
	if d.fail != nil {
		return d.fail
	}
	if conflict() {
		return account.ErrConcurrentChange
	}
	do()
	d.events = append(d.events, e)
	return nil
}

func (d *fakeTabStore) Contact(context.Context, string) (account.Contact, error) {
	d.contact.Version = max(d.contact.Version, 1)
	return d.contact, nil
}

func (d *fakeTabStore) SaveContact(_ context.Context, _ environment.Environment, _ string, c account.Contact,
	e auditlog.Event) error {
	return d.write(e, func() bool { return d.contact.Version != c.Version-1 }, func() { d.contact = c })
}

func (d *fakeTabStore) ContactEventsSince(_ context.Context, _ string, version int64) ([]auditlog.Event, error) {
	var out []auditlog.Event
	for _, e := range d.events {
		if e.Subject == account.ContactSubject && e.Version > version {
			out = append(out, e)
		}
	}
	return out, nil
}

func (d *fakeTabStore) Note(_ context.Context, _ environment.Environment, _ string, e auditlog.Event) error {
	return d.write(e, func() bool { return false }, func() {})
}

func (d *fakeTabStore) Delegations(context.Context, string, string, int) ([]account.Delegation, string, error) {
	return d.delegations, "next", nil
}

func (d *fakeTabStore) find(id string) int {
	for i := range d.delegations {
		if d.delegations[i].ID == id {
			return i
		}
	}
	return -1
}

func (d *fakeTabStore) Delegation(_ context.Context, _, id string) (account.Delegation, error) {
	if i := d.find(id); i >= 0 {
		return d.delegations[i], nil
	}
	return account.Delegation{}, fault.New(fault.NotFound, "notFound", "There is no such delegation.")
}

func (d *fakeTabStore) AddDelegation(_ context.Context, _ environment.Environment, _ string, one account.Delegation,
	e auditlog.Event) error {
	return d.write(e, func() bool { return false }, func() { d.delegations = append(d.delegations, one) })
}

func (d *fakeTabStore) ChangeDelegation(_ context.Context, _ environment.Environment, _ string, one account.Delegation,
	e auditlog.Event) error {
	conflict := func() bool { i := d.find(one.ID); return i < 0 || d.delegations[i].Version != one.Version-1 }
	return d.write(e, conflict, func() { d.delegations[d.find(one.ID)] = one })
}

func (d *fakeTabStore) RemoveDelegation(_ context.Context, _ environment.Environment, _ string, one account.Delegation,
	e auditlog.Event) error {
	conflict := func() bool { i := d.find(one.ID); return i < 0 || d.delegations[i].Version != one.Version }
	return d.write(e, conflict, func() { d.delegations = nil })
}

// ActiveResource knows one resource, JD.
func (d *fakeTabStore) ActiveResource(_ context.Context, _ environment.Environment, code string) (string, bool, error) {
	return "JD", catalogue.Fold(code) == "jd", d.fail
}

// newEditor returns an Editor over some accounts; ids count up.
func newEditor(accounts ...account.Account) account.Editor {
	s, _ := newService(accounts...)
	return account.Editor{Accounts: s, Now: s.Now, NewID: s.NewID}
}

// Only administrators change the tabs of administrators, and nobody changes tabs of an unknown account.
func TestTabsAreGuarded(t *testing.T) {
	d := &fakeTabStore{delegations: []account.Delegation{{ID: "D", Version: 1}}}
	at := newEditor(testAccount("1"), testAccount("2", "ADMIN"))
	contacts, notes := account.Contacts{Editor: at, Store: d}, account.Notes{Editor: at, Store: d}
	delegations := account.Delegations{Editor: at, Store: d, Resources: d}
	sc, ctx, version := scope("9", "EDITOR"), context.Background(), int64(1)
	for name, do := range map[string]func(id string) error{
		"contact": func(id string) error {
			_, err := contacts.Replace(ctx, sc, id, 1, account.Contact{Title: "Dr"})
			return err
		},
		"note": func(id string) error { _, err := notes.Add(ctx, sc, id, "x"); return err },
		"delegation": func(id string) error {
			_,
				err := delegations.Add(ctx, sc, id, "resource", "JD", true)
			return err
		},
		"a change of it": func(id string) error { _, err := delegations.Change(ctx, sc, id, "D", 1, true); return err },
		"its removal":    func(id string) error { return delegations.Remove(ctx, sc, id, "D", &version) },
	} {
		wantFault(t, name, do("2"), fault.Forbidden, "administrator", "")
		wantFault(t, name, do("3"), fault.NotFound, "notFound", "")
	}
	for name, err := range map[string]error{
		"contact":     func() error { _, err := contacts.Get(ctx, sc, "3"); return err }(),
		"delegations": func() error { _, _, err := delegations.List(ctx, sc, "3", "", 5); return err }(),
	} {
		wantFault(t, name, err, fault.NotFound, "notFound", "")
	}
	if len(d.events) > 0 {
		t.Errorf("written: %+v", d.events)
	}
}

func TestNotes(t *testing.T) {
	for typed, want := range map[string]string{
		" a\r\nb\rc\u2028d \n": "a\nb\nc\nd", strings.Repeat("ä", 2000): strings.Repeat("ä", 2000), "e\u0301": "é",
		"=1+1": "=1+1",
	} {
		d := &fakeTabStore{}
		notes := account.Notes{Editor: newEditor(testAccount("1")), Store: d}
		e, err := notes.Add(context.Background(), scope("9", "EDITOR"), "1", typed)
		if err != nil || e.Note != want || !reflect.DeepEqual(d.events, []auditlog.Event{e}) {
			t.Errorf("%.20q: %+v %v", typed, e, err)
		}
		if e.Kind != auditlog.NoteAdded || e.By != "u9" || e.ByID != "9" || !e.At.Equal(nowStored) || e.ID == "" ||
			e.RetentionDays != 730 || e.Version != 0 {
			t.Errorf("%+v", e)
		}
	}
	for typed, code := range map[string]string{
		"": "required", " \n\u200b ": "required", strings.Repeat("ä", 2001): "tooLong", "a\tb": "controlCharacter",
		"a\x1b[1m": "controlCharacter",
		"a\x00":    "controlCharacter", "a\xff": "notText", "a\ufffd": "controlCharacter",
	} {
		d := &fakeTabStore{}
		_, err := (&account.Notes{Editor: newEditor(testAccount("1")), Store: d}).Add(context.Background(),
			scope("9", "EDITOR"), "1", typed)
		wantFault(t, fmt.Sprintf("%.10q", typed), err, fault.Invalid, code, "text")
		if len(d.events) > 0 {
			t.Errorf("%.10q: written", typed)
		}
	}
}

func TestContactIsReplacedWhole(t *testing.T) {
	d := &fakeTabStore{}
	contacts := account.Contacts{Editor: newEditor(testAccount("1")), Store: d}
	sc, ctx := scope("9", "EDITOR"), context.Background()
	first := account.Contact{
		Title: " Dr ", LastName: "Doe", Emails: []account.ContactEntry{{Type: "home", Value: " j@example.com "}},
		Phones:    []account.ContactEntry{{Type: "fax", Value: "1"}},
		Addresses: []account.Address{{Type: "work", Address: "1 Road\r\nTop floor", City: "Bath", Country: "gb"}},
	}
	got, err := contacts.Replace(ctx, sc, "1", 1, first)
	if err != nil || got.Version != 2 || got.Title != "Dr" || got.Emails[0].Value != "j@example.com" ||
		got.Addresses[0].Country != "GB" || got.Addresses[0].Address != "1 Road\nTop floor" {
		t.Fatalf("%+v %v", got, err)
	}
	e := d.events[0]
	if e.Kind != auditlog.ContactChanged || e.Subject != "contact" || e.Version != 2 || len(e.Changes) != 5 ||
		e.Changes[0].Field != "contact.title" || e.Changes[0].To != "Dr" || e.Changes[0].From != nil {
		t.Errorf("%+v", e)
	}
	if last := e.Changes[4]; last.Field != "contact.addresses" ||
		!reflect.DeepEqual(last.To, []string{"work: 1 Road, Top floor, Bath, GB"}) {
		t.Errorf("%+v", last)
	}
	// The same again writes nothing; nothing at all empties everything.
	if again, err := contacts.Replace(ctx, sc, "1", 2, first); err != nil || again.Version != 2 || len(d.events) != 1 {
		t.Errorf("%+v %v", again, err)
	}
	if got, err := contacts.Replace(ctx, sc, "1", 2, account.Contact{}); err != nil ||
		!reflect.DeepEqual(got, account.Contact{Version: 3}) || len(d.events[1].Changes) != 5 ||
		d.events[1].Changes[4].To != nil {
		t.Errorf("%+v %v", got, err)
	}
	// What reads alike in the log can still differ.
	two := []account.Address{{Type: "work", Address: "a\nb"}}
	if _, err := contacts.Replace(ctx, sc, "1", 3, account.Contact{Addresses: two}); err != nil {
		t.Fatal(err)
	}
	if got, err := contacts.Replace(ctx, sc, "1", 4,
		account.Contact{Addresses: []account.Address{{Type: "work", Address: "a", City: "b"}}}); err != nil ||
		got.Version != 5 {
		t.Errorf("%+v %v", got, err)
	}
}

// V62: a stale version is refused with what changed since, by whom and when, even after a concurrent change.
func TestStaleContact(t *testing.T) {
	d := &fakeTabStore{}
	contacts := account.Contacts{Editor: newEditor(testAccount("1")), Store: d}
	ctx := context.Background()
	if _, err := contacts.Replace(ctx, scope("9", "EDITOR"), "1", 1, account.Contact{Title: "Dr"}); err != nil {
		t.Fatal(err)
	}
	checkStale := func(err error) {
		t.Helper()
		wantFault(t, "stale", err, fault.Stale, "changed", "title")
		if f := fault.As(err).Fields[0]; f.By != "u9" || f.At == nil || !f.At.Equal(nowStored) {
			t.Errorf("%+v", f)
		}
	}
	for _, version := range []int64{0, 1, 3} {
		_, err := contacts.Replace(ctx, scope("8", "EDITOR"), "1", version, account.Contact{Title: "Prof"})
		if !fault.Is(err, fault.Stale) {
			t.Errorf("version %d: %v", version, err)
		}
	}
	for _, title := range []string{"Prof", "Dr"} { // also if nothing would change by now
		_, err := contacts.Replace(ctx, scope("8", "EDITOR"), "1", 1, account.Contact{Title: title})
		checkStale(err)
	}
	d = &fakeTabStore{beforeWrite: func(d *fakeTabStore) {
		d.contact = account.Contact{Version: 2, Title: "Dr"}
		d.events = []auditlog.Event{
			{Subject: "contact", Version: 2, By: "u9", At: nowStored, Changes: []field.Diff{{Field: "contact.title", To: "Dr"}}}}
	}}
	_, err := (&account.Contacts{Editor: newEditor(testAccount("1")), Store: d}).Replace(ctx, scope("8", "EDITOR"), "1",
		1, account.Contact{Title: "Prof"})
	checkStale(err)
}

func TestContactRules(t *testing.T) {
	many := make([]account.ContactEntry, 21)
	for i := range many {
		many[i] = account.ContactEntry{Type: "work", Value: fmt.Sprintf("a%d@example.com", i)}
	}
	entry := func(typ, value string) []account.ContactEntry {
		return []account.ContactEntry{{Type: typ, Value: value}}
	}
	address := func(a account.Address) account.Contact {
		if a.Type == "" {
			a.Type = "work"
		}
		return account.Contact{Addresses: []account.Address{a}}
	}
	long := strings.Repeat("x", 151)
	for name, c := range map[string]struct {
		c           account.Contact
		field, code string
	}{
		"title":       {account.Contact{Title: long[:51]}, "title", "tooLong"},
		"first name":  {account.Contact{FirstName: long}, "firstName", "tooLong"},
		"middle name": {account.Contact{MiddleName: long}, "middleName", "tooLong"},
		"last name":   {account.Contact{LastName: long}, "lastName", "tooLong"},
		"suffix":      {account.Contact{Suffix: long[:51]}, "suffix", "tooLong"},
		"job title":   {account.Contact{JobTitle: long[:51]}, "jobTitle", "tooLong"},
		"company":     {account.Contact{Company: long}, "company", "tooLong"},
		"legacy ref":  {account.Contact{LegacyRef: long[:51]}, "legacyRef", "tooLong"},
		"line break":  {account.Contact{Company: "a\nb"}, "company", "controlCharacter"},
		"email type":  {account.Contact{Emails: entry("office", "a@example.com")}, "emails.0.type", "choice"},
		"email":       {account.Contact{Emails: entry("work", "nobody")}, "emails.0.value", "address"},
		"no email":    {account.Contact{Emails: entry("work", " ")}, "emails.0.value", "address"},
		"long email": {account.Contact{Emails: entry("work", strings.Repeat("e", 240)+"@example.com")},
			"emails.0.value", "tooLong"},
		"many emails":      {account.Contact{Emails: many}, "emails", "tooMany"},
		"phone type":       {account.Contact{Phones: entry("", "1")}, "phones.0.type", "choice"},
		"phone":            {account.Contact{Phones: entry("work", "none")}, "phones.0.value", "phone"},
		"long phone":       {account.Contact{Phones: entry("work", strings.Repeat("1", 51))}, "phones.0.value", "tooLong"},
		"country":          {address(account.Address{City: "x", Country: "XX"}), "addresses.0.country", "country"},
		"country in three": {address(account.Address{City: "x", Country: "GBR"}), "addresses.0.country", "country"},
		"no country":       {address(account.Address{City: "x", Country: "EU"}), "addresses.0.country", "country"},
		"address type":     {address(account.Address{Type: "fax", City: "x"}), "addresses.0.type", "choice"},
		"empty address":    {address(account.Address{Country: "GB"}), "addresses.0.address", "required"},
		"long address":     {address(account.Address{Address: strings.Repeat("x", 501)}), "addresses.0.address", "tooLong"},
		"tab in address":   {address(account.Address{Address: "a\tb"}), "addresses.0.address", "controlCharacter"},
		"long postcode":    {address(account.Address{Postcode: long[:21]}), "addresses.0.postcode", "tooLong"},
		"city":             {address(account.Address{City: long[:101]}), "addresses.0.city", "tooLong"},
		"county":           {address(account.Address{County: long[:101]}), "addresses.0.county", "tooLong"},
		"many addresses":   {account.Contact{Addresses: manyAddresses()}, "addresses", "tooMany"},
	} {
		d := &fakeTabStore{}
		contacts := account.Contacts{Editor: newEditor(testAccount("1")), Store: d}
		_, err := contacts.Replace(context.Background(), scope("9", "EDITOR"), "1", 1, c.c)
		wantFault(t, name, err, fault.Invalid, c.code, c.field)
		if len(d.events) > 0 {
			t.Errorf("%s: written", name)
		}
	}
	d := &fakeTabStore{}
	contacts := account.Contacts{Editor: newEditor(testAccount("1")), Store: d}
	most := account.Contact{Title: long[:50], FirstName: long[:150], Emails: many[:20], Addresses: manyAddresses()[:20]}
	if _, err := contacts.Replace(context.Background(), scope("9", "EDITOR"), "1", 1, most); err != nil {
		t.Errorf("the most there can be: %v", fault.As(err).Fields)
	}
}

func manyAddresses() []account.Address {
	out := make([]account.Address, 21)
	for i := range out {
		out[i] = account.Address{Type: "home", City: "Bath"}
	}
	return out
}

func TestDelegations(t *testing.T) {
	owner := testAccount("1")
	owner.Resource = "ME"
	d := &fakeTabStore{}
	s := account.Delegations{Editor: newEditor(owner), Store: d, Resources: d}
	sc, ctx := scope("9", "EDITOR"), context.Background()
	sc.Catalogue = sc.Catalogue.Replace(catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "STAFF", Active: true}).
		Replace(catalogue.Entry{Kind: catalogue.ResourceGroup, Code: "OLD"})
	group, err := s.Add(ctx, sc, "1", account.TargetResourceGroup, " staff ", false)
	if err != nil || group.Code != "STAFF" || group.Version != 1 || group.Manager || group.ChangedBy != "u9" {
		t.Fatalf("%+v %v", group, err)
	}
	if e := d.events[0]; e.Kind != auditlog.DelegationAdded || e.Subject != "delegation/"+group.ID ||
		len(e.Changes) != 1 || e.Changes[0].To != "Resource group STAFF (view only)" || e.Changes[0].From != nil {
		t.Errorf("%+v", e)
	}
	if one, err := s.Add(ctx, sc, "1", account.TargetResource, "jd", true); err != nil || one.Code != "JD" ||
		d.events[1].Changes[0].To != "Resource JD (manager)" {
		t.Errorf("%+v %v", one, err)
	}
	for name, c := range map[string]struct{ kind, code, field, reason string }{
		"no code": {"resource", " ", "target.code", "required"}, "no kind": {"", "JD", "target.kind", "choice"},
		"another kind":     {"role", "ADMIN", "target.kind", "choice"},
		"no such group":    {"resourceGroup", "NONE", "target.code", "unknownCode"},
		"a retired group":  {"resourceGroup", "OLD", "target.code", "unknownCode"},
		"no such resource": {"resource", "NONE", "target.code", "unknownCode"},
		"what is no code":  {"resource", "a;b", "target.code", "unknownCode"},
		"their own":        {"resource", "me", "target.code", "ownResource"},
		"too long":         {"resource", strings.Repeat("x", 51), "target.code", "tooLong"},
		"a line break":     {"resource", "a\nb", "target.code", "controlCharacter"},
	} {
		_, err := s.Add(ctx, sc, "1", account.TargetKind(c.kind), c.code, true)
		wantFault(t, name, err, fault.Invalid, c.reason, c.field)
	}
	if len(d.events) != 2 {
		t.Errorf("written: %+v", d.events)
	}
	// The same once more writes nothing; a change does.
	if _, err := s.Change(ctx, sc, "1", group.ID, 1, false); err != nil || len(d.events) != 2 {
		t.Error(err)
	}
	changed, err := s.Change(ctx, sc, "1", group.ID, 1, true)
	if err != nil || changed.Version != 2 || !changed.Manager ||
		d.events[2].Changes[0].From != "Resource group STAFF (view only)" {
		t.Errorf("%+v %v", changed, err)
	}
	for _, version := range []int64{0, 1, 3} { // 0 is a version that there never was, not any
		_, err := s.Change(ctx, scope("8", "EDITOR"), "1", group.ID, version, false)
		wantFault(t, "stale", err, fault.Stale, "changed", "manager")
		if f := fault.As(err).Fields[0]; f.By != "u9" || f.At == nil {
			t.Errorf("%+v", f)
		}
		wantFault(t, "stale removal", s.Remove(ctx, sc, "1", group.ID, &version), fault.Stale, "changed", "manager")
	}
	_, err = s.Change(ctx, sc, "1", "none", 1, false)
	wantFault(t, "unknown", err, fault.NotFound, "notFound", "")
	if err := s.Remove(ctx, sc, "1", group.ID, nil); err != nil || d.events[3].Kind != auditlog.DelegationRemoved ||
		d.events[3].Changes[0].To != nil {
		t.Errorf("%v", err)
	}
	wantFault(t, "removed twice", s.Remove(ctx, sc, "1", group.ID, nil), fault.NotFound, "notFound", "")
}

// A concurrent change between reading and writing is reported, and nothing is overwritten.
func TestConcurrentChangesOfDelegations(t *testing.T) {
	version := int64(1)
	run := func(then func(*fakeTabStore), do func(*account.Delegations) error) error {
		d := &fakeTabStore{beforeWrite: then,
			delegations: []account.Delegation{{ID: "D", Version: 1, Kind: account.TargetResource, Code: "JD"}}}
		err := do(&account.Delegations{Editor: newEditor(testAccount("1")), Store: d, Resources: d})
		if len(d.events) > 0 {
			t.Errorf("written: %+v", d.events)
		}
		return err
	}
	change := func(s *account.Delegations) error {
		_, err := s.Change(context.Background(), scope("9", "EDITOR"), "1", "D", 1, true)
		return err
	}
	remove := func(given *int64) func(s *account.Delegations) error {
		return func(s *account.Delegations) error {
			return s.Remove(context.Background(), scope("9", "EDITOR"), "1", "D", given)
		}
	}
	changed, gone := func(d *fakeTabStore) { d.delegations[0].Version++ }, func(d *fakeTabStore) { d.delegations = nil }
	wantFault(t, "change", run(changed, change), fault.Stale, "changed", "manager")
	wantFault(t, "change of one gone", run(gone, change), fault.NotFound, "notFound", "")
	wantFault(t, "removal", run(changed, remove(&version)), fault.Stale, "changed", "manager")
	wantFault(t, "removal of any", run(changed, remove(nil)), fault.Conflict, "busy", "")
	broken := errors.New("broken")
	if err := run(func(d *fakeTabStore) { d.fail = broken }, change); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestFieldLabels(t *testing.T) {
	for name, want := range map[string]string{
		"email": "Email", "roles": "Roles", "contact.firstName": "First name", "contact.emails": "Emails",
		"contact.phones":    "Phones",
		"contact.addresses": "Addresses", "delegation": "Delegation", "firstName": "firstName", "unknown": "unknown",
	} {
		if got := account.FieldLabel(name); got != want {
			t.Errorf("%s is called %s", name, got)
		}
	}
}
