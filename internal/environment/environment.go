// Package environment is one organisation's settings and the state that every reader starts from.
package environment

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// IDPattern is what the id of an environment looks like. It is part of keys, whose parts a # separates, so that
// another sign in it could name something of another environment. The template's EnvironmentId states the same.
const IDPattern = "[a-z][a-z0-9-]{0,31}"

var idPattern = regexp.MustCompile("^" + IDPattern + "$")

// CheckID returns an error that says what an environment's id has to be, unless id is one.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("%q cannot be the id of an environment: use 1 to 32 of a-z, 0-9 and -, a letter first", id)
	}
	return nil
}

// Environment is what every request reads first, in one item: the settings, which version of the reference data is
// current, and which imports count.
type Environment struct {
	ID               string
	Settings         Settings
	SettingsVersion  int64
	CatalogueVersion int64
	// Imports is the snapshot that decides what a reader sees of imports.
	Imports Snapshot
	// CursorKey authenticates page cursors. It is random, and created with the environment.
	CursorKey []byte
}

// Settings are the environment defaults. Package settings has their table of fields: labels, bounds, help. Package
// dynamo/schema says how they are stored.
type Settings struct {
	PasswordMinLength int
	// PasswordClasses is how many character classes a password needs, PasswordHistory how many previous passwords it must
	// not be, PasswordMaxAgeDays when it must be changed; 0 turns each off.
	PasswordClasses    int
	PasswordHistory    int
	PasswordMaxAgeDays int
	// PasswordNIST keeps the policy to what NIST SP 800-63B asks for: no classes and no maximum age.
	PasswordNIST bool
	// AdminSetsPasswords lets administrators choose the temporary password of an account; without it people set their own
	// by a link only (V10).
	AdminSetsPasswords bool
	// FailedTryLimit is how many wrong passwords block an account; 1..100 (NIST SP 800-63B-4, 3.2.2).
	FailedTryLimit int
	// FailedTryRelease lifts such a block after a time.
	FailedTryRelease bool
	// SessionIdle ends a session that was not refreshed; SessionHard ends any.
	SessionIdle Minutes
	SessionHard Minutes
	// ConfirmAgain is how old a proof of who somebody is may be for an act that needs a fresh one. It is 0 in what was
	// stored before there was such a setting; ConfirmAgainAfter says what counts.
	ConfirmAgain Minutes
	MFARequired  bool
	// EmailCodeAllowed lets a code by mail be a second factor.
	EmailCodeAllowed bool
	// TrustedDeviceDays is how long a trusted device needs no second factor; 0 for not at all.
	TrustedDeviceDays int
	// PasswordLinkHours is how long a mailed link to set a password works.
	PasswordLinkHours int
	// ResetConfirmation shows the delivery of such mails in the communication log.
	ResetConfirmation bool
	// Country and Currency are ISO 3166-1 alpha-2 and ISO 4217 codes.
	Country    string
	Currency   string
	DACEnabled bool
	// LogRetentionDays is how long the log is kept.
	LogRetentionDays int
	// MailSenderName is the name that mails come from.
	MailSenderName string
}

// TryLimit returns FailedTryLimit within its bounds, whatever is stored. Counting tries cannot be turned off, and the
// limit cannot exceed NIST's hundred (V16).
func (s Settings) TryLimit() int {
	if s.FailedTryLimit < 1 {
		return Defaults().FailedTryLimit
	}
	return min(s.FailedTryLimit, 100)
}

// ConfirmAgainAfter returns ConfirmAgain within its bounds, whatever is stored.
func (s Settings) ConfirmAgainAfter() time.Duration {
	if s.ConfirmAgain < 1 {
		return Defaults().ConfirmAgain.Duration()
	}
	return min(s.ConfirmAgain, 60).Duration()
}

// Minutes is a length of time as settings state it.
type Minutes int

// Duration returns m as a time.Duration.
func (m Minutes) Duration() time.Duration { return time.Duration(m) * time.Minute }

// Defaults returns the settings of a new environment.
func Defaults() Settings {
	return Settings{
		PasswordMinLength: 12, AdminSetsPasswords: true, FailedTryLimit: 5, FailedTryRelease: true, SessionIdle: 30,
		SessionHard: 12 * 60, ConfirmAgain: 5,
		TrustedDeviceDays: 30, PasswordLinkHours: 24, Country: "GB", Currency: "GBP", LogRetentionDays: 730,
		MailSenderName: "User Accounts",
	}
}

// Snapshot says which imports a reader sees: those up to Last that are not Pending. It is the snapshot of a
// multi-version database (last transaction id, transactions in progress) with imports as the transactions. Take it
// before you read anything that it applies to: an import that commits in between is then invisible as a whole.
type Snapshot struct {
	Last    int64   `json:"l"`
	Pending []int64 `json:"p,omitempty"`
}

// Sees reports whether a reader with this snapshot sees what import number n wrote; 0 means no import and is seen.
func (s Snapshot) Sees(n int64) bool {
	return n == 0 || (n <= s.Last && !slices.Contains(s.Pending, n))
}
