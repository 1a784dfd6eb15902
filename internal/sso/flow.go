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

// AttemptLife is how long a person has at the provider (V51).
const AttemptLife = 10 * time.Minute

// Purpose is what somebody goes to a provider for. An answer to one question never answers another.
type Purpose string

// The purposes: to sign in, to link one's own account, to read the directory for the link wizard.
const (
	ToSignIn        Purpose = "signIn"
	ToLink          Purpose = "link"
	ToReadDirectory Purpose = "directory"
)

// Attempt is one way to a provider and back. It is found by its state, and used once.
type Attempt struct {
	// State is the SHA-256 of what goes to the provider, Browser that of what stays with the browser that went.
	State, Browser []byte
	Asking         Asking
	Purpose        Purpose
	ProviderID     string
	// AccountID and Epoch are whose attempt it is, for those of people who are signed in.
	AccountID string
	Epoch     int64
	// Client is what the session will be listed as.
	Client  string
	Expires time.Time
}

// Attempts keeps attempts.
type Attempts interface {
	// Keep writes an attempt.
	Keep(ctx context.Context, env string, a Attempt) error
	// Take returns an attempt by the hash of its state and removes it: of two that take it at once, one gets NotFound.
	Take(ctx context.Context, env string, state []byte) (Attempt, error)
}

// Asker goes to providers.
type Asker interface {
	// AuthURL returns where a person signs in at the provider.
	AuthURL(ctx context.Context, p Provider, a Asking) (string, error)
	// Identify turns the code that came back into who it was and an access token; *Trouble if anything is in doubt.
	Identify(ctx context.Context, p Provider, secret, code string, a Asking) (Identity, string, error)
}

// Flow takes people to providers and back.
type Flow struct {
	Providers *Providers
	Attempts  Attempts
	Asker     Asker
	// GraphURL is where Azure's directory is read; empty for its worldwide cloud.
	GraphURL string
	Now      func() time.Time
}

// Departure is what a browser needs to go to a provider: the address, the state in it, and a secret to come back with.
type Departure struct {
	URL     string
	State   string
	Browser string
}

// directoryScope lets the wizard list the people of a directory (Microsoft Graph, GET /users).
func (f *Flow) directoryScope() string { return cmp.Or(f.GraphURL, GraphURL) + "/User.Read.All" }

// Depart begins an attempt at an enabled provider; NotFound if it is none. a says what for and whose; the rest is filled in.
func (f *Flow) Depart(ctx context.Context, env, providerID string, a Attempt) (Departure, error) {
	p, err := f.Providers.Get(ctx, env, providerID)
	if err != nil {
		return Departure{}, err
	}
	if !p.Enabled && a.Purpose != ToReadDirectory { // links may be made before people are let in by them
		return Departure{}, fault.New(fault.NotFound, "notFound", "There is no such provider.")
	}
	if p.Kind != Azure && a.Purpose == ToReadDirectory {
		return Departure{}, fault.New(fault.Conflict, "noDirectory", "Only the directory of a provider of the kind azure can be read; link people of %s by a CSV file.", p.Name)
	}
	state, browser := rand.Text()+rand.Text(), rand.Text()+rand.Text()
	a.State, a.Browser, a.ProviderID = digest(state), digest(browser), p.ID
	a.Asking = Asking{State: state, Nonce: rand.Text() + rand.Text(), Verifier: rand.Text() + rand.Text()}
	if a.Purpose == ToReadDirectory {
		a.Asking.Scopes = []string{f.directoryScope()}
	}
	a.Expires = f.Now().UTC().Truncate(time.Millisecond).Add(AttemptLife)
	where, err := f.Asker.AuthURL(ctx, p, a.Asking)
	if err != nil {
		return Departure{}, f.troubled(a, err)
	}
	a.Asking.State = "" // only its hash is kept
	return Departure{URL: where, State: state, Browser: browser}, f.Attempts.Keep(ctx, env, a)
}

// Return is what a browser comes back with.
type Return struct {
	State, Code string
	// Error is the provider's, in place of a code (RFC 6749, 4.1.2.1).
	Error string
	// Browser is what Depart gave it to keep.
	Browser string
	// AccountID and Epoch are of the caller who is signed in, blank for nobody: whose attempt it was has to come back.
	AccountID string
	Epoch     int64
}

// Arrival is who came back, and what for.
type Arrival struct {
	Attempt  Attempt
	Provider Provider
	Identity Identity
	// AccessToken is for the scopes of the attempt.
	AccessToken string
}

// Arrive takes a return: the attempt must be one that this browser began, not used and not over, its provider still enabled,
// and the token beyond doubt (V51, V52).
func (f *Flow) Arrive(ctx context.Context, env string, r Return, purposes ...Purpose) (Arrival, error) {
	if r.State == "" || len(r.State) > 256 || len(r.Code) > 4096 {
		return Arrival{}, lost()
	}
	a, err := f.Attempts.Take(ctx, env, digest(r.State))
	if fault.Is(err, fault.NotFound) {
		return Arrival{}, lost()
	}
	if err != nil {
		return Arrival{}, err
	}
	mine := subtle.ConstantTimeCompare(a.Browser, digest(r.Browser)) == 1
	mine = mine && a.AccountID == r.AccountID && a.Epoch == r.Epoch
	if !mine || !f.Now().Before(a.Expires) || !slices.Contains(purposes, a.Purpose) {
		return Arrival{}, lost()
	}
	p, err := f.Providers.Get(ctx, env, a.ProviderID)
	if fault.Is(err, fault.NotFound) || err == nil && !p.Enabled && a.Purpose != ToReadDirectory {
		return Arrival{}, lost() // turned off since (C38)
	}
	if err != nil {
		return Arrival{}, err
	}
	if r.Code == "" {
		return Arrival{}, f.troubled(a, refusedBy(r.Error))
	}
	secret, err := f.Providers.Secret(ctx, env, p)
	if err != nil {
		return Arrival{}, err
	}
	identity, access, err := f.Asker.Identify(ctx, p, secret, r.Code, a.Asking)
	if err != nil {
		return Arrival{}, f.troubled(a, err)
	}
	return Arrival{Attempt: a, Provider: p, Identity: identity, AccessToken: access}, nil
}

// troubled tells a provider's trouble: with its advice to an administrator who reads the directory, with no more than its
// code to people who only want in. Neither says anything of any account.
func (f *Flow) troubled(a Attempt, err error) error {
	var t *Trouble
	switch {
	case !errors.As(err, &t):
		return err
	case a.Purpose == ToReadDirectory:
		return Told(err)
	case t.Code == "cancelled":
		return fault.New(fault.Conflict, "provider.cancelled", "%s", t.Advice).Because(t)
	}
	return fault.New(fault.Conflict, "provider."+t.Code,
		"The provider could not tell who you are (%s). Try again; if it stays so, sign in with your password and tell your administrator.", t.Code).Because(t)
}

// refusedBy turns the error that a provider sent a browser back with into what happened.
func refusedBy(code string) error {
	switch code {
	case "access_denied", "login_required", "interaction_required":
		return NewTrouble("cancelled", nil, "The sign-in at the provider was cancelled, or it did not let this application in. If you did not cancel it, an administrator of the directory has to assign or consent to the application.")
	case "consent_required":
		return NewTrouble("consent", nil, "An administrator of the directory has to consent to the application first.")
	case "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_response_type":
		return NewTrouble("client", nil, "The provider refused the request (%s). Check the client id, and that the address to return to is registered there.", code)
	case "temporarily_unavailable", "server_error":
		return NewTrouble("unreachable", nil, "The provider is out of order just now. Try again later.")
	}
	return NewTrouble("refused", nil, "The provider sent nobody back.")
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// lost is the one answer to a return that belongs to no attempt: forged, of another browser, used, over, or of a provider
// that was turned off.
func lost() error {
	return fault.New(fault.Unauthenticated, "attempt", "This sign-in is over, or was begun in another browser. Begin again.")
}
