package account_test

import (
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
)

// What is a way in and what is none, for whoever takes one away.
func TestWaysInThatRemain(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		ways   account.WaysIn
		remain bool
	}{
		"nothing":                      {},
		"a password":                   {account.WaysIn{Account: account.Account{PasswordHash: "h"}}, true},
		"a temporary password":         {account.WaysIn{Account: account.Account{PasswordHash: "h", PasswordExpires: now.Add(time.Millisecond)}}, true},
		"one that is over just now":    {account.WaysIn{Account: account.Account{PasswordHash: "h", PasswordExpires: now}}, false},
		"a passkey":                    {account.WaysIn{Account: account.Account{MFAEnabled: true}, Passkeys: 1}, true},
		"an authenticator alone":       {account.WaysIn{Account: account.Account{MFAEnabled: true}}, false},
		"one left of a former factor":  {account.WaysIn{Passkeys: 1}, false},
		"a link":                       {account.WaysIn{Account: account.Account{SignOn: []string{"a"}}, Providers: []string{"b", "a"}}, true},
		"a link that is turned off":    {account.WaysIn{Account: account.Account{SignOn: []string{"a"}}, Providers: []string{"b"}}, false},
		"a provider without its links": {account.WaysIn{Providers: []string{"a"}}, false},
	} {
		if err := c.ways.Remain(now); c.remain && err != nil || !c.remain && !fault.HasCode(err, "lastWayIn") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
