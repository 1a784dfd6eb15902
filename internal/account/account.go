// Package account is the account: its fields, the rules between them, and the one write path that the API and imports
// share. It knows neither the table nor HTTP.
package account

import (
	"slices"
	"time"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
)

// Account is a person, or an API client, that can sign in. Fields says what each field means.
type Account struct {
	ID      string
	Version int64

	UserType    string
	Username    string
	Name        string
	Email       string
	Mobile      string
	MobileE164  string
	DateFrom    field.Date
	DateTo      field.Date
	MFARequired bool
	MFAEnabled  bool
	// MFAExempt says that the second factor is not enforced, whatever the environment's default is.
	MFAExempt    bool
	Active       bool
	AccessLocked bool
	LockedAt     time.Time
	LockedReason string
	LockedBy     string
	// BlockKind is why AccessLocked is set.
	BlockKind           BlockKind
	ForcePasswordChange bool
	Roles               []string
	Groups              []string
	DACGroups           []string
	Resource            string
	CreatedAt           time.Time
	UpdatedAt           time.Time

	// LinkedProviders are the ids of the providers that the account is linked to for single sign-on. A link does not
	// change the version, and imports do not touch it.
	LinkedProviders []string

	// LastLogin, FailedTries and TriesBlockedAt are written by sign-ins, without a new version.
	LastLogin      time.Time
	FailedTries    int64
	TriesBlockedAt time.Time
	// LastTryAt is when an attempt was last counted.
	LastTryAt time.Time
	// BlockedUntil is set by WithBlockedUntil, Status by ForDisplay; they are not stored.
	BlockedUntil time.Time
	Status       string

	// Epoch is raised to end every session of the account: a session with an older epoch is over.
	Epoch int64
	// DeviceEpoch is raised to forget every trusted device of the account.
	DeviceEpoch int64
	// PasswordHash is the PHC string of the password, empty for none. It is not in the field table, so no answer has it.
	PasswordHash string
	// PasswordExpires is when a temporary password expires, zero for other passwords.
	PasswordExpires time.Time
	// PasswordChangedAt is when the password was set, zero if an older release set it.
	PasswordChangedAt time.Time
	// PasswordByMail says that the password was reset with a mailed link.
	PasswordByMail bool

	// Stored is what the store read, for the condition of its next write. It is of no use to others.
	Stored Revision
}

// Revision identifies what the store has for an account: the version of the newest image and the import that wrote it.
// While that import is Pending, readers see the image before it.
type Revision struct {
	Version int64
	Import  int64
	Pending bool
	// BlockedAt is TriesBlockedAt as stored, even for an attempt that the timed release allows.
	BlockedAt time.Time
	// SeparateTries is for a sign-in that is no guess at the password, or is counted at a trusted device or a known
	// network: it does not depend on the failed tries of the account.
	SeparateTries bool
	// Networks are those that the account is known to sign in from; Network is the one of them on which this attempt was
	// counted, empty for none.
	Networks Networks
	Network  string
	// HasPrevious says that the image before that import is still stored.
	HasPrevious bool
}

// FirstFactorNote is what the log and the notice add when the account sets up a second factor; "" for nothing. Whoever
// reads somebody's mail could reset the password and then set up a factor of their own (V99).
func (a Account) FirstFactorNote() string {
	if a.MFAEnabled || !a.PasswordByMail {
		return ""
	}
	return "It is the first one, after the password was reset with a mailed link."
}

// LinkedTo reports whether the account is linked to an identity at a provider.
func (a Account) LinkedTo(providerID string) bool {
	return slices.Contains(a.LinkedProviders, providerID)
}

// InDates reports whether a day is within the account's dates, both inclusive.
func (a Account) InDates(day field.Date) bool { return withinDates(a.DateFrom, a.DateTo, day) }

func withinDates(from, to, day field.Date) bool { return day >= from && (to == "" || day <= to) }

// Anchor is the part of an account that every request needs. It is stored under the account's id.
type Anchor struct {
	ID       string
	Username string
	Epoch    int64
	DateFrom field.Date
	DateTo   field.Date
	Roles    []string
	Groups   []string
	// UserType, Active and AccessLocked are for API keys, which do not end with an epoch. A block by failed tries is not
	// here: anybody can cause one, and it must not cut off an API client.
	UserType     string
	Active       bool
	AccessLocked bool
	// Name, DACGroups and Resource are for applications that ask who somebody is. An anchor that was written before they
	// were kept has no name.
	Name      string
	DACGroups []string
	Resource  string
}

// Anchor returns the account's anchor.
func (a Account) Anchor() Anchor {
	return Anchor{
		ID: a.ID, Username: a.Username, Epoch: a.Epoch, DateFrom: a.DateFrom, DateTo: a.DateTo,
		Roles: a.Roles, Groups: a.Groups, UserType: a.UserType, Active: a.Active, AccessLocked: a.AccessLocked,
		Name: a.Name, DACGroups: a.DACGroups, Resource: a.Resource,
	}
}

// InDates reports whether a day is within the account's dates, both inclusive.
func (a Anchor) InDates(day field.Date) bool { return withinDates(a.DateFrom, a.DateTo, day) }

// Write is one change of one account. The account, its keys, its anchor and its event are written in one transaction.
type Write struct {
	// Before is the account as read, nil for a new one.
	Before *Account
	After  Account
	// Event is the log entry. A new account keeps it for good, as its creation.
	Event auditlog.Event
	// ClearTries also resets the failed tries and lifts a block by them.
	ClearTries bool
	// SeatLimit is how many seats the licence of After has, 0 for no limit.
	SeatLimit int
	// CallerEpoch, when not zero, is the epoch that the caller's account (Event.ByID) must still have: two administrators
	// cannot end each other's access at the same time.
	CallerEpoch int64
	// RequireSameProviders makes the write fail if the account's links to providers are no longer those of Before. Links
	// change without a new version.
	RequireSameProviders bool
	// NeverUsed makes the write fail if the account ever had an API key, or its links are no longer those of Before.
	NeverUsed bool
	// DropFactors also deletes everything that is stored for the second factor.
	DropFactors bool
	// Mails are written into the outbox in the same transaction.
	Mails []mail.Message
	// PasswordLink replaces the account's password link. ConsumeLinkHash is the hash of the present link: the write uses
	// it up, and fails if it was used before.
	PasswordLink    *PasswordLink
	ConsumeLinkHash []byte
	// PasswordHistory, when not nil, replaces the hashes of the account's former passwords, newest first.
	PasswordHistory []string
	// Tombstone deletes the account with its keys; After then has only the id. Only an undo of an import stages it.
	Tombstone bool
}
