// Package issuertest is an OpenID provider for tests: description, keys and tokens by go-oidc's own test server, and
// around it the sign-in page and the exchange of codes, which go-oidc leaves out. It checks what a strict provider
// checks: client, secret, return address, PKCE, and that a code is used once.
package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

const (
	// ClientID is the id of the one client.
	ClientID = "user-accounts"
	// Secret is what the client signs in with.
	Secret = "the client's secret"
	// KeyID is the key's.
	KeyID = "key-1"
)

// Claims are those of an id token.
type Claims = map[string]any

// Server is the provider. Whoever comes to its sign-in page is taken for the current person.
type Server struct {
	// URL is the issuer.
	URL string
	// Sign makes a token of claims; tests replace it to break tokens.
	Sign func(Claims) string
	// Intercept answers a request in place of the server if it returns true.
	Intercept func(w http.ResponseWriter, r *http.Request) bool

	mutex    sync.Mutex
	user     Claims
	codes    map[string]authorizationRequest
	requests []string
	key      crypto.PrivateKey
}

// authorizationRequest is what a code was given out for.
type authorizationRequest struct {
	redirect, nonce, challenge string
	person                     Claims
}

// Start runs a provider on this machine until the test ends.
func Start(t testing.TB) *Server { return StartAt(t, "") }

// StartAt is Start for a provider whose issuer has a path, as each tenant of Azure is.
func StartAt(t testing.TB, path string) *Server {
	t.Helper()
	s, stop, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

// Listen runs a provider on this machine until it is stopped, for whoever has no test that ends.
func Listen(path string) (s *Server, stop func(), err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	s = &Server{codes: map[string]authorizationRequest{}, key: key, user: Claims{"sub": "person-1"}}
	s.Sign = func(c Claims) string { return s.SignWith(s.key, oidc.ES256, c) }
	discovery := &oidctest.Server{
		PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: KeyID, Algorithm: oidc.ES256}},
		Algorithms: []string{oidc.ES256},
	}
	listening := httptest.NewServer(http.StripPrefix(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mutex.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		intercept := s.Intercept
		s.mutex.Unlock()
		switch {
		case intercept != nil && intercept(w, r):
		case r.URL.Path == "/auth":
			s.handleAuthorization(w, r)
		case r.URL.Path == "/token":
			s.handleToken(w, r)
		default:
			discovery.ServeHTTP(w, r)
		}
	})))
	s.URL = listening.URL + path
	discovery.SetIssuer(s.URL)
	return s, listening.Close, nil
}

// SetUser makes the claims those of whoever signs in next.
func (s *Server) SetUser(c Claims) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.user = maps.Clone(c)
}

// SetIntercept sets what answers requests in place of the server; nil for nothing.
func (s *Server) SetIntercept(intercept func(w http.ResponseWriter, r *http.Request) bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Intercept = intercept
}

// Requests returns the requests that came, such as "POST /token".
func (s *Server) Requests() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string(nil), s.requests...)
}

// SignWith makes a token of claims with another key or algorithm.
func (s *Server) SignWith(key crypto.PrivateKey, algorithm string, c Claims) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return oidctest.SignIDToken(key, KeyID, algorithm, string(text))
}

// Authorize does what a browser does with the address of the sign-in page, and returns the query that it comes back
// with.
func (s *Server) Authorize(t testing.TB, address string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(address) //nolint:noctx // of a test
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		t.Fatalf("the sign-in page answered %d: %v", answer.StatusCode, err)
	}
	return back.Query()
}

func (s *Server) handleAuthorization(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != ClientID || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" {
		http.Error(w, "not a request of this client's", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	s.mutex.Lock()
	s.codes[code] = authorizationRequest{q.Get("redirect_uri"), q.Get("nonce"), q.Get("code_challenge"),
		maps.Clone(s.user)}
	s.mutex.Unlock()
	answer := back.Query()
	answer.Set("code", code)
	answer.Set("state", q.Get("state"))
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // a provider for tests takes any return address
}

func (s *Server) handleToken(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code}) // nobody to tell
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id, err := url.QueryUnescape(id); err != nil || id != ClientID {
		fail(http.StatusUnauthorized, "invalid_client")
		return
	}
	if plain, err := url.QueryUnescape(secret); err != nil || plain != Secret && secret != Secret {
		fail(http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mutex.Lock()
	was, ok := s.codes[r.PostFormValue("code")]
	delete(s.codes, r.PostFormValue("code"))
	sign := s.Sign
	s.mutex.Unlock()
	digest := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(digest[:])
	if !ok || was.redirect != r.PostFormValue("redirect_uri") ||
		subtle.ConstantTimeCompare([]byte(was.challenge), []byte(challenge)) != 1 {
		fail(http.StatusBadRequest, "invalid_grant")
		return
	}
	now := time.Now()
	c := Claims{"iss": s.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"nonce": was.nonce}
	maps.Copy(c, was.person)
	for name, value := range c { // a person with the claim set to nil has none
		if value == nil {
			delete(c, name)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // nobody to tell
		"access_token": "access-" + was.nonce, "token_type": "Bearer", "expires_in": 300, "id_token": sign(c),
	})
}
