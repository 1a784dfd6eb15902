package sso

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
)

const testEnv = "main"

// fakeStore is a store of providers and authorization requests in memory.
type fakeStore struct {
	providers map[string]Provider
	attempts  map[string]AuthRequest
	events    []auditlog.Event
	linked    bool
}

func (m *fakeStore) Providers(context.Context, string) ([]Provider, error) {
	return slices.SortedFunc(maps.Values(m.providers), func(a, b Provider) int { return strings.Compare(a.ID, b.ID) }), nil
}

func (m *fakeStore) WriteProvider(_ context.Context, w ProviderWrite) error {
	if m.providers[w.Provider.ID].Version != w.ExpectedVersion {
		return ErrConcurrentChange
	}
	m.providers[w.Provider.ID] = w.Provider
	if w.Delete {
		delete(m.providers, w.Provider.ID)
	}
	m.events = append(m.events, w.Event)
	return nil
}

func (m *fakeStore) HasIdentities(context.Context, string, string) (bool, error) {
	return m.linked, nil
}

func (m *fakeStore) EventsSince(_ context.Context, _, subject string, version int64) ([]auditlog.Event, error) {
	return slices.DeleteFunc(slices.Clone(m.events),
		func(e auditlog.Event) bool { return e.Subject != subject || e.Version <= version }), nil
}

func (m *fakeStore) SaveAuthRequest(_ context.Context, _ string, a AuthRequest) error {
	m.attempts[string(a.StateHash)] = a
	return nil
}

func (m *fakeStore) ConsumeAuthRequest(_ context.Context, _ string, state []byte) (AuthRequest, error) {
	a, ok := m.attempts[string(state)]
	if delete(m.attempts, string(state)); !ok {
		return AuthRequest{}, fault.New(fault.NotFound, "notFound", "gone")
	}
	return a, nil
}

// fakeSealer is a Sealer whose output shows context and text.
type fakeSealer struct{}

func (fakeSealer) Seal(_ context.Context, text, bound []byte) ([]byte, error) {
	return []byte("sealed for " + string(bound) + ": " + string(text)), nil
}

func (fakeSealer) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	text, ok := strings.CutPrefix(string(sealed), "sealed for "+string(bound)+": ")
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return []byte(text), nil
}

// fakeProvider is a ProviderClient that returns its fields.
type fakeProvider struct {
	secret, code string
	params       AuthParams
	identity     Claims
	err          error
}

func (p *fakeProvider) AuthURL(_ context.Context, _ Provider, a AuthParams) (string, error) {
	p.params = a
	return "https://id.example.com/auth?" + url.Values{"state": {a.State}, "nonce": {a.Nonce}}.Encode(), p.err
}

func (p *fakeProvider) Exchange(_ context.Context, _ Provider, secret, code string, a AuthParams) (Claims, string,
	error,
) {
	p.secret, p.code = secret, code
	if a.Nonce != p.params.Nonce || a.Verifier != p.params.Verifier {
		return Claims{}, "", errors.New("asked something else")
	}
	return p.identity, "access", p.err
}

func (p *fakeProvider) Check(context.Context, Provider) error { return p.err }

type flowFixture struct {
	*Flow
	memory   *fakeStore
	provider *fakeProvider
	scope    access.Scope
	id       string
	now      time.Time
}

func newFlow(t *testing.T) *flowFixture {
	t.Helper()
	f := &flowFixture{
		memory:   &fakeStore{providers: map[string]Provider{}, attempts: map[string]AuthRequest{}},
		provider: &fakeProvider{identity: Claims{Subject: "sub-1"}}, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
	}
	ids := 0
	now := func() time.Time { return f.now }
	providers := &Providers{
		Store: f.memory, Sealer: fakeSealer{}, Checker: f.provider, Now: now,
		NewID: func() string { ids++; return strings.Repeat("A", ids) },
	}
	f.Flow = &Flow{Providers: providers, Requests: f.memory, Client: f.provider, Now: now}
	f.scope = access.Scope{
		Env:       environment.Environment{ID: testEnv, Settings: environment.Defaults()},
		Catalogue: &catalogue.Catalogue{},
		Caller: access.Caller{Username: "admin", AuthenticatedAt: f.now, Permissions: access.Set{
			access.AccountAdmin: {}, access.AccountLink: {}, access.SettingsWrite: {},
		}},
	}
	secret := "hush"
	p, err := providers.Create(t.Context(), f.scope, Draft{Secret: &secret, Patch: field.Patch{
		"name": "Works", "kind": "azure", "tenant": "8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "clientId": "c1", "enabled": true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	f.id = p.ID
	return f
}

// begin starts an authorization request and returns its callback.
func (f *flowFixture) begin(t *testing.T, purpose Purpose) Callback {
	t.Helper()
	d, err := f.Begin(t.Context(), testEnv, f.id, AuthRequest{Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Callback{State: u.Query().Get("state"), Code: "code-1", BrowserSecret: d.BrowserSecret}
}

func TestCompleteReturnsTheClaims(t *testing.T) {
	f := newFlow(t)
	back := f.begin(t, ToSignIn)
	got, err := f.Complete(t.Context(), testEnv, back, ToSignIn, ToLink)
	if err != nil || got.Claims.Subject != "sub-1" || got.Provider.ID != f.id || f.provider.secret != "hush" ||
		f.provider.code != "code-1" {
		t.Fatalf("%+v, %v", got, err)
	}
	// C31: only once.
	if _, err := f.Complete(t.Context(), testEnv, back, ToSignIn); !fault.HasCode(err, "attempt") {
		t.Errorf("a second time: %v", err)
	}
}

// V51, C38, C40: a callback is accepted from the same browser, for ten minutes, for the same purpose, while the
// provider is enabled.
func TestCompleteRefusesAnUnknownCallback(t *testing.T) {
	for name, spoil := range map[string]func(f *flowFixture, r *Callback){
		"no state":        func(_ *flowFixture, r *Callback) { r.State = "" },
		"a forged state":  func(_ *flowFixture, r *Callback) { r.State = strings.Repeat("A", 52) },
		"a huge state":    func(_ *flowFixture, r *Callback) { r.State = strings.Repeat("A", 10_000) },
		"a huge code":     func(_ *flowFixture, r *Callback) { r.Code = strings.Repeat("A", 10_000) },
		"another browser": func(_ *flowFixture, r *Callback) { r.BrowserSecret = "x" },
		"no browser":      func(_ *flowFixture, r *Callback) { r.BrowserSecret = "" },
		"too late":        func(f *flowFixture, _ *Callback) { f.now = f.now.Add(AuthRequestLifetime) },
		"provider turned off": func(f *flowFixture, _ *Callback) {
			p := f.memory.providers[f.id]
			p.Enabled = false
			f.memory.providers[f.id] = p
		},
		"provider deleted": func(f *flowFixture, _ *Callback) { delete(f.memory.providers, f.id) },
	} {
		f := newFlow(t)
		back := f.begin(t, ToSignIn)
		spoil(f, &back)
		if got, err := f.Complete(t.Context(), testEnv, back, ToSignIn); !fault.HasCode(err, "attempt") ||
			got.Claims.Subject != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if f.provider.code != "" {
			t.Errorf("%s: the provider was asked", name)
		}
	}
	f := newFlow(t)
	if _, err := f.Complete(t.Context(), testEnv, f.begin(t, ToLink), ToSignIn); !fault.HasCode(err, "attempt") {
		t.Errorf("another purpose: %v", err)
	}
}

func TestBeginNeedsAnEnabledProvider(t *testing.T) {
	f := newFlow(t)
	if _, err := f.Begin(t.Context(), testEnv, "none", AuthRequest{Purpose: ToSignIn}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no provider: %v", err)
	}
	p := f.memory.providers[f.id]
	p.Enabled = false
	f.memory.providers[f.id] = p
	if _, err := f.Begin(t.Context(), testEnv, f.id, AuthRequest{Purpose: ToSignIn}); !fault.Is(err, fault.NotFound) {
		t.Errorf("turned off: %v", err)
	}
	if _, err := f.Begin(t.Context(), testEnv, f.id, AuthRequest{Purpose: ToReadDirectory}); err != nil {
		t.Errorf("the directory of one that is turned off: %v", err)
	}
	p.Kind = Google
	f.memory.providers[f.id] = p
	if _, err := f.Begin(t.Context(), testEnv, f.id, AuthRequest{Purpose: ToReadDirectory}); !fault.HasCode(err,
		"noDirectory") {
		t.Errorf("no directory: %v", err)
	}
}

// A provider's error is reported with its advice to administrators, with its code only to others, and signs nobody in.
func TestProviderErrorsAreReported(t *testing.T) {
	f := newFlow(t)
	for _, c := range []struct {
		purpose Purpose
		whole   bool
	}{{ToSignIn, false}, {ToLink, false}, {ToReadDirectory, true}} {
		back := f.begin(t, c.purpose)
		f.provider.err = NewProviderError("client", errors.New("inside"), "Make a new secret.")
		got, err := f.Complete(t.Context(), testEnv, back, c.purpose)
		f.provider.err = nil
		if refusal := fault.As(err); refusal == nil || refusal.Code != "provider.client" ||
			strings.Contains(refusal.Detail, "secret") != c.whole || strings.Contains(refusal.Detail, "inside") ||
			got.Claims.Subject != "" {
			t.Errorf("%s: %v", c.purpose, err)
		}
	}
	for code, want := range map[string]string{
		"access_denied":    "provider.cancelled",
		"consent_required": "provider.consent", "server_error": "provider.unreachable", "<script>": "provider.refused",
		"": "provider.refused",
	} {
		back := f.begin(t, ToReadDirectory)
		back.Code, back.Error = "", code
		if _, err := f.Complete(t.Context(), testEnv, back, ToReadDirectory); !fault.HasCode(err, want) ||
			strings.Contains(err.Error(), "<script>") {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestProviderFieldsAreChecked(t *testing.T) {
	f := newFlow(t)
	good := field.Patch{"name": "Any", "kind": "oidc", "issuer": "https://id.example.com/oidc/2", "clientId": "c"}
	for _, c := range []struct {
		name  string
		patch field.Patch
		want  string
	}{
		{"no name", field.Patch{"name": ""}, "name required"},
		{"no client", field.Patch{"clientId": nil}, "clientId required"},
		{"unknown kind", field.Patch{"kind": "saml"}, "kind unknown"},
		{"no issuer", field.Patch{"issuer": ""}, "issuer issuer"},
		{"http", field.Patch{"issuer": "http://id.example.com"}, "issuer issuer"},
		{"no address", field.Patch{"issuer": "id.example.com"}, "issuer issuer"},
		{"a query", field.Patch{"issuer": "https://id.example.com?x=1"}, "issuer issuer"},
		{"an empty query", field.Patch{"issuer": "https://id.example.com?"}, "issuer issuer"},
		{"a password", field.Patch{"issuer": "https://u:p@id.example.com"}, "issuer issuer"},
		{"a tenant", field.Patch{"tenant": "x"}, "tenant tenant"},
		{"common", field.Patch{"kind": "azure", "tenant": "common"}, "tenant tenant"},
		{"azure without tenant", field.Patch{"kind": "azure"}, "tenant tenant"},
	} {
		patch := maps.Clone(good)
		maps.Copy(patch, c.patch)
		_, err := f.Providers.Create(t.Context(), f.scope, Draft{Patch: patch})
		if refusal := fault.As(err); refusal == nil || len(refusal.Fields) != 1 ||
			refusal.Fields[0].Field+" "+refusal.Fields[0].Code != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if p, err := f.Providers.Create(t.Context(), f.scope, Draft{Patch: good}); err != nil || p.Enabled ||
		p.Issuer != "https://id.example.com/oidc/2" {
		t.Errorf("a good one: %+v, %v", p, err)
	}
	p, err := f.Providers.Create(t.Context(), f.scope,
		Draft{Patch: field.Patch{
			"name": "A", "kind": "azure", "tenant": "8EAEF023-2B34-4DA1-9BAA-8BC8C9D6A490",
			"clientId": "c", "issuer": "https://evil.example",
		}})
	if err != nil || p.Issuer != "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0" {
		t.Errorf("azure: %+v, %v", p, err)
	}
}

// C50: the secret is sealed for its provider and is in no event.
func TestTheSecretIsNowhereInTheOpen(t *testing.T) {
	f := newFlow(t)
	secret := "canary-5d1"
	p, err := f.Providers.Change(t.Context(), f.scope, f.id, 1, Draft{Secret: &secret})
	if err != nil || p.Version != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, e := range f.memory.events {
		for _, d := range e.Changes {
			if d.From == secret || d.To == secret {
				t.Error("an event has the secret")
			}
		}
	}
	if same, err := f.Providers.Change(t.Context(), f.scope, f.id, 2, Draft{Secret: &secret}); err != nil ||
		same.Version != 2 {
		t.Errorf("the same secret again: %+v, %v", same, err)
	}
	moved := p
	moved.ID = "other"
	if got, err := f.Providers.Secret(t.Context(), testEnv, moved); err == nil {
		t.Errorf("opened for another provider: %q", got)
	}
	none := ""
	if p, err = f.Providers.Change(t.Context(), f.scope, f.id, 2, Draft{Secret: &none}); err != nil || p.Secret != nil ||
		p.Version != 3 {
		t.Errorf("taken away: %+v, %v", p, err)
	}
}
