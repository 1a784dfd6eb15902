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
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/journal"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// holder is an owner with a virtual authenticator and one passkey on it.
type holder struct {
	*owner
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

var party = virtualwebauthn.RelyingParty{ID: "accounts.example.com", Name: "User Accounts", Origin: "https://accounts.example.com"}

func (o *owner) scope(t *testing.T, in signin.Result) access.Scope {
	t.Helper()
	scope, err := o.people.Authenticate(t.Context(), in.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return scope
}

// newPasskey sets a passkey up in an open session, and returns it with the recovery codes.
func (o *owner) newPasskey(t *testing.T, scope access.Scope, name string) (*holder, mfa.Passkey, []string) {
	t.Helper()
	h := o.newHolder()
	raw, err := o.own.BeginPasskey(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	made, codes, err := o.own.ConfirmPasskey(t.Context(), scope, h.attested(t, raw), name)
	if err != nil {
		t.Fatal(err)
	}
	return h, made, codes
}

// newHolder is the owner with an authenticator on which there is a key that nobody knows yet.
func (o *owner) newHolder() *holder {
	h := &holder{o, virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: mfa.Handle(o.id)}), wholeKey(virtualwebauthn.KeyTypeEC2)}
	h.key.Counter = 1
	return h
}

func (h *holder) attested(t *testing.T, raw []byte) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(party, h.auth, h.key, *options))
}

// answers is the authenticator's answer to options; its counter goes on.
func (h *holder) answers(t *testing.T, raw []byte) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	h.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(party, h.auth, h.key, *options))
}

func (h *holder) begin(t *testing.T) []byte {
	t.Helper()
	raw, err := h.people.BeginPasskey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// enter signs in by the passkey alone.
func (h *holder) enter(t *testing.T) (signin.Result, error) {
	t.Helper()
	return h.people.ByPasskey(t.Context(), h.answers(t, h.begin(t)), signin.Device{Address: "192.0.2.7"})
}

// A passkey is a sign-in of its own, without a username; several are listed with their first and last use, renamed and removed.
func TestPasskeysSignIn(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	h, first, codes := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	if len(codes) != 10 || first.Name != "Phone" {
		t.Errorf("%+v, %d codes", first, len(codes))
	}
	o.now = o.now.Add(time.Minute)
	in, err := h.enter(t)
	if err != nil || in.Next != session.Done || in.Session.AccountID != o.id {
		t.Fatalf("%+v, %v", in, err)
	}
	scope := o.scope(t, in)
	other, second, more := o.newPasskey(t, scope, "")
	if more != nil || second.Name == "" {
		t.Errorf("the second passkey made codes anew: %v, %+v", more, second)
	}
	seen, err := o.own.Overview(t.Context(), scope, o.id)
	if err != nil || len(seen.Passkeys) != 2 || seen.Passkeys[0].ID != first.ID || !seen.Passkeys[0].Last.Equal(o.now.UTC().Truncate(time.Millisecond)) ||
		seen.Passkeys[0].Counter != 2 || seen.Passkeys[0].Address != "192.0.2.7" || seen.CodesLeft != 10 {
		t.Errorf("%+v, %v", seen, err)
	}
	if is, err := o.own.RenamePasskey(t.Context(), scope, second.ID, "Key"); err != nil || is.Name != "Key" {
		t.Errorf("%+v, %v", is, err)
	}
	if _, err := o.own.RenamePasskey(t.Context(), scope, "01JZ0000000000000000000009", "Key"); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if _, err := o.own.RenamePasskey(t.Context(), scope, second.ID, "two\nlines"); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	o.now = o.now.Add(mfa.Fresh + time.Second)
	if err := o.own.RemovePasskey(t.Context(), scope, second.ID, ""); !fault.HasCode(err, "proofNeeded") { // C15
		t.Errorf("%v", err)
	}
	if in, err = h.enter(t); err != nil {
		t.Fatal(err)
	}
	scope = o.scope(t, in)
	if err := o.own.RemovePasskey(t.Context(), scope, second.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.people.Authenticate(t.Context(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("a session goes on: %v", err)
	}
	if _, err := other.enter(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("the removed passkey: %v", err)
	}
	if in, err = h.enter(t); err != nil {
		t.Fatal(err)
	}
	if err := o.own.RemovePasskey(t.Context(), o.scope(t, in), first.ID, ""); err != nil { // the last method: the whole factor goes
		t.Fatal(err)
	}
	if got := o.login(t, ""); got.Next != session.Done {
		t.Errorf("%+v", got)
	}
}

// C31: one challenge, twenty answers to it at once: one session. The same for a step's ticket, and for making a passkey.
func TestAChallengeIsAnsweredOnce(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	scope := o.scope(t, o.login(t, ""))
	h, _, _ := o.newPasskey(t, scope, "Phone")
	answer := h.answers(t, h.begin(t))
	if n := twentyTimes(func() error { _, err := o.people.ByPasskey(context.Background(), answer, signin.Device{}); return err }); n != 1 {
		t.Errorf("%d sessions by one challenge", n)
	}
	ticket := o.login(t, "").Ticket.Reveal()
	raw, err := o.people.AskPasskey(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	answer = h.answers(t, raw)
	prove := func(ticket string) error {
		_, err := o.people.ProveSecondFactor(context.Background(), ticket, signin.SecondFactor{Method: mfa.ByPasskey, Credential: answer}, signin.Device{})
		return err
	}
	if err := prove(o.login(t, "").Ticket.Reveal()); !fault.HasCode(err, "passkey") {
		t.Errorf("the answer to another ticket: %v", err)
	}
	if n := twentyTimes(func() error { return prove(ticket) }); n != 1 {
		t.Errorf("%d sessions by one ticket", n)
	}
	raw, err = o.own.BeginPasskey(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	another := &holder{o, h.auth, wholeKey(virtualwebauthn.KeyTypeEC2)}
	made := another.attested(t, raw)
	if n := twentyTimes(func() error { _, _, err := o.own.ConfirmPasskey(context.Background(), scope, made, "x"); return err }); n != 1 {
		t.Errorf("%d passkeys by one challenge", n)
	}
	over := h.answers(t, h.begin(t))
	o.now = o.now.Add(mfa.ChallengeLife)
	if _, err := o.people.ByPasskey(t.Context(), over, signin.Device{}); !fault.HasCode(err, "ticket") {
		t.Errorf("a challenge that is over: %v", err)
	}
}

// twentyTimes does the same twenty times at once and returns how often it went well.
func twentyTimes(do func() error) int64 {
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

// A counter that falls says that there are two of the passkey: refused, and in the log; so is one that stands still, as either
// step. One that is always 0 is not counted.
func TestACopiedPasskeyIsRefused(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	if _, err := h.enter(t); err != nil {
		t.Fatal(err)
	}
	h.key.Counter -= 2 // an answer counts one on, so this one falls
	if _, err := h.enter(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("alone: %v", err)
	}
	ticket := o.login(t, "").Ticket.Reveal()
	raw, err := o.people.AskPasskey(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	h.key.Counter = 0
	with := signin.SecondFactor{Method: mfa.ByPasskey, Credential: h.answers(t, raw)}
	if _, err := o.people.ProveSecondFactor(t.Context(), ticket, with, signin.Device{}); !fault.HasCode(err, "passkey") {
		t.Errorf("as the second factor: %v", err)
	}
	logged := 0
	for _, e := range o.events(t, o.id) {
		if e.Note == "passkey: The counter of the passkey fell: there may be a copy of it." || e.Note == "By a passkey: The counter of the passkey fell: there may be a copy of it." {
			logged++
		}
	}
	if logged != 2 {
		t.Errorf("%d lines in the log", logged)
	}
}

// Blocked, locked, out of dates and for API clients: refused as anybody is (C07, C23), a person who did not prove themselves to
// the authenticator too; an account's id alone charges nobody.
func TestAPasskeyOpensNoClosedAccount(t *testing.T) {
	f := newFixture(t)
	for name, end := range map[string]func(o *owner) error{
		"blocked": func(o *owner) error {
			_, err := f.accounts.Block(t.Context(), f.fresh(t), o.id, 0, "Left")
			return err
		},
		"locked": func(o *owner) error {
			_, err := f.accounts.Lock(t.Context(), f.fresh(t), o.id, 0)
			return err
		},
		"over": func(o *owner) error {
			_, err := f.accounts.Change(t.Context(), f.fresh(t), o.id, o.version(t), field.Patch{"dateTo": field.Date("2020-01-01"), "dateFrom": field.Date("2019-01-01")})
			return err
		},
		"api": func(o *owner) error {
			_, err := f.accounts.Change(t.Context(), f.fresh(t), o.id, o.version(t), field.Patch{"userType": "API"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOwner(t, f, "owner"+name, nil)
			h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
			if err := end(o); err != nil {
				t.Fatal(err)
			}
			if _, err := h.enter(t); !fault.HasCode(err, "signInRefused") {
				t.Errorf("%v", err)
			}
		})
	}
	o := newOwner(t, f, "owner", nil)
	h, _, _ := o.newPasskey(t, o.scope(t, o.login(t, "")), "Phone")
	h.auth.Options.UserNotVerified = true
	if _, err := h.enter(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("without proving oneself: %v", err)
	}
	before := o.tries(t)
	if before != 1 {
		t.Errorf("%d tries after one wrong answer", before)
	}
	h.key = wholeKey(virtualwebauthn.KeyTypeEC2)
	if _, err := h.enter(t); !fault.HasCode(err, "signInRefused") || o.tries(t) != before {
		t.Errorf("nobody's passkey under somebody's id: %v, %d tries", err, o.tries(t))
	}
}

func (o *owner) tries(t *testing.T) int64 {
	t.Helper()
	a, err := o.store.Account(t.Context(), o.fresh(t).Env, o.id)
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
	begun, err := o.people.BeginSetUp(t.Context(), got.Ticket.Reveal(), mfa.ByPasskey)
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{o, virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: mfa.Handle(o.id)}), wholeKey(virtualwebauthn.KeyTypeEC2)}
	with := signin.NewFactor{Credential: h.attested(t, begun.Options), Name: "Phone"}
	done, err := o.people.ConfirmSetUp(t.Context(), got.Ticket.Reveal(), with, signin.Device{})
	if err != nil || done.Next != session.Done || len(done.RecoveryCodes) != 10 {
		t.Fatalf("%+v, %v", done, err)
	}
	next := o.login(t, "")
	if next.Next != session.SecondFactor || next.Methods[0] != mfa.ByPasskey {
		t.Errorf("%+v", next)
	}
	if _, err := h.enter(t); err != nil {
		t.Error(err)
	}
	if _, err := o.accounts.RemoveMFA(t.Context(), o.fresh(t), o.id, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.enter(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("after the removal: %v", err)
	}
}

// What an import leaves of a second factor that an account has no more (its licence was for API clients for a while) opens
// nothing, and is gone with the next one that is set up.
func TestALeftoverFactorOpensNothing(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	secret, codes := o.enrol(t)
	in, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[0], false)
	if err != nil {
		t.Fatal(err)
	}
	h, _, _ := o.newPasskey(t, o.scope(t, in), "Phone")
	a, err := o.store.Account(t.Context(), o.fresh(t).Env, o.id)
	if err != nil {
		t.Fatal(err)
	}
	after := a
	after.MFAEnabled, after.Version = false, a.Version+1
	if err := o.store.Write(t.Context(), o.fresh(t).Env, account.Write{Before: &a, After: after, Event: o.event(after.Version)}); err != nil { // as an import does
		t.Fatal(err)
	}
	if _, err := h.enter(t); !fault.HasCode(err, "signInRefused") {
		t.Errorf("the passkey: %v", err)
	}
	got := o.login(t, "")
	if got.Next != session.Done {
		t.Errorf("%+v", got)
	}
	again, _, fresh := o.newPasskey(t, o.scope(t, got), "New")
	found, err := dynamo.Factors{Table: f.table}.Recall(t.Context(), o.id, "")
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
	if _, err := again.enter(t); err != nil {
		t.Error(err)
	}
}

func (o *owner) event(version int64) journal.Event {
	return journal.Event{ID: token.NewIDText(), At: o.now, Kind: journal.Changed, Version: version}
}

// wholeKey makes a passkey's key. The virtual authenticator writes a coordinate that begins with a zero byte, which is one of
// 128, a byte too short (RFC 9053, 7.1.1 wants it padded); real ones do not.
func wholeKey(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of an ES256 key in COSE
	for {
		key := virtualwebauthn.NewCredential(kind)
		if kind != virtualwebauthn.KeyTypeEC2 || len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}
