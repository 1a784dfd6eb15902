// Package auditlog is the audit log of accounts and environments: append-only events that say what happened, when and
// by whom. Reader merges an account's events with its sessions into pages and CSV exports. Events hold values of field
// tables, which have no secrets.
package auditlog

import (
	"time"

	"useraccounts/internal/field"
)

// Kind is what happened.
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
	// The credentials of applications, in the environment's log.
	CredentialCreated Kind = "credentialCreated" //nolint:gosec // the kind of an event
	CredentialEnded   Kind = "credentialEnded"   //nolint:gosec // the kind of an event
	// AccessCopied is a change whose roles and groups came from the account that Note names.
	AccessCopied      Kind = "accessCopied"
	NoteAdded         Kind = "note"
	ContactChanged    Kind = "contactChanged"
	DelegationAdded   Kind = "delegationAdded"
	DelegationChanged Kind = "delegationChanged"
	DelegationRemoved Kind = "delegationRemoved"
	// The second factor: set up, removed by the person or an administrator, not enforced; its codes; trusted devices.
	SecondFactorAdded     Kind = "secondFactorAdded"
	SecondFactorRemoved   Kind = "secondFactorRemoved"
	SecondFactorExempt    Kind = "secondFactorNotEnforced"
	SecondFactorRenamed   Kind = "secondFactorRenamed"
	SecondFactorFailed    Kind = "secondFactorFailed"
	RecoveryCodesMade     Kind = "recoveryCodesMade"
	RecoveryCodeUsed      Kind = "recoveryCodeUsed"
	TrustedDevicesRemoved Kind = "devicesForgotten"
	// Providers are in the environment's log, identities in the account's.
	ProviderAdded    Kind = "providerAdded"
	ProviderChanged  Kind = "providerChanged"
	ProviderRemoved  Kind = "providerRemoved"
	IdentityLinked   Kind = "signOnLinked"
	IdentityUnlinked Kind = "signOnUnlinked"
	// SessionExpired is a session that was not refreshed in time. Reader derives it from the session.
	SessionExpired Kind = "sessionExpired"
	// PasswordLinkSent is a link to set a password, sent by an administrator or requested by the person; MailSent is any
	// mail.
	PasswordLinkSent Kind = "passwordLinkSent"
	MailSent         Kind = "mail"
)

// Event is one event of the log.
type Event struct {
	// ID is a ULID; the log is ordered by it.
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// By is the username of the actor, ByID the id of that account; both are empty for the system.
	By   string `json:"by,omitempty"`
	ByID string `json:"byId,omitempty"`
	// Key is the id of the API key that was created or locked; in all other events, of the key that the actor used.
	Key string `json:"key,omitempty"`
	// Subject is what was changed, if it is not the account itself: "settings", or kind and code of reference data; of an
	// account "contact", or a delegation with its id.
	Subject string `json:"subject,omitempty"`
	// Version is the resulting version of the account, or of the subject if there is one; 0 if the version did not change.
	Version int64 `json:"version,omitempty"`
	// Changes are the changed fields with their old and new values.
	Changes []field.Diff `json:"changes,omitempty"`
	// Note is a reason or a note, as typed.
	Note string `json:"note,omitempty"`
	// Job and Row name the import and the row of the sheet that caused it.
	Job string `json:"job,omitempty"`
	Row int    `json:"row,omitempty"`
	// Address is the IP address that the request came from.
	Address string `json:"address,omitempty"`
	// Client and UserAgent are those of a failed sign-in.
	Client    string `json:"client,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	// Count is how often it happened, for an event that stands for many; 0 for a single one.
	Count int `json:"count,omitempty"`
	// RetentionDays is how many days the environment keeps its log. It decides when the table may delete the event; 0
	// stands for the maximum. Whether an event is shown is decided when it is read.
	RetentionDays int `json:"-"`
}
