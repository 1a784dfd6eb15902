package api

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/session"
)

// The members of a key are part of the API, and its hash is not among them (V60).
func TestViews(t *testing.T) {
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	h := handlers{now: func() time.Time { return now }}
	k := session.APIKey{
		AccountID: "01JZ0000000000000000000001", ID: "01JZ0000000000000000000002", Hash: []byte("secret"),
		Description: "Payroll",
		Created:     now, CreatedBy: "admin", Expires: now.Add(time.Hour),
	}
	used := k
	used.LastUsed, used.Locked, used.LockedBy = now, now, "admin"
	over := k
	over.Expires = now
	const fresh = `"id":"01JZ0000000000000000000002","prefix":"ua_01JZ0000000000000000000002","description":"Payroll",` +
		`"createdAt":"2026-01-05T09:00:00Z","createdBy":"admin","expires":"2026-01-05T1`
	for want, v := range map[string]any{
		`{` + fresh + `0:00:00Z","state":"active"}`:                   h.view(k),
		`{"key":"ua_x","` + fresh[1:] + `0:00:00Z","state":"active"}`: madeView{"ua_x", h.view(k)},
		`{` + fresh +
			`0:00:00Z","lastUsed":"2026-01-05T09:00:00Z","lockedAt":"2026-01-05T09:00:00Z","lockedBy":"admin","state":"locked"}`: h.view(used),
		`{"id":"01JZ0000000000000000000002","prefix":"ua_01JZ0000000000000000000002","description":"Payroll",` +
			`"createdAt":"2026-01-05T09:00:00Z","createdBy":"admin","expires":"2026-01-05T09:00:00Z","state":"expired"}`: h.view(over),
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}
