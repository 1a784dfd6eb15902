package signin

import (
	"context"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
)

// ProofStore keeps when somebody last proved who they are.
type ProofStore interface {
	// RecordProof writes into an open session that its person proved who they are; NotFound if it is closed.
	RecordProof(ctx context.Context, accountID, sessionID string, at time.Time) error
}

// ProofService takes fresh proofs of people who are signed in, for the acts that need one (credential.CheckProof).
type ProofService struct {
	*Reauthenticator
	Passkeys *PasskeyService
	Proofs   ProofStore
}

// ProveByPassword takes the caller's own password as a fresh proof. A wrong one counts as a failed try.
func (s *ProofService) ProveByPassword(ctx context.Context, sc access.Scope, password string) (time.Time, error) {
	return s.record(ctx, sc, s.VerifyOwnPassword(ctx, sc, password))
}

// ProveByPasskey takes the answer of one of the caller's passkeys to a challenge of BeginPasskey as a fresh proof.
func (s *ProofService) ProveByPasskey(ctx context.Context, sc access.Scope, answer []byte, c ClientInfo) (
	time.Time, error,
) {
	return s.record(ctx, sc, s.Passkeys.verifyOwn(ctx, sc, answer, c))
}

// record notes the proof in the caller's session, whose start stays.
func (s *ProofService) record(ctx context.Context, sc access.Scope, err error) (time.Time, error) {
	if err != nil {
		return time.Time{}, err
	}
	now := s.now()
	err = s.Proofs.RecordProof(ctx, sc.Caller.AccountID, sc.Caller.SessionID, now)
	if fault.Is(err, fault.NotFound) {
		return time.Time{}, noSession()
	}
	return now, err
}

// verifyOwn verifies the answer of one of the caller's passkeys. Nobody guesses a signature, so a wrong one is refused
// without being counted.
func (s *PasskeyService) verifyOwn(ctx context.Context, sc access.Scope, answer []byte, c ClientInfo) error {
	assertion, err := s.RelyingParty.ParseAssertion(answer)
	if err != nil {
		return err
	}
	pending, err := s.Challenges.ConsumeLoginChallenge(ctx, s.EnvID, assertion.Challenge, s.now())
	if err != nil {
		return err
	}
	accountID := mfa.AccountFromHandle(assertion.UserHandle)
	if !pending || accountID != sc.Caller.AccountID {
		return wrongPasskey()
	}
	found, err := s.Devices.LoadFactors(ctx, accountID, "")
	if err != nil {
		return err
	}
	key, known := found.FindPasskey(assertion.Credential)
	counter, right := s.RelyingParty.VerifyAssertion(assertion.Challenge, assertion, accountID, key, true)
	use := key.WithUse(counter, s.now(), c.Address)
	if !known || !right || use.Before.Cloned(use.After.Counter) {
		return wrongPasskey()
	}
	used, err := s.Challenges.RecordPasskeyUse(ctx, accountID, *use)
	if err == nil && !used {
		return wrongPasskey()
	}
	return err
}

// wrongPasskey is the fault of an answer that proves nothing about the caller.
func wrongPasskey() error {
	return fault.InvalidFields([]fault.Field{{
		Field: "credential", Code: "wrong",
		Message: "This is not one of your passkeys, or it answered too late. Try again, or use your password.",
	}})
}
