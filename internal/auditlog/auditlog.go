// Package auditlog is the log of an account: one append-only timeline of what happened, to whom, when and by whom.
// Secrets never enter it: events hold field values from the field tables, which know none.
package auditlog

import (
	"time"

	"useraccounts/internal/field"
)

// Kind says what happened.
type Kind string

// The kinds of event.
const (
	Created              Kind = "created"
	Changed              Kind = "changed"
	Deleted              Kind = "deleted"
	AccessAllowed        Kind = "accessAllowed"
	AccessBlocked        Kind = "accessBlocked"
	BlockedByTries       Kind = "blockedByTries"
	TriesReset           Kind = "triesReset"
	Locked               Kind = "locked"
	Unlocked             Kind = "unlocked"
	PasswordSet          Kind = "passwordSet"
	PasswordReset        Kind = "passwordReset"
	PasswordChangeForced Kind = "passwordChangeForced"
	PasswordChanged      Kind = "passwordChanged"
	SignedIn             Kind = "signedIn"
	SignInFailed         Kind = "signInFailed"
	SessionClosed        Kind = "sessionClosed"
	RefreshReused        Kind = "refreshReused"
	KeyCreated           Kind = "keyCreated"
	KeyLocked            Kind = "keyLocked"
	// AccessCopied is a change whose roles and groups came from the account that Note names.
	AccessCopied      Kind = "accessCopied"
	NoteAdded         Kind = "note"
	ContactChanged    Kind = "contactChanged"
	DelegationAdded   Kind = "delegationAdded"
	DelegationChanged Kind = "delegationChanged"
	DelegationRemoved Kind = "delegationRemoved"
	// The second factor: set up, removed by the person or an administrator, not enforced; its codes and remembered
	// devices.
	SecondFactorAdded     Kind = "secondFactorAdded"
	SecondFactorRemoved   Kind = "secondFactorRemoved"
	SecondFactorExempt    Kind = "secondFactorNotEnforced"
	SecondFactorRenamed   Kind = "secondFactorRenamed"
	SecondFactorFailed    Kind = "secondFactorFailed"
	RecoveryCodesMade     Kind = "recoveryCodesMade"
	RecoveryCodeUsed      Kind = "recoveryCodeUsed"
	TrustedDevicesRemoved Kind = "devicesForgotten"
	// Providers are of the environment's log, links of an account's.
	ProviderAdded    Kind = "providerAdded"
	ProviderChanged  Kind = "providerChanged"
	ProviderRemoved  Kind = "providerRemoved"
	IdentityLinked   Kind = "signOnLinked"
	IdentityUnlinked Kind = "signOnUnlinked"
	// SessionExpired is a session that was not refreshed in time. The timeline tells it from the session.
	SessionExpired Kind = "sessionExpired"
	// PasswordLinkSent is a link to set a password, sent by an administrator or asked for by the person; Mailed is any
	// mail.
	PasswordLinkSent Kind = "passwordLinkSent"
	MailSent         Kind = "mail"
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
	// Key is the id of the API key that was created or locked; in all other events that of the key by which By came.
	Key string `json:"key,omitempty"`
	// Subject is what was changed where it is not the account itself: "settings", or kind and code of reference data; of
	// an account "contact", or a delegation with its id.
	Subject string `json:"subject,omitempty"`
	// Version is the account's version that the event made, 0 if it made none; the subject's where there is one.
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
	// Client and UserAgent are what a sign-in that failed said of itself.
	Client    string `json:"client,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	// Count is how often it happened, where one line tells of many; 0 where it tells of one.
	Count int `json:"count,omitempty"`
	// RetentionDays is for how many days the environment keeps its log. It decides when the table may sweep the event; 0
	// is the most there can be. Whether an event is shown is decided anew by each reader.
	RetentionDays int `json:"-"`
}
