package sso

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
)

// linked keeps accounts and their links.
type linked struct {
	accounts map[string]account.Account
	links    []Link
	wrote    []LinkWrite
	between  func()
}

func (m *linked) Get(_ context.Context, _ access.Scope, id string) (account.Account, error) {
	a, ok := m.accounts[id]
	if !ok {
		return a, fault.New(fault.NotFound, "notFound", "none")
	}
	a.SignOn = m.providersOf(id)
	return a, nil
}

func (m *linked) providersOf(id string) (out []string) {
	for _, l := range m.links {
		if l.AccountID == id {
			out = append(out, l.ProviderID)
		}
	}
	return out
}

func (m *linked) LinksOf(_ context.Context, id string) ([]Link, error) {
	return slices.DeleteFunc(slices.Clone(m.links), func(l Link) bool { return l.AccountID != id }), nil
}

func (m *linked) Whose(_ context.Context, _, provider string, ids []string) (map[string]Link, error) {
	out := map[string]Link{}
	for _, l := range m.links {
		if l.ProviderID == provider && slices.Contains(ids, l.ObjectID) {
			out[l.ObjectID] = l
		}
	}
	return out, nil
}

func (m *linked) ByEmail(_ context.Context, _ environment.Environment, emails []string) (map[string]account.Account, error) {
	out := map[string]account.Account{}
	for _, a := range m.accounts {
		if normal, _ := account.Normalise(a.Email); slices.Contains(emails, normal) {
			out[normal] = a
		}
	}
	return out, nil
}

func (m *linked) WriteLinks(ctx context.Context, ws []LinkWrite) error {
	if m.between != nil {
		between := m.between
		m.between = nil
		between()
	}
	for _, w := range ws {
		of, _ := m.LinksOf(ctx, w.Link.AccountID)
		at := slices.IndexFunc(of, func(l Link) bool { return l.ProviderID == w.Link.ProviderID })
		now := m.accounts[w.Link.AccountID]
		if (at >= 0) != w.Gone || w.Of != nil && (w.Of.Version != now.Version || !slices.Equal(w.Of.SignOn, m.providersOf(now.ID))) {
			return ErrRaced
		}
	}
	for _, w := range ws {
		m.wrote = append(m.wrote, w)
		m.links = slices.DeleteFunc(m.links, func(l Link) bool { return l.ProviderID == w.Link.ProviderID && l.AccountID == w.Link.AccountID })
		if !w.Gone {
			m.links = append(m.links, w.Link)
		}
	}
	return nil
}

// prover knows one password; recalled are the factors of everybody.
type prover struct{}

func (prover) ProvePassword(_ context.Context, _ access.Scope, password string) error {
	if password != "right" {
		return fault.InvalidFields([]fault.Field{{Field: "password", Code: "wrong", Message: "No."}})
	}
	return nil
}

type recalled mfa.Factors

func (f recalled) Recall(context.Context, string, string) (mfa.Factors, error) {
	return mfa.Factors(f), nil
}

type ownFixture struct {
	*flowFixture
	own   *Own
	links *linked
	other string
}

func newOwn(t *testing.T, hash string) *ownFixture {
	t.Helper()
	f := &ownFixture{flowFixture: newFlow(t), links: &linked{accounts: map[string]account.Account{
		"me": {ID: "me", Username: "me", Email: "Me@example.com", Active: true, PasswordHash: hash}, "you": {ID: "you", Username: "you", Email: "you@example.com"},
	}}}
	links := &Links{Store: f.links, Accounts: f.links, Providers: f.Providers, Now: f.Now, NewID: func() string { return "E" }}
	f.own = &Own{Links: links, Flow: f.Flow, Prover: prover{}, Factors: recalled{}, Now: f.Now}
	second, err := f.Providers.Create(t.Context(), f.scope, Draft{Patch: field.Patch{"name": "B", "kind": "google", "clientId": "c", "enabled": true}})
	if err != nil {
		t.Fatal(err)
	}
	f.other = second.ID
	f.scope.Caller = access.Caller{AccountID: "me", SessionID: "S", Username: "me", Epoch: 3, Proved: f.now.Add(-time.Minute)}
	return f
}

func (f *ownFixture) link(t *testing.T) (Link, error) {
	t.Helper()
	d, err := f.own.Depart(t.Context(), f.scope, f.id, "")
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(d.URL)
	return f.own.Return(t.Context(), f.scope, Return{State: u.Query().Get("state"), Code: "c", Browser: d.Browser})
}

func TestOwnLinksWhoCameBack(t *testing.T) {
	f := newOwn(t, "hash")
	if l, err := f.link(t); err != nil || l.ObjectID != "sub-1" || l.AccountID != "me" {
		t.Fatalf("%+v, %v", l, err)
	}
	// C37: an identity that is another's stays so.
	f.provider.identity.Subject = "sub-2"
	f.links.links = []Link{{ProviderID: f.id, ObjectID: "sub-2", AccountID: "you"}}
	if _, err := f.link(t); !fault.HasCode(err, "linkedToAnother") {
		t.Errorf("another's: %v", err)
	}
}

// V51: an attempt to link is the account's that departed, in the epoch in which it did.
func TestOwnReturnIsOfWhoDeparted(t *testing.T) {
	for name, change := range map[string]func(*access.Caller){
		"another account": func(c *access.Caller) { c.AccountID = "you" },
		"another epoch":   func(c *access.Caller) { c.Epoch++ },
	} {
		f := newOwn(t, "hash")
		d, err := f.own.Depart(t.Context(), f.scope, f.id, "")
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(d.URL)
		back := Return{State: u.Query().Get("state"), Code: "c", Browser: d.Browser}
		change(&f.scope.Caller)
		if _, err := f.own.Return(t.Context(), f.scope, back); !fault.HasCode(err, "attempt") || f.provider.code != "" || len(f.links.links) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// C15, V35: both need a fresh proof.
func TestOwnNeedsAFreshProof(t *testing.T) {
	f := newOwn(t, "hash")
	f.links.links = []Link{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}}
	for _, c := range []struct {
		proved         time.Time
		password, want string
	}{
		{f.now.Add(-mfa.Fresh - time.Second), "", "proofNeeded"}, {time.Time{}, "", "proofNeeded"},
		{f.now, "wrong", "invalid"}, {f.now.Add(-time.Hour), "right", ""}, {f.now.Add(-mfa.Fresh), "", ""},
	} {
		f.scope.Caller.Proved = c.proved
		_, departs := f.own.Depart(t.Context(), f.scope, f.id, c.password)
		removes := f.own.Unlink(t.Context(), f.scope, f.other, c.password) // which is not there
		for _, err := range []error{departs, removes} {
			if c.want == "" && err != nil || c.want != "" && !fault.HasCode(err, c.want) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
}

// The last way in stays.
func TestOwnUnlinkLeavesAWayIn(t *testing.T) {
	for _, c := range []struct {
		name    string
		hash    string
		expires time.Duration
		second  bool
		passkey bool
		former  bool
		off     bool
		removed bool
	}{
		{name: "a password", hash: "hash", removed: true},
		{name: "a temporary password", hash: "hash", expires: time.Hour, removed: true},
		{name: "one that is over", hash: "hash", expires: -time.Hour},
		{name: "nothing"},
		{name: "another link", second: true, removed: true},
		{name: "another link, turned off", second: true, off: true},
		{name: "a passkey", passkey: true, removed: true},
		{name: "a passkey of a former second factor", passkey: true, former: true},
	} {
		f := newOwn(t, c.hash)
		me := f.links.accounts["me"]
		me.MFAEnabled = c.passkey && !c.former
		if c.expires != 0 {
			me.PasswordExpires = f.now.Add(c.expires)
		}
		f.links.accounts["me"] = me
		f.links.links = []Link{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}}
		if c.second {
			f.links.links = append(f.links.links, Link{ProviderID: f.other, ObjectID: "sub-9", AccountID: "me"})
		}
		if c.passkey {
			f.own.Factors = recalled{Passkeys: make([]mfa.Passkey, 1)}
		}
		if c.off {
			p := f.memory.providers[f.other]
			p.Enabled = false
			f.memory.providers[f.other] = p
		}
		err := f.own.Unlink(t.Context(), f.scope, f.id, "")
		if c.removed && err != nil || !c.removed && !fault.HasCode(err, "lastWayIn") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Of two links removed at once one stays, where there is nothing else.
func TestOwnUnlinkOfTwoAtOnce(t *testing.T) {
	f := newOwn(t, "")
	f.links.links = []Link{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}, {ProviderID: f.other, ObjectID: "sub-2", AccountID: "me"}}
	f.links.between = func() { f.links.links = f.links.links[:1] } // the other goes, between the reading and the writing
	if err := f.own.Unlink(t.Context(), f.scope, f.id, ""); !fault.HasCode(err, "lastWayIn") || len(f.links.links) != 1 {
		t.Errorf("%v, %v", err, f.links.links)
	}
}

// A link whose removal was judged by a passkey goes only while the account is as it was then.
func TestOwnUnlinkWhileThePasskeyGoes(t *testing.T) {
	f := newOwn(t, "")
	me := f.links.accounts["me"]
	me.MFAEnabled = true
	f.links.accounts["me"], f.own.Factors = me, recalled{Passkeys: make([]mfa.Passkey, 1)}
	f.links.links = []Link{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}}
	f.links.between = func() {
		me.MFAEnabled, me.Version = false, me.Version+1
		f.links.accounts["me"] = me
	}
	if err := f.own.Unlink(t.Context(), f.scope, f.id, ""); !fault.HasCode(err, "lastWayIn") || len(f.links.links) != 1 {
		t.Errorf("%v, %v", err, f.links.links)
	}
}

// Whose account is linked or not any more is told by mail, in the write itself, whoever does it and however many are; what
// changes nothing tells nobody.
func TestEachLinkIsToldToItsOwner(t *testing.T) {
	f := newOwn(t, "hash")
	f.own.Links.Mail = &mail.Desk{NewID: func() string { return "M" }}
	if _, err := f.link(t); err != nil {
		t.Fatal(err)
	}
	f.scope.Caller.AccountID = "admin"
	pairs := []Pair{{Email: "me@example.com", ObjectID: "sub-1"}, {Email: "you@example.com", ObjectID: "o-2"}, {Email: "nobody@example.com", ObjectID: "o-3"}}
	if _, err := f.own.Links.LinkAll(t.Context(), f.scope, f.memory.providers[f.id], pairs); err != nil {
		t.Fatal(err)
	}
	if _, err := f.own.Links.RemoveAll(t.Context(), f.scope, f.memory.providers[f.id], []string{"you", "you"}); err != nil {
		t.Fatal(err)
	}
	if err := f.own.Links.Unlink(t.Context(), f.scope, "me", f.id); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, w := range f.links.wrote {
		for _, m := range w.Mails {
			told = append(told, string(m.Kind)+" "+m.To+" "+m.Detail)
		}
	}
	want := []string{"linkAdded Me@example.com Works", "linkAdded you@example.com Works", "linkRemoved you@example.com Works", "linkRemoved Me@example.com Works"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

type people struct {
	next string
	err  error
}

func (p people) People(_ context.Context, access, next string) ([]Person, string, error) {
	if access != "access" {
		return nil, "", errors.New("another token")
	}
	return []Person{{ObjectID: "o-1", Email: "ME@example.com"}, {ObjectID: "o-2", Email: "nobody@example.com", Disabled: true}}, next + p.next, p.err
}

// The wizard's sign-in to a directory serves the session that it was made in, for an hour.
func TestWizardDirectory(t *testing.T) {
	f := newOwn(t, "hash")
	w := &Wizard{Links: f.own.Links, Flow: f.Flow, Directory: people{next: "+"}, Sealer: open{}, Now: f.Now}
	d, err := w.Depart(t.Context(), f.scope, f.id)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(d.URL)
	got, err := w.Return(t.Context(), f.scope, Return{State: u.Query().Get("state"), Code: "c", Browser: d.Browser})
	if err != nil || got.Provider.ID != f.id {
		t.Fatalf("%+v, %v", got, err)
	}
	found, next, err := w.People(t.Context(), f.scope, got.Token, "a")
	if err != nil || next != "a+" || len(found) != 2 || found[0].Matched.Outcome != Linkable || found[1].Matched.Outcome != NoSuchEmail || !found[1].Person.Disabled {
		t.Errorf("%+v, %q, %v", found, next, err)
	}
	other := f.scope
	other.Caller.SessionID = "T"
	for name, c := range map[string]struct {
		scope access.Scope
		token string
		later time.Duration
	}{"another session": {scope: other, token: got.Token}, "too late": {f.scope, got.Token, DirectoryLife}, "no token": {f.scope, "%", 0}, "none": {f.scope, "", 0}} {
		f.now = f.now.Add(c.later)
		if _, _, err := w.People(t.Context(), c.scope, c.token, ""); !fault.HasCode(err, "directory") {
			t.Errorf("%s: %v", name, err)
		}
		f.now = f.now.Add(-c.later)
	}
	w.Directory = people{err: NewTrouble("consent", nil, "Consent to it.")}
	if _, _, err := w.People(t.Context(), f.scope, got.Token, ""); !fault.HasCode(err, "provider.consent") {
		t.Errorf("trouble: %v", err)
	}
}

// One link that goes meanwhile keeps no other from being removed.
func TestRemoveAllGoesOnWithoutWhatIsGone(t *testing.T) {
	f := newOwn(t, "hash")
	f.scope.Caller.AccountID = "admin"
	f.links.links = []Link{{ProviderID: f.id, ObjectID: "o-1", AccountID: "me"}, {ProviderID: f.id, ObjectID: "o-2", AccountID: "you"}}
	f.links.between = func() { f.links.links = f.links.links[1:] }
	got, err := f.own.Links.RemoveAll(t.Context(), f.scope, f.memory.providers[f.id], []string{"me", "you"})
	if err != nil || got[0].Outcome != NotLinked || got[1].Outcome != Removed || len(f.links.links) != 0 {
		t.Errorf("%+v, %v, %v", got, f.links.links, err)
	}
}
