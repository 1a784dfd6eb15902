package signin

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
)

// ChallengeStore is what signing in with passkeys needs of the table.
type ChallengeStore interface {
	// SaveLoginChallenge keeps a challenge until it is answered or expires.
	SaveLoginChallenge(ctx context.Context, env string, challenge []byte, expires time.Time) error
	// ConsumeLoginChallenge deletes a challenge, and reports whether it was there and had not expired.
	ConsumeLoginChallenge(ctx context.Context, env string, challenge []byte, now time.Time) (bool, error)
	// RecordPasskeyUse writes a use of a passkey, if its counter is still the one that was read, and reports whether it
	// did.
	RecordPasskeyUse(ctx context.Context, accountID string, use mfa.PasskeyChange) (bool, error)
}

// What the log, or the access record, says of an assertion that was refused.
const (
	reasonUnknownPasskey = "The passkey is unknown."
	reasonWrongPasskey   = "The passkey's signature is not valid."
	reasonClonedPasskey  = "The passkey's counter did not rise: there may be a copy of it."
	passkeyPrefix        = "With a passkey: " //nolint:gosec // begins a text of the log, no password
)

// PasskeyService signs people in with passkeys, without a username or a password.
type PasskeyService struct {
	*Steps
	Directory    AccountReader
	RelyingParty mfa.PasskeyVerifier
	Challenges   ChallengeStore
}

// BeginPasskey returns the options for a browser that asks for any passkey of the person, to sign in with it.
func (s *PasskeyService) BeginPasskey(ctx context.Context) ([]byte, error) {
	challenge, err := mfa.NewChallenge(s.Random)
	if err != nil {
		return nil, err
	}
	options, err := s.RelyingParty.RequestOptions(challenge, nil)
	if err != nil {
		return nil, err
	}
	return options, s.Challenges.SaveLoginChallenge(ctx, s.EnvID, challenge, s.now().Add(mfa.ChallengeLife))
}

// LoginWithPasskey signs in the account whose passkey answered a challenge. The signed assertion names the account, so
// nobody types a username. The passkey verified its user, so it is two factors at once.
//
// It is no guess: it is neither counted as an attempt nor stopped by those of others. An unknown passkey counts against
// nobody: else whoever knows an account's id could block it.
func (s *PasskeyService) LoginWithPasskey(ctx context.Context, credential []byte, c ClientInfo) (Result, error) {
	assertion, err := s.RelyingParty.ParseAssertion(credential)
	if err != nil {
		return Result{}, err
	}
	pending, err := s.Challenges.ConsumeLoginChallenge(ctx, s.EnvID, assertion.Challenge, s.now())
	if err != nil {
		return Result{}, err
	}
	if !pending {
		return Result{}, invalidTicket()
	}
	accountID := mfa.AccountFromHandle(assertion.UserHandle)
	found, err := s.Devices.LoadFactors(ctx, accountID, "")
	if err != nil {
		return Result{}, err
	}
	key, known := found.FindPasskey(assertion.Credential)
	if !known {
		accountID = ""
	}
	counter, right := s.RelyingParty.VerifyAssertion(assertion.Challenge, assertion, accountID, key, true)
	env, got, err := s.loadUncounted(ctx, s.Directory, accountID)
	if err != nil {
		return Result{}, err
	}
	if !got.Account.MFAEnabled { // what is stored of a removed passkey does not count
		got.Found, got.Account = false, account.Account{}
	}
	got.Reserved = right // one event counts the wrong ones of an hour: whoever sends them without end would fill the log
	reason, err := s.recordPasskeyUse(ctx, got, key.WithUse(counter, s.now(), c.Address), right)
	if err != nil {
		return Result{}, err
	}
	if reason != "" {
		if !got.Found && c.OnRefused != nil {
			defer c.OnRefused("", reason)
		}
		return s.refuse(ctx, env, got, passkeyPrefix+reason, c)
	}
	result, err := s.afterFirstFactor(ctx, env, withoutPassword(got.Account), session.ByPasskey, c)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, passkeyPrefix+reasonChanged, c)
	}
	return result, err
}

// recordPasskeyUse writes the use down, or returns why the passkey signs nobody in.
func (s *PasskeyService) recordPasskeyUse(ctx context.Context, got Attempt, use *mfa.PasskeyChange, right bool) (
	string, error,
) {
	switch {
	case !got.Found:
		return reasonUnknownPasskey, nil
	case !right:
		return reasonWrongPasskey, nil
	case use.Before.Cloned(use.After.Counter):
		return reasonClonedPasskey, nil
	}
	if reason := accessReasons(got.Account, s.now()); reason != "" {
		return reason, nil
	}
	used, err := s.Challenges.RecordPasskeyUse(ctx, got.Account.ID, *use)
	if err == nil && !used {
		return reasonChanged, nil
	}
	return "", err
}
