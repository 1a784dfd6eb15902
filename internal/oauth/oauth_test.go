package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/oauth"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

const (
	issuer    = "https://accounts.example.com"
	accountID = "01JZ0000000000000000000001"
	sessionID = "01JZ0000000000000000000002"
)

// fixture is a service over one person's session and two applications.
type fixture struct {
	*oauth.Service
	now     time.Time
	set     oauth.KeySet
	known   *catalogue.Catalogue
	subject oauth.Subject
	secrets map[string]string
}

func (f *fixture) SigningKeys(context.Context, string) (oauth.KeySet, error) { return f.set, nil }

func (f *fixture) SaveSigningKeys(_ context.Context, _ string, next oauth.KeySet) error {
	if next.Version != f.set.Version+1 {
		return oauth.ErrConcurrentChange
	}
	f.set = next
	return nil
}

func (f *fixture) FindSubject(_ context.Context, _ string, from oauth.Origin) (oauth.Subject, error) {
	out := f.subject
	out.Keys, out.Found = f.set, from.AccountID == accountID
	return out, nil
}

func (f *fixture) Catalogue(context.Context, environment.Environment) (*catalogue.Catalogue, error) {
	return f.known, nil
}

func (f *fixture) Seal(_ context.Context, plain, bound []byte) ([]byte, error) {
	return append(append([]byte{}, bound...), plain...), nil
}

func (f *fixture) Open(_ context.Context, sealed, bound []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), string(bound))
	if !ok {
		return nil, errors.New("another context")
	}
	return []byte(plain), nil
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), secrets: map[string]string{}}
	entries := []catalogue.Entry{
		{Kind: catalogue.Licence, Code: "FULL", Active: true},
		{Kind: catalogue.Role, Code: "PAYER", Active: true,
			Permissions: []string{"account.read", "erp:invoice.approve", "crm:read"}},
	}
	for _, code := range []string{"erp", "crm"} {
		id := token.NewID()
		secret, err := token.Issue(rand.Reader, token.ClientSecret, [16]byte{}, id)
		if err != nil {
			t.Fatal(err)
		}
		f.secrets[code] = secret.Reveal()
		entries = append(entries, catalogue.Entry{Kind: catalogue.Application, Code: code, Active: true,
			Application: catalogue.ApplicationData{Type: "web", Audience: "https://" + code, APIs: []string{"api" + code},
				Permissions: map[string]string{"invoice.approve": "", "read": ""},
				Credentials: []catalogue.Credential{{ID: id.String(), Hash: secret.Hash()}}}})
	}
	f.known = catalogue.New(entries)
	f.subject = oauth.Subject{Session: signin.SessionContext{
		Session: session.Session{AccountID: accountID, ID: sessionID, Epoch: 3, RefreshDue: f.now.Add(1000 * time.Hour),
			HardEnd: f.now.Add(1000 * time.Hour)},
		Anchor: account.Anchor{ID: accountID, Username: "walkerp", Name: "Pat Walker", Epoch: 3, UserType: "FULL",
			Active: true, Roles: []string{"PAYER"}, DACGroups: []string{"DAC1"}, Resource: "1001"},
	}}
	now := func() time.Time { return f.now }
	f.Service = &oauth.Service{Issuer: issuer, EnvID: "main", Subjects: f, Now: now, NewID: token.NewIDString,
		Keys: &oauth.Keys{EnvID: "main", Store: f, Sealer: f, Now: now, NewID: token.NewIDString, Random: rand.Reader},
		Authenticate: func(_ context.Context, bearer string) (access.Scope, error) {
			if bearer != "session" {
				return access.Scope{}, fault.New(fault.Unauthenticated, "session", "none")
			}
			return access.Scope{Catalogue: f.known, Caller: access.Caller{AccountID: accountID, SessionID: sessionID,
				AuthenticatedAt: f.now, Permissions: access.Permissions(f.known, []string{"PAYER"}, nil)}}, nil
		}}
	return f
}

func (f *fixture) client(code string) oauth.Client {
	return oauth.Client{ID: code, Secret: f.secrets[code]}
}

func (f *fixture) exchange(t *testing.T) string {
	t.Helper()
	got, err := f.Exchange(t.Context(), oauth.Client{}, "session", "https://erp")
	if err != nil {
		t.Fatal(err)
	}
	return got.JWT
}

func (f *fixture) active(t *testing.T, code, text string) bool {
	t.Helper()
	facts, err := f.Introspect(t.Context(), f.client(code), text)
	if err != nil {
		t.Fatal(err)
	}
	if !facts.Active {
		if raw, _ := json.Marshal(facts); string(raw) != `{"active":false}` && facts.Subject != "" {
			t.Errorf("an inactive token tells %s", raw)
		}
	}
	return facts.Active
}

// V106: an application learns of its own tokens who it is and what they may do in it, and of all others nothing.
func TestIntrospection(t *testing.T) {
	f := newFixture(t)
	text := f.exchange(t)
	facts, err := f.Introspect(t.Context(), f.client("erp"), text)
	if err != nil || !facts.Active || facts.Username != "walkerp" || facts.Name != "Pat Walker" ||
		facts.Scope != "invoice.approve" || facts.SessionID != sessionID || facts.Audience != "https://erp" ||
		facts.Resource != "1001" || facts.Expires-facts.IssuedAt != 300 || len(facts.DACGroups) != 1 {
		t.Errorf("%+v, %v", facts, err)
	}
	if f.active(t, "crm", text) {
		t.Error("another application's token is active")
	}
	for name, other := range map[string]string{"session": "session", "empty": "", "key": "ua_01JZ", "half": text[:80],
		"changed": text[:len(text)-4] + "AAAA", "long": strings.Repeat("a", 5000)} {
		if f.active(t, "erp", other) {
			t.Errorf("%s is active", name)
		}
	}
	for _, c := range []oauth.Client{{}, {ID: "erp"}, {ID: "erp", Secret: f.secrets["crm"]},
		{ID: "ERP", Secret: f.secrets["erp"]},
		{ID: "no", Secret: f.secrets["erp"]}} {
		if _, err := f.Introspect(t.Context(), c, text); !fault.HasCode(err, "invalid_client") {
			t.Errorf("%s: %v", c.ID, err)
		}
	}
}

// V106: a token ends with its five minutes, and before that with whatever ends the session that it came from.
func TestATokenEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(*fixture){
		"time":   func(f *fixture) { f.now = f.now.Add(oauth.TokenLife + time.Second) },
		"epoch":  func(f *fixture) { f.subject.Session.Anchor.Epoch++ },
		"closed": func(f *fixture) { f.subject.Session.Session.Closed = f.now },
		"dates":  func(f *fixture) { f.subject.Session.Anchor.DateTo = "2026-11-30" },
		"licence": func(f *fixture) {
			f.known = f.known.Replace(catalogue.Entry{Kind: catalogue.Licence, Code: "FULL", APIOnly: true})
		},
		"key":    func(f *fixture) { f.set.Keys = nil },
		"issuer": func(f *fixture) { f.Issuer = "https://other.example.com" },
	} {
		f := newFixture(t)
		text := f.exchange(t)
		if !f.active(t, "erp", text) {
			t.Fatalf("%s: inactive before", name)
		}
		if end(f); f.active(t, "erp", text) {
			t.Errorf("%s does not end it", name)
		}
	}
}

// V106: what another signed, or signed as another kind of JWT, is inactive, whatever it claims.
func TestForgedTokens(t *testing.T) {
	f := newFixture(t)
	f.exchange(t)
	key, private, err := f.Keys.Signing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key any, kid, typ string, audience ...string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}},
			(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(signer).Claims(map[string]any{"iss": issuer, "sub": accountID, "sid": sessionID,
			"aud": audience, "client_id": "erp", "iat": f.now.Unix(), "exp": f.now.Add(time.Minute).Unix()}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if !f.active(t, "erp", sign(private, key.ID, "at+jwt", "https://erp")) {
		t.Fatal("the test's own token is inactive")
	}
	other := newFixture(t)
	other.exchange(t)
	_, stranger, _ := other.Keys.Signing(t.Context())
	for name, text := range map[string]string{
		"another key":   sign(stranger, key.ID, "at+jwt", "https://erp"),
		"another kid":   sign(private, "x", "at+jwt", "https://erp"),
		"an id token":   sign(private, key.ID, "JWT", "https://erp"),
		"two audiences": sign(private, key.ID, "at+jwt", "https://erp", "https://crm"),
		"no audience":   sign(private, key.ID, "at+jwt"),
	} {
		if f.active(t, "erp", text) {
			t.Errorf("%s: active", name)
		}
	}
}

func TestClientCredentials(t *testing.T) {
	f := newFixture(t)
	got, err := f.ClientCredentials(t.Context(), f.client("crm"), "https://erp")
	if err != nil || !f.active(t, "erp", got.JWT) {
		t.Fatalf("%v", err)
	}
	crm, _ := f.known.Find(catalogue.Application, "crm")
	crm.Active = false
	if f.known = f.known.Replace(crm); f.active(t, "erp", got.JWT) {
		t.Error("a token of an application that was locked is active")
	}
	if _, err := f.ClientCredentials(t.Context(), f.client("crm"), ""); !fault.HasCode(err, "invalid_client") {
		t.Errorf("locked: %v", err)
	}
	if _, err := f.ClientCredentials(t.Context(), f.client("erp"), "https://no"); !fault.HasCode(err, "invalid_target") {
		t.Errorf("%v", err)
	}
	if _, err := f.Exchange(t.Context(), oauth.Client{}, "no", "https://erp"); !fault.HasCode(err, "invalid_request") {
		t.Errorf("%v", err)
	}
	wrong := oauth.Client{ID: "erp", Secret: "x"}
	if _, err := f.Exchange(t.Context(), wrong, "session", "https://erp"); !fault.HasCode(err,
		"invalid_client") {
		t.Errorf("%v", err)
	}
}

// Keys rotate by the clock: the next one is published an hour before it signs, the former until a day after.
func TestSigningKeysRotate(t *testing.T) {
	f := newFixture(t)
	signs := func() string {
		t.Helper()
		key, private, err := f.Keys.Signing(t.Context())
		if err != nil || !private.PublicKey.Equal(public(t, f, key.ID)) {
			t.Fatalf("%v", err)
		}
		return key.ID
	}
	first := signs()
	f.now = f.now.Add(30 * 24 * time.Hour)
	if signs() != first || len(f.set.Keys) != 2 {
		t.Fatal("a new key signs before it was published")
	}
	text := f.exchange(t)
	f.now = f.now.Add(time.Hour)
	second := signs()
	if second == first {
		t.Fatal("the old key signs on")
	}
	f.now = f.now.Add(-time.Hour)
	if !f.active(t, "erp", text) {
		t.Error("what the former key signed is inactive")
	}
	f.now = f.now.Add(25 * time.Hour)
	if err := f.Keys.Rotate(t.Context()); err != nil || len(f.set.Keys) != 2 || signs() != second {
		t.Errorf("%v %+v", err, f.set.Keys)
	}
}

func public(t *testing.T, f *fixture, id string) *ecdsa.PublicKey {
	t.Helper()
	set, err := f.Keys.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := set.Key(id)
	if len(found) != 1 || !found[0].IsPublic() {
		t.Fatalf("%d keys are published under the id, or a private one", len(found))
	}
	return found[0].Key.(*ecdsa.PublicKey)
}
