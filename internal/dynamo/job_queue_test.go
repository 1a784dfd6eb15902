package dynamo_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"useraccounts/internal/sheet"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// queuedJobs returns the ids of the jobs in the queue.
func (f *fixture) queuedJobs(t *testing.T) []string {
	t.Helper()
	jobs, err := f.jobStore.UnfinishedJobs(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

// The queue holds the jobs that were submitted, in the order of submission, whatever their ids. Ended and expired
// ones leave it.
func TestTheLineOfJobs(t *testing.T) {
	f := newFixture(t)
	start := time.Now().UTC().Truncate(time.Millisecond)
	var jobs []transfer.Job
	for i, minute := range []int{5, 3, 4} {
		j := transfer.Job{
			ID: token.NewIDString(), Env: env, Kind: transfer.Export, State: transfer.Submitted, Created: start,
			Submitted: start.Add(time.Duration(minute) * time.Minute),
			Options:   transfer.Options{DateFormat: sheet.ISO, Queue: i == 0}, RetentionDays: 30,
		}
		if i == 1 { // as an import, whose submit comes later
			j.State = transfer.Created
		}
		if err := f.jobStore.Create(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	if got := f.queuedJobs(t); !slices.Equal(got, []string{jobs[2].ID, jobs[0].ID}) {
		t.Errorf("before the submit: %v", got)
	}
	jobs[1].State = transfer.Submitted
	if err := f.jobStore.Transition(t.Context(), jobs[1], transfer.Created); err != nil {
		t.Fatal(err)
	}
	if err := f.jobStore.Transition(t.Context(), jobs[1], transfer.Created); !errors.Is(err, transfer.ErrSuperseded) {
		t.Errorf("the second click: %v", err)
	}
	if got := f.queuedJobs(t); !slices.Equal(got, []string{jobs[1].ID, jobs[2].ID, jobs[0].ID}) {
		t.Errorf("after it: %v", got)
	}
	ended := jobs[2]
	ended.State = transfer.Cancelled
	if err := f.jobStore.Transition(t.Context(), ended, transfer.Submitted); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := f.queuedJobs(t); !slices.Equal(got, []string{jobs[1].ID, jobs[0].ID}) {
			t.Errorf("after an end: %v", got)
		}
	}
}

// Queued jobs run in the order of their submits and after those submitted before, though their messages come in any
// order and more than once.
func TestQueuedJobsRunInOrder(t *testing.T) {
	f := newFixture(t)
	start := time.Now().UTC().Truncate(time.Millisecond)
	var ids []string
	for i := range 4 {
		j := transfer.Job{
			ID: token.NewIDString(), Env: env, Kind: transfer.Export, State: transfer.Submitted, Created: start, By: "admin",
			ByID:      f.admin.Caller.AccountID,
			Submitted: start.Add(time.Duration(i) * time.Second), Options: transfer.Options{DateFormat: sheet.ISO, Queue: i > 0},
		}
		if err := f.jobStore.Create(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	// Deliveries as a queue that repeats and reorders makes them; only the message of the last end runs anything.
	for _, i := range []int{3, 2, 1, 2, 3} {
		if err := f.worker().Run(t.Context(), env, ids[i]); err != nil {
			t.Fatal(err)
		}
		if got := f.job(t, ids[i]).State; got != transfer.Submitted {
			t.Fatalf("job %d is %s before its turn", i, got)
		}
	}
	for i, id := range ids {
		if err := f.worker().Run(t.Context(), env, id); err != nil {
			t.Fatal(err)
		}
		if got := f.job(t, id); got.State != transfer.Done {
			t.Errorf("job %d is %s, %+v", i, got.State, got.Problem)
		}
		if i < 3 && !slices.Contains(f.queue.sent, fmt.Sprintf("%s %s-%s", env, ids[i+1], id)) {
			t.Errorf("the end of job %d brought nobody: %v", i, f.queue.sent)
		}
	}
	if got := f.queuedJobs(t); len(got) > 0 {
		t.Errorf("left in the line: %v", got)
	}
}

// A dry run writes nothing but its own job: every other item of the table is byte for byte what it was.
func TestADryRunWritesNothing(t *testing.T) {
	f := newFixture(t)
	f.create(t, "existing", nil)
	j := f.submit(t, transfer.Options{DryRun: true}, headings(), personRow("new"),
		[]any{"existing", "Another name", nil, "moved@example.com", nil})
	before := f.dumpWithoutJob(t, j.ID)
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	if got := f.job(t, j.ID); got.State != transfer.Done ||
		got.Counts != (transfer.Counts{Rows: 2, Created: 1, Updated: 1}) {
		t.Fatalf("%+v %+v", got, got.Problem)
	}
	if after := f.dumpWithoutJob(t, j.ID); !maps.Equal(before, after) {
		t.Errorf("the table changed:\n%v\n%v", before, after)
	}
}

// dumpWithoutJob returns every item of the table as text, by key, except for the job and its entry in the queue.
func (f *fixture) dumpWithoutJob(t *testing.T, job string) map[string]string {
	t.Helper()
	out := map[string]string{}
	pages := dynamodb.NewScanPaginator(f.table.Client,
		&dynamodb.ScanInput{TableName: &f.table.Name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		got, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range got.Items {
			plain := map[string]any{}
			if err := attributevalue.UnmarshalMap(it, &plain); err != nil {
				t.Fatal(err)
			}
			if key := fmt.Sprint(plain["PK"], " ", plain["SK"]); !strings.Contains(key, job) {
				out[key] = fmt.Sprint(plain)
			}
		}
	}
	return out
}
