package dynamo_test

import (
	"context"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/fault"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// ownerWithTrustedDevice makes an owner with a second factor and a trusted device, and returns the device's token.
func ownerWithTrustedDevice(t *testing.T, f *fixture, username string) (*owner, string) {
	t.Helper()
	o := newOwner(t, f, username, nil)
	_, codes := o.enrol(t)
	got, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[0], true)
	if err != nil {
		t.Fatal(err)
	}
	return o, got.DeviceToken.Reveal()
}

func (o *owner) guess(username, password, device string) func() error {
	return func() error {
		_, err := o.auth.Login(context.Background(), username, password,
			signin.ClientInfo{DeviceToken: device, Address: "192.0.2.1"})
		return err
	}
}

func (o *owner) row(t *testing.T) account.Account {
	t.Helper()
	a, err := o.store.Account(t.Context(), o.currentScope(t).Env, o.id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// 200 wrong guesses of strangers at once block the account and not its trusted device, however the owner is named
// there. The block and its count stay for the strangers.
func TestStrangersCannotLockATrustedDeviceOut(t *testing.T) {
	o, device := ownerWithTrustedDevice(t, newFixture(t), "owner")
	var operations []func() error
	for range 200 {
		operations = append(operations, o.guess("owner", "wrong", ""))
	}
	inParallel(operations...)
	before := o.row(t)
	if before.TriesBlockedAt.IsZero() {
		t.Fatal("not blocked")
	}
	if err := o.guess("owner", ownPassword, "")(); !fault.HasCode(err, "signInRefused") {
		t.Errorf("from elsewhere: %v", err)
	}
	o.now = o.now.Add(time.Second)
	for _, as := range []string{"OWNER", "owner@example.com"} {
		got, err := o.auth.Login(t.Context(), as, ownPassword, signin.ClientInfo{DeviceToken: device})
		if err != nil || got.Next != session.Done {
			t.Fatalf("%s: %+v %v", as, got, err)
		}
		device = got.DeviceToken.Reveal()
	}
	if a := o.row(t); a.FailedTries != before.FailedTries || !a.TriesBlockedAt.Equal(before.TriesBlockedAt) ||
		!a.LastLogin.After(before.LastLogin) {
		t.Errorf("%+v", a)
	}
	if _, err := o.accounts.Block(t.Context(), o.currentScope(t), o.id, 0, "Left"); err != nil {
		t.Fatal(err)
	}
	if err := o.guess("owner", ownPassword, device)(); !fault.HasCode(err, "signInRefused") {
		t.Errorf("blocked by an administrator: %v", err)
	}
}

// V95: by a passkey and by a provider the owner comes in from anywhere while the block is there, with the token of a
// trusted device or without: neither is a guess, so neither is charged, there or anywhere.
func TestStrangersLockNeitherPasskeyNorProvider(t *testing.T) {
	o, device := ownerWithTrustedDevice(t, newFixture(t), "owner")
	in := o.login(t, device)
	h, _, _ := o.newPasskey(t, o.scope(t, in), "Phone")
	device = in.DeviceToken.Reveal()
	ways := map[string]func(device string) (signin.Result, error){
		"passkey": func(device string) (signin.Result, error) {
			return o.auth.LoginWithPasskey(t.Context(), h.assertion(t, h.beginAssertion(t)),
				signin.ClientInfo{DeviceToken: device})
		},
		"provider": func(device string) (signin.Result, error) {
			return o.auth.LoginWithProvider(t.Context(), o.id, true, signin.ClientInfo{DeviceToken: device})
		},
	}
	for range 6 {
		_ = o.guess("owner", "wrong", "")()
	}
	before := o.row(t)
	for name, way := range ways {
		if got, err := way(""); err != nil || name == "provider" && got.Next != session.Done {
			t.Errorf("%s from elsewhere: %+v, %v", name, got, err)
		}
		got, err := way(device)
		if err != nil || got.Next != session.Done {
			t.Fatalf("%s from the device: %+v, %v", name, got, err)
		}
		device = got.DeviceToken.Reveal()
		if a := o.row(t); a.FailedTries != before.FailedTries || !a.TriesBlockedAt.Equal(before.TriesBlockedAt) {
			t.Errorf("%s: %+v", name, a)
		}
		o.now = o.now.Add(time.Second)
	}
	// Wrong answers are charged to nobody.
	if _, err := o.accounts.ResetTries(t.Context(), o.currentScope(t), o.id, 0); err != nil {
		t.Fatal(err)
	}
	asked := h.beginAssertion(t)
	h.key.Counter -= 2 // a copy
	if _, err := o.auth.LoginWithPasskey(t.Context(), h.assertion(t, asked),
		signin.ClientInfo{DeviceToken: device}); !fault.HasCode(err, "signInRefused") {
		t.Errorf("a copy: %v", err)
	}
	known, err := factors.Store{Table: o.table}.TrustedDevices(t.Context(), o.id)
	if err != nil || len(known) != 1 || known[0].Tries != 0 || o.row(t).FailedTries != 0 {
		t.Errorf("%+v, %d tries on the account, %v", known, o.row(t).FailedTries, err)
	}
}

// A forced change is taken from a trusted device while strangers' tries block the account.
func TestAStepAfterATrustedDeviceMindsNoStrangers(t *testing.T) {
	o, device := ownerWithTrustedDevice(t, newFixture(t), "owner")
	if _, err := o.accounts.Change(t.Context(), o.currentScope(t), o.id, o.fixture.version(t, o.id),
		map[string]any{"forcePasswordChange": true}); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		_ = o.guess("owner", "wrong", "")()
	}
	got, err := o.auth.Login(t.Context(), "owner", ownPassword, signin.ClientInfo{DeviceToken: device})
	if err != nil || got.Next != session.ChangePassword || o.row(t).TriesBlockedAt.IsZero() {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err = o.auth.ChangePassword(t.Context(), got.Ticket.Reveal(), ownPassword+" anew",
		signin.ClientInfo{}); err != nil || got.Next != session.Done {
		t.Errorf("%+v %v", got, err)
	}
}

// C01: of 200 guesses at once from a trusted device the limit is verified on the device, and the limit on the account.
// Then it is forgotten, and stands in place of no second factor.
func TestGuessesFromATrustedDeviceAreVerifiedUpToTheLimit(t *testing.T) {
	o, device := ownerWithTrustedDevice(t, newFixture(t), "owner")
	hasher := &countingHasher{}
	o.auth.useVerifier(hasher)
	for range 4 {
		_ = o.guess("owner", "wrong", device)()
	}
	if a := o.row(t); a.FailedTries != 0 || hasher.verified.Load() != 4 {
		t.Errorf("%d tries on the account, %d verified", a.FailedTries, hasher.verified.Load())
	}
	var operations []func() error
	for range 200 {
		operations = append(operations, o.guess("owner", "wrong", device))
	}
	for _, err := range inParallel(operations...) {
		if !fault.HasCode(err, "signInRefused") {
			t.Fatal(err)
		}
	}
	if n := hasher.verified.Load(); n != 10 {
		t.Errorf("%d guesses were verified, want 5 on the device and 5 on the account", n)
	}
	known, err := factors.Store{Table: o.table}.TrustedDevices(t.Context(), o.id)
	if err != nil || len(known) != 0 {
		t.Errorf("%d devices are left, %v", len(known), err)
	}
	if _, err := o.accounts.Allow(t.Context(), o.currentScope(t), o.id, 0); err != nil {
		t.Fatal(err)
	}
	if got := o.login(t, device); got.Next != session.SecondFactor {
		t.Errorf("%+v", got)
	}
}

// Whoever it is about, and whatever device token it brings, a refused sign-in is the same number of round trips (C24,
// V22).
func TestADeviceTokenCostsTheSameForEverybody(t *testing.T) {
	f := newFixture(t)
	o, device := ownerWithTrustedDevice(t, f, "owner")
	_, others := ownerWithTrustedDevice(t, f, "other")
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	on := &dynamo.Table{Client: m.client(t), Name: f.table.Name}
	o.auth.Accounts = attempts.Store{Table: on}
	broken := device[:len(device)-5] + "AAAAA"
	for name, c := range map[string][2]string{
		"no token": {"owner", ""}, "wrong secret": {"owner", broken}, "somebody else's": {"owner", others},
		"unknown user":  {"nobody", device},
		"unknown email": {"nobody@example.com", device}, "unknown user, no token": {"nobody", ""},
		"email, wrong secret": {"owner@example.com", broken},
	} {
		m.within(t, name, 3, 3, 2, func() {
			if err := o.guess(c[0], "wrong", c[1])(); !fault.HasCode(err, "signInRefused") {
				t.Error(err)
			}
		})
		if m.calls != 3 {
			t.Errorf("%s: %d calls", name, m.calls)
		}
		if _, err := o.accounts.ResetTries(t.Context(), o.currentScope(t), o.id, 0); err != nil {
			t.Fatal(err)
		}
	}
	m.within(t, "the device's own", 4, 4, 2, func() { // of which two at the same time
		if err := o.guess("owner", "wrong", device)(); !fault.HasCode(err, "signInRefused") {
			t.Error(err)
		}
	})
}
