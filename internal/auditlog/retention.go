package auditlog

import "time"

const (
	// DefaultRetentionDays is how many days a log is kept unless the environment sets another number.
	DefaultRetentionDays = 730
	// MaxRetentionDays is the highest number of days that an environment can set.
	MaxRetentionDays = 3650
)

const day = 24 * time.Hour

// Retention returns how long a log is kept, from the number of days in the settings.
func Retention(days int) time.Duration {
	if days <= 0 {
		days = DefaultRetentionDays
	}
	return time.Duration(min(days, MaxRetentionDays)) * day
}

// ExpiresAt returns when the table may delete the event: not before the setting under which it was written hides it,
// and without one, not before any setting would.
func (e Event) ExpiresAt() time.Time {
	if e.RetentionDays <= 0 {
		return e.At.Add(Retention(MaxRetentionDays))
	}
	return e.At.Add(Retention(e.RetentionDays))
}
