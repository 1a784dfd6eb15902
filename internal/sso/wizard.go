package sso

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// Directory reads a provider's directory.
type Directory interface {
	// People returns a page of people and the next page's position, empty after the last; next is empty for the first
	// page.
	People(ctx context.Context, accessToken, next string) ([]Person, string, error)
}

// DirectoryLifetime is how long a sign-in to a directory is valid: the minimum lifetime of Azure's access tokens.
const DirectoryLifetime = time.Hour

// MaxPerRequest is the maximum number of links that one request makes or removes.
const MaxPerRequest = 500

// Wizard links many accounts at once.
type Wizard struct {
	Identities *Identities
	Flow       *Flow
	Directory  Directory
	Sealer     Sealer
	Now        func() time.Time
}

// BeginDirectory starts a sign-in to a provider's directory.
func (s *Wizard) BeginDirectory(ctx context.Context, sc access.Scope, providerID string) (AuthRedirect, error) {
	return s.Flow.Begin(ctx, sc.Env.ID, providerID,
		AuthRequest{Purpose: ToReadDirectory, AccountID: sc.Caller.AccountID, Epoch: sc.Caller.Epoch})
}

// directoryToken is the sealed content of DirectorySession.Token. It is not stored, and the caller cannot read it.
type directoryToken struct {
	ProviderID string `json:"p"`
	Access     string `json:"a"`
	Expires    int64  `json:"e"` // Unix seconds
}

// DirectorySession is a sign-in to a directory. Its token is bound to the caller's session.
type DirectorySession struct {
	Token    string
	Provider Provider
	Expires  time.Time
}

// CompleteDirectory completes the sign-in to the directory.
func (s *Wizard) CompleteDirectory(ctx context.Context, sc access.Scope, r Callback) (DirectorySession, error) {
	r.AccountID, r.Epoch = sc.Caller.AccountID, sc.Caller.Epoch
	got, err := s.Flow.Complete(ctx, sc.Env.ID, r, ToReadDirectory)
	if err != nil {
		return DirectorySession{}, err
	}
	out := DirectorySession{Provider: got.Provider, Expires: s.Now().UTC().Truncate(time.Second).Add(DirectoryLifetime)}
	text, err := json.Marshal(directoryToken{got.Provider.ID, got.AccessToken, out.Expires.Unix()})
	if err != nil {
		return DirectorySession{}, err
	}
	sealed, err := s.Sealer.Seal(ctx, text, directoryContext(sc))
	out.Token = base64.RawURLEncoding.EncodeToString(sealed)
	return out, err
}

// directoryContext binds a directory's token to the caller and their session.
func directoryContext(sc access.Scope) []byte {
	return []byte("sso-directory/" + sc.Env.ID + "/" + sc.Caller.AccountID + "/" + sc.Caller.SessionID)
}

// PersonMatch is a person in the directory, and what linking them would do.
type PersonMatch struct {
	Person Person
	Match  MatchResult
}

// People returns a page of the directory, each person matched with an account by email.
func (s *Wizard) People(ctx context.Context, sc access.Scope, token, next string) ([]PersonMatch, string, error) {
	o, err := s.openToken(ctx, sc, token)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Identities.Providers.Get(ctx, sc.Env.ID, o.ProviderID)
	if err != nil {
		return nil, "", err
	}
	people, next, err := s.Directory.People(ctx, o.Access, next)
	if err != nil {
		return nil, "", ProviderFault(err)
	}
	pairs := make([]Pair, len(people))
	for i, one := range people {
		pairs[i] = Pair{Email: one.Email, ObjectID: one.ObjectID}
	}
	matched, err := s.Identities.Match(ctx, sc, p, pairs)
	if err != nil {
		return nil, "", err
	}
	out := make([]PersonMatch, len(people))
	for i := range people {
		out[i] = PersonMatch{people[i], matched[i]}
	}
	return out, next, nil
}

func (s *Wizard) openToken(ctx context.Context, sc access.Scope, token string) (directoryToken, error) {
	over := fault.New(fault.Conflict, "directory",
		"The sign-in to the directory has expired, or belongs to another session. Sign in to the directory again; links "+
			"that were made remain.")
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return directoryToken{}, over
	}
	text, err := s.Sealer.Open(ctx, sealed, directoryContext(sc))
	if err != nil {
		return directoryToken{}, over.WithCause(err)
	}
	var o directoryToken
	if err := json.Unmarshal(text, &o); err != nil || s.Now().Unix() >= o.Expires {
		return directoryToken{}, over
	}
	return o, nil
}

// Link links pairs at a provider, each independently, and returns the outcome of each.
func (s *Wizard) Link(ctx context.Context, sc access.Scope, providerID string, pairs []Pair) ([]MatchResult, error) {
	p, err := s.Identities.Providers.Get(ctx, sc.Env.ID, providerID)
	if err != nil {
		return nil, err
	}
	if err := checkCount("pairs", len(pairs)); err != nil {
		return nil, err
	}
	return s.Identities.LinkAll(ctx, sc, p, pairs)
}

// Unlink removes the links of accounts at a provider, each independently, and returns the outcome of each.
func (s *Wizard) Unlink(ctx context.Context, sc access.Scope, providerID string, accountIDs []string) ([]MatchResult,
	error,
) {
	p, err := s.Identities.Providers.Get(ctx, sc.Env.ID, providerID)
	if err != nil {
		return nil, err
	}
	if err := checkCount("accountIds", len(accountIDs)); err != nil {
		return nil, err
	}
	return s.Identities.RemoveAll(ctx, sc, p, accountIDs)
}

func checkCount(name string, n int) error {
	if n > MaxPerRequest {
		return fault.InvalidFields([]fault.Field{{Field: name, Code: "tooMany", Message: "Send at most 500 at a time."}})
	}
	return nil
}
