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

// fakeIdentities is a store of accounts and identities in memory.
type fakeIdentities struct {
	accounts    map[string]account.Account
	identities  []FederatedIdentity
	wrote       []IdentityWrite
	beforeWrite func()
}

func (m *fakeIdentities) Get(_ context.Context, _ access.Scope, id string) (account.Account, error) {
	a, ok := m.accounts[id]
	if !ok {
		return a, fault.New(fault.NotFound, "notFound", "none")
	}
	a.LinkedProviders = m.providersOf(id)
	return a, nil
}

func (m *fakeIdentities) providersOf(id string) (out []string) {
	for _, l := range m.identities {
		if l.AccountID == id {
			out = append(out, l.ProviderID)
		}
	}
	return out
}

func (m *fakeIdentities) IdentitiesOf(_ context.Context, id string) ([]FederatedIdentity, error) {
	return slices.DeleteFunc(slices.Clone(m.identities), func(l FederatedIdentity) bool { return l.AccountID != id }), nil
}

func (m *fakeIdentities) IdentitiesByObjectID(_ context.Context, _, provider string,
	ids []string,
) (map[string]FederatedIdentity, error) {
	out := map[string]FederatedIdentity{}
	for _, l := range m.identities {
		if l.ProviderID == provider && slices.Contains(ids, l.ObjectID) {
			out[l.ObjectID] = l
		}
	}
	return out, nil
}

func (m *fakeIdentities) AccountsByEmail(_ context.Context, _ environment.Environment,
	emails []string,
) (map[string]account.Account, error) {
	out := map[string]account.Account{}
	for _, a := range m.accounts {
		if normal, _ := account.Normalise(a.Email); slices.Contains(emails, normal) {
			out[normal] = a
		}
	}
	return out, nil
}

func (m *fakeIdentities) WriteIdentities(ctx context.Context, ws []IdentityWrite) error {
	if m.beforeWrite != nil {
		between := m.beforeWrite
		m.beforeWrite = nil
		between()
	}
	for _, w := range ws {
		of, _ := m.IdentitiesOf(ctx, w.Identity.AccountID)
		at := slices.IndexFunc(of, func(l FederatedIdentity) bool { return l.ProviderID == w.Identity.ProviderID })
		now := m.accounts[w.Identity.AccountID]
		if (at >= 0) != w.Delete || w.ExpectedAccount != nil &&
			(w.ExpectedAccount.Version != now.Version ||
				!slices.Equal(w.ExpectedAccount.LinkedProviders, m.providersOf(now.ID))) {
			return ErrConcurrentChange
		}
	}
	for _, w := range ws {
		m.wrote = append(m.wrote, w)
		m.identities = slices.DeleteFunc(m.identities, func(l FederatedIdentity) bool {
			return l.ProviderID == w.Identity.ProviderID && l.AccountID == w.Identity.AccountID
		})
		if !w.Delete {
			m.identities = append(m.identities, w.Identity)
		}
	}
	return nil
}

// fakeProver accepts one password; fakeFactors are the factors of every account.
type fakeProver struct{}

func (fakeProver) VerifyOwnPassword(_ context.Context, _ access.Scope, password string) error {
	if password != "right" {
		return fault.InvalidFields([]fault.Field{{Field: "password", Code: "wrong", Message: "No."}})
	}
	return nil
}

type fakeFactors mfa.Factors

func (f fakeFactors) LoadFactors(context.Context, string, string) (mfa.Factors, error) {
	return mfa.Factors(f), nil
}

type selfServiceFixture struct {
	*flowFixture
	service    *SelfService
	identities *fakeIdentities
	other      string
}

func newSelfService(t *testing.T, hash string) *selfServiceFixture {
	t.Helper()
	f := &selfServiceFixture{flowFixture: newFlow(t), identities: &fakeIdentities{accounts: map[string]account.Account{
		"me":  {ID: "me", Username: "me", Email: "Me@example.com", Active: true, PasswordHash: hash},
		"you": {ID: "you", Username: "you", Email: "you@example.com"},
	}}}
	links := &Identities{
		Store: f.identities, Accounts: f.identities, Providers: f.Providers, Now: f.Now,
		NewID: func() string { return "E" },
	}
	f.service = &SelfService{Identities: links, Flow: f.Flow, Prover: fakeProver{}, Factors: fakeFactors{}, Now: f.Now}
	second, err := f.Providers.Create(t.Context(), f.scope,
		Draft{Patch: field.Patch{"name": "B", "kind": "google", "clientId": "c", "enabled": true}})
	if err != nil {
		t.Fatal(err)
	}
	f.other = second.ID
	f.scope.Caller = access.Caller{
		AccountID: "me", SessionID: "S", Username: "me", Epoch: 3,
		AuthenticatedAt: f.now.Add(-time.Minute),
	}
	return f
}

// asAdministrator makes the caller another person, who may link the accounts of others.
func (f *selfServiceFixture) asAdministrator() {
	f.scope.Caller.AccountID = "admin"
	f.scope.Caller.Permissions = access.Set{access.AccountLink: {}}
}

func (f *selfServiceFixture) link(t *testing.T) (FederatedIdentity, error) {
	t.Helper()
	d, err := f.service.BeginLink(t.Context(), f.scope, f.id, "")
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(d.URL)
	return f.service.CompleteLink(t.Context(), f.scope,
		Callback{State: u.Query().Get("state"), Code: "c", BrowserSecret: d.BrowserSecret})
}

func TestSelfServiceLinksTheCaller(t *testing.T) {
	f := newSelfService(t, "hash")
	if l, err := f.link(t); err != nil || l.ObjectID != "sub-1" || l.AccountID != "me" {
		t.Fatalf("%+v, %v", l, err)
	}
	// C37: an identity of another account stays linked to it.
	f.provider.identity.Subject = "sub-2"
	f.identities.identities = []FederatedIdentity{{ProviderID: f.id, ObjectID: "sub-2", AccountID: "you"}}
	if _, err := f.link(t); !fault.HasCode(err, "linkedToAnother") {
		t.Errorf("another's: %v", err)
	}
}

// V51: a request to link is bound to the account and epoch that started it.
func TestSelfServiceCallbackMustBeTheCallers(t *testing.T) {
	for name, change := range map[string]func(*access.Caller){
		"another account": func(c *access.Caller) { c.AccountID = "you" },
		"another epoch":   func(c *access.Caller) { c.Epoch++ },
	} {
		f := newSelfService(t, "hash")
		d, err := f.service.BeginLink(t.Context(), f.scope, f.id, "")
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(d.URL)
		back := Callback{State: u.Query().Get("state"), Code: "c", BrowserSecret: d.BrowserSecret}
		change(&f.scope.Caller)
		if _, err := f.service.CompleteLink(t.Context(), f.scope, back); !fault.HasCode(err, "attempt") ||
			f.provider.code != "" || len(f.identities.identities) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// C15, V35: linking and unlinking need a recent authentication.
func TestSelfServiceNeedsAFreshProof(t *testing.T) {
	f := newSelfService(t, "hash")
	f.identities.identities = []FederatedIdentity{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}}
	for _, c := range []struct {
		proved         time.Time
		password, want string
	}{
		{f.now.Add(-environment.Defaults().ConfirmAgainAfter() - time.Second), "", "proofNeeded"},
		{time.Time{}, "", "proofNeeded"},
		{f.now, "wrong", "invalid"},
		{f.now.Add(-time.Hour), "right", ""},
		{f.now.Add(-environment.Defaults().ConfirmAgainAfter()), "", ""},
	} {
		f.scope.Caller.AuthenticatedAt = c.proved
		_, departs := f.service.BeginLink(t.Context(), f.scope, f.id, c.password)
		removes := f.service.Unlink(t.Context(), f.scope, f.other, c.password) // which is not there
		for _, err := range []error{departs, removes} {
			if c.want == "" && err != nil || c.want != "" && !fault.HasCode(err, c.want) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
}

// The last sign-in method cannot be removed.
func TestSelfServiceUnlinkLeavesASignInMethod(t *testing.T) {
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
		f := newSelfService(t, c.hash)
		me := f.identities.accounts["me"]
		me.MFAEnabled = c.passkey && !c.former
		if c.expires != 0 {
			me.PasswordExpires = f.now.Add(c.expires)
		}
		f.identities.accounts["me"] = me
		f.identities.identities = []FederatedIdentity{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}}
		if c.second {
			f.identities.identities = append(f.identities.identities,
				FederatedIdentity{ProviderID: f.other, ObjectID: "sub-9", AccountID: "me"})
		}
		if c.passkey {
			f.service.Factors = fakeFactors{Passkeys: make([]mfa.Passkey, 1)}
		}
		if c.off {
			p := f.memory.providers[f.other]
			p.Enabled = false
			f.memory.providers[f.other] = p
		}
		err := f.service.Unlink(t.Context(), f.scope, f.id, "")
		if c.removed && err != nil || !c.removed && !fault.HasCode(err, "lastWayIn") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Of two links that are removed at once one stays, if they are the last sign-in methods.
func TestSelfServiceUnlinkOfTwoAtOnce(t *testing.T) {
	f := newSelfService(t, "")
	f.identities.identities = []FederatedIdentity{
		{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"},
		{ProviderID: f.other, ObjectID: "sub-2", AccountID: "me"},
	}
	// the other link is removed between read and write
	f.identities.beforeWrite = func() { f.identities.identities = f.identities.identities[:1] }
	if err := f.service.Unlink(t.Context(), f.scope, f.id, ""); !fault.HasCode(err, "lastWayIn") ||
		len(f.identities.identities) != 1 {
		t.Errorf("%v, %v", err, f.identities.identities)
	}
}

// A link whose removal depends on a passkey is removed only while the account is unchanged.
func TestSelfServiceUnlinkWhileThePasskeyIsRemoved(t *testing.T) {
	f := newSelfService(t, "")
	me := f.identities.accounts["me"]
	me.MFAEnabled = true
	f.identities.accounts["me"], f.service.Factors = me, fakeFactors{Passkeys: make([]mfa.Passkey, 1)}
	f.identities.identities = []FederatedIdentity{{ProviderID: f.id, ObjectID: "sub-1", AccountID: "me"}}
	f.identities.beforeWrite = func() {
		me.MFAEnabled, me.Version = false, me.Version+1
		f.identities.accounts["me"] = me
	}
	if err := f.service.Unlink(t.Context(), f.scope, f.id, ""); !fault.HasCode(err, "lastWayIn") ||
		len(f.identities.identities) != 1 {
		t.Errorf("%v, %v", err, f.identities.identities)
	}
}

// The owner of an account is notified of each new and removed link by mail, in the same transaction; what changes
// nothing sends no mail.
func TestOwnersAreNotifiedOfEachLink(t *testing.T) {
	f := newSelfService(t, "hash")
	f.service.Identities.Mail = &mail.Composer{NewID: func() string { return "M" }}
	if _, err := f.link(t); err != nil {
		t.Fatal(err)
	}
	f.asAdministrator()
	pairs := []Pair{
		{Email: "me@example.com", ObjectID: "sub-1"},
		{Email: "you@example.com", ObjectID: "o-2"},
		{Email: "nobody@example.com", ObjectID: "o-3"},
	}
	if _, err := f.service.Identities.LinkAll(t.Context(), f.scope, f.memory.providers[f.id], pairs); err != nil {
		t.Fatal(err)
	}
	if _, err := f.service.Identities.RemoveAll(t.Context(), f.scope, f.memory.providers[f.id],
		[]string{"you", "you"}); err != nil {
		t.Fatal(err)
	}
	if err := f.service.Identities.Unlink(t.Context(), f.scope, "me", f.id); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, w := range f.identities.wrote {
		for _, m := range w.Mails {
			sent = append(sent, string(m.Kind)+" "+m.To+" "+m.Detail)
		}
	}
	want := []string{
		"linkAdded Me@example.com Works", "linkAdded you@example.com Works",
		"linkRemoved you@example.com Works", "linkRemoved Me@example.com Works",
	}
	if !slices.Equal(sent, want) {
		t.Errorf("sent %q", sent)
	}
}

type fakeDirectory struct {
	next string
	err  error
}

func (p fakeDirectory) People(_ context.Context, access, next string) ([]Person, string, error) {
	if access != "access" {
		return nil, "", errors.New("another token")
	}
	return []Person{
		{ObjectID: "o-1", Email: "ME@example.com"},
		{ObjectID: "o-2", Email: "nobody@example.com", Disabled: true},
	}, next + p.next, p.err
}

// A sign-in to a directory is valid for the same session, for an hour.
func TestWizardDirectory(t *testing.T) {
	f := newSelfService(t, "hash")
	f.asAdministrator()
	w := &Wizard{
		Identities: f.service.Identities, Flow: f.Flow, Directory: fakeDirectory{next: "+"},
		Sealer: fakeSealer{}, Now: f.Now,
	}
	d, err := w.BeginDirectory(t.Context(), f.scope, f.id)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(d.URL)
	got, err := w.CompleteDirectory(t.Context(), f.scope,
		Callback{State: u.Query().Get("state"), Code: "c", BrowserSecret: d.BrowserSecret})
	if err != nil || got.Provider.ID != f.id {
		t.Fatalf("%+v, %v", got, err)
	}
	found, next, err := w.People(t.Context(), f.scope, got.Token, "a")
	if err != nil || next != "a+" || len(found) != 2 || found[0].Match.Outcome != Linkable ||
		found[1].Match.Outcome != NoSuchEmail || !found[1].Person.Disabled {
		t.Errorf("%+v, %q, %v", found, next, err)
	}
	other := f.scope
	other.Caller.SessionID = "T"
	for name, c := range map[string]struct {
		scope access.Scope
		token string
		later time.Duration
	}{
		"another session": {scope: other, token: got.Token}, "too late": {f.scope, got.Token, DirectoryLifetime},
		"no token": {f.scope, "%", 0}, "none": {f.scope, "", 0},
	} {
		f.now = f.now.Add(c.later)
		if _, _, err := w.People(t.Context(), c.scope, c.token, ""); !fault.HasCode(err, "directory") {
			t.Errorf("%s: %v", name, err)
		}
		f.now = f.now.Add(-c.later)
	}
	w.Directory = fakeDirectory{err: NewProviderError("consent", nil, "Consent to it.")}
	if _, _, err := w.People(t.Context(), f.scope, got.Token, ""); !fault.HasCode(err, "provider.consent") {
		t.Errorf("trouble: %v", err)
	}
}

// A link that is removed in the meantime does not prevent the removal of others.
func TestRemoveAllGoesOnWithoutWhatIsGone(t *testing.T) {
	f := newSelfService(t, "hash")
	f.asAdministrator()
	f.identities.identities = []FederatedIdentity{
		{ProviderID: f.id, ObjectID: "o-1", AccountID: "me"},
		{ProviderID: f.id, ObjectID: "o-2", AccountID: "you"},
	}
	f.identities.beforeWrite = func() { f.identities.identities = f.identities.identities[1:] }
	got, err := f.service.Identities.RemoveAll(t.Context(), f.scope, f.memory.providers[f.id], []string{"me", "you"})
	if err != nil || got[0].Outcome != NotLinked || got[1].Outcome != Removed || len(f.identities.identities) != 0 {
		t.Errorf("%+v, %v, %v", got, f.identities.identities, err)
	}
}
