package dynamo_test

import (
	"testing"
	"time"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
)

// A second factor that is not right is one failed sign-in of the day, by whatever method and also where it is refused without
// being looked at; a code that has not the form of one is none, and the sign-in that gets through is a sign-in.
func TestFailedSecondFactorsAreFailuresOfTheDay(t *testing.T) {
	m := newMailed(t)
	ticket := m.login(t, "").Ticket
	in, err := m.people.ProveSecondFactor(t.Context(), ticket.Reveal(), signin.SecondFactor{Method: mfa.MailCode, Code: m.code(t, ticket)}, signin.Device{})
	if err != nil {
		t.Fatal(err)
	}
	scope := m.scope(t, in)
	h, _, _ := m.newPasskey(t, scope, "Phone")
	shown, err := m.own.Begin(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := m.own.Confirm(t.Context(), scope, codeOf(t, shown.Secret, m.now))
	if err != nil {
		t.Fatal(err)
	}
	days := dynamo.Overviews{Table: m.table}
	m.people.Tally = days
	today := m.now.UTC().Format(time.DateOnly)
	signIns, failures := int64(0), int64(0)
	count := func(what, code string, with signin.SecondFactor, isSignIn bool) {
		t.Helper()
		ticket := m.login(t, "").Ticket
		if with.Method == mfa.ByPasskey {
			raw, err := m.people.AskPasskey(t.Context(), ticket.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if code != "" {
				h.auth.Options.UserHandle = mfa.Handle("01JZ0000000000000000000009")
			}
			with.Credential = h.answers(t, raw)
			h.auth.Options.UserHandle = mfa.Handle(m.id)
		}
		if with.Method == mfa.MailCode {
			with.Code = wrongOf(m.code(t, ticket))
		}
		_, err := m.people.ProveSecondFactor(t.Context(), ticket.Reveal(), with, signin.Device{})
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
	wrong := wrongOf(codeOf(t, shown.Secret, m.now))
	count("a wrong passkey", "passkey", signin.SecondFactor{Method: mfa.ByPasskey}, false)
	count("the passkey", "", signin.SecondFactor{Method: mfa.ByPasskey}, true)
	count("a wrong code by mail", "code", signin.SecondFactor{Method: mfa.MailCode}, false)
	count("no code", "invalid", signin.SecondFactor{Method: mfa.TOTP, Code: "12345x"}, false)
	count("a wrong recovery code", "code", signin.SecondFactor{Method: mfa.RecoveryCode, Code: "ABCD EFGH JKMN"}, false)
	count("a recovery code", "", signin.SecondFactor{Method: mfa.RecoveryCode, Code: codes[0]}, true)
	for range mfa.TryLimit - 1 {
		count("a wrong code", "code", signin.SecondFactor{Method: mfa.TOTP, Code: wrong}, false)
	}
	count("the wrong code that pauses", "factorPaused", signin.SecondFactor{Method: mfa.TOTP, Code: wrong}, false)
	count("one that is not looked at", "factorPaused", signin.SecondFactor{Method: mfa.TOTP, Code: wrong}, false)
}
