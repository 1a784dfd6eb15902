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

// Passkeys is what signing in by passkeys needs of the store.
type Passkeys interface {
	// Ask keeps a challenge until it is answered or over.
	Ask(ctx context.Context, env string, challenge []byte, expires time.Time) error
	// Answered takes a challenge away, and reports whether it was there and not over.
	Answered(ctx context.Context, env string, challenge []byte, now time.Time) (bool, error)
	// UsePasskey writes a use of a passkey, if it is there with the counter it was read with, and reports whether it did.
	UsePasskey(ctx context.Context, accountID string, use mfa.PasskeyUse) (bool, error)
}

// What the log, or the access record, says of an answer that was refused.
const (
	whyUnknownPasskey = "The passkey is nobody's."
	whyWrongPasskey   = "The answer of the passkey is not right."
	whyCopiedPasskey  = "The counter of the passkey fell: there may be a copy of it."
	byPasskey         = "By a passkey: "
)

// BeginPasskey returns what a browser asks the person's passkeys, whoever they are, to sign in by one.
func (s *Service) BeginPasskey(ctx context.Context) ([]byte, error) {
	challenge, err := mfa.NewChallenge(s.Random)
	if err != nil {
		return nil, err
	}
	options, err := s.Ceremonies.Request(challenge, nil)
	if err != nil {
		return nil, err
	}
	return options, s.Passkeys.Ask(ctx, s.EnvID, challenge, s.now().Add(mfa.ChallengeLife))
}

// ByPasskey lets in the account that a passkey is of which answered a challenge: what it signed names the account, so nobody
// types anything. The passkey verified its person, so it is two factors at once. A passkey that is known is charged as a try
// and refused as a password is, on the trusted device that it comes from where there is one, so that strangers' guesses lock its
// owner out of neither way; one that is not known charges nobody, so that who knows an account's id cannot block it.
func (s *Service) ByPasskey(ctx context.Context, credential []byte, d Device) (Result, error) {
	answer, err := s.Ceremonies.Read(credential)
	if err != nil {
		return Result{}, err
	}
	asked, err := s.Passkeys.Answered(ctx, s.EnvID, answer.Challenge, s.now())
	if err != nil {
		return Result{}, err
	}
	if !asked {
		return Result{}, badTicket()
	}
	accountID, device := mfa.AccountOf(answer.Handle), ""
	given, _ := token.Parse(token.Device, d.Token) //nolint:errcheck // the zero token is none
	if given != (token.Token{}) && given.Account.String() == accountID {
		device = given.ID.String()
	}
	found, err := s.Factors.Recall(ctx, accountID, device)
	if err != nil {
		return Result{}, err
	}
	key, known := found.Find(answer.Credential)
	if !known {
		accountID, found.Device = "", mfa.Device{}
	}
	counter, right := s.Ceremonies.Verify(answer.Challenge, answer, accountID, key, true)
	env, row, err := s.placeOf(ctx, accountID)
	if err != nil {
		return Result{}, err
	}
	got, err := s.chargeFrom(ctx, Found{Env: env, Key: row, Device: found.Device}, given)
	if err != nil {
		return Result{}, err
	}
	if got.Account.ID != accountID || !got.Account.MFAEnabled { // it was renamed between the two reads, or there is none
		got.Found, got.Account = false, account.Account{}
	}
	why, err := s.usedPasskey(ctx, got, key.Used(counter, s.now(), d.Address), right)
	if err != nil {
		return Result{}, err
	}
	if why != "" {
		if !got.Found && d.Refused != nil {
			defer d.Refused("", why)
		}
		return s.refuse(ctx, env, got, byPasskey+why, d)
	}
	d.charged = got.Device.ID
	result, err := s.proceed(ctx, env, withoutPassword(got.Account), session.ByPasskey, d)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, byPasskey+whyOvertaken, d)
	}
	return result, err
}

// placeOf reads the environment and where an account's row is; "" for no account.
func (s *Service) placeOf(ctx context.Context, accountID string) (environment.Environment, string, error) {
	env, _, err := s.Accounts.Find(ctx, s.EnvID, "\x00") // nobody's: only the environment is wanted
	if err != nil || accountID == "" {
		return env, "", err
	}
	a, err := s.Own.Account(ctx, env, accountID)
	if fault.Is(err, fault.NotFound) {
		return env, "", nil
	}
	return env, a.DirectoryKey(), err
}

// usedPasskey writes the use down, or returns why the passkey lets nobody in.
func (s *Service) usedPasskey(ctx context.Context, got Charged, use *mfa.PasskeyUse, right bool) (string, error) {
	switch {
	case !got.Found:
		return whyUnknownPasskey, nil
	case !got.Charged:
		return whyUsedUp, nil
	case !right:
		return whyWrongPasskey, nil
	case use.Was.Copied(use.Now.Counter):
		return whyCopiedPasskey, nil
	}
	if why := hindrances(got.Account, s.now()); why != "" {
		return why, nil
	}
	used, err := s.Passkeys.UsePasskey(ctx, got.Account.ID, *use)
	if err == nil && !used {
		return whyOvertaken, nil
	}
	return "", err
}

// AskPasskey returns what a browser asks the person's passkeys in the step "secondFactor". The ticket stays good.
func (s *Service) AskPasskey(ctx context.Context, ticket string) ([]byte, error) {
	got, err := s.taken(ctx, ticket, session.SecondFactor)
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
	return s.Ceremonies.Request(mfa.TicketChallenge(got.Ticket.Hash, mfa.ToUse), found.Passkeys)
}

// ownFactors reads the second factor of an account; what is stored of one that it has no more counts for nothing.
func (s *Service) ownFactors(ctx context.Context, a account.Account) (mfa.Factors, error) {
	if !a.MFAEnabled {
		return mfa.Factors{}, nil
	}
	return s.Factors.Recall(ctx, a.ID, "")
}

// tryPasskey verifies the answer to the ticket's challenge. It counts no try: there is nothing to guess, and what was wrong is
// in the log.
func (s *Service) tryPasskey(ctx context.Context, got Ticketed, credential []byte, d Device) (*mfa.Change, error) {
	answer, err := s.Ceremonies.Read(credential)
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
	key, known := found.Find(answer.Credential)
	counter, right := s.Ceremonies.Verify(mfa.TicketChallenge(got.Ticket.Hash, mfa.ToUse), answer, a.ID, key, false)
	if right && known && !key.Copied(counter) {
		return &mfa.Change{PasskeyUsed: key.Used(counter, now, d.Address)}, nil
	}
	why := whyWrongPasskey
	if right && known {
		why = whyCopiedPasskey
	}
	if err := s.factorFailed(ctx, got, string(mfa.ByPasskey)+": "+why, d); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Unauthenticated, "passkey", "The passkey was not accepted. Try again, or take another of the methods.")
}

func unknownMethod() error {
	return fault.InvalidFields([]fault.Field{{Field: "method", Code: "unknown", Message: "Choose one of the methods that the step before offered."}})
}
