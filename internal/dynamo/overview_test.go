package dynamo_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/apikey"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/field"
	"useraccounts/internal/overview"
	"useraccounts/internal/signin"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// Of many who look at once with figures of old, one counts; what it counted is kept, and nothing older over it.
func TestOneCountsForEverybody(t *testing.T) {
	f := newFixture(t)
	s := dynamo.Statistics{Table: f.table}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	if got, until, err := s.Load(t.Context(), env); err != nil || !got.At.IsZero() || !until.IsZero() {
		t.Fatalf("%+v %v %v", got, until, err)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	won := 0
	for range 8 {
		all.Go(func() {
			got, err := s.AcquireLease(t.Context(), env, now, now.Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if got {
				won++
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Fatalf("%d leases", won)
	}
	want := overview.Stats{At: now,
		States: overview.StateCounts{Active: 7, ByStatus: map[account.Status]int{account.StatusActive: 7}},
		Ends:   overview.Upcoming{Count: 1, First: []overview.Person{{ID: "x", Date: "2026-11-24"}}}}
	must(t, s.Save(t.Context(), env, want))
	must(t, s.Save(t.Context(), env, overview.Stats{At: now.Add(-time.Second)}))
	got, until, err := s.Load(t.Context(), env)
	if err != nil || !got.At.Equal(now) || !reflect.DeepEqual(got.States, want.States) ||
		got.Ends.First[0] != want.Ends.First[0] || !until.IsZero() {
		t.Errorf("%+v %v %v", got, until, err)
	}
	if again, err := s.AcquireLease(t.Context(), env, now, now.Add(time.Minute)); err != nil || !again {
		t.Errorf("the lease was not given back: %v", err)
	}
}

// Sign-ins and failures are counted, unknown identifiers as the known (C24), and the figures find jobs and keys.
func TestTheHomePageReadsWhatIsThere(t *testing.T) {
	f := newFixture(t)
	s := dynamo.Statistics{Table: f.table}
	people := f.signin.clone()
	people.Stats = s
	for _, who := range []string{"nobody", "nobody@example.com", "admin"} {
		if _, err := people.Login(t.Context(), who, "wrong wrong wrong", signin.ClientInfo{}); err == nil {
			t.Fatal("signed in")
		}
	}
	must(t, errOf(people.Login(t.Context(), "admin", "a long enough secret", signin.ClientInfo{})))
	now := time.Now().UTC()
	days, err := s.Days(t.Context(), env, []string{now.AddDate(0, 0, -1).Format(time.DateOnly), now.Format(time.DateOnly)})
	must(t, err)
	if total := days[0].SignIns + days[1].SignIns; total != 1 || days[0].Failures+days[1].Failures != 3 {
		t.Errorf("%+v", days)
	}

	keys := &apikey.Service{Store: dynamo.APIKeys{Table: f.table}, Accounts: f.accounts, Now: time.Now,
		NewID: token.NewID, Random: zeroReader{}}
	robot := f.create(t, "robot", field.Patch{"userType": "API"})
	made := func(days int) string {
		k, _, err := keys.Create(t.Context(), f.currentScope(t), robot.ID,
			apikey.CreateParams{Description: "Payroll", ValidDays: days})
		must(t, err)
		return k.ID
	}
	soon, locked := made(5), made(6)
	made(30)
	must(t, errOf(keys.Lock(t.Context(), f.currentScope(t), robot.ID, locked)))
	found, count, err := s.Keys(t.Context(), f.currentScope(t).Env, now, now.AddDate(0, 0, 14), 20)
	must(t, err)
	if count != 1 || len(found) != 1 || found[0].ID != soon || found[0].Username != "robot" ||
		found[0].AccountID != robot.ID || found[0].Description != "Payroll" {
		t.Errorf("%d %+v", count, found)
	}

	for i, j := range []transfer.Job{{ID: "1", ByID: "a"}, {ID: "2", ByID: "b"}, {ID: "3", ByID: "a"}} {
		j.Env, j.Kind, j.State, j.By, j.Submitted = env, transfer.Import, transfer.Submitted, "who",
			now.Add(time.Duration(i)*time.Second)
		j.Created = now
		must(t, f.jobStore.Create(t.Context(), j))
	}
	for of, want := range map[string]int{"": 3, "a": 2, "c": 0} {
		if jobs, err := s.Jobs(t.Context(), env, of, 10); err != nil || len(jobs) != want || want > 0 && jobs[0].ID != "1" {
			t.Errorf("jobs of %q: %+v %v", of, jobs, err)
		}
	}
	if jobs, err := s.Jobs(t.Context(), env, "", 2); err != nil || len(jobs) != 2 {
		t.Errorf("%+v %v", jobs, err)
	}
}
