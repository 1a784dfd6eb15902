package session

import "time"

// APIKey is a long-lived credential of an API client, which calls the API with it or opens short sessions with it.
type APIKey struct {
	AccountID string
	ID        string
	// Hash is the SHA-256 of its secret, which is shown once and stored nowhere.
	Hash        []byte
	Description string
	Created     time.Time
	// CreatedBy and LockedBy are usernames; CreatedByID is empty for keys that an earlier release created.
	CreatedBy, CreatedByID string
	Expires                time.Time
	// LastUsed is when it was last used, to the hour; zero for never.
	LastUsed time.Time
	// Locked is when it was locked, for ever; zero while it is not.
	Locked   time.Time
	LockedBy string
}

// KeyState is the state of a key, as lists show it.
type KeyState string

// The states of a key.
const (
	KeyActive  KeyState = "active"
	KeyExpired KeyState = "expired"
	KeyLocked  KeyState = "locked"
)

// State returns the key's state at now. Whether its account may be used is another matter.
func (k APIKey) State(now time.Time) KeyState {
	switch {
	case !k.Locked.IsZero():
		return KeyLocked
	case !now.Before(k.Expires):
		return KeyExpired
	}
	return KeyActive
}

const (
	// KeySessionLife is how long a session lasts that a key opened. It is not refreshed: the key opens another.
	KeySessionLife = 30 * time.Minute
	// KeyUseInterval is how often the last use of a key is written down at most.
	KeyUseInterval = time.Hour
)

// UseDue reports whether a use at now has to be written down.
func (k APIKey) UseDue(now time.Time) bool { return now.Sub(k.LastUsed) >= KeyUseInterval }

// SessionEnd returns when a session ends that the key opens at now: never after the key expires.
func (k APIKey) SessionEnd(now time.Time) time.Time {
	end := now.Add(KeySessionLife)
	if end.After(k.Expires) {
		return k.Expires
	}
	return end
}
