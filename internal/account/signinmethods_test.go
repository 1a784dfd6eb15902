package account_test

import (
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// Which sign-in methods count.
func TestRequireOneSignInMethod(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		methods account.SignInMethods
		want    bool
	}{
		"nothing":    {},
		"a password": {account.SignInMethods{Account: account.Account{PasswordHash: "h"}}, true},
		"a temporary password": {
			account.SignInMethods{Account: account.Account{PasswordHash: "h", PasswordExpires: now.Add(time.Millisecond)}},
			true},
		"one that is over just now": {
			account.SignInMethods{Account: account.Account{PasswordHash: "h", PasswordExpires: now}}, false},
		"a passkey": {account.SignInMethods{Account: account.Account{MFAEnabled: true}, Passkeys: 1},
			true},
		"an authenticator alone":      {account.SignInMethods{Account: account.Account{MFAEnabled: true}}, false},
		"one left of a former factor": {account.SignInMethods{Passkeys: 1}, false},
		"a link": {
			account.SignInMethods{Account: account.Account{LinkedProviders: []string{"a"}}, Providers: []string{"b", "a"}},
			true},
		"a link that is turned off": {
			account.SignInMethods{Account: account.Account{LinkedProviders: []string{"a"}}, Providers: []string{"b"}}, false},
		"a provider without its links": {account.SignInMethods{Providers: []string{"a"}}, false},
	} {
		if err := c.methods.RequireOne(now); c.want && err != nil || !c.want && !fault.HasCode(err, "lastWayIn") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
