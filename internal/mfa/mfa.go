// Package mfa is the second factor: its methods, what is stored of them, and the rules by which a code is accepted
// once. It knows neither the table nor HTTP, and nothing of accounts but their ids.
package mfa

import (
	"time"

	"useraccounts/internal/auditlog"
	"useraccounts/internal/environment"
)

// Method is a way to prove the second factor.
type Method string

// The methods.
const (
	TOTP          Method = "totp"
	PasskeyMethod Method = "passkey"
	RecoveryCode  Method = "recoveryCode"
	// MailCode is not set up: it is available where the environment allows it and the account has an email.
	MailCode Method = "emailCode"
)

const (
	// TryLimit is how many wrong codes in a row pause the second factor.
	TryLimit = 5
	// PauseTime is how long the pause is.
	PauseTime = 15 * time.Minute
	// StreakLimit is how many wrong codes in a row lock the second factor out until an administrator removes it (NIST SP
	// 800-63B-4, 3.2.2). Five in each quarter of an hour would be 480 a day.
	StreakLimit = 100
	// EnrolmentLife is how long a set-up waits for its confirmation.
	EnrolmentLife = 15 * time.Minute
)

// Factors is what is stored of an account's second factor.
type Factors struct {
	// Seed is the sealed seed of the authenticator, nil for none. Counter is the last time step that was used. Since is
	// when the authenticator was set up.
	Seed    []byte
	Counter int64
	Since   time.Time
	// Tries are the codes tried since the last right one, TriedAt is the time of the last. Streak counts the same, but a
	// pause does not zero it.
	Tries   int64
	TriedAt time.Time
	Streak  int64
	// Passkeys are in the order in which they were set up.
	Passkeys []Passkey
	// Device is the trusted device that was asked for, if the account has it.
	Device TrustedDevice
}

// Methods returns the methods that are set up, the strongest first.
func (f Factors) Methods() []Method {
	var out []Method
	if len(f.Passkeys) > 0 {
		out = append(out, PasskeyMethod)
	}
	if f.Seed != nil {
		out = append(out, TOTP)
	}
	if out != nil {
		out = append(out, RecoveryCode)
	}
	return out
}

// PausedUntil returns when codes are accepted again, zero if they are now.
func (f Factors) PausedUntil(now time.Time) time.Time {
	if end := f.TriedAt.Add(PauseTime); f.Tries >= TryLimit && now.Before(end) {
		return end
	}
	return time.Time{}
}

// LockedOut reports whether so many wrong codes came in a row that only an administrator can help.
func (f Factors) LockedOut() bool { return f.Streak >= StreakLimit }

// PendingTOTP is an authenticator that is not confirmed yet. The previous one is valid until then (V31).
type PendingTOTP struct {
	ID      string
	Seed    []byte
	Expires time.Time
	Tries   int64
}

// Change is what is written of an account's second factor, in one transaction.
type Change struct {
	// Counter, where not zero, is the time step of the right code: neither it nor a later one may have been used.
	Counter int64
	// Seed is the seed that Counter belongs to.
	Seed []byte
	// UsedCode is the lookup of the recovery code that was used, which is deleted.
	UsedCode string
	// ConfirmedTOTP becomes the authenticator, with Counter already used.
	ConfirmedTOTP *PendingTOTP
	Since         time.Time
	// FirstFactor says that the account had no second factor: what is still stored of an earlier one is deleted.
	FirstFactor bool
	// NewPasskey is a passkey to keep. Unless ChallengeDigest is nil, the challenge with that digest is deleted in
	// exchange. RemovedPasskey is the id of a passkey to delete. ChangedPasskey is one that was used or renamed.
	NewPasskey      *Passkey
	ChallengeDigest []byte
	RemovedPasskey  string
	ChangedPasskey  *PasskeyChange
	// MailCode is the mailed code that was used, which is deleted.
	MailCode *MailedCode
	// Codes replaces the recovery codes: hashes by lookup.
	Codes map[string]string
	// NewDevice is a device to trust.
	NewDevice *TrustedDevice
	// Event is the event of the change, where the account's own write has none.
	Event *auditlog.Event
	// RemoveAll deletes all methods, recovery codes and pending enrolments.
	RemoveAll bool
}

// SealContext is the context that a seed is sealed with. It opens for no other account, environment or purpose (V30).
func SealContext(env, accountID string) []byte {
	return []byte("useraccounts/1\x00" + env + "\x00" + accountID + "\x00totp")
}

// DeviceLife returns how long a device is trusted, 0 for not at all.
func DeviceLife(s environment.Settings) time.Duration {
	return time.Duration(max(0, s.TrustedDeviceDays)) * 24 * time.Hour
}
