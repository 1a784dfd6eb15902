package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"useraccounts/internal/local/issuertest"
	"useraccounts/internal/sso"
)

const callbackURL = "https://accounts.example.com/sso/callback"

func newAuthParams() sso.AuthParams {
	return sso.AuthParams{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()}
}

func startIssuer(t *testing.T) (*issuertest.Server, *Client, sso.Provider) {
	t.Helper()
	issuer := issuertest.Start(t)
	client := &Client{HTTP: NewHTTP(true), RedirectURL: callbackURL, Loopback: true, Now: time.Now}
	return issuer, client,
		sso.Provider{Name: "Test", Kind: sso.OIDC, Issuer: issuer.URL, ClientID: issuertest.ClientID, Enabled: true}
}

// signIn runs the whole flow: authorization request, callback and code exchange.
func signIn(t *testing.T, issuer *issuertest.Server, client *Client, p sso.Provider) (sso.Claims, error) {
	t.Helper()
	a := newAuthParams()
	address, err := client.AuthURL(t.Context(), p, a)
	if err != nil {
		return sso.Claims{}, err
	}
	q := issuer.Authorize(t, address)
	if q.Get("state") != a.State {
		t.Fatalf("state %q came back for %q", q.Get("state"), a.State)
	}
	got, _, err := client.Exchange(t.Context(), p, issuertest.Secret, q.Get("code"), a)
	return got, err
}

func errorCode(err error) string {
	var t *sso.ProviderError
	if !errors.As(err, &t) {
		return "none"
	}
	return t.Code
}

// V51: state, nonce and PKCE with S256 are in the request.
func TestAuthURLBindsTheAnswer(t *testing.T) {
	issuer, client, p := startIssuer(t)
	a := newAuthParams()
	address, err := client.AuthURL(t.Context(), p, a)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, issuer.URL+"/auth?") {
		t.Fatalf("%s: %v", address, err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"state": a.State, "nonce": a.Nonce, "response_type": "code", "code_challenge_method": "S256",
		"redirect_uri": callbackURL, "client_id": issuertest.ClientID, "scope": "openid email profile",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, not %q", name, q.Get(name), want)
		}
	}
	if strings.Contains(address, a.Verifier) || q.Get("code_challenge") == "" {
		t.Error("the verifier is in the address, or no challenge is")
	}
}

func TestExchangeReturnsTheClaims(t *testing.T) {
	issuer, client, p := startIssuer(t)
	issuer.SetUser(issuertest.Claims{"sub": "abc", "email": "a@example.com", "amr": []string{"pwd", "mfa"}, "acr": "high"})
	got, err := signIn(t, issuer, client, p)
	if err != nil || got.Subject != "abc" || got.Email != "a@example.com" || got.ContextClass != "high" ||
		len(got.Methods) != 2 || got.At.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	p.Kind, p.Tenant = sso.Azure, "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
	issuer.SetUser(issuertest.Claims{"sub": "pairwise", "oid": "object-1", "tid": "8EAEF023-2b34-4da1-9baa-8bc8c9d6a490"})
	if got, err = signIn(t, issuer, client, p); err != nil || got.Subject != "object-1" {
		t.Errorf("Azure: %+v, %v", got, err)
	}
}

// V52, C33, C36, C39: every invalid token is refused and returns no claims.
func TestExchangeRefusesInvalidTokens(t *testing.T) {
	issuer, client, p := startIssuer(t)
	whole := issuer.Sign
	now := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strangerRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(issuertest.Claims) string {
		return func(c issuertest.Claims) string {
			if c[name] = value; value == nil {
				delete(c, name)
			}
			return whole(c)
		}
	}
	for name, sign := range map[string]func(issuertest.Claims) string{
		"no issuer":        claim("iss", nil),
		"another issuer":   claim("iss", "https://evil.example"),
		"no audience":      claim("aud", nil),
		"another audience": claim("aud", "other-client"),
		"two audiences":    claim("aud", []string{issuertest.ClientID, "other"}),
		"another party":    claim("azp", "other"),
		"no expiry":        claim("exp", nil),
		"run out":          claim("exp", now(-time.Second)),
		"expiry as text":   claim("exp", "tomorrow"),
		"no issue time":    claim("iat", nil),
		"issue time 0":     claim("iat", 0),
		"issued tomorrow":  claim("iat", now(24*time.Hour)),
		"issued long ago":  claim("iat", now(-11*time.Minute)),
		"not valid yet":    claim("nbf", now(time.Hour)),
		"no nonce":         claim("nonce", nil),
		"another nonce":    claim("nonce", "other"),
		"no subject":       claim("sub", nil),
		"empty subject":    claim("sub", ""),
		"huge subject":     claim("sub", strings.Repeat("x", 256)),
		"subject a number": claim("sub", 7),
		"another key":      func(c issuertest.Claims) string { return issuer.SignWith(stranger, oidc.ES256, c) },
		"another RSA key":  func(c issuertest.Claims) string { return issuer.SignWith(strangerRSA, oidc.RS256, c) },
		"HS256 with the public key": func(c issuertest.Claims) string {
			return issuer.SignWith([]byte(strings.Repeat("k", 64)), "HS256", c)
		},
		"alg none": func(c issuertest.Claims) string {
			text, _ := json.Marshal(c) //nolint:errchkjson // a map of plain values
			part := base64.RawURLEncoding.EncodeToString
			return part([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part(text) + "."
		},
		"signature cut": func(c issuertest.Claims) string { s := whole(c); return s[:strings.LastIndexByte(s, '.')+1] },
		"payload changed": func(c issuertest.Claims) string {
			s := strings.Split(whole(c), ".")
			c["sub"] = "admin"
			o := strings.Split(whole(c), ".")
			return s[0] + "." + o[1] + "." + s[2]
		},
		"not a token":      func(issuertest.Claims) string { return "abc" },
		"empty":            func(issuertest.Claims) string { return "" },
		"a thousand dots":  func(issuertest.Claims) string { return strings.Repeat(".", 10_000) },
		"longer than 32 k": claim("padding", strings.Repeat("x", 40_000)),
	} {
		issuer.Sign = sign
		if got, err := signIn(t, issuer, client, p); errorCode(err) == "none" || got.Subject != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	issuer.Sign = whole
	if _, err := signIn(t, issuer, client, p); err != nil {
		t.Errorf("the whole one: %v", err)
	}
	p.Kind, p.Tenant = sso.Azure, "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
	for name, c := range map[string]issuertest.Claims{
		"another tenant": {"sub": "s", "oid": "o", "tid": "00000000-0000-0000-0000-000000000000", "email": "a@example.com"},
		"no tenant":      {"sub": "s", "oid": "o"},
		"no object id":   {"sub": "s", "tid": p.Tenant},
	} {
		issuer.SetUser(c)
		if got, err := signIn(t, issuer, client, p); errorCode(err) == "none" || got.Subject != "" {
			t.Errorf("Azure, %s: %+v, %v", name, got, err)
		}
	}
}

// C40, V51: a code is refused without its verifier, a second time, and with another secret.
func TestExchangeNeedsTheVerifierAndTheSecret(t *testing.T) {
	issuer, client, p := startIssuer(t)
	a := newAuthParams()
	address, err := client.AuthURL(t.Context(), p, a)
	if err != nil {
		t.Fatal(err)
	}
	code := func() string { return issuer.Authorize(t, address).Get("code") }
	other := a
	other.Verifier = rand.Text()
	if _, _, err := client.Exchange(t.Context(), p, issuertest.Secret, code(), other); errorCode(err) != "code" {
		t.Errorf("another verifier: %v", err)
	}
	if _, _, err := client.Exchange(t.Context(), p, "old", code(), a); errorCode(err) != "client" {
		t.Errorf("another secret: %v", err)
	}
	used := code()
	if _, _, err := client.Exchange(t.Context(), p, issuertest.Secret, used, a); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Exchange(t.Context(), p, issuertest.Secret, used, a); errorCode(err) != "code" {
		t.Errorf("a second time: %v", err)
	}
}

// V56, V84: a provider that is down, slow, sends too much or redirects elsewhere is reported within the bounds, and
// nobody is signed in.
func TestProvidersThatFail(t *testing.T) {
	issuer, client, p := startIssuer(t)
	client.HTTP = newHTTP(true, 300*time.Millisecond)
	text := func(body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		}
	}
	for name, c := range map[string]struct {
		at, want string
		answer   func(w http.ResponseWriter)
	}{
		"slow description": {
			"/.well-known/openid-configuration", "slow",
			func(http.ResponseWriter) { time.Sleep(600 * time.Millisecond) },
		},
		"no description": {
			"/.well-known/openid-configuration", "notFound",
			func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		},
		"an error": {
			"/.well-known/openid-configuration", "unreachable",
			func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		},
		"another issuer": {
			"/.well-known/openid-configuration", "issuer",
			text(`{"issuer":"https://evil.example","jwks_uri":"x"}`),
		},
		"a page":        {"/.well-known/openid-configuration", "unreachable", text("<html>")},
		"a huge answer": {"/.well-known/openid-configuration", "unreachable", text(strings.Repeat(" ", maxResponse+1))},
		"leads elsewhere": {"/.well-known/openid-configuration", "unreachable", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://localhost:1/")
			w.WriteHeader(http.StatusFound)
		}},
		"no keys":    {"/keys", "keys", func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }},
		"slow token": {"/token", "slow", func(http.ResponseWriter) { time.Sleep(600 * time.Millisecond) }},
		"token down": {"/token", "unreachable", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }},
		"no token":   {"/token", "token", text(`{"access_token":"x","token_type":"Bearer"}`)},
		"half token": {"/token", "unreachable", text(`{"access_`)},
	} {
		client.forget(p.Issuer)
		issuer.SetIntercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != c.at {
				return false
			}
			c.answer(w)
			return true
		})
		got, err := signIn(t, issuer, client, p)
		if errorCode(err) != c.want || got.Subject != "" {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	issuer.SetIntercept(nil)
	if err := client.Check(t.Context(), p); err != nil {
		t.Errorf("check: %v", err)
	}
	issuer.SetIntercept(func(w http.ResponseWriter, r *http.Request) bool { return r.URL.Path == "/keys" })
	if err := client.Check(t.Context(), p); errorCode(err) != "keys" {
		t.Errorf("check without keys: %v", err)
	}
	p.Issuer = "http://127.0.0.1:1"
	if err := client.Check(t.Context(), p); errorCode(err) != "unreachable" {
		t.Errorf("check of nobody: %v", err)
	}
}

// V56: a deployed function sends no request to a private address, whatever a name resolves to.
func TestNoPrivateAddressIsRequested(t *testing.T) {
	issuer, _, p := startIssuer(t)
	deployed := &Client{HTTP: NewHTTP(false), RedirectURL: callbackURL, Loopback: true, Now: time.Now}
	if err := deployed.Check(t.Context(), p); errorCode(err) == "none" || len(issuer.Requests()) > 0 {
		t.Errorf("asked %v: %v", issuer.Requests(), err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet,
		strings.Replace(issuer.URL, "http:", "https:", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := deployed.HTTP.Do(r)
	if err == nil {
		_ = answer.Body.Close()
	}
	if !errors.Is(err, errPrivateAddress) {
		t.Errorf("with https: %v", err)
	}
	for _, text := range []string{
		"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
		"224.0.0.1",
		"::1", "fe80::1", "fd00::1", "::", "64:ff9b::a00:1", "2002:a00:1::", "fd00:ec2::254",
	} {
		if isPublic(netip.MustParseAddr(text).Unmap()) {
			t.Errorf("%s counts as public", text)
		}
	}
	for _, text := range []string{"20.190.128.1", "2603:1006:2000::1", "142.250.74.110"} {
		if !isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s does not count as public", text)
		}
	}
}

// V103: a browser is sent to https addresses only, to this machine beside local services only, and never to a script.
// A provider whose discovery document says otherwise signs nobody in, and its check says so.
func TestTheAuthorizationAddressIsHTTPS(t *testing.T) {
	for address, want := range map[string][2]bool{ // on the internet, beside local services
		"https://login.example.com/authorize":     {true, true},
		"http://127.0.0.1:9000/authorize":         {false, true},
		"http://[::1]/authorize":                  {false, true},
		"http://localhost/authorize":              {false, true},
		"http://login.example.com/authorize":      {false, false},
		"javascript:alert(1)":                     {false, false},
		"javascript://login.example.com/%0aalert": {false, false},
		"data:text/html,x":                        {false, false},
		"//login.example.com/authorize":           {false, false},
		"https://user:secret@login.example.com/x": {false, false},
		"/authorize":                              {false, false},
		"":                                        {false, false},
	} {
		for i, local := range []bool{false, true} {
			if got := (&Client{Loopback: local}).mayAuthorizeAt(address); got != want[i] {
				t.Errorf("%q, local %v: %v", address, local, got)
			}
		}
	}
	_, client, p := startIssuer(t)
	client.Loopback = false
	if _, err := client.AuthURL(t.Context(), p, newAuthParams()); errorCode(err) != "authorization" {
		t.Errorf("%v", err)
	}
	if err := client.Check(t.Context(), p); errorCode(err) != "authorization" {
		t.Errorf("the check: %v", err)
	}
}
