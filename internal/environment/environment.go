// Package environment is one organisation's settings and the state that every reader starts from.
package environment

import (
	"slices"
	"time"
)

// Environment is what every request reads first, in one item: the settings, which version of the reference data is
// current, and which imports count.
type Environment struct {
	ID               string
	Settings         Settings
	SettingsVersion  int64
	CatalogueVersion int64
	// Imports is the snapshot that decides what a reader sees of imports.
	Imports Snapshot
	// CursorKey authenticates page cursors; random for each environment, made when it is seeded.
	CursorKey []byte
}

// Settings are the environment defaults.
type Settings struct {
	PasswordMinLength int `dynamodbav:"passwordMinLength"`
	// FailedTryLimit is how many wrong passwords block an account; 1..100 (NIST SP 800-63B-4, 3.2.2).
	FailedTryLimit int `dynamodbav:"failedTryLimit"`
	// SessionIdle ends a session that was not refreshed; SessionHard ends any.
	SessionIdle Minutes `dynamodbav:"sessionIdleMinutes"`
	SessionHard Minutes `dynamodbav:"sessionHardMinutes"`
	MFARequired bool    `dynamodbav:"mfaRequired"`
	// Country and Currency are ISO 3166-1 alpha-2 and ISO 4217 codes.
	Country    string `dynamodbav:"country"`
	Currency   string `dynamodbav:"currency"`
	DACEnabled bool   `dynamodbav:"dacEnabled"`
}

// TryLimit returns FailedTryLimit within its bounds, whatever is stored: counting tries can be neither turned off nor
// stretched over NIST's hundred (V16).
func (s Settings) TryLimit() int {
	if s.FailedTryLimit < 1 {
		return Defaults().FailedTryLimit
	}
	return min(s.FailedTryLimit, 100)
}

// Minutes is a length of time as settings state it.
type Minutes int

// Duration returns m as a time.Duration.
func (m Minutes) Duration() time.Duration { return time.Duration(m) * time.Minute }

// Defaults returns the settings of a new environment.
func Defaults() Settings {
	return Settings{
		PasswordMinLength: 12, FailedTryLimit: 5, SessionIdle: 30, SessionHard: 12 * 60,
		Country: "GB", Currency: "GBP",
	}
}

// Snapshot says which imports a reader sees: those up to Last that are not Pending. It is the snapshot of a
// multi-version database (last transaction given out, transactions in progress) with imports as the transactions.
// Take it before reading anything it judges: an import that commits in between is then unseen as a whole.
type Snapshot struct {
	Last    int64   `json:"l"`
	Pending []int64 `json:"p,omitempty"`
}

// Sees reports whether a reader with this snapshot sees what import number n wrote; 0 means no import and is seen.
func (s Snapshot) Sees(n int64) bool {
	return n == 0 || (n <= s.Last && !slices.Contains(s.Pending, n))
}
