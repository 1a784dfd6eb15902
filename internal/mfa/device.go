package mfa

import (
	"crypto/subtle"
	"time"

	"useraccounts/internal/token"
)

// TrustedDevice is a browser or program that is remembered: with the right password it needs no second factor. Its
// secret is replaced at each use.
type TrustedDevice struct {
	ID string
	// Hash is the SHA-256 of the secret, Was of the one before, Rotated when it was replaced.
	Hash, PreviousHash []byte
	Rotated            time.Time
	Name               string
	Address            string
	FirstUsed          time.Time
	LastUsed           time.Time
	Expires            time.Time
	// Epoch is the account's device epoch; all devices of another are forgotten.
	Epoch int64
	// Tries are the failures in a row that were charged to the device rather than to the account. Each new secret begins
	// them anew, as it takes the right password.
	Tries int64
}

// rotationGrace is how long the secret before is good too: for two sign-ins at once, and an answer that was lost.
const rotationGrace = time.Minute

// SecretStatus says what a device's secret is worth.
type SecretStatus int

// The standings. Stale is a secret that was replaced: two have the device, so it is forgotten.
const (
	SecretUnknown SecretStatus = iota
	SecretCurrent
	SecretReplaced
	SecretReused
)

// Valid reports whether the device stands for what it was trusted with.
func (s SecretStatus) Valid() bool { return s == SecretCurrent || s == SecretReplaced }

// CheckSecret holds a device's token against what is stored, at now, for an account of the given device epoch (V36).
func (d TrustedDevice) CheckSecret(given token.Token, now time.Time, epoch int64) SecretStatus {
	switch {
	case d.ID == "" || d.Epoch != epoch || !now.Before(d.Expires):
		return SecretUnknown
	case given.Matches(d.Hash):
		return SecretCurrent
	case len(d.PreviousHash) == 0 || subtle.ConstantTimeCompare(given.Hash(), d.PreviousHash) != 1:
		return SecretUnknown
	case now.Before(d.Rotated.Add(rotationGrace)):
		return SecretReplaced
	}
	return SecretReused
}
