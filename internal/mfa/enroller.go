package mfa

import (
	"context"
	"fmt"
	"io"
	"time"

	"useraccounts/internal/fault"
)

// EnrolmentStore is what setting up needs of the table.
type EnrolmentStore interface {
	// SavePendingTOTP keeps a set-up until it is confirmed, in place of any before.
	SavePendingTOTP(ctx context.Context, env, accountID string, p PendingTOTP) error
	// ReserveEnrolmentAttempt counts one code on the set-up before it is looked at, unless there is none, it is over, or
	// TryLimit codes were tried; it reports whether it did.
	ReserveEnrolmentAttempt(ctx context.Context, accountID string, now time.Time) (PendingTOTP, bool, error)
}

// Sealer seals seeds, bound to a context without which they do not open.
type Sealer interface {
	Seal(ctx context.Context, plain, context []byte) ([]byte, error)
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// Enroller sets up authenticators.
type Enroller struct {
	Store  EnrolmentStore
	Sealer Sealer
	Hasher Hasher
	// Passkeys is needed where passkeys are set up.
	Passkeys PasskeyRegistrar
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	Now    func() time.Time
	NewID  func() string
}

// BeginTOTP makes a seed that waits for its confirmation, and returns what an authenticator is set up from.
func (s *Enroller) BeginTOTP(ctx context.Context, env, accountID, issuer, username string) (TOTPEnrolment, error) {
	seed, err := NewSeed(s.Random)
	if err != nil {
		return TOTPEnrolment{}, fmt.Errorf("read random: %w", err)
	}
	shown, err := NewTOTPEnrolment(seed, issuer, username)
	if err != nil {
		return TOTPEnrolment{}, err
	}
	sealed, err := s.Sealer.Seal(ctx, seed, SealContext(env, accountID))
	if err != nil {
		return TOTPEnrolment{}, fmt.Errorf("seal the seed: %w", err)
	}
	p := PendingTOTP{ID: s.NewID(), Seed: sealed, Expires: s.now().Add(EnrolmentLife)}
	return shown, s.Store.SavePendingTOTP(ctx, env, accountID, p)
}

// ConfirmTOTP verifies the first code of the seed that waits. It returns the change that makes it the authenticator,
// that code used up, with new recovery codes to show once.
func (s *Enroller) ConfirmTOTP(ctx context.Context, env, accountID, text string) (Change, []string, error) {
	code, ok := ParseCode(text)
	if !ok {
		return Change{}, nil, invalidCodeFormat()
	}
	now := s.now()
	pending, counted, err := s.Store.ReserveEnrolmentAttempt(ctx, accountID, now)
	if err != nil {
		return Change{}, nil, err
	}
	if !counted {
		return Change{}, nil,
			fault.New(fault.Conflict, "noSetUp", "There is no set-up to confirm, or it is over. Begin it again.")
	}
	seed, err := s.Sealer.Open(ctx, pending.Seed, SealContext(env, accountID))
	if err != nil {
		return Change{}, nil, fmt.Errorf("open the seed: %w", err)
	}
	step, right := MatchTOTP(seed, code, now, 0)
	if !right {
		return Change{}, nil, fault.InvalidFields([]fault.Field{{
			Field: "code", Code: "wrong",
			Message: "The code is not right. See that the time of the device is, and type the code it shows now.",
		}})
	}
	shown, kept, err := NewRecoveryCodes(s.Random, s.Hasher)
	if err != nil {
		return Change{}, nil, err
	}
	return Change{ConfirmedTOTP: &pending, Counter: step, Since: now, Codes: kept}, shown, nil
}

func invalidCodeFormat() error {
	return fault.InvalidFields(
		[]fault.Field{{Field: "code", Code: "format", Message: "Type the six digits that the authenticator shows."}})
}

func (s *Enroller) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
