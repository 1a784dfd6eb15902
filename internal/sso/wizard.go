package sso

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
)

// Directory reads the people of a provider's directory.
type Directory interface {
	// People returns a page of people and where the next begins, empty after the last; next is empty for the first.
	People(ctx context.Context, accessToken, next string) ([]Person, string, error)
}

// DirectoryLife is how long a sign-in to a directory serves the wizard: as long as Azure's access tokens do at least.
const DirectoryLife = time.Hour

// MostAtOnce is how many links one request makes or removes.
const MostAtOnce = 500

// Wizard links many people at once.
type Wizard struct {
	Links     *Links
	Flow      *Flow
	Directory Directory
	Sealer    Sealer
	Now       func() time.Time
}

// Depart begins a sign-in to a provider's directory.
func (s *Wizard) Depart(ctx context.Context, sc access.Scope, providerID string) (Departure, error) {
	return s.Flow.Depart(ctx, sc.Env.ID, providerID, Attempt{Purpose: ToReadDirectory, AccountID: sc.Caller.AccountID, Epoch: sc.Caller.Epoch})
}

// opened is what a directory's token holds: nothing of it is kept here, and the caller cannot read it.
type opened struct {
	ProviderID string `json:"p"`
	Access     string `json:"a"`
	Expires    int64  `json:"e"` // Unix seconds
}

// SignedIn is a sign-in to a directory, sealed for the session that it was made in.
type SignedIn struct {
	Token    string
	Provider Provider
	Expires  time.Time
}

// Return takes the sign-in to the directory.
func (s *Wizard) Return(ctx context.Context, sc access.Scope, r Return) (SignedIn, error) {
	r.AccountID, r.Epoch = sc.Caller.AccountID, sc.Caller.Epoch
	got, err := s.Flow.Arrive(ctx, sc.Env.ID, r, ToReadDirectory)
	if err != nil {
		return SignedIn{}, err
	}
	out := SignedIn{Provider: got.Provider, Expires: s.Now().UTC().Truncate(time.Second).Add(DirectoryLife)}
	text, err := json.Marshal(opened{got.Provider.ID, got.AccessToken, out.Expires.Unix()})
	if err != nil {
		return SignedIn{}, err
	}
	sealed, err := s.Sealer.Seal(ctx, text, directoryFor(sc))
	out.Token = base64.RawURLEncoding.EncodeToString(sealed)
	return out, err
}

// directoryFor is what a directory's token is bound to: it serves nobody else, and no other session.
func directoryFor(sc access.Scope) []byte {
	return []byte("sso-directory/" + sc.Env.ID + "/" + sc.Caller.AccountID + "/" + sc.Caller.SessionID)
}

// FoundPerson is somebody in the directory, and what linking them would do.
type FoundPerson struct {
	Person  Person
	Matched Matched
}

// People returns a page of the directory, each person matched by email.
func (s *Wizard) People(ctx context.Context, sc access.Scope, token, next string) ([]FoundPerson, string, error) {
	o, err := s.open(ctx, sc, token)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Links.Providers.Get(ctx, sc.Env.ID, o.ProviderID)
	if err != nil {
		return nil, "", err
	}
	people, next, err := s.Directory.People(ctx, o.Access, next)
	if err != nil {
		return nil, "", Told(err)
	}
	pairs := make([]Pair, len(people))
	for i, one := range people {
		pairs[i] = Pair{Email: one.Email, ObjectID: one.ObjectID}
	}
	matched, err := s.Links.Match(ctx, sc, p, pairs)
	if err != nil {
		return nil, "", err
	}
	out := make([]FoundPerson, len(people))
	for i := range people {
		out[i] = FoundPerson{people[i], matched[i]}
	}
	return out, next, nil
}

func (s *Wizard) open(ctx context.Context, sc access.Scope, token string) (opened, error) {
	over := fault.New(fault.Conflict, "directory", "The sign-in to the directory is over, or of another session. Sign in to the directory again; links that were made stay.")
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return opened{}, over
	}
	text, err := s.Sealer.Open(ctx, sealed, directoryFor(sc))
	if err != nil {
		return opened{}, over.Because(err)
	}
	var o opened
	if err := json.Unmarshal(text, &o); err != nil || s.Now().Unix() >= o.Expires {
		return opened{}, over
	}
	return o, nil
}

// Link links pairs at a provider, each by itself, and says what became of each.
func (s *Wizard) Link(ctx context.Context, sc access.Scope, providerID string, pairs []Pair) ([]Matched, error) {
	p, err := s.Links.Providers.Get(ctx, sc.Env.ID, providerID)
	if err != nil {
		return nil, err
	}
	if err := tooMany("pairs", len(pairs)); err != nil {
		return nil, err
	}
	return s.Links.LinkAll(ctx, sc, p, pairs)
}

// Unlink removes the links of accounts at a provider, each by itself, and says what became of each.
func (s *Wizard) Unlink(ctx context.Context, sc access.Scope, providerID string, accountIDs []string) ([]Matched, error) {
	p, err := s.Links.Providers.Get(ctx, sc.Env.ID, providerID)
	if err != nil {
		return nil, err
	}
	if err := tooMany("accountIds", len(accountIDs)); err != nil {
		return nil, err
	}
	return s.Links.RemoveAll(ctx, sc, p, accountIDs)
}

func tooMany(name string, n int) error {
	if n > MostAtOnce {
		return fault.InvalidFields([]fault.Field{{Field: name, Code: "tooMany", Message: "Give at most 500 at once."}})
	}
	return nil
}
