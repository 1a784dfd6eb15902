package signin

import (
	"context"
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

// StepTransition is what one step after the first does, whole: it uses up its ticket, changes what it changes, and
// leads to the next ticket or to the session.
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

// signInState returns what decides the next step.
func (s *Service) signInState(ctx context.Context, env environment.Environment, a account.Account,
	proved []session.Proof) (signInState, error) {
	st := signInState{
		proved:    proved,
		maySignIn: a.Active && !a.AccessLocked && a.TriesBlockedAt.IsZero() && a.InDates(field.DateOf(s.now())),
		enrolled:  a.MFAEnabled, required: requiresSecondFactor(env, a), mailCode: mailCodeAllowed(env, a),
		mustChange: a.ForcePasswordChange || !a.PasswordExpires.IsZero(), overAge: s.overAge(env, a),
	}
	// Reference data can turn a licence into one for API clients, of accounts that still have a password.
	known, err := s.Credentials.Catalogue(ctx, env)
	if err != nil {
		return signInState{}, err
	}
	licence, found := known.Find(catalogue.Licence, a.UserType)
	st.apiOnly = licence.APIOnly || !found && a.PasswordHash == ""
	return st, nil
}

// afterFirstFactor takes an account that proved its first factor to its next step.
func (s *Service) afterFirstFactor(ctx context.Context, env environment.Environment, a account.Account,
	by session.Proof, d ClientInfo) (Result, error) {
	proved := []session.Proof{by}
	var found mfa.Factors
	var renewed token.Token
	if a.MFAEnabled || requiresSecondFactor(env, a) && mailCodeAllowed(env, a) {
		var err error
		if found, renewed, err = s.loadFactors(ctx, env, a, d); err != nil {
			return Result{}, err
		}
		if renewed != (token.Token{}) || found.Device.ID != "" {
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
		result, err := s.newSession(env, a, d)
		if err != nil {
			return Result{}, err
		}
		result.DeviceToken = renewed
		return result,
			refusedIfChanged(s.withStats(ctx, false, func() error { return s.Sessions.Open(ctx, env, a, result.Session) }))
	}
	result, ticket, err := s.newTicket(a, step, proved, d.Client)
	if err != nil {
		return Result{}, err
	}
	result.DeviceToken = renewed
	switch step {
	case session.SecondFactor:
		result.Methods = methods(env, a, found)
	case session.SetUpSecondFactor:
		result.Methods = []mfa.Method{mfa.TOTP, mfa.PasskeyMethod}
	}
	// it was right just now (V09); who came another way has none here
	a.PasswordExpires = a.TemporaryPasswordExpiry(s.now())
	return result, refusedIfChanged(s.Sessions.IssueTicket(ctx, env, a, ticket))
}

// newTicket makes the ticket for a step of an account.
func (s *Service) newTicket(a account.Account, step session.Step, proved []session.Proof, client string) (Result,
	session.Ticket, error) {
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
		Client:  client,
		Expires: s.now().Add(session.TicketLife),
	}, nil
}

// checkTicket reads the ticket of a step and holds it against the clock and the account; every reason against it is one
// answer.
func (s *Service) checkTicket(ctx context.Context, ticket string, step session.Step) (TicketContext, error) {
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
	if slices.Contains(got.Ticket.Proved, session.ByTrustedDevice) {
		// strangers' tries are not those of a trusted device
		got.Account.TriesBlockedAt, got.Account.Stored.DeviceAttempt = time.Time{}, true
	}
	if !given.Matches(got.Ticket.Hash) || !got.Ticket.Usable(step, s.now(), got.Account.Epoch) ||
		!got.mayContinue(s.now()) {
		return TicketContext{}, invalidTicket()
	}
	return got, nil
}

// mayContinue reports whether the account may still sign in by what the ticket says was proved (C07).
func (t TicketContext) mayContinue(now time.Time) bool {
	a := t.Account
	st := signInState{proved: t.Ticket.Proved}
	return maySignIn(a, now) || a.PasswordHash == "" && !st.has(session.ByPassword) &&
		a.Active && !a.AccessLocked && a.TriesBlockedAt.IsZero() && a.InDates(field.DateOf(now))
}

// completeStep takes a sign-in on after a step: m has what the step did, proof what it proved, if it did. The account
// goes on as m.Write leaves it.
func (s *Service) completeStep(ctx context.Context, env environment.Environment, m StepTransition, proof session.Proof,
	d ClientInfo) (Result, error) {
	proved := append([]session.Proof{}, m.Ticket.Proved...)
	if proof != "" {
		proved = append(proved, proof)
	}
	a := m.Account
	if m.Write != nil {
		a = m.Write.After
	}
	st, err := s.signInState(ctx, env, a, proved)
	if err != nil {
		return Result{}, err
	}
	var result Result
	switch step := nextStep(st); step {
	case "", m.Ticket.Step:
		return Result{}, invalidTicket()
	case session.Done:
		d.Client = m.Ticket.Client
		if result, err = s.newSession(env, a, d); err != nil {
			return Result{}, err
		}
		m.Session = &result.Session
	default:
		var ticket session.Ticket
		if result, ticket, err = s.newTicket(a, step, proved, m.Ticket.Client); err != nil {
			return Result{}, err
		}
		m.NextTicket = &ticket
	}
	if m.Session == nil {
		return result, s.Sessions.CompleteStep(ctx, env, m)
	}
	return result, s.withStats(ctx, false, func() error { return s.Sessions.CompleteStep(ctx, env, m) })
}
