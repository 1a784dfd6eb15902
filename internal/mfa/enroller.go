package mfa

import (
	"context"
	"fmt"
	"io"
	"time"

	"useraccounts/internal/fault"
)

// EnrolmentStore is what setting up an authenticator needs of the table.
type EnrolmentStore interface {
	// SavePendingTOTP keeps an authenticator until it is confirmed, in place of the previous pending one.
	SavePendingTOTP(ctx context.Context, env, accountID string, p PendingTOTP) error
	// ReserveEnrolmentAttempt counts one code on the pending authenticator before the code is verified, unless there is
	// none, it has expired, or TryLimit codes were tried; it reports whether it did.
	ReserveEnrolmentAttempt(ctx context.Context, accountID string, now time.Time) (PendingTOTP, bool, error)
}

// Sealer encrypts seeds with a context (associated data) without which they do not open.
type Sealer interface {
	Seal(ctx context.Context, plain, context []byte) ([]byte, error)
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// Enroller sets up authenticators and passkeys.
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

// BeginTOTP makes a seed to be confirmed, and returns what an authenticator is set up from.
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

// ConfirmTOTP verifies the first code of the pending seed. It returns the change that makes it the authenticator and
// uses the code up, and new recovery codes to show once.
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
			fault.New(fault.Conflict, "noSetUp", "There is no set-up to confirm, or it has expired. Start again.")
	}
	seed, err := s.Sealer.Open(ctx, pending.Seed, SealContext(env, accountID))
	if err != nil {
		return Change{}, nil, fmt.Errorf("open the seed: %w", err)
	}
	step, right := MatchTOTP(seed, code, now, 0)
	if !right {
		return Change{}, nil, fault.InvalidFields([]fault.Field{{
			Field: "code", Code: "wrong",
			Message: "The code is wrong. Check that the device's time is right, and enter the code it shows now.",
		}})
	}
	shown, kept, err := NewRecoveryCodes(s.Random, s.Hasher)
	if err != nil {
		return Change{}, nil, err
	}
	return Change{ConfirmedTOTP: &pending, Counter: step, Since: now, Codes: kept}, shown, nil
}

func invalidCodeFormat() error {
	return fault.InvalidFields([]fault.Field{{
		Field: "code", Code: "format",
		Message: "Enter the six digits that the authenticator shows.",
	}})
}

func (s *Enroller) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
