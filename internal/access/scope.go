package access

import (
	"time"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/environment"
)

// Caller is the account that a request or a job acts for.
type Caller struct {
	// AccountID and SessionID are ULIDs; Username is in its owner's spelling.
	AccountID, SessionID, Username string
	// KeyID is the API key that was used, directly or through a session that it opened; empty for people.
	KeyID string
	// Address is the network address that the request came from, empty in a job.
	Address string
	// Epoch is the account's epoch when the session was checked. Writes that need the caller to still have access depend
	// on it.
	Epoch       int64
	Permissions Set
	// AuthenticatedAt is when the caller last proved who they are, zero with an API key.
	AuthenticatedAt time.Time
	// RequestedAt is when a job of the caller was submitted, zero in a request. A proof that was fresh then is fresh for
	// the whole job.
	RequestedAt time.Time
}

// RecentlyAuthenticated reports whether the caller proved who they are within that time before now, or before the
// submission of the job (C15, ASVS 7.5.1).
func (c Caller) RecentlyAuthenticated(now time.Time, within time.Duration) bool {
	if !c.RequestedAt.IsZero() {
		now = c.RequestedAt
	}
	return !c.AuthenticatedAt.IsZero() && now.Sub(c.AuthenticatedAt) <= within
}

// May reports whether the caller has p.
func (c Caller) May(p Permission) bool { return c.Permissions.Has(p) }

// Scope is the context of a request: the environment and its reference data as they were at its start, and the caller.
type Scope struct {
	Env       environment.Environment
	Catalogue *catalogue.Catalogue
	Caller    Caller
	// NonFatalErr is an error of the check of the caller that did not change its outcome; it is logged.
	NonFatalErr error
}
