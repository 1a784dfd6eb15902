package account

import (
	"useraccounts/internal/field"
)

// BlockKind is why login access is blocked. It is stored beside the reason, whose text decides nothing.
type BlockKind string

// The kinds of block. A block by failed tries is not stored as one: TriesBlockedAt is.
const (
	BlockedByAdministrator BlockKind = "administrator"
	NotYetAllowed          BlockKind = "notYetAllowed"
)

// LegacyBlockKind returns the kind of a block that an earlier release stored without one. That release gave a new
// account the reason "Not yet allowed" at the instant of its creation. An administrator's block with the same text has
// a later date.
func (a Account) LegacyBlockKind() BlockKind {
	switch {
	case !a.AccessLocked:
		return ""
	case a.LockedReason == ReasonNotYetAllowed && a.LockedAt.Equal(a.CreatedAt):
		return NotYetAllowed
	}
	return BlockedByAdministrator
}

// Status says in one word whether an account can sign in, and if not, why.
type Status string

// The statuses. The first that holds is the account's.
const (
	StatusLocked        Status = "locked"
	StatusBlocked       Status = "blocked"
	StatusTooManyTries  Status = "tooManyTries"
	StatusNotYetAllowed Status = "notYetAllowed"
	StatusNotStarted    Status = "notStarted"
	StatusExpired       Status = "expired"
	StatusActive        Status = "active"
)

// Statuses returns the statuses with their labels, in order.
func Statuses() []field.Option {
	return []field.Option{
		{Value: string(StatusLocked), Label: "Locked"},
		{Value: string(StatusBlocked), Label: "Blocked"},
		{Value: string(StatusTooManyTries), Label: "Too many failed tries"},
		{Value: string(StatusNotYetAllowed), Label: "Not yet allowed"},
		{Value: string(StatusNotStarted), Label: "Not started"},
		{Value: string(StatusExpired), Label: "Expired"},
		{Value: string(StatusActive), Label: "Active"},
	}
}

// StatusFields returns the fields that decide the status, besides TriesBlockedAt and BlockKind.
func StatusFields() []string { return []string{"active", "accessLocked", "dateFrom", "dateTo"} }

// StatusOn returns the account's status on a day (UTC). It is the only place that decides it.
func (a Account) StatusOn(day field.Date) Status {
	switch {
	case !a.Active:
		return StatusLocked
	case a.AccessLocked && a.BlockKind != NotYetAllowed:
		return StatusBlocked
	case !a.TriesBlockedAt.IsZero():
		return StatusTooManyTries
	case a.AccessLocked:
		return StatusNotYetAllowed
	case day < a.DateFrom:
		return StatusNotStarted
	case !a.InDates(day):
		return StatusExpired
	}
	return StatusActive
}

// ForDisplay returns the account as people see it on a day, with its status. A block by failed tries is shown in the
// same four fields as a block by an administrator. If there are both, the administrator's is shown.
func (a Account) ForDisplay(day field.Date) Account {
	a.Status = string(a.StatusOn(day))
	if !a.AccessLocked && !a.TriesBlockedAt.IsZero() {
		a.AccessLocked = true
		a.LockedAt = a.TriesBlockedAt
		a.LockedReason = "Too many failed tries"
		a.LockedBy = ""
	}
	return a
}
