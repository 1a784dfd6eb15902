// Package journal is the log of an account: one append-only timeline of what happened, to whom, when and by whom.
// Secrets never enter it: events hold field values from the field tables, which know none.
package journal

import (
	"time"

	"useraccounts/internal/field"
)

// Kind says what happened.
type Kind string

// The kinds of event.
const (
	Created         Kind = "created"
	Changed         Kind = "changed"
	Allowed         Kind = "accessAllowed"
	Blocked         Kind = "accessBlocked"
	BlockedByTries  Kind = "blockedByTries"
	PasswordSet     Kind = "passwordSet"
	PasswordChanged Kind = "passwordChanged"
	SignedIn        Kind = "signedIn"
	SignInFailed    Kind = "signInFailed"
	SessionClosed   Kind = "sessionClosed"
	RefreshReused   Kind = "refreshReused"
)

// Event is one line of the timeline.
type Event struct {
	// ID is a ULID; the timeline is in its order.
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// By is the username of who did it, ByID that account's id; both empty for the system.
	By   string `json:"by,omitempty"`
	ByID string `json:"byId,omitempty"`
	// Version is the account's version that the event made, 0 if it made none.
	Version int64 `json:"version,omitempty"`
	// Changes are the fields with their old and new values.
	Changes []field.Diff `json:"changes,omitempty"`
	// Note is a reason or a note, as typed.
	Note string `json:"note,omitempty"`
	// Job and Row name the import and the sheet's row that did it.
	Job string `json:"job,omitempty"`
	Row int    `json:"row,omitempty"`
	// Address is the network address the request came from.
	Address string `json:"address,omitempty"`
}
