package access

import (
	"time"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
)

// Caller is the account that a request or a job acts for.
type Caller struct {
	// AccountID and SessionID are ULIDs; Username is as its owner spells it.
	AccountID, SessionID, Username string
	// KeyID is the API key that the caller came by, directly or through a session that it opened; empty for people.
	KeyID string
	// Epoch is the account's epoch when the session was checked; writes that need the caller to be still in force
	// condition on it.
	Epoch       int64
	Permissions Set
	// AuthenticatedAt is when the caller last proved who they are, zero for one that came by an API key: what asks for a
	// fresh proof holds it against the clock (Fresh).
	AuthenticatedAt time.Time
}

// RecentlyAuthenticated reports whether the caller proved who they are within the time before now (C15, ASVS 7.5.1).
func (c Caller) RecentlyAuthenticated(now time.Time, within time.Duration) bool {
	return !c.AuthenticatedAt.IsZero() && now.Sub(c.AuthenticatedAt) <= within
}

// May reports whether the caller holds p.
func (c Caller) May(p Permission) bool { return c.Permissions.Has(p) }

// Scope is what a request acts in: an environment as it stood when the request began, and for whom.
type Scope struct {
	Env       environment.Environment
	Catalogue *catalogue.Catalogue
	Caller    Caller
	// NonFatalErr is what went wrong beside the check of the caller and did not change its outcome, for the request's
	// record.
	NonFatalErr error
}
