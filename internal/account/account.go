// Package account is the account: its fields, the rules that bind them, and the one write path that the API and the
// import share. It knows neither the table nor HTTP; Store is what it needs of the one, handlers call it from the
// other.
package account

import (
	"slices"
	"time"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/field"
	"useraccounts/internal/mail"
)

// Account is a person, or an API client, who can be let in. Fields says what each field means.
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
	MFAExempt           bool
	Active              bool
	AccessLocked        bool
	LockedAt            time.Time
	LockedReason        string
	LockedBy            string
	ForcePasswordChange bool
	Roles               []string
	Groups              []string
	DACGroups           []string
	Resource            string
	CreatedAt           time.Time
	UpdatedAt           time.Time

	// LinkedProviders are the ids of the providers that the account is linked to for single sign-on. Links are made
	// outside versions and imports.
	LinkedProviders []string

	// LastLogin, FailedTries and TriesBlockedAt are written by sign-ins, outside versions and imports.
	LastLogin      time.Time
	FailedTries    int64
	TriesBlockedAt time.Time
	// LastTryAt is when a try was charged last.
	LastTryAt time.Time
	// BlockedUntil is what Released finds; it is stored nowhere.
	BlockedUntil time.Time

	// Epoch rises whenever every session of the account has to end; a session of another epoch is over.
	Epoch int64
	// DeviceEpoch rises whenever every remembered device of the account has to be forgotten.
	DeviceEpoch int64
	// PasswordHash is the PHC string of the password, empty for none. It is in no field table and leaves with no answer.
	PasswordHash string
	// PasswordExpires is when a password that an administrator gave stops signing in, zero for one that does not.
	PasswordExpires time.Time
	// PasswordChangedAt is when the password was set, zero where an older release set it.
	PasswordChangedAt time.Time

	// Stored is what the store read, for the condition of the next write. Nobody else looks at it.
	Stored Revision
}

// Revision names what the store holds for an account: the version of the newest image and the import that wrote it.
// While that import is Pending, the account read is the one before it.
type Revision struct {
	Version int64
	Import  int64
	Pending bool
	// BlockedAt is TriesBlockedAt as stored, also for a try that the timed release lets through.
	BlockedAt time.Time
	// DeviceAttempt is for a sign-in that was charged to a trusted device: it neither minds nor changes the tries of the
	// account.
	DeviceAttempt bool
	// HasPrevious says that the image before that import is still there.
	HasPrevious bool
}

// ForDisplay returns the account as people see it: a block by failed tries shows in the same four fields as a block by
// an administrator, who wins where both apply.
func (a Account) ForDisplay() Account {
	if !a.AccessLocked && !a.TriesBlockedAt.IsZero() {
		a.AccessLocked = true
		a.LockedAt = a.TriesBlockedAt
		a.LockedReason = "Too many failed tries"
		a.LockedBy = ""
	}
	return a
}

// LinkedTo reports whether the account is linked to an identity at a provider.
func (a Account) LinkedTo(providerID string) bool {
	return slices.Contains(a.LinkedProviders, providerID)
}

// InDates reports whether day lies within the account's dates, both inclusive.
func (a Account) InDates(day field.Date) bool { return withinDates(a.DateFrom, a.DateTo, day) }

func withinDates(from, to, day field.Date) bool { return day >= from && (to == "" || day <= to) }

// Anchor is the part of an account that every request of its sessions needs, kept under the account's id.
type Anchor struct {
	ID       string
	Username string
	Epoch    int64
	DateFrom field.Date
	DateTo   field.Date
	Roles    []string
	Groups   []string
	// UserType, Active and AccessLocked decide about API keys, which outlive epochs. A block by tries is not here: it
	// keeps passwords from being guessed, and whoever brings one about must not cut off an API client.
	UserType     string
	Active       bool
	AccessLocked bool
}

// Anchor returns the account's anchor.
func (a Account) Anchor() Anchor {
	return Anchor{
		ID: a.ID, Username: a.Username, Epoch: a.Epoch, DateFrom: a.DateFrom, DateTo: a.DateTo,
		Roles: a.Roles, Groups: a.Groups, UserType: a.UserType, Active: a.Active, AccessLocked: a.AccessLocked,
	}
}

// InDates reports whether day lies within the account's dates, both inclusive.
func (a Anchor) InDates(day field.Date) bool { return withinDates(a.DateFrom, a.DateTo, day) }

// Write is one change of one account, whole: the account, its keys, its anchor and the event that tells of it are
// written together or not at all.
type Write struct {
	// Before is the account as read, nil for a new one.
	Before *Account
	After  Account
	// Event tells what happened. A new account keeps it as its birth record.
	Event auditlog.Event
	// ClearTries also zeroes the failed tries and lifts a block by tries.
	ClearTries bool
	// SeatLimit is how many seats the licence of After has, 0 for any number.
	SeatLimit int
	// CallerEpoch, when not zero, makes the write depend on the caller's account (Event.ByID) still having that epoch, so
	// that two administrators cannot end each other's access at once.
	CallerEpoch int64
	// RequireSameProviders makes the write depend on the account being linked to just the providers of Before: links are
	// made and removed outside versions, and this one is judged by them.
	RequireSameProviders bool
	// DropFactors also takes away what is stored of the second factor.
	DropFactors bool
	// Mails are what the change has to tell, written with it and sent afterwards.
	Mails []mail.Message
	// PasswordLink replaces the account's link to set a password. ConsumeLinkHash, the hash of the present one, uses it
	// up: the write depends on nobody having done so before.
	PasswordLink    *PasswordLink
	ConsumeLinkHash []byte
	// PasswordHistory, when not nil, replaces the hashes of the account's former passwords; newest first.
	PasswordHistory []string
	// Tombstone takes the account away, with its keys: After is then nobody but for the id. Only an import stages it.
	Tombstone bool
}
