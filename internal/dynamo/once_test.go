package dynamo_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"useraccounts/internal/mfa"
	"useraccounts/internal/session"
	"useraccounts/internal/token"
)

// C31, V32: one recovery code, given at the same moment in as many sign-ins as may try at once, each with a good ticket
// of its own, opens one session and is gone.
func TestARecoveryCodeOpensOneSession(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	_, codes := o.enrol(t)
	tickets := make([]token.Token, mfa.TryLimit)
	for i := range tickets {
		tickets[i] = o.login(t, "").Ticket
	}
	var all sync.WaitGroup
	var opened atomic.Int64
	for _, ticket := range tickets {
		all.Go(func() {
			if got, err := o.prove(ticket, mfa.RecoveryCode, codes[0], false); err == nil && got.Next == session.Done {
				opened.Add(1)
			}
		})
	}
	all.Wait()
	o.now = o.now.Add(mfa.PauseTime + time.Second)
	if _, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[0], false); opened.Load() != 1 || err == nil {
		t.Errorf("%d sessions, and once more: %v", opened.Load(), err)
	}
	o.now = o.now.Add(mfa.PauseTime + time.Second) // what failed counts, and pauses codes
	if _, err := o.prove(o.login(t, "").Ticket, mfa.RecoveryCode, codes[1], false); err != nil {
		t.Errorf("another code: %v", err)
	}
}

// C31, V31: a set-up is confirmed once, of twenty who confirm it with its code at the same moment.
func TestASetUpIsConfirmedOnce(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	scope := o.scope(t, o.login(t, ""))
	shown, err := o.selfService.BeginTOTP(t.Context(), scope, "")
	if err != nil {
		t.Fatal(err)
	}
	code := codeOf(t, shown.Secret, o.now)
	if n := countSuccesses(
		func() error { _, err := o.selfService.ConfirmTOTP(context.Background(), scope, code); return err }); n != 1 {
		t.Errorf("%d confirmed", n)
	}
}
