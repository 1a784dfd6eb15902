package dynamo_test

import (
	"errors"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
)

const temporaryPassword = "what the helpdesk said by phone"

// V09: the first time that a temporary password is right brings its end forward, from a trusted device as from
// anywhere, and no later time puts it off; a rename that was read before does not bring the old end back.
func TestATemporaryPasswordsEndIsKept(t *testing.T) {
	o, device := ownerWithTrustedDevice(t, newFixture(t), "owner")
	if _, err := o.accounts.SetPassword(t.Context(), o.currentScope(t), o.id, 0,
		account.NewPasswordRequest{Password: temporaryPassword, ForceChange: true}); err != nil {
		t.Fatal(err)
	}
	before := o.row(t)
	rename, err := o.accounts.Rules.Change(o.currentScope(t), before, field.Patch{"username": "renamed"}, o.now)
	if err != nil {
		t.Fatal(err)
	}
	rename.Event.ID = token.NewIDString()
	for range 3 {
		_ = o.guess("owner", "wrong", "")()
	}
	tries := o.row(t).FailedTries
	end := o.now.UTC().Truncate(time.Millisecond).Add(account.TemporaryPasswordGrace)
	for n, from := range []string{device, "", device} {
		got, err := o.auth.Login(t.Context(), "owner", temporaryPassword, signin.ClientInfo{DeviceToken: from})
		if err != nil || got.Next == session.Done {
			t.Fatalf("use %d: %+v, %v", n+1, got, err)
		}
		a := o.row(t)
		if !a.PasswordExpires.Equal(end) {
			t.Errorf("use %d: over at %s, want %s", n+1, a.PasswordExpires, end)
		}
		if want := map[bool]int64{true: tries, false: 0}[n == 0]; a.FailedTries != want {
			t.Errorf("use %d: %d tries, want %d", n+1, a.FailedTries, want)
		}
		o.now = o.now.Add(time.Minute)
	}
	if err := o.store.Write(t.Context(), o.currentScope(t).Env, rename); !errors.Is(err, account.ErrConcurrentChange) {
		t.Errorf("the rename: %v", err)
	}
	renamed, err := o.accounts.Change(t.Context(), o.currentScope(t), o.id, 0, field.Patch{"username": "renamed"})
	if err != nil || !o.row(t).PasswordExpires.Equal(end) {
		t.Errorf("%+v, %v", renamed, err)
	}
	o.now = end
	if err := o.guess("renamed", temporaryPassword, "")(); !fault.HasCode(err, "signInRefused") {
		t.Errorf("when it is over: %v", err)
	}
	o.now = end.Add(-time.Millisecond)
	if err := o.guess("renamed", temporaryPassword, "")(); err != nil {
		t.Errorf("just before: %v", err)
	}
}
