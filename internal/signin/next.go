package signin

import (
	"slices"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
)

// signInState is all that decides the next step of a sign-in.
type signInState struct {
	proved []session.Proof
	// maySignIn is false for an account that is locked, blocked or out of its dates. apiOnly is true for an API client,
	// which never signs in.
	maySignIn, apiOnly bool
	// enrolled says that the account has a second factor of its own; required that it has to have one.
	enrolled, required bool
	// mailCode says that the account can use codes by mail. They stand beside its own second factor, and in place of one
	// that is required and not set up. Alone they make nobody give a second factor.
	mailCode bool
	// mustChange is a forced change or a temporary password, overAge a password older than the policy allows.
	mustChange, overAge bool
}

func (s signInState) has(proofs ...session.Proof) bool {
	return slices.ContainsFunc(s.proved, func(p session.Proof) bool { return slices.Contains(proofs, p) })
}

// nextStep decides the step after what was proved so far, or returns "" for a sign-in that is refused. It is the only
// place that knows the order of steps: each step says what it proved and asks here (V33).
func nextStep(s signInState) session.Step {
	first := s.has(session.ByPassword, session.ByPasskey, session.ByProvider, session.ByProviderWithMFA)
	if !first || !s.maySignIn || s.apiOnly {
		return ""
	}
	second := s.has(session.ByPasskey, session.ByProviderWithMFA, session.ByOwnSecondFactor)
	switch {
	case !second && s.hasSecondFactor() && !s.has(session.ByTrustedDevice):
		return session.SecondFactor
	case !second && !s.hasSecondFactor() && s.required:
		// A trusted device stands in place of a factor. Where there is no factor it stands for nothing.
		return session.SetUpSecondFactor
	case (s.mustChange || s.overAge) && s.has(session.ByPassword):
		// Only who signed in with the password may replace it: others have not shown that they know it.
		return session.ChangePassword
	}
	return session.Done
}

// hasSecondFactor reports whether there is a second factor to ask for.
func (s signInState) hasSecondFactor() bool { return s.enrolled || s.required && s.mailCode }

// requiresSecondFactor reports whether the account has to have a second factor.
func requiresSecondFactor(env environment.Environment, a account.Account) bool {
	return a.MFARequired || env.Settings.MFARequired && !a.MFAExempt
}
