package mfa

import (
	"crypto/subtle"
	"time"

	"useraccounts/internal/token"
)

// Device is a browser or program that is remembered: with the right password it needs no second factor. Its secret is
// replaced at each use.
type Device struct {
	ID string
	// Hash is the SHA-256 of the secret, Was of the one before, Rotated when it was replaced.
	Hash, Was []byte
	Rotated   time.Time
	Name      string
	Address   string
	First     time.Time
	Last      time.Time
	Expires   time.Time
	// Epoch is the account's device epoch; all devices of another are forgotten.
	Epoch int64
	// Tries are the failures in a row that were charged to the device rather than to the account. Each new secret begins them
	// anew, as it takes the right password.
	Tries int64
}

// rotationGrace is how long the secret before is good too: for two sign-ins at once, and an answer that was lost.
const rotationGrace = time.Minute

// Standing says what a device's secret is worth.
type Standing int

// The standings. Stale is a secret that was replaced: two have the device, so it is forgotten.
const (
	Unknown Standing = iota
	Current
	Replaced
	Stale
)

// Good reports whether the device stands for what it was trusted with.
func (s Standing) Good() bool { return s == Current || s == Replaced }

// Judge holds a device's token against what is stored, at now, for an account of the given device epoch (V36).
func (d Device) Judge(given token.Token, now time.Time, epoch int64) Standing {
	switch {
	case d.ID == "" || d.Epoch != epoch || !now.Before(d.Expires):
		return Unknown
	case given.Matches(d.Hash):
		return Current
	case len(d.Was) == 0 || subtle.ConstantTimeCompare(given.Hash(), d.Was) != 1:
		return Unknown
	case now.Before(d.Rotated.Add(rotationGrace)):
		return Replaced
	}
	return Stale
}
