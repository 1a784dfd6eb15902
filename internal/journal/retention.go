package journal

import "time"

// KeepDays is for how many days a log is kept unless the environment says otherwise, LongestDays the most that it can say.
const KeepDays, LongestDays = 730, 3650

const day = 24 * time.Hour

// Kept returns how long a log is kept by a number of days as the settings hold it.
func Kept(days int) time.Duration {
	if days <= 0 {
		days = KeepDays
	}
	return time.Duration(min(days, LongestDays)) * day
}

// SweepAfter returns when the table may sweep the event: never before it is hidden by the setting that it was written
// under, and without one, not before it would be hidden by any.
func (e Event) SweepAfter() time.Time {
	if e.Keep <= 0 {
		return e.At.Add(Kept(LongestDays))
	}
	return e.At.Add(Kept(e.Keep))
}
