package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/transfer"
)

var errProcessDied = errors.New("the process is dead")

// crash stops a process at its n-th write: before it leaves, or after it arrived and before the answer. From then on
// nothing leaves the process.
type crash struct {
	mu     sync.Mutex
	at     int
	after  bool
	writes int
	dead   bool
}

// everyNth is the step of what is tried at each call: under the race detector, which sees the same in any of them, only
// some are.
func everyNth() int {
	if testing.Short() {
		return 7
	}
	return 1
}

func (c *crash) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("crash", c.handle), middleware.Before)
	})
	return dynamodb.New(o)
}

func (c *crash) handle(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
	dies, dead := c.count(in.Parameters)
	if dies && c.after {
		_, _, _ = next.HandleInitialize(ctx, in)
	}
	if dead {
		return out, md, errProcessDied
	}
	return next.HandleInitialize(ctx, in)
}

// count counts a write, and says whether the process dies of it and whether it is dead.
func (c *crash) count(parameters any) (dies, dead bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch parameters.(type) {
	case *dynamodb.TransactWriteItemsInput, *dynamodb.UpdateItemInput, *dynamodb.PutItemInput, *dynamodb.DeleteItemInput:
		c.writes++
		dies = !c.dead && c.writes == c.at
	}
	c.dead = c.dead || dies
	return dies, c.dead
}

// workerOn returns a worker whose every call goes through c.
func (f *fixture) workerOn(t *testing.T, c *crash) *transfer.Worker {
	t.Helper()
	on := *f
	on.table = &dynamo.Table{Client: c.client(t), Name: f.table.Name}
	on.environments, on.store, on.jobStore = dynamo.NewEnvironments(on.table), dynamo.Accounts{Table: on.table},
		dynamo.Jobs{Table: on.table}
	return on.worker()
}

// mixedRows is a file that makes some accounts and changes one.
func mixedRows(tag string, made int) [][]any {
	rows := [][]any{headings()}
	for i := range made {
		rows = append(rows, personRow(fmt.Sprintf("%s%02d", tag, i)))
	}
	return append(rows, []any{"keep", "Renamed by " + tag, nil, tag + "@moved.example.com", "VIEWER"})
}

// V73, V74: an import killed at any write, before or after it arrives, is by the next delivery all there; until then
// nobody sees anything of it.
func TestImportKilledAtEveryWriteEndsWhole(t *testing.T) {
	f := newFixture(t)
	f.create(t, "keep", nil)
	dry := &crash{}
	first := f.submit(t, transfer.Options{}, mixedRows("a", 40)...)
	if err := f.workerOn(t, dry).Run(t.Context(), env, first.ID); err != nil {
		t.Fatal(err)
	}
	expect := 2 + 40
	for at := 1; at <= dry.writes; at++ {
		for _, after := range []bool{false, true} {
			tag := fmt.Sprintf("k%d%v", at, after)
			before := f.usernames(t)
			j := f.submit(t, transfer.Options{}, mixedRows(tag, 40)...)
			c := &crash{at: at, after: after}
			if err := f.workerOn(t, c).Run(t.Context(), env, j.ID); err == nil {
				t.Fatalf("%s: the crash did not happen", tag)
			}
			committed := f.job(t, j.ID).State == transfer.Done
			if seen := f.usernames(t); !committed && !slices.Equal(seen, before) {
				t.Fatalf("%s: a reader sees part of it: %d accounts, %d before", tag, len(seen), len(before))
			}
			if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
				t.Fatalf("%s: %v", tag, err)
			}
			got := f.job(t, j.ID)
			if want := (transfer.Counts{Rows: 41, Created: 40, Updated: 1}); got.State != transfer.Done || got.Counts != want {
				t.Fatalf("%s: %s %+v %+v", tag, got.State, got.Counts, got.Problem)
			}
			expect += 40
			if n := len(f.usernames(t)); n != expect {
				t.Fatalf("%s: %d accounts, want %d", tag, n, expect)
			}
		}
	}
}

// V73: an import that has to be taken back, killed at any write, leaves nothing of itself.
func TestImportCancelledAndKilledAtEveryWriteLeavesNothing(t *testing.T) {
	f := newFixture(t)
	f.create(t, "keep", nil)
	before := f.usernames(t)
	for at := 1; ; at++ {
		tag := fmt.Sprintf("c%d", at)
		j := f.submit(t, transfer.Options{}, mixedRows(tag, 3)...)
		// Staged whole, then cancelled just before the commit: the worker takes it back.
		stopped := &crash{at: 5}
		if err := f.workerOn(t, stopped).Run(t.Context(), env, j.ID); err == nil {
			t.Fatal("the crash did not happen")
		}
		staged := f.job(t, j.ID)
		if staged.State != transfer.Writing || staged.NextRow == 0 {
			t.Fatalf("%s, next %d: nothing was staged", staged.State, staged.NextRow)
		}
		if err := f.jobStore.SetFlag(t.Context(), staged, transfer.FlagCancelRequested); err != nil {
			t.Fatal(err)
		}
		c := &crash{at: at, after: at%2 == 0}
		died := f.workerOn(t, c).Run(t.Context(), env, j.ID) != nil
		if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
			t.Fatal(err)
		}
		got := f.job(t, j.ID)
		if got.State != transfer.Cancelled || !slices.Equal(f.usernames(t), before) {
			t.Fatalf("%s: %s, accounts %v", tag, got.State, f.usernames(t))
		}
		keep, _, _ := f.store.Page(t.Context(), f.currentScope(t).Env, "ke", 1)
		if keep[0].Name != "Somebody" || keep[0].Version != 1 {
			t.Fatalf("%s: keep is %+v", tag, keep[0])
		}
		for _, email := range []string{tag + "@moved.example.com", tag + "00@example.com"} {
			if key, err := f.find(t.Context(), email); err != nil || key != "" {
				t.Fatalf("%s: %s leads to %q (%v)", tag, email, key, err)
			}
		}
		if key, err := f.find(t.Context(), "keep@example.com"); err != nil || key != "keep" {
			t.Fatalf("%s: keep's email leads to %q (%v)", tag, key, err)
		}
		if !died && !c.dead {
			return // past the last write
		}
	}
}
