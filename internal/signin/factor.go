package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// FactorStore is what verifying a second factor needs of the table.
type FactorStore interface {
	// ReserveCodeAttempt counts one code on the account before anything is verified, unless codes are paused or the
	// second factor is locked out; it reports whether it did.
	ReserveCodeAttempt(ctx context.Context, accountID string, now time.Time) (mfa.Factors, bool, error)
	// RecoveryCodes reads the recovery codes: hashes by lookup.
	RecoveryCodes(ctx context.Context, accountID string) (map[string]string, error)
	// LogEvent writes an event into the account's log.
	LogEvent(ctx context.Context, accountID string, e auditlog.Event) error
}

// Opener opens what was sealed.
type Opener interface {
	Open(ctx context.Context, sealed, context []byte) ([]byte, error)
}

// FactorService takes the steps of the second factor.
type FactorService struct {
	*Steps
	Factors FactorStore
	Opener  Opener
	// Hasher hashes codes as passwords.
	Hasher       mfa.Hasher
	RelyingParty mfa.PasskeyVerifier
	MailCodes    MailCodeStore
	// Enroller sets up a first second factor.
	Enroller Enroller
}

// SecondFactorResponse is how the step "secondFactor" is answered.
type SecondFactorResponse struct {
	Method mfa.Method
	Code   string
	// Credential is the browser's assertion of a passkey.
	Credential []byte
	// Remember asks for the device to be trusted from now on.
	Remember bool
}

// IsTrustedDevice reports whether a token is valid now for a trusted device of the account. It changes nothing: at the
// sign-in the device still has to prove itself in place of a second factor.
func (s *FactorService) IsTrustedDevice(ctx context.Context, a account.Account, deviceToken string) (bool, error) {
	given, err := token.Parse(token.TrustedDevice, deviceToken)
	if err != nil || given.Account.String() != a.ID {
		return false, nil //nolint:nilerr // what is no token of the account's device is not trusted
	}
	found, err := s.Devices.LoadFactors(ctx, a.ID, given.ID.String())
	if err != nil {
		return false, err
	}
	return found.Device.Verify(given, s.now(), a.DeviceEpoch).Valid(), nil
}

// wrongCode is the one answer to a wrong code, whatever is wrong about it.
func wrongCode() error {
	return fault.New(fault.Unauthenticated, "code",
		"The code is wrong or was already used. Wait for the next one and try again.")
}

// VerifySecondFactor takes the step "secondFactor". The attempt is counted before the code is verified. A wrong code
// leaves the ticket valid.
func (s *FactorService) VerifySecondFactor(ctx context.Context, ticket string, with SecondFactorResponse,
	c ClientInfo,
) (Result, error) {
	got, err := s.checkTicket(ctx, ticket, session.SecondFactor)
	if err != nil {
		return Result{}, err
	}
	change, err := s.verifyMethod(ctx, got, with, c)
	if err != nil {
		return Result{}, err
	}
	var deviceToken token.Token
	if life := mfa.DeviceLife(got.Env.Settings); with.Remember && life > 0 {
		if deviceToken, change.NewDevice, err = s.newTrustedDevice(got.Account, got.Ticket.Client, c, life); err != nil {
			return Result{}, err
		}
	}
	transition := StepTransition{Ticket: got.Ticket, Account: got.Account, Factors: change}
	result, err := s.completeStep(ctx, got.Env, transition, session.ByOwnSecondFactor, c)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{}, invalidTicket()
	}
	if err != nil {
		return Result{}, err
	}
	result.DeviceToken = deviceToken
	return result, nil
}

// verifyMethod verifies the response. It returns the change that uses it up.
func (s *FactorService) verifyMethod(ctx context.Context, got TicketContext, with SecondFactorResponse,
	c ClientInfo,
) (*mfa.Change, error) {
	switch {
	case with.Method == mfa.PasskeyMethod:
		return s.verifyPasskey(ctx, got, with.Credential, c)
	case with.Method == mfa.MailCode:
		return s.verifyMailCode(ctx, got, with.Code, c)
	case !got.Account.MFAEnabled: // a removed one may still be stored
		return nil, unknownMethod()
	}
	return s.verifyCode(ctx, got, with, c)
}

// verifyCode counts the attempt and verifies the code. It returns the change that uses the code up.
func (s *FactorService) verifyCode(ctx context.Context, got TicketContext, with SecondFactorResponse,
	c ClientInfo,
) (*mfa.Change, error) {
	now, a := s.now(), got.Account
	code, parsed := mfa.ParseCode(with.Code)
	lookup, recovery, isRecovery := mfa.ParseRecovery(with.Code)
	switch {
	case with.Method != mfa.TOTP && with.Method != mfa.RecoveryCode:
		return nil, unknownMethod()
	case with.Method == mfa.TOTP && !parsed:
		return nil, fault.InvalidFields([]fault.Field{{
			Field: "code", Code: "format",
			Message: "Enter the six digits that the authenticator shows.",
		}})
	case with.Method == mfa.RecoveryCode && !isRecovery:
		return nil, fault.InvalidFields([]fault.Field{{
			Field: "code", Code: "format",
			Message: "Enter one of the recovery codes: 12 letters and digits.",
		}})
	}
	found, counted, err := s.Factors.ReserveCodeAttempt(ctx, a.ID, now)
	if err != nil {
		return nil, err
	}
	if !counted {
		return nil, s.countUnverified(ctx, codesPaused(found, now))
	}
	change, kind, right := &mfa.Change{Seed: found.Seed}, auditlog.Kind(""), false
	switch with.Method {
	case mfa.TOTP:
		change.Counter, right, err = s.matchTOTP(ctx, got.Env.ID, a.ID, found, code, now)
	case mfa.RecoveryCode:
		change.UsedCode, right, err = s.matchRecovery(ctx, a.ID, lookup, recovery)
		kind = auditlog.RecoveryCodeUsed
	default: // refused above
	}
	if err != nil {
		return nil, err
	}
	if right {
		if kind != "" {
			event := s.factorEvent(got, kind, string(with.Method), c)
			change.Event = &event
		}
		return change, nil
	}
	if err := s.recordFactorFailure(ctx, got, string(with.Method), c); err != nil {
		return nil, err
	}
	if found.Tries >= mfa.TryLimit || found.LockedOut() {
		return nil, codesPaused(found, now)
	}
	return nil, wrongCode()
}

func (s *FactorService) factorEvent(got TicketContext, kind auditlog.Kind, note string, c ClientInfo) auditlog.Event {
	a := got.Account
	return auditlog.Event{
		ID: s.NewID().String(), At: s.now(), Kind: kind, By: a.Username, ByID: a.ID, Address: c.Address, Note: note,
		RetentionDays: got.Env.Settings.LogRetentionDays,
	}
}

// recordFactorFailure writes a wrong second factor into the account's log, and counts it among the day's failed
// sign-ins, as a wrong password is.
func (s *FactorService) recordFactorFailure(ctx context.Context, got TicketContext, note string, c ClientInfo) error {
	event := s.factorEvent(got, auditlog.SecondFactorFailed, note, c)
	return s.withStats(ctx, true, func() error { return s.Factors.LogEvent(ctx, got.Account.ID, event) })
}

// countUnverified counts a code that was refused without being verified, as a password beyond the limit is counted. It
// writes no event: whoever sends codes without end would fill the log.
func (s *FactorService) countUnverified(ctx context.Context, refusal error) error {
	return s.withStats(ctx, true, func() error { return refusal })
}

// codesPaused is the answer while no code is accepted, and to the wrong one that led there.
func codesPaused(f mfa.Factors, now time.Time) error {
	if f.LockedOut() {
		return fault.New(fault.Unauthenticated, "factorEnded",
			"Too many wrong codes in a row. Ask your administrator to remove the second factor, then set it up again.")
	}
	until := f.PausedUntil(now)
	return fault.New(fault.TooManyRequests, "factorPaused",
		"Too many wrong codes. Try again in 15 minutes.").WithRetryAfter(max(time.Second, until.Sub(now)))
}

func (s *FactorService) matchTOTP(ctx context.Context, env, accountID string, f mfa.Factors, code string,
	now time.Time,
) (int64, bool, error) {
	if f.Seed == nil {
		return 0, false, nil
	}
	seed, err := s.Opener.Open(ctx, f.Seed, mfa.SealContext(env, accountID))
	if err != nil {
		return 0, false, fmt.Errorf("open the seed: %w", err)
	}
	step, right := mfa.MatchTOTP(seed, code, now, f.Counter)
	return step, right, nil
}

// matchRecovery costs one hash, whether or not there is a code with that lookup.
func (s *FactorService) matchRecovery(ctx context.Context, accountID, lookup, code string) (string, bool, error) {
	codes, err := s.Factors.RecoveryCodes(ctx, accountID)
	if err != nil {
		return "", false, err
	}
	return lookup, s.Hasher.Verify(codes[lookup], code), nil
}

func (s *FactorService) newTrustedDevice(a account.Account, client string, c ClientInfo, life time.Duration) (
	token.Token, *mfa.TrustedDevice, error,
) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return token.Token{}, nil, err
	}
	issued, err := token.Issue(s.Random, token.TrustedDevice, owner, s.NewID())
	if err != nil {
		return token.Token{}, nil, err
	}
	name := c.UserAgent
	if client != "" {
		name = client
	}
	now := s.now()
	return issued, &mfa.TrustedDevice{
		ID: issued.ID.String(), Hash: issued.Hash(), Name: name, Address: c.Address, FirstUsed: now, LastUsed: now,
		Expires: now.Add(life), Epoch: a.DeviceEpoch,
	}, nil
}
