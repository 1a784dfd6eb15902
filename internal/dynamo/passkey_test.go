package dynamo_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// passkeyUser is an owner with a virtual authenticator and one passkey on it.
type passkeyUser struct {
	*owner
	authenticator virtualwebauthn.Authenticator
	key           virtualwebauthn.Credential
}

var relyingParty = virtualwebauthn.RelyingParty{ID: "accounts.example.com", Name: "User Accounts",
	Origin: "https://accounts.example.com"}

func (o *owner) scope(t *testing.T, in signin.Result) access.Scope {
	t.Helper()
	scope, err := o.auth.Authenticate(t.Context(), in.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return scope
}

// newPasskey sets a passkey up in an open session, and returns it with the recovery codes.
func (o *owner) newPasskey(t *testing.T, scope access.Scope, name string) (*passkeyUser, mfa.Passkey, []string) {
	t.Helper()
	h := o.newPasskeyUser()
	raw, err := o.selfService.BeginPasskey(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	made, codes, err := o.selfService.ConfirmPasskey(t.Context(), scope, h.attestation(t, raw), name)
	if err != nil {
		t.Fatal(err)
	}
	return h, made, codes
}

// newPasskeyUser is the owner with an authenticator on which there is a key that nobody knows yet.
func (o *owner) newPasskeyUser() *passkeyUser {
	h := &passkeyUser{o,
		virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: mfa.UserHandle(o.id)}),
		newCredential(virtualwebauthn.KeyTypeEC2)}
	h.key.Counter = 1
	return h
}

func (h *passkeyUser) attestation(t *testing.T, raw []byte) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(relyingParty, h.authenticator, h.key, *options))
}

// assertion is the authenticator's answer to options; its counter goes on.
func (h *passkeyUser) assertion(t *testing.T, raw []byte) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	h.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(relyingParty, h.authenticator, h.key, *options))
}

func (h *passkeyUser) beginAssertion(t *testing.T) []byte {
	t.Helper()
	raw, err := h.auth.BeginPasskey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// signInByPasskey signs in by the passkey alone.
func (h *passkeyUser) signInByPasskey(t *testing.T) (signin.Result, error) {
	t.Helper()
	return h.auth.LoginWithPasskey(t.Context(), h.assertion(t, h.beginAssertion(t)),
		signin.ClientInfo{Address: "192.0.2.7"})
}

// A passkey is a sign-in of its own, without a username; several are listed with their first and last use, renamed and
// removed.
func TestPasskeysSignIn(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	h, first, codes := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	if len(codes) != 10 || first.Name != "Phone" {
		t.Errorf("%+v, %d codes", first, len(codes))
	}
	o.now = o.now.Add(time.Minute)
	in, err := h.signInByPasskey(t)
	if err != nil || in.Next != session.Done || in.Session.AccountID != o.id {
		t.Fatalf("%+v, %v", in, err)
	}
	scope := o.scope(t, in)
	other, second, more := o.newPasskey(t, scope, "")
	if more != nil || second.Name == "" {
		t.Errorf("the second passkey made codes anew: %v, %+v", more, second)
	}
	seen, err := o.selfService.Status(t.Context(), scope, o.id)
	if err != nil || len(seen.Passkeys) != 2 || seen.Passkeys[0].ID != first.ID ||
		!seen.Passkeys[0].LastUsed.Equal(o.now.UTC().Truncate(time.Millisecond)) ||
		seen.Passkeys[0].Counter != 2 || seen.Passkeys[0].Address != "192.0.2.7" || seen.CodesLeft != 10 {
		t.Errorf("%+v, %v", seen, err)
	}
	if is, err := o.selfService.RenamePasskey(t.Context(), scope, second.ID, "Key"); err != nil || is.Name != "Key" {
		t.Errorf("%+v, %v", is, err)
	}
	if _, err := o.selfService.RenamePasskey(t.Context(), scope, "01JZ0000000000000000000009", "Key"); !fault.Is(err,
		fault.NotFound) {
		t.Errorf("%v", err)
	}
	if _, err := o.selfService.RenamePasskey(t.Context(), scope, second.ID, "two\nlines"); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	o.now = o.now.Add(environment.Defaults().ConfirmAgainAfter() + time.Second)
	if err := o.selfService.RemovePasskey(t.Context(), scope, second.ID, ""); !fault.HasCode(err, "proofNeeded") { // C15
		t.Errorf("%v", err)
	}
	if in, err = h.signInByPasskey(t); err != nil {
		t.Fatal(err)
	}
	scope = o.scope(t, in)
	if err := o.selfService.RemovePasskey(t.Context(), scope, second.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.auth.Authenticate(t.Context(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("a session goes on: %v", err)
	}
	if _, err := other.signInByPasskey(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("the removed passkey: %v", err)
	}
	if in, err = h.signInByPasskey(t); err != nil {
		t.Fatal(err)
	}
	// the last method: the whole factor goes
	if err := o.selfService.RemovePasskey(t.Context(), o.scope(t, in), first.ID, ""); err != nil {
		t.Fatal(err)
	}
	if got := o.login(t, ""); got.Next != session.Done {
		t.Errorf("%+v", got)
	}
}

// C31: one challenge, twenty answers to it at once: one session. The same for a step's ticket, and for making a
// passkey.
func TestAChallengeIsAnsweredOnce(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	scope := o.scope(t, o.login(t, ""))
	h, _, _ := o.newPasskey(t, scope, "Phone")
	answer := h.assertion(t, h.beginAssertion(t))
	if n := countSuccesses(func() error {
		_, err := o.auth.LoginWithPasskey(context.Background(), answer, signin.ClientInfo{})
		return err
	}); n != 1 {
		t.Errorf("%d sessions by one challenge", n)
	}
	ticket := o.login(t, "").Ticket.Reveal()
	raw, err := o.auth.BeginPasskeyFactor(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	answer = h.assertion(t, raw)
	prove := func(ticket string) error {
		_, err := o.auth.VerifySecondFactor(context.Background(), ticket,
			signin.SecondFactorResponse{Method: mfa.PasskeyMethod, Credential: answer}, signin.ClientInfo{})
		return err
	}
	if err := prove(o.login(t, "").Ticket.Reveal()); !fault.HasCode(err, "passkey") {
		t.Errorf("the answer to another ticket: %v", err)
	}
	if n := countSuccesses(func() error { return prove(ticket) }); n != 1 {
		t.Errorf("%d sessions by one ticket", n)
	}
	raw, err = o.selfService.BeginPasskey(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	another := &passkeyUser{o, h.authenticator, newCredential(virtualwebauthn.KeyTypeEC2)}
	made := another.attestation(t, raw)
	if n := countSuccesses(func() error {
		_, _, err := o.selfService.ConfirmPasskey(context.Background(), scope, made, "x")
		return err
	}); n != 1 {
		t.Errorf("%d passkeys by one challenge", n)
	}
	over := h.assertion(t, h.beginAssertion(t))
	o.now = o.now.Add(mfa.ChallengeLife)
	if _, err := o.auth.LoginWithPasskey(t.Context(), over, signin.ClientInfo{}); !fault.HasCode(err, "ticket") {
		t.Errorf("a challenge that is over: %v", err)
	}
}

// countSuccesses does the same twenty times at once and returns how often it went well.
func countSuccesses(do func() error) int64 {
	var all sync.WaitGroup
	var well atomic.Int64
	for range 20 {
		all.Go(func() {
			if do() == nil {
				well.Add(1)
			}
		})
	}
	all.Wait()
	return well.Load()
}

// A counter that falls says that there are two of the passkey: refused, and in the log; so is one that stands still, as
// either step. One that is always 0 is not counted.
func TestACopiedPasskeyIsRefused(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	if _, err := h.signInByPasskey(t); err != nil {
		t.Fatal(err)
	}
	h.key.Counter -= 2 // an answer counts one on, so this one falls
	if _, err := h.signInByPasskey(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("alone: %v", err)
	}
	ticket := o.login(t, "").Ticket.Reveal()
	raw, err := o.auth.BeginPasskeyFactor(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	h.key.Counter = 0
	with := signin.SecondFactorResponse{Method: mfa.PasskeyMethod, Credential: h.assertion(t, raw)}
	if _, err := o.auth.VerifySecondFactor(t.Context(), ticket, with, signin.ClientInfo{}); !fault.HasCode(err,
		"passkey") {
		t.Errorf("as the second factor: %v", err)
	}
	logged := 0
	for _, e := range o.events(t, o.id) {
		if e.Note == "passkey: The passkey's counter did not rise: there may be a copy of it." ||
			e.Note == "With a passkey: The passkey's counter did not rise: there may be a copy of it." {
			logged++
		}
	}
	if logged != 2 {
		t.Errorf("%d lines in the log", logged)
	}
}

// Blocked, locked and out of dates: refused as anybody is (C07, C23), a person who did not prove
// themselves to the authenticator too; an account's id alone charges nobody.
func TestAPasskeyOpensNoClosedAccount(t *testing.T) {
	f := newFixture(t)
	for name, end := range map[string]func(o *owner) error{
		"blocked": func(o *owner) error {
			_, err := f.accounts.Block(t.Context(), f.currentScope(t), o.id, 0, "Left")
			return err
		},
		"locked": func(o *owner) error {
			_, err := f.accounts.Lock(t.Context(), f.currentScope(t), o.id, 0)
			return err
		},
		"over": func(o *owner) error {
			_, err := f.accounts.Change(t.Context(), f.currentScope(t), o.id, o.version(t),
				field.Patch{"dateTo": field.Date("2020-01-01"), "dateFrom": field.Date("2019-01-01")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOwner(t, f, "owner"+name, nil)
			h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
			if err := end(o); err != nil {
				t.Fatal(err)
			}
			if _, err := h.signInByPasskey(t); !fault.HasCode(err, "signInRefused") {
				t.Errorf("%v", err)
			}
		})
	}
	o := newOwner(t, f, "owner", nil)
	h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	// Whoever has a passkey does not become an API client (V91).
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), o.id, o.version(t),
		field.Patch{"userType": "API"}); !fault.HasCode(err, "used") {
		t.Errorf("a licence for API clients: %v", err)
	}
	h.authenticator.Options.UserNotVerified = true
	if _, err := h.signInByPasskey(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("without proving oneself: %v", err)
	}
	if tries := o.tries(t); tries != 0 {
		t.Errorf("%d tries after an answer that is no guess", tries)
	}
	h.key = newCredential(virtualwebauthn.KeyTypeEC2)
	if _, err := h.signInByPasskey(t); !fault.HasCode(err, "signInRefused") || o.tries(t) != 0 {
		t.Errorf("nobody's passkey under somebody's id: %v, %d tries", err, o.tries(t))
	}
}

// V95: wrong passwords by strangers stop no passkey, and it leaves their count and the block as they are: a password
// from elsewhere is as blocked as before.
func TestStrangersGuessesDoNotStopAPasskey(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	f.guess(t, "owner")
	before := o.tries(t)
	for range 3 {
		if got, err := h.signInByPasskey(t); err != nil || got.Next != session.Done {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if tries := o.tries(t); tries != before || before == 0 {
		t.Errorf("%d tries, %d before", tries, before)
	}
	if f.login(t, f.signin, "owner", ownPassword)() == nil {
		t.Error("the passkey lifted the block of passwords")
	}
}

func (o *owner) tries(t *testing.T) int64 {
	t.Helper()
	a, err := o.store.Account(t.Context(), o.currentScope(t).Env, o.id)
	if err != nil {
		t.Fatal(err)
	}
	return a.FailedTries
}

// Where a second factor is required, a passkey does for the set-up; and what administrators remove takes it away.
func TestAPasskeyAtTheSetUp(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", field.Patch{"mfaRequired": true})
	got := o.login(t, "")
	if got.Next != session.SetUpSecondFactor || len(got.Methods) != 2 {
		t.Fatalf("%+v", got)
	}
	begun, err := o.auth.BeginEnrolment(t.Context(), got.Ticket.Reveal(), mfa.PasskeyMethod)
	if err != nil {
		t.Fatal(err)
	}
	h := &passkeyUser{o,
		virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: mfa.UserHandle(o.id)}),
		newCredential(virtualwebauthn.KeyTypeEC2)}
	with := signin.EnrolmentResponse{Credential: h.attestation(t, begun.PasskeyOptions), Name: "Phone"}
	done, err := o.auth.ConfirmEnrolment(t.Context(), got.Ticket.Reveal(), with, signin.ClientInfo{})
	if err != nil || done.Next != session.Done || len(done.RecoveryCodes) != 10 {
		t.Fatalf("%+v, %v", done, err)
	}
	next := o.login(t, "")
	if next.Next != session.SecondFactor || next.Methods[0] != mfa.PasskeyMethod {
		t.Errorf("%+v", next)
	}
	if _, err := h.signInByPasskey(t); err != nil {
		t.Error(err)
	}
	if _, err := o.accounts.RemoveMFA(t.Context(), o.currentScope(t), o.id, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.signInByPasskey(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("after the removal: %v", err)
	}
}

// What an import leaves of a second factor that an account has no more (its licence was for API clients for a while)
// opens nothing, and is gone with the next one that is set up.
func TestALeftoverFactorOpensNothing(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	secret, codes := o.enrol(t)
	in, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[0], false)
	if err != nil {
		t.Fatal(err)
	}
	h, _, _ := o.newPasskey(t, o.scope(t, in), "Phone")
	a, err := o.store.Account(t.Context(), o.currentScope(t).Env, o.id)
	if err != nil {
		t.Fatal(err)
	}
	after := a
	after.MFAEnabled, after.Version = false, a.Version+1
	// as an import does
	if err := o.store.Write(t.Context(), o.currentScope(t).Env,
		account.Write{Before: &a, After: after, Event: o.event(after.Version)}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.signInByPasskey(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("the passkey: %v", err)
	}
	got := o.login(t, "")
	if got.Next != session.Done {
		t.Errorf("%+v", got)
	}
	again, _, fresh := o.newPasskey(t, o.scope(t, got), "New")
	found, err := factors.Store{Table: f.table}.LoadFactors(t.Context(), o.id, "")
	if err != nil || found.Seed != nil || len(found.Passkeys) != 1 || len(fresh) != 10 {
		t.Errorf("%+v, %v", found, err)
	}
	o.now = o.now.Add(time.Minute)
	if _, err := o.prove(o.login(t, "").Ticket, mfa.TOTP, codeOf(t, secret, o.now), false); !fault.HasCode(err, "code") {
		t.Errorf("the former authenticator: %v", err)
	}
	if _, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[1], false); !fault.HasCode(err, "code") {
		t.Errorf("a former recovery code: %v", err)
	}
	if _, err := again.signInByPasskey(t); err != nil {
		t.Error(err)
	}
}

func (o *owner) event(version int64) auditlog.Event {
	return auditlog.Event{ID: token.NewIDString(), At: o.now, Kind: auditlog.Changed, Version: version}
}

// newCredential makes a passkey's key. The virtual authenticator writes a coordinate that begins with a zero byte,
// which is one of 128, a byte too short (RFC 9053, 7.1.1 wants it padded); real ones do not.
func newCredential(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of an ES256 key in COSE
	for {
		key := virtualwebauthn.NewCredential(kind)
		if kind != virtualwebauthn.KeyTypeEC2 || len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}
