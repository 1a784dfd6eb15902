package signin

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// Sessions is what the steps of a sign-in need of the store of sessions and tickets.
type Sessions interface {
	// Open writes the session and notes the sign-in on the account, if the account still has the session's epoch;
	// account.ErrConcurrentChange if not.
	Open(ctx context.Context, env environment.Environment, a account.Account, s session.Session) error
	// IssueTicket writes a ticket after the first factor and zeroes the account's failed tries. If the account comes with
	// the expiry of a temporary password, it writes that too. It returns account.ErrConcurrentChange as Open does.
	IssueTicket(ctx context.Context, env environment.Environment, a account.Account, t session.Ticket) error
	// Ticket reads a ticket with its account and environment; NotFound if there is none (any more).
	Ticket(ctx context.Context, env, accountID, id string) (TicketContext, error)
	// CompleteStep uses up the ticket of a step and writes what the step did and what comes next, in one transaction;
	// account.ErrConcurrentChange if the ticket is used or the account changed.
	CompleteStep(ctx context.Context, env environment.Environment, t StepTransition) error
}

// DeviceStore is what the steps of a sign-in need of the store of trusted devices.
type DeviceStore interface {
	// LoadFactors reads an account's factors and, unless device is empty, its trusted device with that id.
	LoadFactors(ctx context.Context, accountID, device string) (mfa.Factors, error)
	// RotateDevice replaces a device's secret, if it still has the one that before has, and reports whether it did. An
	// after without an id forgets the device.
	RotateDevice(ctx context.Context, accountID string, before, after mfa.TrustedDevice) (bool, error)
}

// TicketContext is a ticket with its account and environment.
type TicketContext struct {
	Ticket  session.Ticket
	Account account.Account
	Env     environment.Environment
}

// StepTransition is all that one step after the first writes: it uses up its ticket, makes its changes, and leads to
// the next ticket or to the session.
type StepTransition struct {
	Ticket session.Ticket
	// Account is as the step read it.
	Account account.Account
	// Write is the change of the account, if there is one.
	Write *account.Write
	// Factors is the change of its second factors, if there is one.
	Factors *mfa.Change
	// NextTicket or Session is what comes next.
	NextTicket *session.Ticket
	Session    *session.Session
}

// Steps takes sign-ins from one step to the next, and opens the session at the end.
type Steps struct {
	*Attempts
	Sessions Sessions
	Devices  DeviceStore
	// Random is crypto/rand.Reader outside tests.
	Random io.Reader
}

// refusedIfChanged is the neutral refusal where the account was blocked, or its password set, between the password and
// the session.
func refusedIfChanged(err error) error {
	if errors.Is(err, account.ErrConcurrentChange) {
		return refused()
	}
	return err
}

// invalidTicket is the one answer to a ticket that is wrong, used or expired.
func invalidTicket() error {
	return fault.New(fault.Unauthenticated, "ticket",
		"This step has expired or was already completed. Sign in again.")
}

// signInState returns what decides the next step.
func (s *Steps) signInState(ctx context.Context, env environment.Environment, a account.Account,
	proved []session.Proof,
) (signInState, error) {
	mailCode, err := s.mailCodeAllowed(ctx, env, a)
	if err != nil {
		return signInState{}, err
	}
	st := signInState{
		proved:     proved,
		maySignIn:  hasAccess(a, s.now()),
		enrolled:   a.MFAEnabled,
		required:   requiresSecondFactor(env, a),
		mailCode:   mailCode,
		mustChange: a.ForcePasswordChange || !a.PasswordExpires.IsZero(),
		overAge:    a.PasswordExceedsMaxAge(env.Settings, s.now()), // V06
	}
	// Reference data can turn a licence into one for API clients while accounts that hold it still have a password.
	known, err := s.Credentials.Catalogue(ctx, env)
	if err != nil {
		return signInState{}, err
	}
	licence, found := known.Find(catalogue.Licence, a.UserType)
	st.apiOnly = licence.APIOnly || !found && a.PasswordHash == ""
	return st, nil
}

// hasAccess reports whether nothing keeps the account from signing in: no lock, no block, and within its dates.
func hasAccess(a account.Account, now time.Time) bool {
	return a.StatusOn(field.DateOf(now)) == account.StatusActive
}

// afterFirstFactor takes an account that proved its first factor to its next step.
func (s *Steps) afterFirstFactor(ctx context.Context, env environment.Environment, a account.Account,
	by session.Proof, c ClientInfo,
) (Result, error) {
	proved := []session.Proof{by}
	var found mfa.Factors
	var deviceToken token.Token
	mailCode, err := s.mailCodeAllowed(ctx, env, a)
	if err != nil {
		return Result{}, err
	}
	if a.MFAEnabled || requiresSecondFactor(env, a) && mailCode {
		if found, deviceToken, err = s.loadFactors(ctx, env, a, c); err != nil {
			return Result{}, err
		}
		if deviceToken != (token.Token{}) || found.Device.ID != "" {
			proved = append(proved, session.ByTrustedDevice)
		}
	}
	st, err := s.signInState(ctx, env, a, proved)
	if err != nil {
		return Result{}, err
	}
	step := nextStep(st)
	switch step {
	case "":
		return Result{}, refused()
	case session.Done:
		result, err := s.newSession(env, a, c)
		if err != nil {
			return Result{}, err
		}
		result.DeviceToken = deviceToken
		return result, refusedIfChanged(s.withStats(ctx, false, func() error {
			return s.Sessions.Open(ctx, env, a, result.Session)
		}))
	default: // a step more
	}
	result, ticket, err := s.newTicket(a, step, proved, c.Client)
	if err != nil {
		return Result{}, err
	}
	result.DeviceToken = deviceToken
	switch step {
	case session.SecondFactor:
		result.Methods = methods(a, found)
	case session.SetUpSecondFactor:
		result.Methods = []mfa.Method{mfa.TOTP, mfa.PasskeyMethod}
	default: // no method to choose
	}
	// A temporary password was right just now (V09). Whoever came another way has no expiry here.
	a.PasswordExpires = a.TemporaryPasswordExpiry(s.now())
	return result, refusedIfChanged(s.Sessions.IssueTicket(ctx, env, a, ticket))
}

// loadFactors reads the account's factors, and accepts the token of one of its trusted devices in place of a code. Then
// the device in the result has an id. The returned token is the device's new secret; it is the zero token where a
// sign-in at the same time replaced the secret.
func (s *Steps) loadFactors(ctx context.Context, env environment.Environment, a account.Account,
	c ClientInfo,
) (mfa.Factors, token.Token, error) {
	var none token.Token
	given, err := token.Parse(token.TrustedDevice, c.DeviceToken)
	if err != nil || given.Account.String() != a.ID {
		given = none
	}
	id := ""
	if given != none {
		id = given.ID.String()
	}
	found, err := s.Devices.LoadFactors(ctx, a.ID, id)
	if err != nil {
		return mfa.Factors{}, none, err
	}
	before := found.Device
	found.Device = mfa.TrustedDevice{}
	usedUp := before.Tries >= int64(env.Settings.TryLimit()) && c.reservedDevice != before.ID
	if env.Settings.TrustedDeviceDays <= 0 || given == none || usedUp {
		return found, none, nil
	}
	switch before.Verify(given, s.now(), a.DeviceEpoch) {
	case mfa.DevicePrevious:
		found.Device = before
	case mfa.DeviceReplayed:
		_, err := s.Devices.RotateDevice(ctx, a.ID, before, mfa.TrustedDevice{})
		return found, none, err
	case mfa.DeviceCurrent:
		issued, err := token.Issue(s.Random, token.TrustedDevice, given.Account, given.ID)
		if err != nil {
			return mfa.Factors{}, none, err
		}
		after := before
		after.Hash, after.PreviousHash = issued.Hash(), before.Hash
		after.Rotated, after.LastUsed, after.Address = s.now(), s.now(), c.Address
		rotated, err := s.Devices.RotateDevice(ctx, a.ID, before, after)
		if err != nil {
			return mfa.Factors{}, none, err
		}
		if found.Device = after; !rotated {
			issued = none // another sign-in of the device replaced it just now
		}
		return found, issued, nil
	case mfa.DeviceUnknown:
	}
	return found, none, nil
}

// newTicket makes the ticket for a step of an account.
func (s *Steps) newTicket(a account.Account, step session.Step, proved []session.Proof, client string) (
	Result, session.Ticket, error,
) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return Result{}, session.Ticket{}, err
	}
	issued, err := token.Issue(s.Random, token.Ticket, owner, s.NewID())
	if err != nil {
		return Result{}, session.Ticket{}, err
	}
	return Result{Next: step, Ticket: issued}, session.Ticket{
		AccountID: a.ID, ID: issued.ID.String(), Hash: issued.Hash(), Step: step, Proved: proved, Epoch: a.Epoch,
		SeparateTries: a.Stored.SeparateTries, Client: client, Expires: s.now().Add(session.TicketLife),
	}, nil
}

// checkTicket reads the ticket of a step and checks it against the clock and the account. Whatever is wrong, the answer
// is the same.
func (s *Steps) checkTicket(ctx context.Context, ticket string, step session.Step) (TicketContext, error) {
	given, err := token.Parse(token.Ticket, ticket)
	if err != nil {
		return TicketContext{}, invalidTicket()
	}
	got, err := s.Sessions.Ticket(ctx, s.EnvID, given.Account.String(), given.ID.String())
	if fault.Is(err, fault.NotFound) {
		return TicketContext{}, invalidTicket()
	}
	if err != nil {
		return TicketContext{}, err
	}
	if got.Ticket.SeparateTries || slices.ContainsFunc(got.Ticket.Proved, func(p session.Proof) bool {
		return p == session.ByTrustedDevice || p.IsUnguessable()
	}) {
		// A block by strangers' attempts concerns only who gave a password, and no trusted device.
		got.Account.TriesBlockedAt, got.Account.Stored.SeparateTries = time.Time{}, true
	}
	if !given.Matches(got.Ticket.Hash) || !got.Ticket.Usable(step, s.now(), got.Account.Epoch) ||
		!got.mayContinue(s.now()) {
		return TicketContext{}, invalidTicket()
	}
	return got, nil
}

// mayContinue reports whether the account may still sign in with what the ticket says was proved (C07).
func (t TicketContext) mayContinue(now time.Time) bool {
	st := signInState{proved: t.Ticket.Proved}
	return hasAccess(t.Account, now) && (t.Account.PasswordHash != "" || !st.has(session.ByPassword))
}

// completeStep takes a sign-in on after a step: t has what the step did, proof what it proved, if it did. The account
// continues as t.Write leaves it.
func (s *Steps) completeStep(ctx context.Context, env environment.Environment, t StepTransition, proof session.Proof,
	c ClientInfo,
) (Result, error) {
	proved := append([]session.Proof{}, t.Ticket.Proved...)
	if proof != "" {
		proved = append(proved, proof)
	}
	a := t.Account
	if t.Write != nil {
		a = t.Write.After
	}
	st, err := s.signInState(ctx, env, a, proved)
	if err != nil {
		return Result{}, err
	}
	var result Result
	switch step := nextStep(st); step {
	case "", t.Ticket.Step:
		return Result{}, invalidTicket()
	case session.Done:
		c.Client = t.Ticket.Client
		if result, err = s.newSession(env, a, c); err != nil {
			return Result{}, err
		}
		t.Session = &result.Session
	default:
		var ticket session.Ticket
		if result, ticket, err = s.newTicket(a, step, proved, t.Ticket.Client); err != nil {
			return Result{}, err
		}
		t.NextTicket = &ticket
	}
	if t.Session == nil {
		return result, s.Sessions.CompleteStep(ctx, env, t)
	}
	return result, s.withStats(ctx, false, func() error { return s.Sessions.CompleteStep(ctx, env, t) })
}

// newSession makes a session with its tokens. It writes nothing.
func (s *Steps) newSession(env environment.Environment, a account.Account, c ClientInfo) (Result, error) {
	owner, err := ulid.ParseStrict(a.ID)
	if err != nil {
		return Result{}, err
	}
	id := s.NewID()
	accessToken, err := token.Issue(s.Random, token.Access, owner, id)
	if err != nil {
		return Result{}, err
	}
	refreshToken, err := token.Issue(s.Random, token.Refresh, owner, id)
	if err != nil {
		return Result{}, err
	}
	salt, err := token.NewSalt(s.Random)
	if err != nil {
		return Result{}, err
	}
	now := s.now()
	opened := session.Session{
		AccountID: a.ID, ID: id.String(), Epoch: a.Epoch,
		AccessHash: accessToken.Hash(), RefreshHash: refreshToken.Hash(), FamilyHash: refreshToken.FamilyHash(), Salt: salt,
		Client: c.Client, UserAgent: c.UserAgent, Address: c.Address, ByCookie: c.Web,
		Start: now, HardEnd: now.Add(env.Settings.SessionHard.Duration()),
	}
	opened.RefreshDue = opened.NextRefreshDue(now, env.Settings.SessionIdle.Duration())
	return Result{Next: session.Done, Session: opened, Access: accessToken, Refresh: refreshToken}, nil
}
