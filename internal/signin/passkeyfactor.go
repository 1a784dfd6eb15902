package signin

import (
	"context"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
)

// BeginPasskeyFactor returns the options for a browser that asks for one of the account's passkeys in the step
// "secondFactor". The ticket stays valid.
func (s *FactorService) BeginPasskeyFactor(ctx context.Context, ticket string) ([]byte, error) {
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

// ownFactors reads the second factor of an account. What is still stored of a removed one does not count.
func (s *FactorService) ownFactors(ctx context.Context, a account.Account) (mfa.Factors, error) {
	if !a.MFAEnabled {
		return mfa.Factors{}, nil
	}
	return s.Devices.LoadFactors(ctx, a.ID, "")
}

// verifyPasskey verifies the assertion for the ticket's challenge. It counts no attempt, as there is nothing to guess;
// what was wrong is in the log.
func (s *FactorService) verifyPasskey(ctx context.Context, got TicketContext, credential []byte, c ClientInfo) (
	*mfa.Change, error,
) {
	assertion, err := s.RelyingParty.ParseAssertion(credential)
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
	key, known := found.FindPasskey(assertion.Credential)
	challenge := mfa.TicketChallenge(got.Ticket.Hash, mfa.PurposeAssertion)
	counter, right := s.RelyingParty.VerifyAssertion(challenge, assertion, a.ID, key, false)
	if right && known && !key.Cloned(counter) {
		return &mfa.Change{ChangedPasskey: key.WithUse(counter, now, c.Address)}, nil
	}
	reason := reasonWrongPasskey
	if right && known {
		reason = reasonClonedPasskey
	}
	if err := s.recordFactorFailure(ctx, got, string(mfa.PasskeyMethod)+": "+reason, c); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Unauthenticated, "passkey",
		"The passkey was not accepted. Try again, or use another method.")
}

func unknownMethod() error {
	return fault.InvalidFields([]fault.Field{{
		Field: "method", Code: "unknown",
		Message: "Choose one of the methods that the previous step offered.",
	}})
}
