package auditlog_test

import (
	"testing"
	"time"

	"useraccounts/internal/auditlog"
)

// V81: an entry that stands for several failures says how many; a single one does not.
func TestACountedEventSaysHowMany(t *testing.T) {
	at := noon.Add(-time.Hour)
	for count, want := range map[int]string{
		0: "Wrong password.", 1: "Wrong password.",
		55: "Wrong password. 55 times within the hour.",
	} {
		m := &fakeStore{events: []auditlog.Event{{
			ID: idAt(at, 1), At: at, Kind: auditlog.SignInFailed, Note: "Wrong password.", Count: count, Client: "curl",
			UserAgent: "agent",
		}}}
		entries := readAll(t, newReader(m), env(730), auditlog.Filter{Kind: auditlog.SignInFailed}, 5)
		if len(entries) != 1 || entries[0].Note != want || entries[0].Client != "curl" || entries[0].UserAgent != "agent" {
			t.Errorf("%d: %+v", count, entries)
		}
	}
}
