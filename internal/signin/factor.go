package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// FactorStore is what signing in needs of the store of second factors.
type FactorStore interface {
	// LoadFactors reads an account's factors and, unless device is empty, its remembered device with that id.
	LoadFactors(ctx context.Context, accountID, device string) (mfa.Factors, error)
	// RotateDevice replaces a device's secret, if it still has the one that was has, and reports whether it did. A now
	// without an id forgets the device.
	RotateDevice(ctx context.Context, accountID string, was, now mfa.TrustedDevice) (bool, error)
	// ReserveCodeAttempt counts one code on the account before it is looked at, unless codes are paused or ended, and
	// reports whether it did.
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

// SecondFactorResponse is how the step "secondFactor" is answered.
type SecondFactorResponse struct {
	Method mfa.Method
	Code   string
	// Credential is what the browser says of a passkey that was used.
	Credential []byte
	// Remember asks for the device to be remembered.
	Remember bool
}

// IsTrustedDevice reports whether a token is of a device that the account remembers and that is good now. It changes
// nothing: the device still has to prove itself to be trusted instead of a second factor.
func (s *Service) IsTrustedDevice(ctx context.Context, a account.Account, deviceToken string) (bool, error) {
	given, err := token.Parse(token.TrustedDevice, deviceToken)
	if err != nil || given.Account.String() != a.ID {
		return false, nil
	}
	found, err := s.Factors.LoadFactors(ctx, a.ID, given.ID.String())
	if err != nil {
		return false, err
	}
	return found.Device.CheckSecret(given, s.now(), a.DeviceEpoch).Valid(), nil
}

// loadFactors reads the account's factors, and takes the device's token in place of a code where the account remembers
// it. The device in the result has an id if it does; the token is its new secret, which a sign-in beside this one may
// have instead.
func (s *Service) loadFactors(ctx context.Context, env environment.Environment, a account.Account,
	d ClientInfo) (mfa.Factors, token.Token, error) {
	var none token.Token
	given, err := token.Parse(token.TrustedDevice, d.DeviceToken)
	if err != nil || given.Account.String() != a.ID {
		given = none
	}
	id := ""
	if given != none {
		id = given.ID.String()
	}
	found, err := s.Factors.LoadFactors(ctx, a.ID, id)
	if err != nil {
		return mfa.Factors{}, none, err
	}
	was := found.Device
	found.Device = mfa.TrustedDevice{}
	usedUp := was.Tries >= int64(env.Settings.TryLimit()) && d.reservedDevice != was.ID
	if env.Settings.TrustedDeviceDays <= 0 || given == none || usedUp {
		return found, none, nil
	}
	switch was.CheckSecret(given, s.now(), a.DeviceEpoch) {
	case mfa.SecretReplaced:
		found.Device = was
	case mfa.SecretReused:
		_, err := s.Factors.RotateDevice(ctx, a.ID, was, mfa.TrustedDevice{})
		return found, none, err
	case mfa.SecretCurrent:
		fresh, err := token.Issue(s.Random, token.TrustedDevice, given.Account, given.ID)
		if err != nil {
			return mfa.Factors{}, none, err
		}
		is := was
		is.Hash, is.PreviousHash, is.Rotated, is.LastUsed, is.Address = fresh.Hash(), was.Hash, s.now(), s.now(), d.Address
		rotated, err := s.Factors.RotateDevice(ctx, a.ID, was, is)
		if err != nil {
			return mfa.Factors{}, none, err
		}
		if found.Device = is; !rotated {
			fresh = none // another sign-in of the device replaced it just now
		}
		return found, fresh, nil
	}
	return found, none, nil
}

// wrongCode is the answer to a code that is not right, whatever it is that is wrong about it.
func wrongCode() error {
	return fault.New(fault.Unauthenticated, "code",
		"The code is not right, or was used already. Wait for the next one and try again.")
}

// VerifySecondFactor takes the step "secondFactor". The try is counted before the code is looked at; a wrong one leaves
// the ticket good.
func (s *Service) VerifySecondFactor(ctx context.Context, ticket string, with SecondFactorResponse,
	d ClientInfo) (Result, error) {
	got, err := s.checkTicket(ctx, ticket, session.SecondFactor)
	if err != nil {
		return Result{}, err
	}
	change, err := s.verifyMethod(ctx, got, with, d)
	if err != nil {
		return Result{}, err
	}
	var remembered token.Token
	if life := mfa.DeviceLife(got.Env.Settings); with.Remember && life > 0 {
		if remembered, change.NewDevice, err = s.newTrustedDevice(got.Account, got.Ticket.Client, d, life); err != nil {
			return Result{}, err
		}
	}
	result, err := s.completeStep(ctx, got.Env, StepTransition{Ticket: got.Ticket, Account: got.Account, Factors: change},
		session.ByOwnSecondFactor, d)
	if errors.Is(err, account.ErrConcurrentChange) {
		return Result{}, invalidTicket()
	}
	if err != nil {
		return Result{}, err
	}
	result.DeviceToken = remembered
	return result, nil
}

// verifyMethod verifies what was given; it returns what uses it up.
func (s *Service) verifyMethod(ctx context.Context, got TicketContext, with SecondFactorResponse,
	d ClientInfo) (*mfa.Change, error) {
	switch {
	case with.Method == mfa.PasskeyMethod:
		return s.verifyPasskey(ctx, got, with.Credential, d)
	case with.Method == mfa.MailCode:
		return s.verifyMailCode(ctx, got, with.Code, d)
	case !got.Account.MFAEnabled: // whatever is stored of a former one
		return nil, unknownMethod()
	}
	return s.verifyCode(ctx, got, with, d)
}

// verifyCode counts the try and verifies the code; it returns what uses the code up.
func (s *Service) verifyCode(ctx context.Context, got TicketContext, with SecondFactorResponse,
	d ClientInfo) (*mfa.Change, error) {
	now, a := s.now(), got.Account
	code, parsed := mfa.ParseCode(with.Code)
	lookup, recovery, isRecovery := mfa.ParseRecovery(with.Code)
	switch {
	case with.Method != mfa.TOTP && with.Method != mfa.RecoveryCode:
		return nil, unknownMethod()
	case with.Method == mfa.TOTP && !parsed:
		return nil, fault.InvalidFields(
			[]fault.Field{{Field: "code", Code: "format", Message: "Type the six digits that the authenticator shows."}})
	case with.Method == mfa.RecoveryCode && !isRecovery:
		return nil, fault.InvalidFields(
			[]fault.Field{{Field: "code", Code: "format", Message: "Type one of the recovery codes, 12 letters and digits."}})
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
	}
	if err != nil {
		return nil, err
	}
	if right {
		if kind != "" {
			event := s.factorEvent(got, kind, string(with.Method), d)
			change.Event = &event
		}
		return change, nil
	}
	if err := s.recordFactorFailure(ctx, got, string(with.Method), d); err != nil {
		return nil, err
	}
	if found.Tries >= mfa.TryLimit || found.LockedOut() {
		return nil, codesPaused(found, now)
	}
	return nil, wrongCode()
}

func (s *Service) factorEvent(got TicketContext, kind auditlog.Kind, note string, d ClientInfo) auditlog.Event {
	a := got.Account
	return auditlog.Event{
		ID: s.NewID().String(), At: s.now(), Kind: kind, By: a.Username, ByID: a.ID, Address: d.Address, Note: note,
		RetentionDays: got.Env.Settings.LogRetentionDays,
	}
}

// recordFactorFailure writes down in the account's log that what was given as a second factor is not right, and counts
// it among the day's sign-ins that failed, as a wrong password is.
func (s *Service) recordFactorFailure(ctx context.Context, got TicketContext, note string, d ClientInfo) error {
	event := s.factorEvent(got, auditlog.SecondFactorFailed, note, d)
	return s.withStats(ctx, true, func() error { return s.Factors.LogEvent(ctx, got.Account.ID, event) })
}

// countUnverified counts a code that was refused without being looked at, as a password beyond the limit is counted.
// The log has no line for it: whoever sends them without end would fill it.
func (s *Service) countUnverified(ctx context.Context, refusal error) error {
	return s.withStats(ctx, true, func() error { return refusal })
}

// codesPaused is the answer while codes are not tried, and to the last wrong one before.
func codesPaused(f mfa.Factors, now time.Time) error {
	if f.LockedOut() {
		return fault.New(fault.Unauthenticated, "factorEnded",
			"Too many wrong codes came in a row. Ask your administrator to remove the second factor, and set it up anew.")
	}
	until := f.PausedUntil(now)
	return fault.New(fault.TooManyRequests, "factorPaused",
		"Too many wrong codes. Codes are tried again in 15 minutes.").WithRetryAfter(max(time.Second, until.Sub(now)))
}

func (s *Service) matchTOTP(ctx context.Context, env, accountID string, f mfa.Factors, code string,
	now time.Time) (int64, bool, error) {
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
func (s *Service) matchRecovery(ctx context.Context, accountID, lookup, code string) (string, bool, error) {
	codes, err := s.Factors.RecoveryCodes(ctx, accountID)
	if err != nil {
		return "", false, err
	}
	return lookup, s.Verifier.Verify(codes[lookup], code), nil
}

func (s *Service) newTrustedDevice(a account.Account, client string, d ClientInfo, life time.Duration) (token.Token,
	*mfa.TrustedDevice, error) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return token.Token{}, nil, err
	}
	made, err := token.Issue(s.Random, token.TrustedDevice, owner, s.NewID())
	if err != nil {
		return token.Token{}, nil, err
	}
	name := d.UserAgent
	if client != "" {
		name = client
	}
	now := s.now()
	return made, &mfa.TrustedDevice{
		ID: made.ID.String(), Hash: made.Hash(), Name: name, Address: d.Address, FirstUsed: now, LastUsed: now,
		Expires: now.Add(life), Epoch: a.DeviceEpoch,
	}, nil
}

// VerifyOwnPassword verifies the caller's own password, as a fresh proof of who they are, within the limit of tries of
// a sign-in. A temporary one is no such proof: whoever gave it knows it too.
func (s *Service) VerifyOwnPassword(ctx context.Context, sc access.Scope, password string) error {
	a, err := s.OwnPasswords.Account(ctx, sc.Env, sc.Caller.AccountID)
	if err != nil {
		return err
	}
	if !a.PasswordExpires.IsZero() {
		return fault.InvalidFields([]fault.Field{{Field: "password", Code: "temporary",
			Message: "Your password is a temporary one. Set your own first, or sign in again another way and repeat this " +
				"within five minutes."}})
	}
	if err := s.verifyCurrent(ctx, sc.Env, a, password, ClientInfo{}); err != nil {
		if fault.Is(err, fault.Invalid) {
			return fault.InvalidFields([]fault.Field{{Field: "password", Code: "wrong",
				Message: "The password is not right, or too many were wrong. Every wrong one counts as a failed sign-in."}})
		}
		return err
	}
	return s.OwnPasswords.ClearTries(ctx, sc.Env, a, s.now())
}
