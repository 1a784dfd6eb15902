package mfa

import (
	"context"
	"fmt"
	"io"
	"time"

	"useraccounts/internal/fault"
)

// Store is what setting up needs of the table.
type Store interface {
	// Begin keeps a set-up until it is confirmed, in place of any before.
	Begin(ctx context.Context, env, accountID string, p Pending) error
	// TryPending counts one code on the set-up before it is looked at, unless there is none, it is over, or TryLimit codes
	// were tried; it reports whether it did.
	TryPending(ctx context.Context, accountID string, now time.Time) (Pending, bool, error)
}

// Sealer seals seeds, bound to a context without which they do not open.
type Sealer interface {
	Seal(ctx context.Context, plain, context []byte) ([]byte, error)
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// SetUp sets up authenticators.
type SetUp struct {
	Store  Store
	Seal   Sealer
	Hasher Hasher
	// Passkeys is needed where passkeys are set up.
	Passkeys PasskeyMaker
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	Now    func() time.Time
	NewID  func() string
}

// Begin makes a seed that waits for its confirmation, and returns what an authenticator is set up from.
func (s *SetUp) Begin(ctx context.Context, env, accountID, issuer, username string) (Enrolment, error) {
	seed, err := NewSeed(s.Random)
	if err != nil {
		return Enrolment{}, fmt.Errorf("read random: %w", err)
	}
	shown, err := Show(seed, issuer, username)
	if err != nil {
		return Enrolment{}, err
	}
	sealed, err := s.Seal.Seal(ctx, seed, SealContext(env, accountID))
	if err != nil {
		return Enrolment{}, fmt.Errorf("seal the seed: %w", err)
	}
	p := Pending{ID: s.NewID(), Seed: sealed, Expires: s.now().Add(PendingLife)}
	return shown, s.Store.Begin(ctx, env, accountID, p)
}

// Confirm verifies the first code of the seed that waits. It returns the change that makes it the authenticator, that code
// used up, with new recovery codes to show once.
func (s *SetUp) Confirm(ctx context.Context, env, accountID, text string) (Change, []string, error) {
	code, ok := ParseCode(text)
	if !ok {
		return Change{}, nil, badFormat()
	}
	now := s.now()
	pending, counted, err := s.Store.TryPending(ctx, accountID, now)
	if err != nil {
		return Change{}, nil, err
	}
	if !counted {
		return Change{}, nil, fault.New(fault.Conflict, "noSetUp", "There is no set-up to confirm, or it is over. Begin it again.")
	}
	seed, err := s.Seal.Open(ctx, pending.Seed, SealContext(env, accountID))
	if err != nil {
		return Change{}, nil, fmt.Errorf("open the seed: %w", err)
	}
	step, right := Match(seed, code, now, 0)
	if !right {
		return Change{}, nil, fault.InvalidFields([]fault.Field{{
			Field: "code", Code: "wrong", Message: "The code is not right. See that the time of the device is, and type the code it shows now.",
		}})
	}
	shown, kept, err := NewCodes(s.Random, s.Hasher)
	if err != nil {
		return Change{}, nil, err
	}
	return Change{Confirmed: &pending, Counter: step, Since: now, Codes: kept}, shown, nil
}

func badFormat() error {
	return fault.InvalidFields([]fault.Field{{Field: "code", Code: "format", Message: "Type the six digits that the authenticator shows."}})
}

func (s *SetUp) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
