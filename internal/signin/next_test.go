package signin

import (
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/session"
)

// V33, C12-C14: the next step for every combination of what decides it: what was proved, whether a second factor is set
// up and required, by the account or the environment, or exempted, a code by mail allowed, a trusted device, a
// forced change, a password over its age, a licence for API clients, an account that may not sign in. The rules are
// said here a second time, one by one, so that a change of nextStep has to be meant.
func TestTheNextStepForEveryCombination(t *testing.T) {
	firsts := []session.Proof{"", session.ByPassword, session.ByPasskey, session.ByProvider, session.ByProviderWithMFA}
	seen := map[session.Step]int{}
	for _, first := range firsts {
		for bits := range 1 << 11 {
			bit := func(n int) bool { return bits>>n&1 == 1 }
			enrolled, byAccount, byEnvironment, exempt := bit(0), bit(1), bit(2), bit(3)
			remembered, another, forced, overAge, apiOnly, maySignIn := bit(4), bit(5), bit(6), bit(7), bit(8), bit(9)
			mailed := bit(10)

			var proved []session.Proof
			for proof, is := range map[session.Proof]bool{
				first: first != "", session.ByTrustedDevice: remembered,
				session.ByOwnSecondFactor: another,
			} {
				if is {
					proved = append(proved, proof)
				}
			}
			env := environment.Environment{Settings: environment.Settings{MFARequired: byEnvironment}}
			a := account.Account{MFARequired: byAccount, MFAExempt: exempt}
			got := nextStep(signInState{
				proved: proved, maySignIn: maySignIn, apiOnly: apiOnly, enrolled: enrolled, required: requiresSecondFactor(env, a),
				mailCode: mailed, mustChange: forced, overAge: overAge,
			})

			var want session.Step
			wanted := byAccount || (byEnvironment && !exempt)
			twoFactors := another || first == session.ByPasskey || first == session.ByProviderWithMFA
			switch {
			case first == "", apiOnly, !maySignIn: // no second factor alone, no device alone, lets anybody in
				want = ""
			case enrolled && !twoFactors && !remembered: // also where none is required (C12)
				want = session.SecondFactor
			case wanted && !enrolled && mailed && !twoFactors && !remembered: // the code by mail is the factor
				want = session.SecondFactor
			case wanted && !enrolled && !mailed && !twoFactors: // a device that outlived its factor is worth nothing
				want = session.SetUpSecondFactor
			case first == session.ByPassword && (forced || overAge):
				want = session.ChangePassword
			default:
				want = session.Done
			}
			if got != want {
				t.Fatalf("first %q, enrolled %v, required %v/%v, exempt %v, code by mail %v, remembered %v, another %v, forced "+
					"%v, over age %v, API only %v, may sign in %v: %q, want %q",
					first, enrolled, byAccount, byEnvironment, exempt, mailed, remembered, another, forced, overAge, apiOnly,
					maySignIn, got, want)
			}
			seen[got]++
		}
	}
	for _, step := range []session.Step{
		"", session.Done, session.SecondFactor, session.SetUpSecondFactor,
		session.ChangePassword,
	} {
		if seen[step] == 0 {
			t.Errorf("no combination leads to %q", step)
		}
	}
}

// C14: with the password alone nobody with a second factor gets a session, and every step leads nearer to one: no order
// of answers goes round in a circle.
func TestStepsEnd(t *testing.T) {
	for bits := range 1 << 4 {
		s := signInState{
			proved: []session.Proof{session.ByPassword}, maySignIn: true, enrolled: bits&1 != 0,
			required: bits&2 != 0, mustChange: bits&4 != 0, overAge: bits&8 != 0,
		}
		for taken := 0; ; taken++ {
			step := nextStep(s)
			if step == session.Done {
				break
			}
			switch step {
			case session.SecondFactor:
				s.proved = append(s.proved, session.ByOwnSecondFactor)
			case session.SetUpSecondFactor:
				s.enrolled, s.proved = true, append(s.proved, session.ByOwnSecondFactor)
			case session.ChangePassword:
				s.mustChange, s.overAge = false, false
			case session.Done: // ends the loop above
			}
			if taken > 3 {
				t.Fatalf("%04b goes on for ever", bits)
			}
		}
		if s.enrolled && !s.has(session.ByOwnSecondFactor) {
			t.Errorf("%04b ends without the second factor", bits)
		}
	}
}
