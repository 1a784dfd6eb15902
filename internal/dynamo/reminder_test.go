package dynamo_test

import (
	"sync"
	"testing"
	"time"

	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
	"useraccounts/internal/token"
)

// Owners of keys are told 14 and 3 days before, each once, however often and however many at once look; nobody is told
// who cannot use the key, and nobody without an address (C20).
func TestKeyExpiryIsToldTwice(t *testing.T) {
	p := newMailFixture(t)
	keys := &apikey.Service{
		Store: dynamo.APIKeys{Table: p.table}, Accounts: p.accounts, Now: func() time.Time { return p.now },
		NewID: token.NewID, Random: zeroReader{},
	}
	made := func(username string, more field.Patch, days int) (string, string) {
		patch := field.Patch{"userType": "API"}
		for name, v := range more {
			patch[name] = v
		}
		a := p.createAllowed(t, username, patch)
		k, _, err := keys.Create(t.Context(), p.currentScope(t), a.ID,
			apikey.CreateParams{Description: "Payroll", ValidDays: days})
		must(t, err)
		return a.ID, k.ID
	}
	made("robot", nil, 20)
	made("robot2", nil, 90)
	made("mute", field.Patch{"email": nil}, 20)
	blocked, _ := made("blockedbot", nil, 20)
	must(t, errOf(p.accounts.Block(t.Context(), p.currentScope(t), blocked, 0, "no")))
	owner, id := made("lockedkey", nil, 20)
	must(t, errOf(keys.Lock(t.Context(), p.currentScope(t), owner, id)))

	reminders := &apikey.Reminders{
		Store: dynamo.Reminders{Accounts: p.store, Environments: dynamo.NewEnvironments(p.table)}, Mail: p.accounts.Mail,
		Now: func() time.Time { return p.now },
	}
	begun := p.now
	for _, c := range []struct{ days, total int }{{0, 0}, {5, 0}, {6, 1}, {7, 1}, {16, 1}, {17, 2}, {18, 2}, {19, 2},
		{21, 2}} {
		p.now = begun.AddDate(0, 0, c.days)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := reminders.Run(t.Context(), env); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		told := p.mails(t, "robot@example.com")
		if len(told) != c.total {
			t.Errorf("after %d days: %d told, want %d", c.days, len(told), c.total)
		}
		for _, m := range told {
			if m.Kind != mail.KeyExpires || m.Detail != "“Payroll”" || !m.Expires.Equal(begun.AddDate(0, 0, 20)) {
				t.Errorf("%+v", m)
			}
		}
		for _, nobody := range []string{"robot2@example.com", "blockedbot@example.com", "lockedkey@example.com", ""} {
			if told := p.mails(t, nobody); len(told) != 0 {
				t.Errorf("after %d days %q was told", c.days, nobody)
			}
		}
	}
}

// zeroReader is a source of randomness for keys that nobody uses.
type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) { clear(b); return len(b), nil }
