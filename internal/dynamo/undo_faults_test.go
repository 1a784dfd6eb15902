package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/transfer"
)

// V84: throttling, and answers that are lost, at each call of an undo: everything is given back, without another
// delivery or with the next, and nothing is left over. Until it counts nobody sees any of it.
func TestUndoThrottledAndUnansweredAtEachCall(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEf")
	before, left := f.visibleState(t), f.leftovers(t)
	dry := &flaky{}
	for at := 0; at == 0 || at <= dry.n; at += everyNth() {
		for _, lost := range []bool{false, true} {
			c := dry
			if at > 0 {
				c = &flaky{at: at, lost: lost}
			} else if lost {
				continue
			}
			j := f.runImport(t, f.fullImport(t, "f")...)
			between := f.visibleState(t)
			u := f.undo(t, j)
			on := *f
			on.table = &dynamo.Table{Client: c.client(t), Name: f.table.Name}
			on.environments, on.store, on.jobStore = dynamo.NewEnvironments(on.table), dynamo.Accounts{Table: on.table},
				dynamo.Jobs{Table: on.table}
			what := fmt.Sprintf("call %d, %s, lost %v", at, c.hit, lost)
			if err := on.worker().Run(t.Context(), env, u.ID); err != nil {
				if !errors.Is(err, transfer.ErrSuperseded) && !strings.Contains(err.Error(), "slow down") {
					t.Fatalf("%s: %v", what, err)
				}
				if f.job(t, u.ID).State != transfer.Done && f.visibleState(t) != between {
					t.Fatalf("%s: a reader sees part of it", what)
				}
			}
			if got := f.finish(t, u, transfer.Done); got.Counts != (transfer.Counts{Rows: 8, Undone: 8}) {
				t.Fatalf("%s: %+v", what, got.Counts)
			}
			if got := f.visibleState(t); got != before {
				t.Fatalf("%s:\n%s\nwant\n%s", what, got, before)
			}
			if got := f.leftovers(t); !slices.Equal(got, left) {
				t.Fatalf("%s: left %v\nwant %v", what, got, left)
			}
		}
	}
	if dry.n < 20 {
		t.Errorf("%d calls only", dry.n)
	}
}

// V73: rows that an undo staged are found again by its number when the files that say which they were are gone, and the
// undo then ends with nothing of it left.
func TestAnUndoWhoseFilesAreGoneIsTakenBack(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEg")
	j := f.runImport(t, f.fullImport(t, "g")...)
	imported := f.visibleState(t)
	u := f.undo(t, j)
	dying := f.worker()
	dying.Staging = uncommitted{dying.Staging}
	if err := dying.Run(t.Context(), env, u.ID); !errors.Is(err, errProcessDied) {
		t.Fatal(err)
	}
	staged := f.job(t, u.ID)
	if staged.State != transfer.Writing || staged.NextRow == 0 || f.marked(t, staged) == 0 {
		t.Fatalf("%s at %d: nothing was staged", staged.State, staged.NextRow)
	}
	delete(f.files.stored, staged.RowRefsKey())
	delete(f.files.stored, j.ReportKey())
	if got := f.finish(t, u, transfer.Failed); got.Problem.Code != "reportGone" {
		t.Errorf("%+v", got.Problem)
	}
	if n := f.marked(t, staged); n != 0 || f.visibleState(t) != imported ||
		len(f.currentScope(t).Env.Imports.Pending) > 0 {
		t.Errorf("%d items still carry the undo's number", n)
	}
}

// marked counts the items that carry a job's number, but for its own.
func (f *fixture) marked(t *testing.T, j transfer.Job) int {
	t.Helper()
	n := 0
	for _, is := range f.dump(t) {
		if strings.Contains(is, fmt.Sprintf(" imp:%d ", j.ImportID)) {
			n++
		}
	}
	return n
}

// Two clicks that both read the import before either wrote make one job: the second is told, and nothing of its job is
// left.
func TestASecondClickThatReadTooEarlyIsLost(t *testing.T) {
	f := newFixture(t)
	of := f.runImport(t, headings(), personRow("one"))
	undo := transfer.Job{ID: "first", Env: env, Kind: transfer.Undo, State: transfer.Submitted, UndoesJobID: of.ID,
		Created: of.Created, Submitted: of.Created, ProvedAt: of.Created}
	if err := f.jobStore.CreateUndo(t.Context(), undo, of); err != nil {
		t.Fatal(err)
	}
	undo.ID = "second"
	if err := f.jobStore.CreateUndo(t.Context(), undo, of); !errors.Is(err, transfer.ErrSuperseded) {
		t.Errorf("%v", err)
	}
	if _, err := f.jobStore.Job(t.Context(), env, "second"); err == nil || f.job(t, of.ID).UndoJobID != "first" {
		t.Errorf("the second job is there, and the import says %q", f.job(t, of.ID).UndoJobID)
	}
}
