// Package session is a signed-in session, the tickets between the steps of a sign-in, and the API keys that need none: what
// they hold and when they are over. Expiry is always a comparison with the clock, never the table's sweeping (C46).
package session

import "time"

// Session is one sign-in of one account on one client.
type Session struct {
	AccountID string
	ID        string
	// AccessHash and RefreshHash are the SHA-256 of the current tokens; UsedRefreshHash is of the refresh token before,
	// whose second use closes the session.
	AccessHash      []byte
	RefreshHash     []byte
	UsedRefreshHash []byte
	// Epoch is the account's when the session began.
	Epoch int64

	Client    string
	UserAgent string
	Address   string
	// Key is the id of the API key that opened it, empty for people's. Such a session is over with its key.
	Key string

	Start time.Time
	// RefreshDue is when the session is over unless refreshed; HardEnd is when it is over in any case.
	RefreshDue time.Time
	HardEnd    time.Time
	// Closed is when it was closed, zero while it is not; Reason says by what.
	Closed time.Time
	Reason Reason
}

// Reason says what closed a session.
type Reason string

// The reasons for which a session is closed.
const (
	SignedOut     Reason = "signedOut"
	ClosedByOwner Reason = "closedByOwner"
	ClosedByAdmin Reason = "closedByAdministrator"
	RefreshReused Reason = "refreshReused"
)

// Live reports whether the session is open at now for an account of the given epoch.
func (s Session) Live(now time.Time, epoch int64) bool {
	return s.Closed.IsZero() && now.Before(s.RefreshDue) && now.Before(s.HardEnd) && s.Epoch == epoch
}

// Due returns when a session refreshed at now has to be refreshed again.
func (s Session) Due(now time.Time, idle time.Duration) time.Time {
	due := now.Add(idle)
	if due.After(s.HardEnd) {
		return s.HardEnd
	}
	return due
}

// Step is what a sign-in needs next.
type Step string

// The steps. Done means that the session is open.
const (
	Done           Step = "done"
	ChangePassword Step = "changePassword"
)

// Ticket lets its holder take one step of a sign-in, once.
type Ticket struct {
	AccountID string
	ID        string
	Hash      []byte
	Step      Step
	Epoch     int64
	Client    string
	Expires   time.Time
}

// TicketLife is how long a ticket is good for (V34: at most 5 minutes).
const TicketLife = 5 * time.Minute

// Usable reports whether the ticket is good for a step at now, for an account of the given epoch.
func (t Ticket) Usable(step Step, now time.Time, epoch int64) bool {
	return t.Step == step && now.Before(t.Expires) && t.Epoch == epoch
}
