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
	// upcomingDays is for how many days, today included, starts and ends are shown; upcomingShown how many accounts are
	// listed.
	upcomingDays, upcomingShown = 7, 20
)

// Stats are what was counted over the whole directory at one time. They are stored as JSON by the names of their
// fields.
type Stats struct {
	At           time.Time
	States       StateCounts
	Starts, Ends Upcoming
}

// StateCounts counts accounts by state. Locked accounts are only in Locked. Each active one is in exactly one of
// Allowed, Blocked, BlockedByTries and NotYetAllowed, and also in those of the other counts that apply to it.
type StateCounts struct {
	// ByStatus counts all accounts, each once.
	ByStatus                                        map[account.Status]int
	Active, Locked                                  int
	Allowed, Blocked, BlockedByTries, NotYetAllowed int
	OutOfDates                                      int
	// SecondFactor counts accounts with a second factor, SecondFactorMissing those that need one and have none.
	SecondFactor, SecondFactorMissing int
}

// Upcoming is how many accounts start, or end, within the next days, and the first of them.
type Upcoming struct {
	Count int
	First []Person
}

// Person is an account with the day on which it starts or ends.
type Person struct {
	ID, Username, Name string
	Date               field.Date
}

// countedFields are the fields that the scan reads.
func countedFields() []string {
	return []string{"username", "name", "status", "mfaEnabled", "mfaRequired", "mfaExempt"}
}

// counter counts accounts in batches that arrive concurrently.
type counter struct {
	mfaRequired  bool
	today, until field.Date
	mu           sync.Mutex
	counted      Stats
}

func newCounter(env environment.Environment, now time.Time) *counter {
	return &counter{
		mfaRequired: env.Settings.MFARequired, today: field.DateOf(now), until: field.DateOf(now.AddDate(0, 0, upcomingDays)),
		counted: Stats{At: now.Truncate(time.Millisecond), States: StateCounts{ByStatus: map[account.Status]int{}}},
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
	n, status := &c.counted.States, a.StatusOn(c.today)
	n.ByStatus[status]++
	switch status {
	case account.StatusLocked:
		n.Locked++
		return
	case account.StatusBlocked:
		n.Blocked++
	case account.StatusTooManyTries:
		n.BlockedByTries++
	case account.StatusNotYetAllowed:
		n.NotYetAllowed++
	case account.StatusNotStarted, account.StatusExpired, account.StatusActive:
		n.Allowed++
	}
	n.Active++
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

// add counts an account if the day is near, and lists it if it is among the first by day and username.
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
