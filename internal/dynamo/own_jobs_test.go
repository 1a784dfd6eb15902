package dynamo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/schema"
	"useraccounts/internal/dynamo/table"
	"useraccounts/internal/transfer"
)

// createJobs makes jobs of one person; their ids follow those of the jobs before.
func createJobs(t *testing.T, s dynamo.Jobs, owner string, from, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("01JZ%022d", from+i)
		if err := s.Create(t.Context(), transfer.Job{ID: ids[i], Env: env, Kind: transfer.Import, State: transfer.Created,
			ByID: owner, Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// listOwnJobs returns the ids of all pages.
func listOwnJobs(t *testing.T, s dynamo.Jobs, owner string, limit int) []string {
	t.Helper()
	var out []string
	for after := ""; ; {
		jobs, next, err := s.OwnJobs(t.Context(), env, owner, after, limit)
		if err != nil || len(jobs) > limit {
			t.Fatalf("%d jobs of %d, %v", len(jobs), limit, err)
		}
		for _, j := range jobs {
			out = append(out, j.ID)
		}
		if next == "" {
			return out
		}
		after = next
	}
}

// V96: listing one's own jobs costs the same with 10 and with 5,000 jobs of others, whether or not the environment has
// been upgraded yet.
func TestOwnJobsCostTheSameWhateverOthersHaveStored(t *testing.T) {
	f := newFixture(t)
	m := &meter{plain: f.table.Client, table: &f.table.Name}
	metered := dynamo.Jobs{Table: &dynamo.Table{Client: m.client(t), Name: f.table.Name}}
	others := 0
	for _, n := range []int{10, 5000} {
		createJobs(t, f.jobStore, "others", others, n-others)
		others = n
		m.within(t, fmt.Sprintf("list own jobs, none, beside %d of others", n), 2, 2, 0, func() {
			if jobs, next,
				err := metered.OwnJobs(t.Context(), env, "somebody", "", 1); err != nil || len(jobs) > 0 || next != "" {
				t.Errorf("%d jobs, %q, %v", len(jobs), next, err)
			}
		})
	}
	own := createJobs(t, f.jobStore, "somebody", 6000, 3)
	m.within(t, "list two of three own jobs", 3, 4, 0, func() {
		jobs, next, err := metered.OwnJobs(t.Context(), env, "somebody", "", 2)
		if err != nil || len(jobs) != 2 || jobs[0].ID != own[2] || next != own[1] {
			t.Errorf("%+v, %q, %v", jobs, next, err)
		}
	})
	f.deleteItem(t, schema.OwnJobsReadyKey(env))
	m.within(t, "list own jobs before the upgrade", 2, 40, 0, func() {
		if _, _, err := metered.OwnJobs(t.Context(), env, "somebody", "", 1); err != nil {
			t.Error(err)
		}
	})
}

// Jobs that an earlier release stored have no entry among those of their owner: they are listed meanwhile, and the
// upgrade, which can be repeated, stores the entries.
func TestJobsStoredBeforeAreListedByOwner(t *testing.T) {
	f := newFixture(t)
	own := createJobs(t, f.jobStore, "somebody", 0, 3)
	createJobs(t, f.jobStore, "others", 3, 250)
	own = append(own, createJobs(t, f.jobStore, "somebody", 300, 2)...)
	slices.Reverse(own)
	f.deleteItem(t, schema.OwnJobsReadyKey(env))
	for _, id := range own {
		f.deleteItem(t, schema.OwnJobKey(env, "somebody", id))
	}
	check := func(when string) {
		t.Helper()
		for _, limit := range []int{1, 2, 50} {
			if got := listOwnJobs(t, f.jobStore, "somebody", limit); !slices.Equal(got, own) {
				t.Errorf("%s, by %d: %v, want %v", when, limit, got, own)
			}
		}
	}
	check("as stored before")
	for range 2 {
		if err := (dynamo.Upgrades{Table: f.table}).Upgrade(t.Context(), env); err != nil {
			t.Fatal(err)
		}
		check("upgraded")
	}
	if it, err := f.table.Get(t.Context(), schema.OwnJobKey(env, "somebody", own[4])); err != nil || it == nil {
		t.Errorf("the upgrade stored no entry: %v, %v", it, err)
	}
}

func (f *fixture) deleteItem(t *testing.T, k table.Key) {
	t.Helper()
	if _, err := f.table.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &f.table.Name, Key: k.Attributes(),
	}); err != nil {
		t.Fatal(err)
	}
}
