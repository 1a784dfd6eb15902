// Package overview is what the home page shows of an environment: accounts by state, seats, sign-ins by day, who starts
// and ends soon, jobs and keys. What needs the whole directory is counted once in a while and kept, whoever looks.
package overview

import (
	"context"
	"slices"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/environment"
)

const (
	// cacheTTL is how long figures are shown before the next person who looks has them counted again.
	cacheTTL = 5 * time.Minute
	// leaseDuration is how long one who counts is waited for: more than a function may run.
	leaseDuration = 30 * time.Second
	// firstCountTimeout is how long somebody waits for the very first figures, that another is counting, before counting
	// as well.
	firstCountTimeout = 8 * time.Second
	// daysShown is how many days of sign-ins are shown, today's included, and keyDays how far ahead keys are.
	daysShown, keyDays = 14, 14
	// jobsShown, keysShown: the first of them.
	jobsShown, keysShown = 10, 20
)

// Directory reads all accounts (directory.Store is more).
type Directory interface {
	Scan(ctx context.Context, env environment.Environment, after string, fields []string, visit func([]directory.Row)) error
}

// Seats is account.Service's count of seats.
type Seats interface {
	SeatsInUse(ctx context.Context, sc access.Scope) ([]account.SeatUse, error)
}

// StatsCache keeps the figures of an environment.
type StatsCache interface {
	// Load returns what was kept, and until when somebody is counting; Figures.At is zero where nothing was kept yet.
	Load(ctx context.Context, env string) (Stats, time.Time, error)
	// AcquireLease takes the lease until a time, unless somebody has one now.
	AcquireLease(ctx context.Context, env string, now, until time.Time) (bool, error)
	// Save keeps figures and ends the lease, unless newer ones were kept meanwhile.
	Save(ctx context.Context, env string, f Stats) error
}

// LiveReader reads what is shown as it is.
type LiveReader interface {
	// Days returns the sign-ins of days, one entry for each of them.
	Days(ctx context.Context, env string, days []string) ([]Day, error)
	// Jobs returns up to limit jobs that were submitted and have not ended, first submitted first: those of one person, or
	// of all for "".
	Jobs(ctx context.Context, env, byID string, limit int) ([]Job, error)
	// Keys returns the API keys in force that expire between two times, the first to expire first, limit of them with
	// their owners, and how many there are, up to MaxKeys.
	Keys(ctx context.Context, env environment.Environment, from, until time.Time, limit int) ([]Key, int, error)
}

// MaxKeys is up to how many expiring keys are counted: each costs a read.
const MaxKeys = 500

// Day is one day's sign-ins (UTC).
type Day struct {
	Date              string
	SignIns, Failures int64
}

// Job is one that runs or waits.
type Job struct {
	ID, Kind, State, By string
	Submitted           time.Time
}

// Key is an API key that expires soon.
type Key struct {
	ID, Description, AccountID, Username string
	Expires                              time.Time
}

// Overview is the whole of it. Jobs are those that the caller may see. Keys is nil for callers who came by a key, which
// do not read keys (V47).
type Overview struct {
	Stats
	Seats    []account.SeatUse
	Days     []Day
	Jobs     []Job
	Keys     []Key
	KeyCount int
}

// Service makes overviews.
type Service struct {
	Directory Directory
	Seats     Seats
	Cache     StatsCache
	Live      LiveReader
	Now       func() time.Time
	// Sleep waits for the first figures; signin.Sleep outside tests.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Get returns the overview for a caller.
//
// It costs, besides the token check, 17 R with the figures at hand: 1 R for the figures, 8 for the seats and 8 for the
// days, then half a read unit and more for each job and key. Once in five minutes somebody's costs the scan as well: of
// 100,000 accounts of 1 kB that is some 25,000 R, and one write of 1 W to take the lease and one of a few to keep the
// figures.
func (s *Service) Get(ctx context.Context, sc access.Scope) (Overview, error) {
	var out Overview
	var err error
	if out.Stats, err = s.stats(ctx, sc.Env); err != nil {
		return Overview{}, err
	}
	if out.Seats, err = s.Seats.SeatsInUse(ctx, sc); err != nil {
		return Overview{}, err
	}
	now := s.Now().UTC()
	days := make([]string, daysShown)
	for i := range days {
		days[i] = now.AddDate(0, 0, i-daysShown+1).Format(time.DateOnly)
	}
	if out.Days, err = s.Live.Days(ctx, sc.Env.ID, days); err != nil {
		return Overview{}, err
	}
	of := sc.Caller.AccountID
	if sc.Caller.May(access.AccountAdmin) {
		of = "" // as the list of jobs
	}
	if out.Jobs, err = s.Live.Jobs(ctx, sc.Env.ID, of, jobsShown); err != nil || sc.Caller.KeyID != "" {
		return out, err
	}
	out.Keys, out.KeyCount, err = s.Live.Keys(ctx, sc.Env, now, now.AddDate(0, 0, keyDays), keysShown)
	out.Keys = slices.Grow(out.Keys, 1) // nil is for those who may not see them
	return out, err
}

// stats returns what was counted last, or counts. Whoever finds old figures and gets the lease counts; everybody else
// is shown the old ones meanwhile. Where there are none yet they wait, and count as well if nothing comes of it.
func (s *Service) stats(ctx context.Context, env environment.Environment) (Stats, error) {
	const pause = 200 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		kept, leased, err := s.Cache.Load(ctx, env.ID)
		if err != nil {
			return Stats{}, err
		}
		now := s.Now().UTC()
		if !kept.At.IsZero() && now.Sub(kept.At) < cacheTTL {
			return kept, nil
		}
		if !now.Before(leased) {
			if got, err := s.Cache.AcquireLease(ctx, env.ID, now, now.Add(leaseDuration)); err != nil {
				return Stats{}, err
			} else if got {
				return s.count(ctx, env)
			}
		}
		if !kept.At.IsZero() {
			return kept, nil
		}
		if waited >= firstCountTimeout {
			return s.count(ctx, env)
		}
		if err := s.Sleep(ctx, pause); err != nil {
			return Stats{}, err
		}
	}
}

// count counts the directory as env's snapshot sees it, and keeps what it found.
func (s *Service) count(ctx context.Context, env environment.Environment) (Stats, error) {
	c := newCounter(env, s.Now().UTC())
	if err := s.Directory.Scan(ctx, env, "", countedFields(), c.visit); err != nil {
		return Stats{}, err
	}
	found := c.stats()
	return found, s.Cache.Save(ctx, env.ID, found)
}
