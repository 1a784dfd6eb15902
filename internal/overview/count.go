package overview

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
)

const (
	// upcomingDays is how far ahead accounts that start or end are looked for, today included; upcomingShown how many are
	// named.
	upcomingDays, upcomingShown = 7, 20
)

// Stats are what was counted over the whole directory, at one time.
type Stats struct {
	At           time.Time
	States       StateCounts
	Starts, Ends Upcoming
}

// StateCounts counts accounts by state. Locked ones are in Locked alone. Of the active ones each is in one of Allowed,
// Blocked, BlockedByTries and NotYetAllowed, and, beside that, in those of the rest that it belongs to.
type StateCounts struct {
	Active, Locked                                  int
	Allowed, Blocked, BlockedByTries, NotYetAllowed int
	OutOfDates                                      int
	// SecondFactor have one; SecondFactorMissing need one and have none.
	SecondFactor, SecondFactorMissing int
}

// Upcoming are accounts that start, or end, within the next days: the first of them, and how many.
type Upcoming struct {
	Count int
	First []Person
}

// Person is an account with the day on which it starts or ends.
type Person struct {
	ID, Username, Name string
	Date               field.Date
}

// countedFields are what the scan reads of each account.
func countedFields() []string {
	return []string{"username", "name", "active", "accessLocked", "lockedReason", "dateFrom", "dateTo", "mfaEnabled",
		"mfaRequired", "mfaExempt"}
}

// counter counts accounts in batches that come several at a time.
type counter struct {
	mfaRequired  bool
	today, until field.Date
	mu           sync.Mutex
	counted      Stats
}

func newCounter(env environment.Environment, now time.Time) *counter {
	return &counter{
		mfaRequired: env.Settings.MFARequired, today: field.DateOf(now), until: field.DateOf(now.AddDate(0, 0, upcomingDays)),
		counted: Stats{At: now.Truncate(time.Millisecond)},
	}
}

func (c *counter) visit(rows []directory.Row) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range rows {
		c.add(&rows[i].Account)
	}
}

func (c *counter) add(a *account.Account) {
	n := &c.counted.States
	if !a.Active {
		n.Locked++
		return
	}
	n.Active++
	switch {
	case a.AccessLocked && a.LockedReason == account.ReasonNotYetAllowed:
		n.NotYetAllowed++
	case a.AccessLocked:
		n.Blocked++
	case !a.TriesBlockedAt.IsZero():
		n.BlockedByTries++
	default:
		n.Allowed++
	}
	if !a.InDates(c.today) {
		n.OutOfDates++
	}
	switch {
	case a.MFAEnabled:
		n.SecondFactor++
	case a.MFARequired || c.mfaRequired && !a.MFAExempt:
		n.SecondFactorMissing++
	}
	c.counted.Starts.add(a, a.DateFrom, c)
	c.counted.Ends.add(a, a.DateTo, c)
}

// add counts an account whose day is near, and keeps it if it is among the first: by day, then username.
func (s *Upcoming) add(a *account.Account, on field.Date, c *counter) {
	if on < c.today || on > c.until {
		return
	}
	s.Count++
	p := Person{ID: a.ID, Username: a.Username, Name: a.Name, Date: on}
	i, _ := slices.BinarySearchFunc(s.First, p, func(x, y Person) int {
		return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(account.Fold(x.Username), account.Fold(y.Username)))
	})
	if i < upcomingShown {
		s.First = slices.Insert(s.First, i, p)
		s.First = s.First[:min(len(s.First), upcomingShown)]
	}
}

func (c *counter) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted
}
