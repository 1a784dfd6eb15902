package dynamo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/sessions"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// home is a network that the owner signs in from, stranger one that they never did.
const home, stranger = "192.0.2.17", "198.51.100.9"

func (o *owner) loginFrom(username, password, address string) (signin.Result, error) {
	return o.auth.Login(context.Background(), username, password, signin.ClientInfo{Address: address})
}

func (o *owner) guessFrom(username, address string) func() error {
	return func() error {
		_, err := o.loginFrom(username, "wrong", address)
		return err
	}
}

// countVerified counts the passwords that are verified from now on.
func (o *owner) countVerified() *countingHasher {
	hasher := &countingHasher{}
	o.auth.useVerifier(hasher)
	return hasher
}

func (o *owner) mustLoginFrom(t *testing.T, username, address string) signin.Result {
	t.Helper()
	got, err := o.loginFrom(username, ownPassword, address)
	if err != nil {
		t.Fatalf("%s from %s: %v", username, address, err)
	}
	return got
}

// V95: 200 wrong guesses of strangers at once block the account and no network from which its owner signed in,
// whatever address they have there and however they are named. The block and its count stay for the strangers. C07: a
// block by an administrator holds there too.
func TestStrangersCannotLockAKnownNetworkOut(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	o.mustLoginFrom(t, "owner", home)
	var operations []func() error
	for range 200 {
		operations = append(operations, o.guessFrom("owner@example.com", stranger))
	}
	inParallel(operations...)
	before := o.row(t)
	if before.TriesBlockedAt.IsZero() {
		t.Fatal("not blocked")
	}
	for _, elsewhere := range []string{stranger, "192.0.3.17", "2001:db8::1", ""} {
		if _, err := o.loginFrom("owner", ownPassword, elsewhere); !fault.HasCode(err, "signInRefused") {
			t.Errorf("from %q: %v", elsewhere, err)
		}
	}
	for _, as := range []string{"owner", " OWNER", "Owner@Example.com"} {
		for _, from := range []string{home, "192.0.2.200", "::ffff:192.0.2.3"} {
			if got := o.mustLoginFrom(t, as, from); got.Next != session.Done {
				t.Errorf("%+v", got)
			}
		}
	}
	if a := o.row(t); a.FailedTries != before.FailedTries || !a.TriesBlockedAt.Equal(before.TriesBlockedAt) {
		t.Errorf("%+v", a)
	}
	if _, err := o.accounts.Block(t.Context(), o.currentScope(t), o.id, 0, "Left"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.loginFrom("owner", ownPassword, home); !fault.HasCode(err, "signInRefused") {
		t.Errorf("blocked by an administrator: %v", err)
	}
}

// V95: what follows the password is not stopped either: neither by a block that was there before, nor by one that came
// in between. Nor is the proof of who is signed in.
func TestAStepFromAKnownNetworkMindsNoStrangers(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	in := o.mustLoginFrom(t, "owner", home)
	_, codes := o.setUpTOTP(t, o.scope(t, in))
	blocked := func() {
		t.Helper()
		for range 6 {
			_ = o.guessFrom("owner", stranger)()
		}
		if o.row(t).TriesBlockedAt.IsZero() {
			t.Fatal("not blocked")
		}
	}
	step := o.mustLoginFrom(t, "owner", home)
	blocked()
	got, err := o.prove(step.Ticket, mfa.RecoveryCode, codes[0], false)
	if err != nil || got.Next != session.Done {
		t.Fatalf("the code after the block: %+v %v", got, err)
	}
	step = o.mustLoginFrom(t, "owner", home)
	if got, err = o.prove(step.Ticket, mfa.RecoveryCode, codes[1], false); err != nil || got.Next != session.Done {
		t.Fatalf("beside the block: %+v %v", got, err)
	}
	scope := o.scope(t, got)
	if err := o.auth.VerifyOwnPassword(t.Context(), scope, ownPassword); err == nil {
		t.Error("proved from nowhere beside the block")
	}
	scope.Caller.Address = home
	if err := o.auth.VerifyOwnPassword(t.Context(), scope, ownPassword); err != nil {
		t.Errorf("the proof from home: %v", err)
	}
	if n := o.row(t).Stored.Networks["192.0.2.0/24"].Tries; n != 0 {
		t.Errorf("%d tries are left at home", n)
	}
	got, err = o.auth.ChangeOwnPassword(t.Context(), scope, ownPassword, ownPassword+" anew",
		signin.ClientInfo{Address: home})
	if err != nil || got.Next != session.Done {
		t.Errorf("the new password: %+v %v", got, err)
	}
}

// C01, V95: of 200 guesses at once from a known network the limit is verified there, and the limit on the account. Then
// it is forgotten, at every identifier, and the account counts what comes from there, until somebody signs in.
func TestGuessesFromAKnownNetworkAreVerifiedUpToTheLimit(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	o.mustLoginFrom(t, "owner", home)
	hasher := o.countVerified()
	for range 4 {
		_ = o.guessFrom("owner@example.com", home)()
	}
	if a := o.row(t); a.FailedTries != 0 || a.Stored.Networks["192.0.2.0/24"].Tries != 4 || hasher.verified.Load() != 4 {
		t.Errorf("%+v, %d verified", a, hasher.verified.Load())
	}
	o.mustLoginFrom(t, "owner", "192.0.2.99") // zeroes them
	hasher.verified.Store(0)
	var operations []func() error
	for range 200 {
		operations = append(operations, o.guessFrom("owner@example.com", home))
	}
	for _, err := range inParallel(operations...) {
		if !fault.HasCode(err, "signInRefused") {
			t.Fatal(err)
		}
	}
	if n := hasher.verified.Load(); n != 10 {
		t.Errorf("%d guesses were verified, want 5 at the network and 5 on the account", n)
	}
	if a := o.row(t); len(a.Stored.Networks) != 0 || a.TriesBlockedAt.IsZero() {
		t.Errorf("%+v", a)
	}
	for _, as := range []string{"owner", "owner@example.com"} {
		found, err := attempts.Store{Table: o.table}.FindWithDevice(t.Context(), env, as, token.Token{})
		if err != nil || len(found.Networks) != 0 {
			t.Errorf("%s still knows %v, %v", as, found.Networks, err)
		}
		if _, err := o.loginFrom(as, ownPassword, home); !fault.HasCode(err, "signInRefused") {
			t.Errorf("%s: %v", as, err)
		}
	}
	if _, err := o.accounts.ResetTries(t.Context(), o.currentScope(t), o.id, 0); err != nil {
		t.Fatal(err)
	}
	o.mustLoginFrom(t, "owner", home)
	if a := o.row(t); len(a.Stored.Networks) != 1 {
		t.Errorf("%+v", a.Stored)
	}
}

// NIST SP 800-63B-4, 3.2.2: whoever guesses from everywhere, the known networks among it, and for as long as they like,
// gets a hundred guesses.
func TestAllCountersTogetherStayWithinAHundred(t *testing.T) {
	for _, limit := range []int{1, 5, 50, 91, 100} {
		if n := account.MaxAccountFailures(limit) + account.MaxNetworks*account.NetworkTryLimit(limit); n != 100 ||
			account.MaxAccountFailures(limit) < int64(limit) {
			t.Errorf("limit %d: %d failures", limit, n)
		}
	}
	o := newOwner(t, newFixture(t), "owner", nil)
	for i := range account.MaxNetworks {
		o.mustLoginFrom(t, "owner", fmt.Sprintf("192.0.%d.1", i))
	}
	hasher := o.countVerified()
	for range 130 {
		for i := range account.MaxNetworks {
			_ = o.guessFrom([]string{"owner", "owner@example.com"}[i%2], fmt.Sprintf("192.0.%d.1", i))()
		}
		o.now = o.now.Add(15 * time.Minute)
	}
	if n := hasher.verified.Load(); n != account.MaxConsecutiveFailures {
		t.Errorf("%d were verified", n)
	}
}

// V95: at most four networks are known, those of the last sign-ins, and each for thirty days. An account that is
// renamed or gets another email keeps them.
func TestWhichNetworksAreKnown(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner", nil)
	knows := func(as string, want ...string) {
		t.Helper()
		found, err := attempts.Store{Table: o.table}.FindWithDevice(t.Context(), env, as, token.Token{})
		if err != nil || len(found.Networks) != len(want) {
			t.Errorf("%s knows %v, want %v, %v", as, found.Networks, want, err)
		}
		for _, network := range want {
			if !found.Networks.CountsAt(network, 5, o.now) {
				t.Errorf("%s knows %v, want %s", as, found.Networks, network)
			}
		}
	}
	for i := range 6 {
		o.mustLoginFrom(t, "owner", fmt.Sprintf("192.0.%d.1", i))
		o.now = o.now.AddDate(0, 0, 1)
	}
	o.mustLoginFrom(t, "owner", "2001:db8:0:7:1::2")
	want := []string{"192.0.3.0/24", "192.0.4.0/24", "192.0.5.0/24", "2001:db8:0:7::/64"}
	knows("owner", want...)
	knows("owner@example.com", want...)
	if _, err := o.accounts.Change(t.Context(), o.currentScope(t), o.id, o.fixture.version(t, o.id),
		map[string]any{"username": "renamed@work", "email": "another@example.com"}); err != nil {
		t.Fatal(err)
	}
	for _, as := range []string{"renamed@work", "another@example.com"} {
		knows(as, want...)
	}
	for range 6 {
		_ = o.guessFrom("another@example.com", stranger)()
	}
	o.mustLoginFrom(t, "renamed@work", "192.0.3.7")
	o.now = o.now.AddDate(0, 0, 31)
	if _, err := o.loginFrom("renamed@work", ownPassword, "192.0.3.7"); err != nil {
		t.Errorf("the release after a month: %v", err)
	}
	for range 6 {
		_ = o.guessFrom("renamed@work", stranger)()
	}
	o.mustLoginFrom(t, "another@example.com", "192.0.3.7")
	if _, err := o.loginFrom("another@example.com", ownPassword, "192.0.4.7"); !fault.HasCode(err, "signInRefused") {
		t.Errorf("a network of a month ago: %v", err)
	}
}

// Whoever it is about, and wherever it comes from, a refused sign-in is the same number of round trips and units (C24,
// V22): known networks add none. A sign-in is at most 2 R and 8 W, also the first from a network.
func TestAKnownNetworkCostsTheSameForEverybody(t *testing.T) {
	f := newFixture(t)
	o := newOwner(t, f, "owner@work", field.Patch{"roles": []string{"EDITOR", "VIEWER"}, "groups": []string{"STAFF"},
		"name": "Somebody With A Name", "mobile": "+44 20 7946 0018", "email": "owner@example.com"})
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	on := &dynamo.Table{Client: m.client(t), Name: f.table.Name}
	o.mustLoginFrom(t, "owner@work", stranger) // reads the reference data, once for each process
	o.auth.Accounts, o.auth.Stats = attempts.Store{Table: on}, dynamo.Statistics{Table: on}
	o.auth.useSessions(sessions.Store{Table: on})
	for i := range 5 {
		from := fmt.Sprintf("192.0.%d.1", i)
		// Two login keys and the count of the day are written beside the session, so that there are three round trips.
		m.within(t, fmt.Sprintf("sign-in, network %d", i), 6, 2, 8, func() { o.mustLoginFrom(t, "owner@work", from) })
		m.within(t, fmt.Sprintf("sign-in, network %d again", i), 4, 2, 6, func() { o.mustLoginFrom(t, "owner@work", from) })
	}
	for name, c := range map[string][2]string{
		"known network": {"owner@work", "192.0.4.1"}, "known network, email": {"owner@example.com", "192.0.4.1"},
		"elsewhere": {"owner@work", stranger}, "unknown user": {"nobody", "192.0.4.1"},
		"unknown email": {"nobody@example.com", "192.0.4.1"},
	} {
		m.within(t, name, 4, 2, 3, func() {
			if err := o.guessFrom(c[0], c[1])(); !fault.HasCode(err, "signInRefused") {
				t.Error(err)
			}
		})
		if m.calls != 4 || m.read != 2 {
			t.Errorf("%s: %d calls, %g R", name, m.calls, m.read)
		}
	}
}
