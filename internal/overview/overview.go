// Package overview is what the home page shows of an environment: accounts by state, seats, sign-ins by day, accounts
// that start and end soon, jobs and keys. What needs the whole directory is counted at most every five minutes, whoever
// looks.
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
	// cacheTTL is how long stats are shown before they are counted again.
	cacheTTL = 5 * time.Minute
	// leaseDuration is how long others wait for a count: longer than a function may run.
	leaseDuration = 30 * time.Second
	// firstCountTimeout is how long a caller waits for somebody else's very first count before counting too.
	firstCountTimeout = 8 * time.Second
	// daysShown is how many days of sign-ins are shown, including today, and keyDays how far ahead expiring keys are.
	daysShown, keyDays = 14, 14
	// jobsShown and keysShown are how many are listed.
	jobsShown, keysShown = 10, 20
)

// Directory reads all accounts, like directory.Store.
type Directory interface {
	Scan(ctx context.Context, env environment.Environment, after string, fields []string,
		visit func([]directory.Row)) error
}

// Seats returns the seats in use, like account.Service.
type Seats interface {
	SeatsInUse(ctx context.Context, sc access.Scope) ([]account.SeatUse, error)
}

// StatsCache stores the stats of an environment, and who counts them.
type StatsCache interface {
	// Load returns the stored stats, and until when somebody is counting. Stats.At is zero if there are none.
	Load(ctx context.Context, env string) (Stats, time.Time, error)
	// AcquireLease acquires the lease until a time, unless somebody has it.
	AcquireLease(ctx context.Context, env string, now, until time.Time) (bool, error)
	// Save stores stats and ends the lease, unless newer ones were stored.
	Save(ctx context.Context, env string, f Stats) error
}

// LiveReader reads what is not cached.
type LiveReader interface {
	// Days returns the sign-ins of the days, one entry for each.
	Days(ctx context.Context, env string, days []string) ([]Day, error)
	// Jobs returns up to limit jobs that were submitted and have not ended, in the order of submission: those of one
	// person, or all for "".
	Jobs(ctx context.Context, env, byID string, limit int) ([]Job, error)
	// Keys returns up to limit valid API keys that expire between two times, with their owners, and how many there are, up
	// to MaxKeys. The first to expire comes first.
	Keys(ctx context.Context, env environment.Environment, from, until time.Time, limit int) ([]Key, int, error)
}

// MaxKeys is up to how many expiring keys are counted: each costs a read.
const MaxKeys = 500

// Day is one day's sign-ins (UTC).
type Day struct {
	Date              string
	SignIns, Failures int64
}

// Job is a job that runs or waits.
type Job struct {
	ID, Kind, State, By string
	Submitted           time.Time
}

// Key is an API key that expires soon.
type Key struct {
	ID, Description, AccountID, Username string
	Expires                              time.Time
}

// Overview is everything on the home page. Jobs are those that the caller may see. Keys is nil for callers with an API
// key, who may not see keys (V47).
type Overview struct {
	Stats
	Seats    []account.SeatUse
	Days     []Day
	Jobs     []Job
	Keys     []Key
	KeyCount int
}

// Service reads overviews.
type Service struct {
	Directory Directory
	Seats     Seats
	Cache     StatsCache
	Live      LiveReader
	Now       func() time.Time
	// Sleep waits for the first stats; signin.Sleep outside tests.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Get returns the overview for a caller.
//
// Besides the token check it costs 17 R if the stats are cached: 1 for the stats, 8 for the seats and 8 for the days,
// and half a unit or more for each job and key. Once in five minutes a call also costs the scan: about 25,000 R for
// 100,000 accounts of 1 kB, 1 W for the lease and a few for the stats.
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
	submitter := sc.Caller.AccountID
	if sc.Caller.May(access.AccountAdmin) {
		submitter = "" // everybody's, as in the list of jobs
	}
	if out.Jobs, err = s.Live.Jobs(ctx, sc.Env.ID, submitter, jobsShown); err != nil || sc.Caller.KeyID != "" {
		return out, err
	}
	out.Keys, out.KeyCount, err = s.Live.Keys(ctx, sc.Env, now, now.AddDate(0, 0, keyDays), keysShown)
	out.Keys = slices.Grow(out.Keys, 1) // nil is for callers who may not see keys
	return out, err
}

// stats returns the cached stats, or counts. Whoever finds old ones and gets the lease counts; meanwhile the others get
// the old ones. If there are none yet the others wait, and count too if none arrive.
func (s *Service) stats(ctx context.Context, env environment.Environment) (Stats, error) {
	const pause = 200 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		cached, leasedUntil, err := s.Cache.Load(ctx, env.ID)
		if err != nil {
			return Stats{}, err
		}
		now := s.Now().UTC()
		if !cached.At.IsZero() && now.Sub(cached.At) < cacheTTL {
			return cached, nil
		}
		if !now.Before(leasedUntil) {
			if acquired, err := s.Cache.AcquireLease(ctx, env.ID, now, now.Add(leaseDuration)); err != nil {
				return Stats{}, err
			} else if acquired {
				return s.count(ctx, env)
			}
		}
		if !cached.At.IsZero() {
			return cached, nil
		}
		if waited >= firstCountTimeout {
			return s.count(ctx, env)
		}
		if err := s.Sleep(ctx, pause); err != nil {
			return Stats{}, err
		}
	}
}

// count counts the directory in env's snapshot, and caches the result.
func (s *Service) count(ctx context.Context, env environment.Environment) (Stats, error) {
	c := newCounter(env, s.Now().UTC())
	if err := s.Directory.Scan(ctx, env, "", countedFields(), c.visit); err != nil {
		return Stats{}, err
	}
	stats := c.stats()
	return stats, s.Cache.Save(ctx, env.ID, stats)
}
