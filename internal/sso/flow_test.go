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
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
)

const testEnv = "main"

// memory keeps providers and attempts.
type memory struct {
	providers map[string]Provider
	attempts  map[string]Attempt
	events    []journal.Event
	linked    bool
}

func (m *memory) Providers(context.Context, string) ([]Provider, error) {
	return slices.SortedFunc(maps.Values(m.providers), func(a, b Provider) int { return strings.Compare(a.ID, b.ID) }), nil
}

func (m *memory) WriteProvider(_ context.Context, w ProviderWrite) error {
	if m.providers[w.After.ID].Version != w.From {
		return ErrRaced
	}
	m.providers[w.After.ID] = w.After
	if w.Gone {
		delete(m.providers, w.After.ID)
	}
	m.events = append(m.events, w.Event)
	return nil
}

func (m *memory) Linked(context.Context, string, string) (bool, error) { return m.linked, nil }

func (m *memory) EventsSince(_ context.Context, _, subject string, version int64) ([]journal.Event, error) {
	return slices.DeleteFunc(slices.Clone(m.events), func(e journal.Event) bool { return e.Subject != subject || e.Version <= version }), nil
}

func (m *memory) Keep(_ context.Context, _ string, a Attempt) error {
	m.attempts[string(a.State)] = a
	return nil
}

func (m *memory) Take(_ context.Context, _ string, state []byte) (Attempt, error) {
	a, ok := m.attempts[string(state)]
	if delete(m.attempts, string(state)); !ok {
		return Attempt{}, fault.New(fault.NotFound, "notFound", "gone")
	}
	return a, nil
}

// open is a Sealer that shows what it does.
type open struct{}

func (open) Seal(_ context.Context, text, bound []byte) ([]byte, error) {
	return []byte("sealed for " + string(bound) + ": " + string(text)), nil
}

func (open) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	text, ok := strings.CutPrefix(string(sealed), "sealed for "+string(bound)+": ")
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return []byte(text), nil
}

// provider answers as it is told.
type provider struct {
	secret, code string
	asked        Asking
	identity     Identity
	err          error
}

func (p *provider) AuthURL(_ context.Context, _ Provider, a Asking) (string, error) {
	p.asked = a
	return "https://id.example.com/auth?" + url.Values{"state": {a.State}, "nonce": {a.Nonce}}.Encode(), p.err
}

func (p *provider) Identify(_ context.Context, _ Provider, secret, code string, a Asking) (Identity, string, error) {
	p.secret, p.code = secret, code
	if a.Nonce != p.asked.Nonce || a.Verifier != p.asked.Verifier {
		return Identity{}, "", errors.New("asked something else")
	}
	return p.identity, "access", p.err
}

func (p *provider) Check(context.Context, Provider) error { return p.err }

type flowFixture struct {
	*Flow
	memory   *memory
	provider *provider
	scope    access.Scope
	id       string
	now      time.Time
}

func newFlow(t *testing.T) *flowFixture {
	t.Helper()
	f := &flowFixture{memory: &memory{providers: map[string]Provider{}, attempts: map[string]Attempt{}},
		provider: &provider{identity: Identity{Subject: "sub-1"}}, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	ids := 0
	now := func() time.Time { return f.now }
	providers := &Providers{Store: f.memory, Sealer: open{}, Checker: f.provider, Now: now, NewID: func() string { ids++; return strings.Repeat("A", ids) }}
	f.Flow = &Flow{Providers: providers, Attempts: f.memory, Asker: f.provider, Now: now}
	f.scope = access.Scope{Env: environment.Environment{ID: testEnv, Settings: environment.Defaults()}, Catalogue: &catalogue.Catalogue{}, Caller: access.Caller{Username: "admin"}}
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

// depart begins an attempt and returns the way back from it.
func (f *flowFixture) depart(t *testing.T, purpose Purpose) Return {
	t.Helper()
	d, err := f.Depart(t.Context(), testEnv, f.id, Attempt{Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Return{State: u.Query().Get("state"), Code: "code-1", Browser: d.Browser}
}

func TestArriveTellsWhoCameBack(t *testing.T) {
	f := newFlow(t)
	back := f.depart(t, ToSignIn)
	got, err := f.Arrive(t.Context(), testEnv, back, ToSignIn, ToLink)
	if err != nil || got.Identity.Subject != "sub-1" || got.Provider.ID != f.id || f.provider.secret != "hush" || f.provider.code != "code-1" {
		t.Fatalf("%+v, %v", got, err)
	}
	// C31: once.
	if _, err := f.Arrive(t.Context(), testEnv, back, ToSignIn); !fault.HasCode(err, "attempt") {
		t.Errorf("a second time: %v", err)
	}
}

// V51, C38, C40: a return counts for the browser that went, for ten minutes, for its own purpose, while the provider is on.
func TestArriveRefusesWhatBelongsToNoAttempt(t *testing.T) {
	for name, spoil := range map[string]func(f *flowFixture, r *Return){
		"no state":        func(_ *flowFixture, r *Return) { r.State = "" },
		"a forged state":  func(_ *flowFixture, r *Return) { r.State = strings.Repeat("A", 52) },
		"a huge state":    func(_ *flowFixture, r *Return) { r.State = strings.Repeat("A", 10_000) },
		"a huge code":     func(_ *flowFixture, r *Return) { r.Code = strings.Repeat("A", 10_000) },
		"another browser": func(_ *flowFixture, r *Return) { r.Browser = "x" },
		"no browser":      func(_ *flowFixture, r *Return) { r.Browser = "" },
		"too late":        func(f *flowFixture, _ *Return) { f.now = f.now.Add(AttemptLife) },
		"provider turned off": func(f *flowFixture, _ *Return) {
			p := f.memory.providers[f.id]
			p.Enabled = false
			f.memory.providers[f.id] = p
		},
		"provider deleted": func(f *flowFixture, _ *Return) { delete(f.memory.providers, f.id) },
	} {
		f := newFlow(t)
		back := f.depart(t, ToSignIn)
		spoil(f, &back)
		if got, err := f.Arrive(t.Context(), testEnv, back, ToSignIn); !fault.HasCode(err, "attempt") || got.Identity.Subject != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if f.provider.code != "" {
			t.Errorf("%s: the provider was asked", name)
		}
	}
	f := newFlow(t)
	if _, err := f.Arrive(t.Context(), testEnv, f.depart(t, ToLink), ToSignIn); !fault.HasCode(err, "attempt") {
		t.Errorf("another purpose: %v", err)
	}
}

func TestDepartNeedsAnEnabledProvider(t *testing.T) {
	f := newFlow(t)
	if _, err := f.Depart(t.Context(), testEnv, "none", Attempt{Purpose: ToSignIn}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no provider: %v", err)
	}
	p := f.memory.providers[f.id]
	p.Enabled = false
	f.memory.providers[f.id] = p
	if _, err := f.Depart(t.Context(), testEnv, f.id, Attempt{Purpose: ToSignIn}); !fault.Is(err, fault.NotFound) {
		t.Errorf("turned off: %v", err)
	}
	if _, err := f.Depart(t.Context(), testEnv, f.id, Attempt{Purpose: ToReadDirectory}); err != nil {
		t.Errorf("the directory of one that is turned off: %v", err)
	}
	p.Kind = Google
	f.memory.providers[f.id] = p
	if _, err := f.Depart(t.Context(), testEnv, f.id, Attempt{Purpose: ToReadDirectory}); !fault.HasCode(err, "noDirectory") {
		t.Errorf("no directory: %v", err)
	}
}

// A provider's trouble is told whole to administrators, by its code to others, and signs nobody in.
func TestTroubleIsTold(t *testing.T) {
	f := newFlow(t)
	for _, c := range []struct {
		purpose Purpose
		whole   bool
	}{{ToSignIn, false}, {ToLink, false}, {ToReadDirectory, true}} {
		back := f.depart(t, c.purpose)
		f.provider.err = NewTrouble("client", errors.New("inside"), "Make a new secret.")
		got, err := f.Arrive(t.Context(), testEnv, back, c.purpose)
		f.provider.err = nil
		if told := fault.As(err); told == nil || told.Code != "provider.client" || strings.Contains(told.Detail, "secret") != c.whole || strings.Contains(told.Detail, "inside") || got.Identity.Subject != "" {
			t.Errorf("%s: %v", c.purpose, err)
		}
	}
	for code, want := range map[string]string{"access_denied": "provider.cancelled", "consent_required": "provider.consent", "server_error": "provider.unreachable", "<script>": "provider.refused", "": "provider.refused"} {
		back := f.depart(t, ToReadDirectory)
		back.Code, back.Error = "", code
		if _, err := f.Arrive(t.Context(), testEnv, back, ToReadDirectory); !fault.HasCode(err, want) || strings.Contains(err.Error(), "<script>") {
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
		if told := fault.As(err); told == nil || len(told.Fields) != 1 || told.Fields[0].Field+" "+told.Fields[0].Code != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if p, err := f.Providers.Create(t.Context(), f.scope, Draft{Patch: good}); err != nil || p.Enabled || p.Issuer != "https://id.example.com/oidc/2" {
		t.Errorf("a good one: %+v, %v", p, err)
	}
	p, err := f.Providers.Create(t.Context(), f.scope, Draft{Patch: field.Patch{"name": "A", "kind": "azure", "tenant": "8EAEF023-2B34-4DA1-9BAA-8BC8C9D6A490", "clientId": "c", "issuer": "https://evil.example"}})
	if err != nil || p.Issuer != "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0" {
		t.Errorf("azure: %+v, %v", p, err)
	}
}

// C50: the secret is sealed for its provider, and no event has it.
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
	if same, err := f.Providers.Change(t.Context(), f.scope, f.id, 2, Draft{Secret: &secret}); err != nil || same.Version != 2 {
		t.Errorf("the same secret again: %+v, %v", same, err)
	}
	moved := p
	moved.ID = "other"
	if got, err := f.Providers.Secret(t.Context(), testEnv, moved); err == nil {
		t.Errorf("opened for another provider: %q", got)
	}
	none := ""
	if p, err = f.Providers.Change(t.Context(), f.scope, f.id, 2, Draft{Secret: &none}); err != nil || p.Secret != nil || p.Version != 3 {
		t.Errorf("taken away: %+v, %v", p, err)
	}
}
