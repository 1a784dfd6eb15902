package dynamo_test

import (
	"context"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/factor"
	"useraccounts/internal/fault"
)

// unkeyed shows accounts without a password, with links to providers.
type unkeyed struct {
	factor.Accounts
	links []string
}

func (u *unkeyed) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	a, err := u.Accounts.Account(ctx, env, id)
	a.PasswordHash, a.SignOn = "", u.links
	return a, err
}

// Who has no password keeps the last passkey, alone or with the whole second factor, unless a link to a provider lets them in.
func TestTheLastPasskeyStaysWithoutAPassword(t *testing.T) {
	o := newOwner(t, newFixture(t), "owner", nil)
	scope := o.scope(t, o.login(t, ""))
	h, first, _ := o.newPasskey(t, scope, "Phone")
	_, second, _ := o.newPasskey(t, scope, "Key")
	shown := &unkeyed{Accounts: o.own.Accounts}
	o.own.Accounts = shown
	again := func() {
		in, err := h.enter(t)
		if err != nil {
			t.Fatal(err)
		}
		scope = o.scope(t, in)
	}
	if err := o.own.Remove(t.Context(), scope, ""); !fault.HasCode(err, "lastWayIn") {
		t.Errorf("the whole second factor: %v", err)
	}
	if err := o.own.RemovePasskey(t.Context(), scope, second.ID, ""); err != nil {
		t.Errorf("one of two: %v", err)
	}
	again()
	if err := o.own.RemovePasskey(t.Context(), scope, first.ID, ""); !fault.HasCode(err, "lastWayIn") {
		t.Errorf("the last: %v", err)
	}
	shown.links = []string{"works"}
	if err := o.own.RemovePasskey(t.Context(), scope, first.ID, ""); err != nil {
		t.Errorf("with a link: %v", err)
	}
}
