package dynamo_test

import (
	"testing"
	"time"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// A second factor that is not right is one failed sign-in of the day, by whatever method and also where it is refused
// without being looked at; a code that has not the form of one is none, and the sign-in that gets through is a sign-in.
func TestFailedSecondFactorsAreFailuresOfTheDay(t *testing.T) {
	m := newMailCodeFixture(t)
	ticket := m.login(t, "").Ticket
	in, err := m.auth.VerifySecondFactor(t.Context(), ticket.Reveal(),
		signin.SecondFactorResponse{Method: mfa.MailCode, Code: m.code(t, ticket)}, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	scope := m.scope(t, in)
	h, _, _ := m.newPasskey(t, scope, "Phone")
	shown, err := m.selfService.BeginTOTP(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := m.selfService.ConfirmTOTP(t.Context(), scope, codeOf(t, shown.Secret, m.now))
	if err != nil {
		t.Fatal(err)
	}
	days := dynamo.Statistics{Table: m.table}
	m.auth.Stats = days
	today := m.now.UTC().Format(time.DateOnly)
	signIns, failures := int64(0), int64(0)
	count := func(what, code string, with signin.SecondFactorResponse, isSignIn bool) {
		t.Helper()
		ticket := m.login(t, "").Ticket
		if with.Method == mfa.PasskeyMethod {
			raw, err := m.auth.BeginPasskeyFactor(t.Context(), ticket.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if code != "" {
				h.authenticator.Options.UserHandle = mfa.UserHandle("01JZ0000000000000000000009")
			}
			with.Credential = h.assertion(t, raw)
			h.authenticator.Options.UserHandle = mfa.UserHandle(m.id)
		}
		_, err := m.auth.VerifySecondFactor(t.Context(), ticket.Reveal(), with, signin.ClientInfo{})
		if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
			t.Errorf("%s: %v", what, err)
		}
		switch {
		case isSignIn:
			signIns++
		case code != "invalid":
			failures++
		}
		got, err := days.Days(t.Context(), env, []string{today})
		if err != nil || got[0].SignIns != signIns || got[0].Failures != failures {
			t.Fatalf("%s: %+v, want %d and %d, %v", what, got, signIns, failures, err)
		}
	}
	wrong := wrongCode(codeOf(t, shown.Secret, m.now))
	count("a wrong passkey", "passkey", signin.SecondFactorResponse{Method: mfa.PasskeyMethod}, false)
	count("the passkey", "", signin.SecondFactorResponse{Method: mfa.PasskeyMethod}, true)
	count("no code", "invalid", signin.SecondFactorResponse{Method: mfa.TOTP, Code: "12345x"}, false)
	count("a wrong recovery code", "code", signin.SecondFactorResponse{Method: mfa.RecoveryCode, Code: "ABCD EFGH JKMN"},
		false)
	count("a recovery code", "", signin.SecondFactorResponse{Method: mfa.RecoveryCode, Code: codes[0]}, true)
	for range mfa.TryLimit - 1 {
		count("a wrong code", "code", signin.SecondFactorResponse{Method: mfa.TOTP, Code: wrong}, false)
	}
	count("the wrong code that pauses", "factorPaused", signin.SecondFactorResponse{Method: mfa.TOTP, Code: wrong}, false)
	count("one that is not looked at", "factorPaused", signin.SecondFactorResponse{Method: mfa.TOTP, Code: wrong}, false)
}

// A wrong code by mail is a failure of the day as well.
func TestAWrongCodeByMailIsAFailureOfTheDay(t *testing.T) {
	m := newMailCodeFixture(t)
	days := dynamo.Statistics{Table: m.table}
	m.auth.Stats = days
	ticket := m.login(t, "").Ticket
	if err := m.enterCode(ticket, wrongCode(m.code(t, ticket))); !fault.HasCode(err, "code") {
		t.Fatalf("%v", err)
	}
	got, err := days.Days(t.Context(), env, []string{m.now.UTC().Format(time.DateOnly)})
	if err != nil || got[0].SignIns != 0 || got[0].Failures != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
