package journal_test

import (
	"testing"
	"time"

	"useraccounts/internal/journal"
)

// V81: a line that counts tries says how many; one that tells of a single one does not.
func TestALineThatCountsSaysHowMany(t *testing.T) {
	at := noon.Add(-time.Hour)
	for count, want := range map[int]string{0: "Wrong password.", 1: "Wrong password.", 55: "Wrong password. 55 times within the hour."} {
		m := &memory{events: []journal.Event{{
			ID: idAt(at, 1), At: at, Kind: journal.SignInFailed, Note: "Wrong password.", Count: count, Client: "curl", UserAgent: "agent",
		}}}
		lines := pages(t, log(m), env(730), journal.Filter{Kind: journal.SignInFailed}, 5)
		if len(lines) != 1 || lines[0].Note != want || lines[0].Client != "curl" || lines[0].UserAgent != "agent" {
			t.Errorf("%d: %+v", count, lines)
		}
	}
}
