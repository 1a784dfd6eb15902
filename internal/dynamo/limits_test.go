package dynamo_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"useraccounts/internal/account"
	"useraccounts/internal/auditlog"
	"useraccounts/internal/dynamo/attempts"
	"useraccounts/internal/dynamo/factors"
	"useraccounts/internal/dynamo/passwordlinks"
	"useraccounts/internal/mail"
	"useraccounts/internal/mfa"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

// What the conditions of the table say at exactly their limits, asked of the table itself: above them the rules of the
// rows are asked first, and would hide a condition that is wrong by one.

// writeFactors offers a change of the second factor as the account is now.
func (o *owner) writeFactors(t *testing.T, c mfa.Change) error {
	t.Helper()
	a := o.row(t)
	w := account.Write{Before: &a, After: a,
		Event: auditlog.Event{ID: token.NewIDString(), At: o.now, Kind: auditlog.SecondFactorRenamed, Version: a.Version + 1}}
	w.After.Version++
	return factors.Store{Table: o.table}.WriteFactors(t.Context(), o.currentScope(t).Env, w, c)
}

// V28, C11: after a time step was used neither it nor any before it is taken, whoever found it right; and none for the
// seed of an authenticator that was replaced.
func TestATimeStepIsUsedUpWithAllBeforeIt(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	o.enrol(t)
	found, err := o.auth.Devices.LoadFactors(t.Context(), o.id, "")
	if err != nil || found.Counter == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	used := found.Counter + 100
	for _, c := range []struct {
		step int64
		seed []byte
		held bool
	}{
		{used, found.Seed, true}, {used, found.Seed, false}, {used - 1, found.Seed, false}, {used - 100, found.Seed, false},
		{1, found.Seed, false},
		{used + 1, []byte("another"), false}, {used + 1, found.Seed, true}, {used, found.Seed, false},
	} {
		if err := o.writeFactors(t, mfa.Change{Counter: c.step, Seed: c.seed}); c.held != (err == nil) || !c.held &&
			!errors.Is(err, account.ErrConcurrentChange) {
			t.Errorf("step %d after %d: %v", c.step, used, err)
		}
	}
	if now, err := o.auth.Devices.LoadFactors(t.Context(), o.id, ""); err != nil || now.Counter != used+1 {
		t.Errorf("step %d is the last, %v", now.Counter, err)
	}
}

// V15, V16: the last code that is counted is the one that makes the limit, of a pause and of all that are wrong in a
// row.
func TestTheLastCodeThatIsCounted(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	o.enrol(t)
	counted := 0
	for range mfa.StreakLimit/mfa.TryLimit + 2 {
		for n := range mfa.TryLimit + 1 {
			found, is, err := o.auth.Factors.ReserveCodeAttempt(t.Context(), o.id, o.now)
			if err != nil {
				t.Fatal(err)
			}
			want := n < mfa.TryLimit && counted < mfa.StreakLimit
			if is {
				counted++
			}
			if is != want || is && (counted == mfa.StreakLimit) != found.LockedOut() {
				t.Fatalf("try %d, the %dth counted, is counted %v: %+v", n+1, counted, is, found)
			}
			if n == mfa.TryLimit-1 && counted < mfa.StreakLimit {
				if _, is, err := o.auth.Factors.ReserveCodeAttempt(t.Context(), o.id,
					o.now.Add(mfa.PauseTime-time.Millisecond)); is || err != nil {
					t.Fatalf("a millisecond before the pause ends: %v, %v", is, err)
				}
			}
		}
		o.now = o.now.Add(mfa.PauseTime)
	}
	if counted != mfa.StreakLimit {
		t.Errorf("%d codes were counted", counted)
	}
	// Also where the last pause did not take as many: the limits may become others.
	for streak, want := range map[int]bool{mfa.StreakLimit - 1: true, mfa.StreakLimit: false} {
		if _, err := o.table.Client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &o.table.Name, UpdateExpression: aws.String("SET tries = :none, streak = :streak"),
			Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "U#" + o.id},
				"SK": &types.AttributeValueMemberS{Value: "M#TOTP"}},
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":none":   &types.AttributeValueMemberN{Value: "0"},
				":streak": &types.AttributeValueMemberN{Value: strconv.Itoa(streak)},
			},
		}); err != nil {
			t.Fatal(err)
		}
		if _, is, err := o.auth.Factors.ReserveCodeAttempt(t.Context(), o.id, o.now); is != want || err != nil {
			t.Errorf("after %d wrong ones in a row the next is counted: %v, %v", streak, is, err)
		}
	}
}

// V31: a set-up takes five codes, and none at the moment in which it is over.
func TestTheLastCodeOfASetUp(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	factors := factors.Store{Table: o.table}
	ends := o.now.UTC().Truncate(time.Millisecond).Add(mfa.EnrolmentLife)
	if err := factors.SavePendingTOTP(t.Context(), env, o.id,
		mfa.PendingTOTP{ID: token.NewIDString(), Seed: []byte("s"), Expires: ends}); err != nil {
		t.Fatal(err)
	}
	try := func(at time.Time) bool {
		t.Helper()
		_, counted, err := factors.ReserveEnrolmentAttempt(t.Context(), o.id, at)
		if err != nil {
			t.Fatal(err)
		}
		return counted
	}
	if try(ends) {
		t.Error("a code is counted when it is over")
	}
	for n := range mfa.TryLimit + 2 {
		if counted := try(ends.Add(-time.Millisecond)); counted != (n < mfa.TryLimit) {
			t.Errorf("try %d is counted: %v", n+1, counted)
		}
	}
}

// The same of a code by mail: its goes, its end, the window of three mails, and all that are wrong in a row.
func TestTheLastGoAtACodeByMail(t *testing.T) {
	m := newMailCodeFixture(t)
	start := m.now.UTC().Truncate(time.Millisecond)
	send := func(at time.Time) bool {
		t.Helper()
		sent, err := m.auth.MailCodes.SaveMailCode(t.Context(), env, m.id,
			mfa.MailedCode{Ticket: "T", Hash: "h", Sent: at, Expires: at.Add(mfa.MailCodeLife)}, mail.Message{
				ID: token.NewIDString(), Env: env, Kind: mail.SignInCode, AccountID: m.id, To: "owner@example.com", At: at,
			})
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	try := func(at time.Time) bool {
		t.Helper()
		_, counted, err := m.auth.MailCodes.ReserveMailCodeAttempt(t.Context(), m.id, "T", at)
		if err != nil {
			t.Fatal(err)
		}
		return counted
	}
	for n := range mfa.MailCodeLimit {
		if !send(start.Add(time.Duration(n) * time.Second)) {
			t.Fatalf("mail %d is not sent", n+1)
		}
	}
	if send(start.Add(mfa.MailCodeWindow - time.Millisecond)) {
		t.Error("a fourth within the window")
	}
	if !send(start.Add(mfa.MailCodeWindow)) {
		t.Error("none when the first of three is as long ago as the window")
	}
	at := start.Add(mfa.MailCodeWindow)
	if try(at.Add(mfa.MailCodeLife)) {
		t.Error("a go is counted when the code is over")
	}
	if !try(at) { // one go at this code, so that the last of all is not the last of its code
		t.Fatal("the first go is not counted")
	}
	counted := 1
	for range mfa.StreakLimit/mfa.MailCodeTryLimit + 1 {
		at = at.Add(mfa.MailCodeWindow)
		if sent := send(at); sent != (counted < mfa.StreakLimit) {
			t.Fatalf("after %d wrong goes a code is mailed: %v", counted, sent)
		}
		for n := range mfa.MailCodeTryLimit + 1 {
			want := n < mfa.MailCodeTryLimit && counted < mfa.StreakLimit
			if is := try(at.Add(mfa.MailCodeLife - time.Millisecond)); is != want {
				t.Fatalf("go %d of a code, after %d in all, is counted: %v", n+1, counted, is)
			}
			if want {
				counted++
			}
		}
	}
	if counted != mfa.StreakLimit {
		t.Errorf("%d goes were counted", counted)
	}
}

// C01: the last try of a trusted device, the failure by which it is forgotten, and the one that blocks the account.
func TestTheLastTryOfADeviceAndOfAnAccount(t *testing.T) {
	f := newFixture(t)
	o, text := ownerWithTrustedDevice(t, f, "owner")
	device, err := token.Parse(token.TrustedDevice, text)
	if err != nil {
		t.Fatal(err)
	}
	attempts, e := attempts.Store{Table: f.table}, f.currentScope(t).Env
	read := func() mfa.TrustedDevice {
		t.Helper()
		found, err := o.auth.Devices.LoadFactors(t.Context(), o.id, device.ID.String())
		if err != nil {
			t.Fatal(err)
		}
		return found.Device
	}
	limit := e.Settings.TryLimit()
	refuse := func(r signin.FailedAttempt) {
		t.Helper()
		r.Account, r.Known, r.Reserved, r.At, r.EventID, r.BlockID = o.row(t), true, true, o.now, token.NewIDString(),
			token.NewIDString()
		if err := attempts.RecordFailure(t.Context(), e, r); err != nil {
			t.Fatal(err)
		}
	}
	for n := range limit + 1 {
		refuse(signin.FailedAttempt{RevokedDevice: read()})
		if left := read().ID != ""; left != (n < limit) {
			t.Fatalf("after %d tries the device is left: %v", n, left)
		}
		if n == limit {
			break
		}
		got, err := attempts.ReserveDeviceAttempt(t.Context(), e, "owner", o.id, read(), limit)
		if err != nil || !got.Reserved || got.Device.Tries != int64(n+1) {
			t.Fatalf("try %d: %+v, %v", n+1, got, err)
		}
		if n == limit-1 {
			if got, err := attempts.ReserveDeviceAttempt(t.Context(), e, "owner", o.id, read(), limit); err != nil ||
				got.Reserved {
				t.Errorf("a try beyond the limit: %+v, %v", got, err)
			}
		}
	}
	rule := signin.AttemptPolicy{Limit: limit, Now: o.now}
	for n := range limit {
		refuse(signin.FailedAttempt{Blocks: true})
		if !o.row(t).TriesBlockedAt.IsZero() {
			t.Fatalf("blocked after %d tries", n)
		}
		if got, err := attempts.ReserveAttempt(t.Context(), e, "owner", rule); err != nil || !got.Reserved {
			t.Fatalf("try %d: %+v, %v", n+1, got, err)
		}
	}
	if got, err := attempts.ReserveAttempt(t.Context(), e, "owner", rule); err != nil || got.Reserved {
		t.Errorf("a try beyond the limit: %+v, %v", got, err)
	}
	refuse(signin.FailedAttempt{Blocks: true})
	if o.row(t).TriesBlockedAt.IsZero() {
		t.Error("the last try does not block")
	}
}

// V19: the last ask of a network address for links within an hour.
func TestTheLastAskOfAnAddress(t *testing.T) {
	links := passwordlinks.Store{Table: newFixture(t).table}
	now := time.Date(2026, 7, 1, 12, 59, 59, 0, time.UTC)
	for n := range 5 {
		if counted, err := links.CountResetRequest(t.Context(), env, "192.0.2.1", now, 3); err != nil || counted != (n < 3) {
			t.Errorf("ask %d is counted: %v, %v", n+1, counted, err)
		}
	}
	for _, other := range []struct {
		address string
		at      time.Time
	}{{"192.0.2.2", now}, {"192.0.2.1", now.Add(time.Second)}} {
		if counted, err := links.CountResetRequest(t.Context(), env, other.address, other.at, 3); err != nil || !counted {
			t.Errorf("%s at %s: %v, %v", other.address, other.at, counted, err)
		}
	}
}
