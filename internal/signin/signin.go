// Package signin lets people in: the steps of a sign-in, the session at its end, and the check of every request after
// it.
//
// Steps do not call each other. Each proves one thing, and next decides what comes then; a client follows the answer's
// "next" and needs no knowledge of policy.
package signin

import (
	"context"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Accounts is what signing in needs of the directory.
type Accounts interface {
	// Find reads the environment and where an identifier (normalised) leads: the directory key of an account, or "".
	Find(ctx context.Context, env, identifier string) (environment.Environment, string, error)
	// FindWithDevice is Find for somebody who comes with the token of a remembered device: the same round trip reads the
	// device too, if it is of the account that the identifier leads to. The zero token is none.
	FindWithDevice(ctx context.Context, env, identifier string, given token.Token) (Lookup, error)
	// ReserveAttempt counts one try on the account at a directory key, before anything is verified, unless its tries are
	// used up and none is released; it returns the account and whether the try was charged. A charged one is without the
	// block by tries that the release lets it through. For the key "" it does the same work on a decoy and finds nobody.
	ReserveAttempt(ctx context.Context, env environment.Environment, key string, rule AttemptPolicy) (Attempt, error)
	// ReserveDeviceAttempt counts one try on a device, unless limit of them are used up, and reads the account at a
	// directory key beside that. The account is without a block by tries and Stored.TriedApart.
	ReserveDeviceAttempt(ctx context.Context, env environment.Environment, key, accountID string,
		device mfa.TrustedDevice, limit int) (Attempt, error)
	// RecordFailure writes down a sign-in that failed, and blocks the account where that is due, unless it was let in or
	// blocked meanwhile. It is one round trip, whoever it is about.
	RecordFailure(ctx context.Context, env environment.Environment, r FailedAttempt) error
}

// Lookup is what Accounts.FindWithDevice finds.
type Lookup struct {
	Env environment.Environment
	// Key is the directory key of the account, or "".
	Key string
	// Device is the one that the token names, whether or not the token opens it; the zero value where there is none.
	Device mfa.TrustedDevice
}

// Attempt is the outcome of Accounts.ReserveAttempt and of Accounts.ReserveDeviceAttempt.
type Attempt struct {
	Account account.Account
	// Found is false where the identifier is nobody's; Charged where the tries were used up before.
	Found, Reserved bool
	// Device is the trusted device that the try was charged to, as it is after it; the zero value for the account.
	Device mfa.TrustedDevice
}

// Sessions is what signing in needs of the store of sessions and tickets.
type Sessions interface {
	// Open writes the session and notes the sign-in on the account, if the account still has the session's epoch;
	// account.ErrConcurrentChange if not.
	Open(ctx context.Context, env environment.Environment, a account.Account, s session.Session) error
	// IssueTicket writes a ticket after the first factor, zeroes the account's tries, and keeps when its temporary
	// password is over by now, if the account comes with one; account.ErrConcurrentChange as Open.
	IssueTicket(ctx context.Context, env environment.Environment, a account.Account, t session.Ticket) error
	// Ticket reads a ticket with its account and environment; NotFound if there is none (any more).
	Ticket(ctx context.Context, env, accountID, id string) (TicketContext, error)
	// CompleteStep uses up the ticket of a step and writes what the step did and what comes next, in one;
	// account.ErrConcurrentChange if the ticket is used or the account changed.
	CompleteStep(ctx context.Context, env environment.Environment, m StepTransition) error
	// Renew replaces the session's tokens if it still has the refresh hash that old holds; account.ErrConcurrentChange if
	// not.
	Renew(ctx context.Context, old, renewed session.Session) error
}

// TicketContext is a ticket with what it is for.
type TicketContext struct {
	Ticket  session.Ticket
	Account account.Account
	Env     environment.Environment
}

// Verifier verifies passwords in constant work.
type Verifier interface {
	Verify(hash, password string) bool
}

// Service signs people in and out.
type Service struct {
	*TokenAuthenticator
	Accounts Accounts
	Sessions Sessions
	// Factors, Seal and Enrol are needed where an account has or gets a second factor.
	Factors  FactorStore
	Opener   Opener
	Enroller Enroller
	// RelyingParty and Passkeys are needed where people sign in by passkeys, MailCodeStore where codes are mailed.
	RelyingParty mfa.PasskeyVerifier
	Passkeys     ChallengeStore
	MailCodes    MailCodeStore
	// OwnPasswords, Meter, Former and Breaches are needed where people set their own passwords.
	OwnPasswords OwnPasswordStore
	Strength     StrengthEstimator
	History      account.PasswordHistoryReader
	Breaches     account.BreachChecker
	// KeySessions is needed by LoginWithKey alone.
	KeySessions KeySessions
	Verifier    Verifier
	Passwords   account.Passwords
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
	NewID  func() ulid.ULID
	// Sleep waits for other tries of the same account; Sleep outside tests.
	Sleep func(ctx context.Context, d time.Duration) error
	// RateLimiter counts requests by network address, of which RequestsPerMinute are let through; nil for a function that
	// lets nobody in.
	RateLimiter       RateLimiter
	RequestsPerMinute int
	// Stats counts sign-ins and failures; nil for a function that lets nobody in.
	Stats Stats
	// Mail writes the notices of a block and of a changed password; nil for none.
	Mail *mail.Composer
}

// Sleep waits for d, or less if ctx ends first; then it returns that error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// ClientInfo is where a request comes from, as far as that is known.
type ClientInfo struct {
	Client, UserAgent, Address string
	// DeviceToken is the text of a remembered device's token, empty for none.
	DeviceToken string
	// Web is for a page of ours, which keeps its tokens as cookies.
	Web bool
	// OnRefused is told why a sign-in fails and whose it was, for the access record; nil where nobody wants to know.
	OnRefused func(accountID, why string)
	// reservedDevice is the id of the trusted device that the try was charged to, empty where it was to the account.
	reservedDevice string
}

// Result is the answer to a step: what comes next, and what it takes.
type Result struct {
	Next session.Step
	// Ticket is for the next step; empty when Next is Done.
	Ticket token.Token
	// Session, Access and Refresh are set when Next is Done.
	Session         session.Session
	Access, Refresh token.Token
	// Methods are the ways to take the steps SecondFactorResponse and SetUpSecondFactor.
	Methods []mfa.Method
	// DeviceToken is the new secret of a remembered device, empty where there is none.
	DeviceToken token.Token
	// RecoveryCodes are shown once, after a set-up.
	RecoveryCodes []string
}

const refusedCode = "signInRefused"

// refused is the one answer to a sign-in that fails, whatever the reason (C23): unknown, wrong, blocked, locked, out of
// dates or without a password.
func refused() error {
	return fault.New(fault.Unauthenticated, refusedCode,
		"The username or password is not right, or the account may not sign in. Check both, or ask your administrator.")
}

// Login takes an identifier and a password. Every refusal is the same fault, after the same work.
func (s *Service) Login(ctx context.Context, identifier, password string, client ClientInfo) (Result, error) {
	normal, ok := account.Normalise(identifier)
	if !ok {
		normal = "\x00" // nobody's; the same work is done for it
	}
	rateCheck := s.startRateCheck(ctx, client.Address)
	given, _ := token.Parse(token.TrustedDevice, client.DeviceToken) //nolint:errcheck // the zero token is none
	found, err := s.Accounts.FindWithDevice(ctx, s.EnvID, normal, given)
	if refusal := rateCheck(); refusal != nil {
		return Result{}, refusal
	}
	if err != nil {
		return Result{}, err
	}
	env := found.Env
	got, err := s.reserveAttemptFrom(ctx, found, given)
	if err != nil {
		return Result{}, err
	}
	hash := got.Account.PasswordHash
	if !got.Reserved {
		hash = "" // beyond the limit nothing is verified, though the work is done (C01)
	}
	right := s.Verifier.Verify(hash, password)
	if !got.Found || !got.Reserved {
		return s.refuse(ctx, env, got, reasonUsedUp, client)
	}
	if reason := refusalReasons(got.Account, right, s.now()); reason != "" {
		return s.refuse(ctx, env, got, reason, client)
	}
	if err := s.rehash(ctx, env, got.Account, password); err != nil {
		return Result{}, err
	}
	client.reservedDevice = got.Device.ID
	result, err := s.afterFirstFactor(ctx, env, got.Account, session.ByPassword, client)
	if fault.HasCode(err, refusedCode) {
		return s.refuse(ctx, env, got, reasonChanged, client)
	}
	return result, err
}

// reserveAttempt counts the try. Where the tries in flight fill the limit but nobody is blocked, right ones may be
// among them, which will zero the count: it waits for them, and if none was the refusal of this one blocks the account.
func (s *Service) reserveAttempt(ctx context.Context, env environment.Environment, key string) (Attempt, error) {
	const rounds = 15
	for round := 1; ; round++ {
		got, err := s.Accounts.ReserveAttempt(ctx, env, key, attemptPolicy(env, s.now()))
		if err != nil || got.Reserved || !got.Found || !got.Account.TriesBlockedAt.IsZero() {
			return got, err
		}
		if round == rounds {
			return got, nil
		}
		if err := s.Sleep(ctx, 200*time.Millisecond); err != nil {
			return Attempt{}, err
		}
	}
}

func maySignIn(a account.Account, now time.Time) bool {
	return a.Active && !a.AccessLocked && a.TriesBlockedAt.IsZero() && a.InDates(field.DateOf(now)) && a.PasswordHash != ""
}

func (s *Service) newSession(env environment.Environment, a account.Account, d ClientInfo) (Result, error) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return Result{}, err
	}
	id := s.NewID()
	access, err := token.Issue(s.Random, token.Access, owner, id)
	if err != nil {
		return Result{}, err
	}
	refresh, err := token.Issue(s.Random, token.Refresh, owner, id)
	if err != nil {
		return Result{}, err
	}
	salt, err := token.NewSalt(s.Random)
	if err != nil {
		return Result{}, err
	}
	now := s.now()
	opened := session.Session{
		AccountID: a.ID, ID: id.String(), AccessHash: access.Hash(), RefreshHash: refresh.Hash(), Epoch: a.Epoch,
		FamilyHash: refresh.FamilyHash(), Salt: salt, Client: d.Client, UserAgent: d.UserAgent, Address: d.Address,
		ByCookie: d.Web, Start: now, HardEnd: now.Add(env.Settings.SessionHard.Duration()),
	}
	opened.RefreshDue = opened.NextRefreshDue(now, env.Settings.SessionIdle.Duration())
	return Result{Next: session.Done, Session: opened, Access: access, Refresh: refresh}, nil
}
