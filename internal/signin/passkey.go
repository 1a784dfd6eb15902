package signin

import (
	"context"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// ChallengeStore is what signing in by passkeys needs of the store.
type ChallengeStore interface {
	// SaveLoginChallenge keeps a challenge until it is answered or over.
	SaveLoginChallenge(ctx context.Context, env string, challenge []byte, expires time.Time) error
	// ConsumeLoginChallenge takes a challenge away, and reports whether it was there and not over.
	ConsumeLoginChallenge(ctx context.Context, env string, challenge []byte, now time.Time) (bool, error)
	// RecordPasskeyUse writes a use of a passkey, if it is there with the counter it was read with, and reports whether it
	// did.
	RecordPasskeyUse(ctx context.Context, accountID string, use mfa.PasskeyChange) (bool, error)
}

// What the log, or the access record, says of an answer that was refused.
const (
	reasonUnknownPasskey = "The passkey is nobody's."
	reasonWrongPasskey   = "The answer of the passkey is not right."
	reasonClonedPasskey  = "The counter of the passkey fell: there may be a copy of it."
	passkeyPrefix        = "By a passkey: "
)

// BeginPasskey returns what a browser asks the person's passkeys, whoever they are, to sign in by one.
func (s *Service) BeginPasskey(ctx context.Context) ([]byte, error) {
	challenge, err := mfa.NewChallenge(s.Random)
	if err != nil {
		return nil, err
	}
	options, err := s.RelyingParty.RequestOptions(challenge, nil)
	if err != nil {
		return nil, err
	}
	return options, s.Passkeys.SaveLoginChallenge(ctx, s.EnvID, challenge, s.now().Add(mfa.ChallengeLife))
}

// LoginWithPasskey lets in the account that a passkey is of which answered a challenge: what it signed names the
// account, so nobody types anything. The passkey verified its person, so it is two factors at once. A passkey that is
// known is charged as a try and refused as a password is, on the trusted device that it comes from where there is one,
// so that strangers' guesses lock its owner out of neither way; one that is not known charges nobody, so that who knows
// an account's id cannot block it.
func (s *Service) LoginWithPasskey(ctx context.Context, credential []byte, d ClientInfo) (Result, error) {
	answer, err := s.RelyingParty.ParseAssertion(credential)
	if err != nil {
		return Result{}, err
	}
	pending, err := s.Passkeys.ConsumeLoginChallenge(ctx, s.EnvID, answer.Challenge, s.now())
	if err != nil {
		return Result{}, err
	}
	if !pending {
		return Result{}, invalidTicket()
	}
	accountID, device := mfa.AccountFromHandle(answer.UserHandle), ""
	given, _ := token.Parse(token.TrustedDevice, d.DeviceToken) //nolint:errcheck // the zero token is none
	if given != (token.Token{}) && given.Account.String() == accountID {
		device = given.ID.String()
	}
	found, err := s.Factors.LoadFactors(ctx, accountID, device)
	if err != nil {
		return Result{}, err
	}
	key, known := found.FindPasskey(answer.Credential)
	if !known {
		accountID, found.Device = "", mfa.TrustedDevice{}
	}
	counter, right := s.RelyingParty.VerifyAssertion(answer.Challenge, answer, accountID, key, true)
	env, row, err := s.locateAccount(ctx, accountID)
	if err != nil {
		return Result{}, err
	}
	got, err := s.reserveAttemptFrom(ctx, Lookup{Env: env, Key: row, Device: found.Device}, given)
	if err != nil {
		return Result{}, err
	}
	if got.Account.ID != accountID || !got.Account.MFAEnabled { // it was renamed between the two reads, or there is none
		got.Found, got.Account = false, account.Account{}
	}
	reason, err := s.recordPasskeyUse(ctx, got, key.WithUse(counter, s.now(), d.Address), right)
	if err != nil {
		return Result{}, err
	}
	if reason != "" {
		if !got.Found && d.OnRefused != nil {
			defer d.OnRefused("", reason)
		}
		return s.refuse(ctx, env, got, passkeyPrefix+reason, d)
	}
	d.reservedDevice = got.Device.ID
	result, err := s.afterFirstFactor(ctx, env, withoutPassword(got.Account), session.ByPasskey, d)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, passkeyPrefix+reasonChanged, d)
	}
	return result, err
}

// locateAccount reads the environment and where an account's row is; "" for no account.
func (s *Service) locateAccount(ctx context.Context, accountID string) (environment.Environment, string, error) {
	env, _, err := s.Accounts.Find(ctx, s.EnvID, "\x00") // nobody's: only the environment is wanted
	if err != nil || accountID == "" {
		return env, "", err
	}
	a, err := s.OwnPasswords.Account(ctx, env, accountID)
	if fault.Is(err, fault.NotFound) {
		return env, "", nil
	}
	return env, a.DirectoryKey(), err
}

// recordPasskeyUse writes the use down, or returns why the passkey lets nobody in.
func (s *Service) recordPasskeyUse(ctx context.Context, got Attempt, use *mfa.PasskeyChange, right bool) (string,
	error) {
	switch {
	case !got.Found:
		return reasonUnknownPasskey, nil
	case !got.Reserved:
		return reasonUsedUp, nil
	case !right:
		return reasonWrongPasskey, nil
	case use.Before.Cloned(use.After.Counter):
		return reasonClonedPasskey, nil
	}
	if why := accessReasons(got.Account, s.now()); why != "" {
		return why, nil
	}
	used, err := s.Passkeys.RecordPasskeyUse(ctx, got.Account.ID, *use)
	if err == nil && !used {
		return reasonChanged, nil
	}
	return "", err
}

// BeginPasskey returns what a browser asks the person's passkeys in the step "secondFactor". The ticket stays good.
func (s *Service) BeginPasskeyFactor(ctx context.Context, ticket string) ([]byte, error) {
	got, err := s.checkTicket(ctx, ticket, session.SecondFactor)
	if err != nil {
		return nil, err
	}
	found, err := s.ownFactors(ctx, got.Account)
	if err != nil {
		return nil, err
	}
	if len(found.Passkeys) == 0 {
		return nil, unknownMethod()
	}
	return s.RelyingParty.RequestOptions(mfa.TicketChallenge(got.Ticket.Hash, mfa.PurposeAssertion), found.Passkeys)
}

// ownFactors reads the second factor of an account; what is stored of one that it has no more counts for nothing.
func (s *Service) ownFactors(ctx context.Context, a account.Account) (mfa.Factors, error) {
	if !a.MFAEnabled {
		return mfa.Factors{}, nil
	}
	return s.Factors.LoadFactors(ctx, a.ID, "")
}

// verifyPasskey verifies the answer to the ticket's challenge. It counts no try: there is nothing to guess, and what
// was wrong is in the log.
func (s *Service) verifyPasskey(ctx context.Context, got TicketContext, credential []byte, d ClientInfo) (*mfa.Change,
	error) {
	answer, err := s.RelyingParty.ParseAssertion(credential)
	if err != nil {
		return nil, err
	}
	a, now := got.Account, s.now()
	found, err := s.ownFactors(ctx, a)
	if err != nil {
		return nil, err
	}
	if len(found.Passkeys) == 0 {
		return nil, unknownMethod()
	}
	key, known := found.FindPasskey(answer.Credential)
	counter, right := s.RelyingParty.VerifyAssertion(mfa.TicketChallenge(got.Ticket.Hash, mfa.PurposeAssertion), answer,
		a.ID, key, false)
	if right && known && !key.Cloned(counter) {
		return &mfa.Change{ChangedPasskey: key.WithUse(counter, now, d.Address)}, nil
	}
	reason := reasonWrongPasskey
	if right && known {
		reason = reasonClonedPasskey
	}
	if err := s.recordFactorFailure(ctx, got, string(mfa.PasskeyMethod)+": "+reason, d); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Unauthenticated, "passkey",
		"The passkey was not accepted. Try again, or take another of the methods.")
}

func unknownMethod() error {
	return fault.InvalidFields(
		[]fault.Field{{Field: "method", Code: "unknown", Message: "Choose one of the methods that the step before offered."}})
}
