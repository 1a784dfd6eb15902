package auditlog_test

import (
	"testing"
	"time"

	"useraccounts/internal/auditlog"
)

// V81: a line that counts tries says how many; one that tells of a single one does not.
func TestACountedEventSaysHowMany(t *testing.T) {
	at := noon.Add(-time.Hour)
	for count, want := range map[int]string{0: "Wrong password.", 1: "Wrong password.",
		55: "Wrong password. 55 times within the hour."} {
		m := &fakeStore{events: []auditlog.Event{{
			ID: idAt(at, 1), At: at, Kind: auditlog.SignInFailed, Note: "Wrong password.", Count: count, Client: "curl",
			UserAgent: "agent",
		}}}
		lines := readAll(t, newReader(m), env(730), auditlog.Filter{Kind: auditlog.SignInFailed}, 5)
		if len(lines) != 1 || lines[0].Note != want || lines[0].Client != "curl" || lines[0].UserAgent != "agent" {
			t.Errorf("%d: %+v", count, lines)
		}
	}
}
