// Package mfa is the second factor: its methods, what is stored of them, and the rules by which a code is right once.
// It knows neither the table nor HTTP, and nothing of accounts but their ids.
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
	// MailCode is no method that an account sets up: it is there where the environment allows it and the account has an
	// email.
	MailCode Method = "emailCode"
)

const (
	// TryLimit is how many wrong codes in a row pause the second factor.
	TryLimit = 5
	// PauseTime is for how long.
	PauseTime = 15 * time.Minute
	// StreakLimit is how many wrong codes in a row end it until an administrator removes it (NIST SP 800-63B-4, 3.2.2):
	// five in each quarter of an hour would be 480 a day.
	StreakLimit = 100
	// EnrolmentLife is how long a set-up waits for its confirmation.
	EnrolmentLife = 15 * time.Minute
	// ReauthenticationWindow is how old a session may be whose word is enough to change the second factor (C15).
	ReauthenticationWindow = 5 * time.Minute
)

// Factors is what is stored of an account's second factor.
type Factors struct {
	// Seed is the sealed seed of the authenticator, nil for none. Counter is the last time step that was used, Since when
	// it was set up.
	Seed    []byte
	Counter int64
	Since   time.Time
	// Tries are the codes tried since the last right one, with the time of the last; Streak is never zeroed by a pause.
	Tries   int64
	TriedAt time.Time
	Streak  int64
	// Passkeys are in the order in which they were set up.
	Passkeys []Passkey
	// Device is the remembered device that was asked for, where the account has it and it is good.
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

// PausedUntil returns when codes are tried again, zero if they are now.
func (f Factors) PausedUntil(now time.Time) time.Time {
	if end := f.TriedAt.Add(PauseTime); f.Tries >= TryLimit && now.Before(end) {
		return end
	}
	return time.Time{}
}

// LockedOut reports whether so many wrong codes came in a row that only an administrator can help.
func (f Factors) LockedOut() bool { return f.Streak >= StreakLimit }

// PendingTOTP is an authenticator that is set up but not confirmed yet. The one before it counts until then (V31).
type PendingTOTP struct {
	ID      string
	Seed    []byte
	Expires time.Time
	Tries   int64
}

// Change is what is written of an account's second factor, whole or not at all.
type Change struct {
	// Counter, where not zero, is the time step of the code that was right: nobody may have used it or a later one.
	Counter int64
	// Seed is the seed that Counter was right for.
	Seed []byte
	// UsedCode is the lookup of the recovery code that was right, which is gone with it.
	UsedCode string
	// ConfirmedTOTP is the set-up that becomes the authenticator, with Counter used already.
	ConfirmedTOTP *PendingTOTP
	Since         time.Time
	// FirstFactor says that the account had no second factor: whatever is stored of a former one goes with this change.
	FirstFactor bool
	// NewPasskey is a passkey to keep, in place of the challenge with ChallengeDigest's digest unless that is nil;
	// RemovedPasskey is the id of one that goes; ChangedPasskey is one that was used, or got another name.
	NewPasskey      *Passkey
	ChallengeDigest []byte
	RemovedPasskey  string
	ChangedPasskey  *PasskeyChange
	// MailCode is the code that was right, which is used up.
	MailCode *MailedCode
	// Codes replaces the recovery codes: hashes by lookup.
	Codes map[string]string
	// NewDevice is a device to remember.
	NewDevice *TrustedDevice
	// Event tells of it, where the change of the account does not.
	Event *auditlog.Event
	// RemoveAll removes methods, recovery codes and what is pending.
	RemoveAll bool
}

// SealContext is what a sealed seed is bound to: it opens for no other account, environment or purpose (V30).
func SealContext(env, accountID string) []byte {
	return []byte("useraccounts/1\x00" + env + "\x00" + accountID + "\x00totp")
}

// DeviceLife returns how long a device is remembered, 0 for not at all.
func DeviceLife(s environment.Settings) time.Duration {
	return time.Duration(max(0, s.TrustedDeviceDays)) * 24 * time.Hour
}
