package overview_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/environment"
	"useraccounts/internal/field"
	"useraccounts/internal/overview"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// fakeBackend is everything that an overview reads.
type fakeBackend struct {
	accounts []account.Account
	scans    int
	cached   overview.Stats
	leased   time.Time
	now      time.Time
	slept    time.Duration
	jobsBy   string
	days     []string
	fail     error
}

func (w *fakeBackend) Scan(_ context.Context, _ environment.Environment, _ string, _ []string,
	visit func([]directory.Row)) error {
	w.scans++
	var wg sync.WaitGroup
	for _, a := range w.accounts {
		wg.Go(func() { visit([]directory.Row{{Account: a}}) })
	}
	wg.Wait()
	return w.fail
}

func (w *fakeBackend) SeatsInUse(context.Context, access.Scope) ([]account.SeatUse, error) {
	return []account.SeatUse{{Licence: "FULL", Used: 2, Seats: 3}}, nil
}

func (w *fakeBackend) Load(context.Context, string) (overview.Stats, time.Time, error) {
	return w.cached, w.leased, nil
}

func (w *fakeBackend) AcquireLease(_ context.Context, _ string, now, until time.Time) (bool, error) {
	if now.Before(w.leased) {
		return false, nil
	}
	w.leased = until
	return true, nil
}

func (w *fakeBackend) Save(_ context.Context, _ string, f overview.Stats) error {
	w.cached, w.leased = f, time.Time{}
	return nil
}

func (w *fakeBackend) Days(_ context.Context, _ string, days []string) ([]overview.Day, error) {
	w.days = days
	return make([]overview.Day, len(days)), nil
}

func (w *fakeBackend) Jobs(_ context.Context, _, byID string, _ int) ([]overview.Job, error) {
	w.jobsBy = byID
	return nil, nil
}

func (w *fakeBackend) Keys(context.Context, environment.Environment, time.Time, time.Time, int) ([]overview.Key, int,
	error) {
	return nil, 0, nil
}

func (w *fakeBackend) get(t *testing.T, caller access.Caller) overview.Overview {
	t.Helper()
	s := overview.Service{Directory: w, Seats: w, Cache: w, Live: w, Now: func() time.Time { return w.now },
		Sleep: func(_ context.Context, d time.Duration) error {
			w.slept += d
			return nil
		}}
	got, err := s.Get(t.Context(),
		access.Scope{Caller: caller, Env: environment.Environment{Settings: environment.Settings{MFARequired: true}}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEachStateIsCountedOnce(t *testing.T) {
	w := &fakeBackend{now: now, accounts: []account.Account{
		{Active: true}, {Active: true, MFAEnabled: true}, {Active: true, MFAExempt: true},
		{Active: true, AccessLocked: true, BlockKind: account.NotYetAllowed},
		{Active: true, AccessLocked: true, LockedReason: account.ReasonNotYetAllowed,
			BlockKind: account.BlockedByAdministrator, TriesBlockedAt: now},
		{Active: true, TriesBlockedAt: now},
		{Active: true, DateTo: "2026-11-22"}, {Active: true, DateFrom: "2026-11-24"}, {Active: true, DateTo: "2026-11-23"},
		{AccessLocked: true, DateTo: "2026-11-24", MFAEnabled: true},
	}}
	want := overview.StateCounts{Active: 9, Locked: 1, Allowed: 6, Blocked: 1, BlockedByTries: 1, NotYetAllowed: 1,
		OutOfDates: 2, SecondFactor: 1, SecondFactorMissing: 7, ByStatus: map[account.Status]int{
			account.StatusLocked: 1, account.StatusBlocked: 1, account.StatusTooManyTries: 1, account.StatusNotYetAllowed: 1,
			account.StatusNotStarted: 1, account.StatusExpired: 1, account.StatusActive: 4}}
	got := w.get(t, access.Caller{})
	if !reflect.DeepEqual(got.States, want) {
		t.Errorf("%+v, want %+v", got.States, want)
	}
	if got.Starts.Count != 1 || got.Ends.Count != 1 || got.Ends.First[0].Date != "2026-11-23" {
		t.Errorf("starts %+v, ends %+v", got.Starts, got.Ends)
	}
	if !got.At.Equal(now) || got.Seats[0].Used != 2 {
		t.Errorf("%+v", got)
	}
}

func TestTheFirstTwentyThatEndAreByDayAndName(t *testing.T) {
	w := &fakeBackend{now: now}
	for i := range 60 {
		w.accounts = append(w.accounts, account.Account{
			Active: true, Username: fmt.Sprintf("p%02d", (i*7)%60), DateTo: field.Date(fmt.Sprintf("2026-11-%02d", 30-i%10)),
		})
	}
	w.accounts = append(w.accounts, account.Account{Active: true, DateTo: "2026-12-01"})
	ends := w.get(t, access.Caller{}).Ends
	if ends.Count != 48 || len(ends.First) != 20 || ends.First[0].Date != "2026-11-23" {
		t.Fatalf("%d, %d shown, %+v", ends.Count, len(ends.First), ends.First)
	}
	for i, p := range ends.First[1:] {
		if before := ends.First[i]; string(before.Date)+before.Username >= string(p.Date)+p.Username {
			t.Errorf("%+v before %+v", before, p)
		}
	}
}

func TestTheDirectoryIsCountedOnceInFiveMinutes(t *testing.T) {
	w := &fakeBackend{now: now}
	check := func(name string, scans int, at time.Time) {
		t.Helper()
		if got := w.get(t, access.Caller{}); w.scans != scans || !got.At.Equal(at) {
			t.Errorf("%s: %d scans, counted %v", name, w.scans, got.At)
		}
	}
	check("first", 1, now)
	w.now = now.Add(5*time.Minute - time.Second)
	check("within", 1, now)
	w.now = now.Add(5 * time.Minute)
	w.leased = w.now.Add(time.Second)
	check("somebody counts", 1, now)
	w.leased = w.now // the lease has ended
	check("after them", 2, w.now)
}

// If nothing was counted yet and somebody is counting, others wait, but not for ever.
func TestTheFirstFiguresAreWaitedFor(t *testing.T) {
	w := &fakeBackend{now: now, leased: now.Add(time.Minute)}
	got := w.get(t, access.Caller{})
	if w.scans != 1 || !got.At.Equal(now) || w.slept < 5*time.Second || w.slept > 10*time.Second {
		t.Errorf("%d scans after %v", w.scans, w.slept)
	}
	w = &fakeBackend{now: now, fail: errors.New("away")}
	s := overview.Service{Directory: w, Seats: w, Cache: w, Live: w, Now: func() time.Time { return now }}
	if _, err := s.Get(t.Context(), access.Scope{}); !errors.Is(err, w.fail) || !w.cached.At.IsZero() {
		t.Errorf("a count that failed was kept: %v %v", err, w.cached.At)
	}
}

// People see their own jobs, administrators all; callers with an API key do not see keys (V47).
func TestCallersSeeWhatTheyMay(t *testing.T) {
	w := &fakeBackend{now: now}
	if got := w.get(t, access.Caller{AccountID: "me"}); w.jobsBy != "me" || got.Keys == nil {
		t.Errorf("asked for %q, keys %v", w.jobsBy, got.Keys)
	}
	if got := w.get(t, access.Caller{AccountID: "me", KeyID: "K", Permissions: access.Set{}}); got.Keys != nil {
		t.Errorf("a key sees keys")
	}
	w.get(t, access.Caller{AccountID: "me", Permissions: access.Set{access.AccountAdmin: {}}})
	if w.jobsBy != "" {
		t.Errorf("an administrator is shown the jobs of %q", w.jobsBy)
	}
	if len(w.days) != 14 || w.days[0] != "2026-11-10" || w.days[13] != "2026-11-23" {
		t.Errorf("%v", w.days)
	}
}
