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

// AuthRequestLifetime is how long a person has at the provider (V51).
const AuthRequestLifetime = 10 * time.Minute

// Purpose is what somebody goes to a provider for. An answer to one question never answers another.
type Purpose string

// The purposes: to sign in, to link one's own account, to read the directory for the link wizard.
const (
	ToSignIn        Purpose = "signIn"
	ToLink          Purpose = "link"
	ToReadDirectory Purpose = "directory"
)

// AuthRequest is one way to a provider and back. It is found by its state, and used once.
type AuthRequest struct {
	// StateHash is the SHA-256 of what goes to the provider, Browser that of what stays with the browser that went.
	StateHash, BrowserHash []byte
	Params                 AuthParams
	Purpose                Purpose
	ProviderID             string
	// AccountID and Epoch are whose attempt it is, for those of people who are signed in.
	AccountID string
	Epoch     int64
	// Client is what the session will be listed as.
	Client  string
	Expires time.Time
}

// AuthRequestStore keeps attempts.
type AuthRequestStore interface {
	// SaveAuthRequest writes an attempt.
	SaveAuthRequest(ctx context.Context, env string, a AuthRequest) error
	// ConsumeAuthRequest returns an attempt by the hash of its state and removes it: of two that take it at once, one gets
	// NotFound.
	ConsumeAuthRequest(ctx context.Context, env string, state []byte) (AuthRequest, error)
}

// ProviderClient goes to providers.
type ProviderClient interface {
	// AuthURL returns where a person signs in at the provider.
	AuthURL(ctx context.Context, p Provider, a AuthParams) (string, error)
	// Exchange turns the code that came back into who it was and an access token; *Trouble if anything is in doubt.
	Exchange(ctx context.Context, p Provider, secret, code string, a AuthParams) (Claims, string, error)
}

// Flow takes people to providers and back.
type Flow struct {
	Providers *Providers
	Requests  AuthRequestStore
	Client    ProviderClient
	// GraphURL is where Azure's directory is read; empty for its worldwide cloud.
	GraphURL string
	Now      func() time.Time
}

// AuthRedirect is what a browser needs to go to a provider: the address, the state in it, and a secret to come back
// with.
type AuthRedirect struct {
	URL           string
	State         string
	BrowserSecret string
}

// directoryScope lets the wizard list the people of a directory (Microsoft Graph, GET /users).
func (f *Flow) directoryScope() string { return cmp.Or(f.GraphURL, GraphURL) + "/User.Read.All" }

// Begin begins an attempt at an enabled provider; NotFound if it is none. a says what for and whose; the rest is filled
// in.
func (f *Flow) Begin(ctx context.Context, env, providerID string, a AuthRequest) (AuthRedirect, error) {
	p, err := f.Providers.Get(ctx, env, providerID)
	if err != nil {
		return AuthRedirect{}, err
	}
	if !p.Enabled && a.Purpose != ToReadDirectory { // links may be made before people are let in by them
		return AuthRedirect{}, fault.New(fault.NotFound, "notFound", "There is no such provider.")
	}
	if p.Kind != Azure && a.Purpose == ToReadDirectory {
		return AuthRedirect{},
			fault.New(fault.Conflict, "noDirectory",
				"Only the directory of a provider of the kind azure can be read; link people of %s by a CSV file.", p.Name)
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
	a.Params.State = "" // only its hash is kept
	return AuthRedirect{URL: where, State: state, BrowserSecret: browser}, f.Requests.SaveAuthRequest(ctx, env, a)
}

// Callback is what a browser comes back with.
type Callback struct {
	State, Code string
	// Error is the provider's, in place of a code (RFC 6749, 4.1.2.1).
	Error string
	// BrowserSecret is what Depart gave it to keep.
	BrowserSecret string
	// AccountID and Epoch are of the caller who is signed in, blank for nobody: whose attempt it was has to come back.
	AccountID string
	Epoch     int64
}

// CallbackResult is who came back, and what for.
type CallbackResult struct {
	Request  AuthRequest
	Provider Provider
	Claims   Claims
	// AccessToken is for the scopes of the attempt.
	AccessToken string
}

// Complete takes a return: the attempt must be one that this browser began, not used and not over, its provider still
// enabled, and the token beyond doubt (V51, V52).
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
		return CallbackResult{}, unknownRequest() // turned off since (C38)
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

// providerFault tells a provider's trouble: with its advice to an administrator who reads the directory, with no more
// than its code to people who only want in. Neither says anything of any account.
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
		"The provider could not tell who you are (%s). Try again; if it stays so, sign in with your password and tell "+
			"your administrator.", t.Code).WithCause(t)
}

// callbackError turns the error that a provider sent a browser back with into what happened.
func callbackError(code string) error {
	switch code {
	case "access_denied", "login_required", "interaction_required":
		return NewProviderError("cancelled", nil,
			"The sign-in at the provider was cancelled, or it did not let this application in. If you did not cancel it, an "+
				"administrator of the directory has to assign or consent to the application.")
	case "consent_required":
		return NewProviderError("consent", nil, "An administrator of the directory has to consent to the application first.")
	case "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_response_type":
		return NewProviderError("client", nil,
			"The provider refused the request (%s). Check the client id, and that the address to return to is registered there.", code)
	case "temporarily_unavailable", "server_error":
		return NewProviderError("unreachable", nil, "The provider is out of order just now. Try again later.")
	}
	return NewProviderError("refused", nil, "The provider sent nobody back.")
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// unknownRequest is the one answer to a return that belongs to no attempt: forged, of another browser, used, over, or
// of a provider that was turned off.
func unknownRequest() error {
	return fault.New(fault.Unauthenticated, "attempt",
		"This sign-in is over, or was begun in another browser. Begin again.")
}
