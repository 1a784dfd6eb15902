package auditlog

import "time"

// DefaultRetentionDays is for how many days a log is kept unless the environment says otherwise, MaxRetentionDays the
// most that it can say.
const DefaultRetentionDays, MaxRetentionDays = 730, 3650

const day = 24 * time.Hour

// Retention returns how long a log is kept by a number of days as the settings hold it.
func Retention(days int) time.Duration {
	if days <= 0 {
		days = DefaultRetentionDays
	}
	return time.Duration(min(days, MaxRetentionDays)) * day
}

// ExpiresAt returns when the table may sweep the event: never before it is hidden by the setting that it was written
// under, and without one, not before it would be hidden by any.
func (e Event) ExpiresAt() time.Time {
	if e.RetentionDays <= 0 {
		return e.At.Add(Retention(MaxRetentionDays))
	}
	return e.At.Add(Retention(e.RetentionDays))
}
