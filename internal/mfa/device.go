package mfa

import (
	"crypto/subtle"
	"time"

	"useraccounts/internal/token"
)

// TrustedDevice is a browser or program that needs no second factor beside the right password. Its secret is replaced
// at each use.
type TrustedDevice struct {
	ID string
	// Hash is the SHA-256 of the secret, PreviousHash that of the one before, Rotated when it was replaced.
	Hash, PreviousHash []byte
	Rotated            time.Time
	Name               string
	Address            string
	FirstUsed          time.Time
	LastUsed           time.Time
	Expires            time.Time
	// Epoch is the account's device epoch. Devices of an earlier epoch are not trusted any more.
	Epoch int64
	// Tries are the failures in a row that were counted on the device and not on the account. Each new secret starts the
	// count again, as it takes the right password.
	Tries int64
}

// rotationGrace is how long the previous secret is valid too: for two sign-ins at once, and for an answer that was
// lost.
const rotationGrace = time.Minute

// DeviceStatus is the outcome of checking a device's secret.
type DeviceStatus int

// The outcomes. DevicePrevious is the previous secret within the grace. DeviceReplayed is the previous one after it:
// there are two copies of the device's token, so the device is forgotten.
const (
	DeviceUnknown DeviceStatus = iota
	DeviceCurrent
	DevicePrevious
	DeviceReplayed
)

// Valid reports whether the device is trusted.
func (s DeviceStatus) Valid() bool { return s == DeviceCurrent || s == DevicePrevious }

// Verify checks a device's token against the stored hashes, at now, for an account of the given device epoch
// (V36).
func (d TrustedDevice) Verify(given token.Token, now time.Time, epoch int64) DeviceStatus {
	switch {
	case d.ID == "" || d.Epoch != epoch || !now.Before(d.Expires):
		return DeviceUnknown
	case given.Matches(d.Hash):
		return DeviceCurrent
	case len(d.PreviousHash) == 0 || subtle.ConstantTimeCompare(given.Hash(), d.PreviousHash) != 1:
		return DeviceUnknown
	case now.Before(d.Rotated.Add(rotationGrace)):
		return DevicePrevious
	}
	return DeviceReplayed
}
