package sso

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"useraccounts/internal/fault"
)

// AuthRequestLifetime is how long a person may take at the provider (V51).
const AuthRequestLifetime = 10 * time.Minute

// Purpose is what an authorization request is for. Its callback is accepted for that purpose only.
type Purpose string

// The purposes: to sign in, to link one's own account, to read the directory for the link wizard.
const (
	ToSignIn        Purpose = "signIn"
	ToLink          Purpose = "link"
	ToReadDirectory Purpose = "directory"
)

// AuthRequest is a pending authorization request. It is found by its state and used once.
type AuthRequest struct {
	// StateHash is the SHA-256 of the state, BrowserHash that of the secret that stays in the browser.
	StateHash, BrowserHash []byte
	Params                 AuthParams
	Purpose                Purpose
	ProviderID             string
	// AccountID and Epoch are those of the caller, if one is signed in.
	AccountID string
	Epoch     int64
	// Client is the name under which the session will be listed.
	Client  string
	Expires time.Time
}

// AuthRequestStore stores pending authorization requests.
type AuthRequestStore interface {
	// SaveAuthRequest stores a request.
	SaveAuthRequest(ctx context.Context, env string, a AuthRequest) error
	// ConsumeAuthRequest returns a request by the hash of its state and deletes it: of two concurrent calls one gets
	// NotFound.
	ConsumeAuthRequest(ctx context.Context, env string, state []byte) (AuthRequest, error)
}

// ProviderClient is an OpenID Connect client.
type ProviderClient interface {
	// AuthURL returns the address at which a person authenticates.
	AuthURL(ctx context.Context, p Provider, a AuthParams) (string, error)
	// Exchange exchanges a code for verified claims and an access token; *ProviderError if anything is wrong.
	Exchange(ctx context.Context, p Provider, secret, code string, a AuthParams) (Claims, string, error)
}

// Flow is the authorization code flow with all providers.
type Flow struct {
	Providers *Providers
	Requests  AuthRequestStore
	Client    ProviderClient
	// GraphURL is the address of Microsoft Graph; empty for the worldwide cloud.
	GraphURL string
	Now      func() time.Time
}

// AuthRedirect sends a browser to a provider: the address, the state in it, and a secret that the callback needs.
type AuthRedirect struct {
	URL           string
	State         string
	BrowserSecret string
}

// directoryScope is the scope for listing the people of a directory (Microsoft Graph, GET /users).
func (f *Flow) directoryScope() string { return cmp.Or(f.GraphURL, GraphURL) + "/User.Read.All" }

// Begin starts an authorization request at an enabled provider; NotFound if there is none. a has the purpose and the
// caller; the rest is filled in.
func (f *Flow) Begin(ctx context.Context, env, providerID string, a AuthRequest) (AuthRedirect, error) {
	p, err := f.Providers.Get(ctx, env, providerID)
	if err != nil {
		return AuthRedirect{}, err
	}
	if !p.Enabled && a.Purpose != ToReadDirectory { // accounts may be linked before the provider is enabled
		return AuthRedirect{}, fault.New(fault.NotFound, "notFound", "There is no such provider.")
	}
	if p.Kind != Azure && a.Purpose == ToReadDirectory {
		return AuthRedirect{},
			fault.New(fault.Conflict, "noDirectory",
				"Only directories of the kind azure can be read. Link people of %s with a CSV file.", p.Name)
	}
	state, browser := rand.Text()+rand.Text(), rand.Text()+rand.Text()
	a.StateHash, a.BrowserHash, a.ProviderID = digest(state), digest(browser), p.ID
	a.Params = AuthParams{State: state, Nonce: rand.Text() + rand.Text(), Verifier: rand.Text() + rand.Text()}
	if a.Purpose == ToReadDirectory {
		a.Params.Scopes = []string{f.directoryScope()}
	}
	a.Expires = f.Now().UTC().Truncate(time.Millisecond).Add(AuthRequestLifetime)
	where, err := f.Client.AuthURL(ctx, p, a.Params)
	if err != nil {
		return AuthRedirect{}, f.providerFault(a, err)
	}
	a.Params.State = "" // only its hash is stored
	return AuthRedirect{URL: where, State: state, BrowserSecret: browser}, f.Requests.SaveAuthRequest(ctx, env, a)
}

// Callback is what a browser returns with.
type Callback struct {
	State, Code string
	// Error is the provider's error instead of a code (RFC 6749, 4.1.2.1).
	Error string
	// BrowserSecret is that of the AuthRedirect.
	BrowserSecret string
	// AccountID and Epoch are those of the caller, empty if none is signed in. They must be those of the request.
	AccountID string
	Epoch     int64
}

// CallbackResult is a verified callback.
type CallbackResult struct {
	Request  AuthRequest
	Provider Provider
	Claims   Claims
	// AccessToken has the scopes of the request.
	AccessToken string
}

// Complete verifies a callback: the request must be of this browser, unused and not expired, its provider still
// enabled, and the token valid (V51, V52).
func (f *Flow) Complete(ctx context.Context, env string, r Callback, purposes ...Purpose) (CallbackResult, error) {
	if r.State == "" || len(r.State) > 256 || len(r.Code) > 4096 {
		return CallbackResult{}, unknownRequest()
	}
	a, err := f.Requests.ConsumeAuthRequest(ctx, env, digest(r.State))
	if fault.Is(err, fault.NotFound) {
		return CallbackResult{}, unknownRequest()
	}
	if err != nil {
		return CallbackResult{}, err
	}
	matches := subtle.ConstantTimeCompare(a.BrowserHash, digest(r.BrowserSecret)) == 1
	matches = matches && a.AccountID == r.AccountID && a.Epoch == r.Epoch
	if !matches || !f.Now().Before(a.Expires) || !slices.Contains(purposes, a.Purpose) {
		return CallbackResult{}, unknownRequest()
	}
	p, err := f.Providers.Get(ctx, env, a.ProviderID)
	if fault.Is(err, fault.NotFound) || err == nil && !p.Enabled && a.Purpose != ToReadDirectory {
		return CallbackResult{}, unknownRequest() // disabled since (C38)
	}
	if err != nil {
		return CallbackResult{}, err
	}
	if r.Code == "" {
		return CallbackResult{}, f.providerFault(a, callbackError(r.Error))
	}
	secret, err := f.Providers.Secret(ctx, env, p)
	if err != nil {
		return CallbackResult{}, err
	}
	identity, access, err := f.Client.Exchange(ctx, p, secret, r.Code, a.Params)
	if err != nil {
		return CallbackResult{}, f.providerFault(a, err)
	}
	return CallbackResult{Request: a, Provider: p, Claims: identity, AccessToken: access}, nil
}

// providerFault returns the fault of a *ProviderError: with its advice for an administrator who reads the directory,
// with its code only for people who sign in. Neither reveals anything about an account.
func (f *Flow) providerFault(a AuthRequest, err error) error {
	var t *ProviderError
	switch {
	case !errors.As(err, &t):
		return err
	case a.Purpose == ToReadDirectory:
		return ProviderFault(err)
	case t.Code == "cancelled":
		return fault.New(fault.Conflict, "provider.cancelled", "%s", t.Advice).WithCause(t)
	}
	return fault.New(fault.Conflict, "provider."+t.Code,
		"The provider could not confirm who you are (%s). Try again. If it happens again, sign in with your password and "+
			"tell your administrator.", t.Code).WithCause(t)
}

// callbackError returns the ProviderError for the error of a callback.
func callbackError(code string) error {
	switch code {
	case "access_denied", "login_required", "interaction_required":
		return NewProviderError("cancelled", nil,
			"The sign-in at the provider was cancelled, or this application was refused. If you did not cancel it, an "+
				"administrator of the directory has to assign or consent to the application.")
	case "consent_required":
		return NewProviderError("consent", nil, "An administrator of the directory has to consent to the application first.")
	case "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_response_type":
		return NewProviderError("client", nil,
			"The provider refused the request (%s). Check the client id, and that the redirect address is registered there.",
			code)
	case "temporarily_unavailable", "server_error":
		return NewProviderError("unreachable", nil, "The provider is not available. Try again later.")
	}
	return NewProviderError("refused", nil, "The provider refused the sign-in.")
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// unknownRequest is the fault of a callback without a pending request: forged, of another browser, used, expired, or of
// a provider that was disabled.
func unknownRequest() error {
	return fault.New(fault.Unauthenticated, "attempt",
		"This sign-in has expired, or was started in another browser. Start again.")
}
