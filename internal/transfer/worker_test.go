package transfer_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/transfer"
)

var errDown = errors.New("down")

var (
	mixedOnce sync.Once
	mixedBook []byte
)

// mixedImport is a backend with a file of five rows: three create accounts, one changes one, one changes nothing.
func mixedImport(t testing.TB, options transfer.Options) *fakeBackend {
	b := newFakeBackend(existingAccount("keep"), existingAccount("same"))
	mixedOnce.Do(func() {
		mixedBook = book(t, baseHeader(), newRow("one"), newRow("two"), []any{"keep", "Changed"}, []any{"same"},
			newRow("three"))
	})
	b.submit(options, mixedBook)
	return b
}

// assertUnchanged fails the test if anything of mixed shows.
func (b *fakeBackend) assertUnchanged(t testing.TB, name string) {
	t.Helper()
	want := map[string]account.Account{"keep": existingAccount("keep"), "same": existingAccount("same")}
	if !reflect.DeepEqual(b.accounts, want) {
		t.Errorf("%s: accounts %v", name, slices.Sorted(maps.Keys(b.accounts)))
	}
}

func TestAnImportRunsThrough(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.runTo(t, transfer.Done)
	want := "claim,save checking,get,actor,accounts,owners,put,begin,stage,stage,put,put,actor,get,commit"
	if got := strings.Join(b.calls, ","); got != want {
		t.Errorf("calls %s", got)
	}
	if b.job.Counts != (transfer.Counts{Rows: 5, Created: 3, Updated: 1, Unchanged: 1}) || b.job.Checked != 5 ||
		b.job.Restarts != 0 {
		t.Errorf("%+v", b.job)
	}
	if got := b.outcomes(t); !reflect.DeepEqual(got, []string{"created", "created", "updated", "unchanged", "created"}) {
		t.Errorf("%q", got)
	}
	if a := b.accounts["keep"]; a.Name != "Changed" || a.Version != 5 {
		t.Errorf("%+v", a)
	}
}

// V71: one wrong row, and not one account is written; the report lists every row.
func TestOneWrongRowRefusesTheFile(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{},
		book(t, baseHeader(), newRow("one"), []any{"two"}, newRow("three"), []any{"x", "X", "FULL", "bad"}))
	b.runTo(t, transfer.Refused)
	if b.count("begin")+b.count("stage") > 0 || len(b.accounts) > 0 {
		t.Errorf("%v", b.calls)
	}
	if b.job.Counts != (transfer.Counts{Rows: 4, Skipped: 2, Failed: 2}) || b.job.Problem.Code != "rowErrors" {
		t.Errorf("%+v %+v", b.job.Counts, b.job.Problem)
	}
	if got := b.outcomes(t); got[0] != "skipped" || !strings.HasPrefix(got[1], "failed ") || got[2] != "skipped" ||
		got[3] != "failed Email:address" {
		t.Errorf("%q", got)
	}
}

// V72: with Skip errors exactly the right rows; none at all is no fault, and writes nothing.
func TestSkipErrors(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{SkipErrors: true}, book(t, baseHeader(), newRow("one"), []any{"two"}, newRow("three")))
	b.runTo(t, transfer.Done)
	if got := slices.Sorted(maps.Keys(b.accounts)); !slices.Equal(got, []string{"one", "three"}) ||
		b.job.Counts != (transfer.Counts{Rows: 3, Created: 2, Failed: 1}) {
		t.Errorf("%v %+v", got, b.job.Counts)
	}
	b = newFakeBackend()
	b.submit(transfer.Options{SkipErrors: true}, book(t, baseHeader(), []any{"one"}, []any{"two"}))
	b.runTo(t, transfer.Done)
	if b.count("stage") > 0 || len(b.accounts) > 0 || b.job.Counts != (transfer.Counts{Rows: 2, Failed: 2}) {
		t.Errorf("all wrong: %v %+v", b.calls, b.job.Counts)
	}
}

// V84: whatever fails at whichever call, the worker says so, nobody sees anything, and the next delivery ends the job
// as if nothing had been.
func TestEveryCallMayFailOnce(t *testing.T) {
	dry := mixedImport(t, transfer.Options{})
	dry.runTo(t, transfer.Done)
	for n := range dry.calls {
		for _, after := range []bool{false, true} {
			b := mixedImport(t, transfer.Options{})
			b.onCall = func(string) error {
				if len(b.calls) == n+1 {
					if after {
						b.onCall = func(string) error { return errDown } // it is done, and nothing after it
						return nil
					}
					return errDown
				}
				return nil
			}
			name := fmt.Sprintf("%s, call %d, after it %v", dry.calls[n], n, after)
			err := b.run()
			last := n == len(dry.calls)-1 && after
			if (err == nil) != last {
				t.Errorf("%s: %v", name, err)
			}
			if !last {
				b.assertUnchanged(t, name)
			}
			b.onCall = nil
			b.runTo(t, transfer.Done)
			if b.job.Counts != dry.job.Counts || !reflect.DeepEqual(b.outcomes(t), dry.outcomes(t)) || len(b.accounts) != 5 ||
				b.accounts["keep"].Version != 5 {
				t.Errorf("%s: ended with %+v, %q, %d accounts", name, b.job.Counts, b.outcomes(t), len(b.accounts))
			}
		}
	}
}

// V75: a worker whose job another one claimed changes nothing that is visible, at whichever call it resumes.
func TestAWorkerThatLostItsJobStops(t *testing.T) {
	dry := mixedImport(t, transfer.Options{})
	dry.runTo(t, transfer.Done)
	for n, call := range dry.calls[1:] {
		b := mixedImport(t, transfer.Options{})
		b.onCall = func(string) error {
			if len(b.calls) == n+2 {
				b.job.Epoch++ // another took it
			}
			return nil
		}
		if err := b.run(); !errors.Is(err, transfer.ErrSuperseded) {
			t.Errorf("%s: %v", call, err)
		}
		b.assertUnchanged(t, call)
		b.onCall = nil
		b.runTo(t, transfer.Done)
		if len(b.accounts) != 5 || b.job.Counts != dry.job.Counts {
			t.Errorf("%s: the other ended with %+v", call, b.job.Counts)
		}
	}
}

// A job can be cancelled until its commit: then it ends Cancelled, nothing is changed, and no report tells of rows that
// were created.
func TestCancelAtEveryStep(t *testing.T) {
	dry := mixedImport(t, transfer.Options{})
	dry.runTo(t, transfer.Done)
	for n, call := range dry.calls {
		b := mixedImport(t, transfer.Options{})
		b.onCall = func(string) error {
			if len(b.calls) == n+1 {
				b.job.CancelRequested = true
			}
			return nil
		}
		b.runTo(t, transfer.Cancelled)
		b.assertUnchanged(t, call)
		if c := b.job.Counts; c.Created+c.Updated+c.Unchanged > 0 || b.job.Problem != nil {
			t.Errorf("%s: %+v", call, b.job)
		}
		for _, row := range b.outcomes(t) {
			if row != "skipped" {
				t.Errorf("%s: a row is %s", call, row)
			}
		}
	}
}

// V73: if the worker of a cancelled import dies during the rollback, the next worker finishes it.
func TestRollbackMayFailAtEveryCall(t *testing.T) {
	cancelled := func() *fakeBackend {
		b := mixedImport(t, transfer.Options{})
		b.onCall = func(call string) error {
			if call == "commit" {
				b.job.CancelRequested = true
			}
			return nil
		}
		return b
	}
	dry := cancelled()
	dry.runTo(t, transfer.Cancelled)
	from := slices.Index(dry.calls, "commit") + 1
	if got := dry.calls[from:]; !slices.Equal(got,
		[]string{"put", "put", "save rollingBack", "get", "rollback", "finishRollback"}) {
		t.Fatalf("taking back is %v", got)
	}
	for n := from; n < len(dry.calls); n++ {
		b := cancelled()
		cancel := b.onCall
		b.onCall = func(call string) error {
			if len(b.calls) == n+1 {
				return errDown
			}
			return cancel(call)
		}
		if err := b.run(); !errors.Is(err, errDown) {
			t.Errorf("%s: %v", dry.calls[n], err)
		}
		b.onCall = nil
		b.runTo(t, transfer.Cancelled)
		b.assertUnchanged(t, dry.calls[n])
		if b.job.Counts != dry.job.Counts {
			t.Errorf("%s: %+v", dry.calls[n], b.job.Counts)
		}
	}
}

// An import whose accounts are changed meanwhile is rolled back and starts again. The fourth time it fails.
func TestAStaleImportStartsAgain(t *testing.T) {
	for _, step := range []string{"stage", "commit"} {
		for times := 1; times <= 4; times++ {
			b := mixedImport(t, transfer.Options{})
			left := times
			b.onCall = func(call string) error {
				if call == step && left > 0 {
					left--
					if len(b.accounts) != 2 {
						t.Errorf("%s: seen before it counts", step)
					}
					return transfer.ErrStale
				}
				return nil
			}
			if times <= 3 {
				b.runTo(t, transfer.Done)
				if b.job.Restarts != times || b.job.Counts != (transfer.Counts{Rows: 5, Created: 3, Updated: 1, Unchanged: 1}) ||
					len(b.accounts) != 5 {
					t.Errorf("%s, %d times: %+v", step, times, b.job)
				}
				continue
			}
			b.runTo(t, transfer.Failed)
			b.assertUnchanged(t, step)
			if b.job.Problem.Code != "overtaken" || b.job.Restarts != 3 ||
				b.job.Counts != (transfer.Counts{Rows: 5, Skipped: 5}) || b.outcomes(t)[0] != "skipped" {
				t.Errorf("%s: %+v %+v", step, b.job.Problem, b.job)
			}
		}
	}
}

// The report of a commit that failed is not shown.
func TestTheReportOfACommitThatFailedIsForgotten(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.onCall = func(call string) error {
		if call != "commit" {
			return nil
		}
		delete(b.files, b.job.UploadKey())
		return transfer.ErrStale
	}
	b.runTo(t, transfer.Failed)
	b.assertUnchanged(t, "gone")
	if b.job.Problem.Code != "fileGone" || b.job.HasReport {
		t.Errorf("%+v, report %v", b.job.Problem, b.job.HasReport)
	}
}

// A job that was cancelled before its worker began is not even read.
func TestAJobCancelledBeforeIsNotRead(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.job.CancelRequested = true
	b.runTo(t, transfer.Cancelled)
	if b.count("get")+b.count("accounts")+b.count("begin") > 0 {
		t.Errorf("%v", b.calls)
	}
}

// A person's edit while rows are staged survives, and the import works on what that person made.
func TestAnEditMeanwhileSurvives(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.onCall = func(call string) error {
		if call == "commit" && b.job.Restarts == 0 {
			a := b.accounts["keep"]
			a.Mobile, a.Version = "theirs", 5
			b.accounts["keep"], b.aborted = a, true
		}
		return nil
	}
	b.runTo(t, transfer.Done)
	if a := b.accounts["keep"]; a.Mobile != "theirs" || a.Name != "Changed" || a.Version != 6 || b.job.Restarts != 1 {
		t.Errorf("%+v", a)
	}
}

// A row that an earlier worker had passed as right and unchanged, and that is neither any more, is not counted without
// being written: the import starts again.
func TestARowThatChangedBehindAnEarlierWorker(t *testing.T) {
	b := newFakeBackend(existingAccount("same"))
	b.submit(transfer.Options{},
		book(t, baseHeader(), []any{"same", "Somebody"}, newRow("one"), newRow("two"), newRow("three")))
	b.onCall = func(call string) error {
		if call == "stage" && b.count("stage") == 2 {
			return errDown
		}
		return nil
	}
	if err := b.run(); !errors.Is(err, errDown) || b.job.NextRow != 3 {
		t.Fatalf("%v at %d", err, b.job.NextRow)
	}
	b.onCall = nil
	a := b.accounts["same"]
	a.Name, a.Version = "Edited", 5
	b.accounts["same"] = a
	b.runTo(t, transfer.Done)
	if got := b.accounts["same"]; got.Name != "Somebody" || got.Version != 6 || b.job.Restarts != 1 ||
		b.job.Counts != (transfer.Counts{Rows: 4, Created: 3, Updated: 1}) {
		t.Errorf("%+v %+v", got, b.job)
	}
}

// A resumed import in which a row has an error by now is refused and rolled back, with its report.
func TestAResumedImportIsCheckedAgain(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.onCall = func(call string) error {
		if call == "stage" && b.count("stage") == 2 {
			return errDown
		}
		return nil
	}
	if err := b.run(); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	b.onCall = nil
	other := existingAccount("other")
	other.Email = "three@example.com" // the row not yet staged wants it
	b.accounts["other"] = other
	b.runTo(t, transfer.Refused)
	delete(b.accounts, "other")
	b.assertUnchanged(t, "refused")
	if got := b.outcomes(t); !reflect.DeepEqual(got,
		[]string{"skipped", "skipped", "skipped", "skipped", "failed Email:taken"}) {
		t.Errorf("%q", got)
	}
}

// V76, C44: the rights of the actor are checked when the import runs and once more at the commit.
func TestRightsThatAreGoneStopTheImport(t *testing.T) {
	for name, change := range map[string]func(*fakeBackend){
		"may not sign in": func(b *fakeBackend) { b.actorForbidden = true },
		"may not import":  func(b *fakeBackend) { b.roles = []string{"VIEWER"} }} {
		b := mixedImport(t, transfer.Options{})
		change(b)
		b.runTo(t, transfer.Failed)
		if b.job.Problem.Code != "rightsRevoked" || b.count("accounts") > 0 || b.outcomes(t) != nil {
			t.Errorf("%s: %+v %v", name, b.job.Problem, b.calls)
		}
		b = mixedImport(t, transfer.Options{})
		b.onCall = func(call string) error {
			if call == "actor" && b.count("actor") == 2 {
				change(b)
			}
			return nil
		}
		b.runTo(t, transfer.Failed)
		b.assertUnchanged(t, name)
		if b.job.Problem.Code != "rightsRevoked" || b.count("commit") > 0 || b.outcomes(t)[0] != "skipped" {
			t.Errorf("%s at the commit: %+v", name, b.job.Problem)
		}
	}
}

// V61, V76: an actor who loses a right after the rows were checked does not grant it by the commit.
func TestLesserRightsAtTheCommitCheckTheRowsAgain(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{}, book(t, append(baseHeader(), "User roles"), append(newRow("one"), "ADMIN")))
	b.onCall = func(call string) error {
		if call == "actor" && b.count("actor") == 2 {
			b.roles = []string{"IMPORTER"}
		}
		return nil
	}
	b.runTo(t, transfer.Refused)
	if got := b.outcomes(t); len(b.accounts) > 0 || !reflect.DeepEqual(got, []string{"failed User roles:aboveOwnRights"}) {
		t.Errorf("%q", got)
	}
}

func TestAFileThatIsGone(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	delete(b.files, b.job.UploadKey())
	b.runTo(t, transfer.Failed)
	if b.job.Problem.Code != "fileGone" || b.outcomes(t) != nil {
		t.Errorf("%+v", b.job.Problem)
	}
	// Removed or replaced after rows were staged: the stored RowRefs find the rows, and they are rolled back (V76).
	for name, body := range map[string][]byte{"gone": nil, "no workbook": []byte("no workbook"),
		"another": book(t, []string{"Username"}, []any{"other"})} {
		b = mixedImport(t, transfer.Options{})
		b.onCall = func(call string) error {
			if call == "commit" {
				return errDown
			}
			return nil
		}
		if err := b.run(); !errors.Is(err, errDown) || len(b.staged) == 0 {
			t.Fatal(err, len(b.staged))
		}
		b.onCall = nil
		b.files[b.job.UploadKey()] = body
		if body == nil {
			delete(b.files, b.job.UploadKey())
		}
		b.runTo(t, transfer.Failed)
		if b.job.Problem.Code != "fileGone" {
			t.Errorf("%s: %+v", name, b.job.Problem)
		}
		b.assertUnchanged(t, name)
	}
}

// V73: a message for a job that has ended, or for none, is done with.
func TestMessagesWithNothingToDo(t *testing.T) {
	for _, state := range []transfer.State{transfer.Done, transfer.Refused, transfer.Cancelled, transfer.Failed} {
		b := mixedImport(t, transfer.Options{})
		b.job.State = state
		if err := b.run(); err != nil || len(b.calls) != 1 {
			t.Errorf("%s: %v, %v", state, err, b.calls)
		}
	}
	b := mixedImport(t, transfer.Options{})
	if err := b.worker().Run(t.Context(), "test", "another"); err != nil {
		t.Errorf("no job: %v", err)
	}
	if err := b.worker().Run(t.Context(), "elsewhere", "job"); err != nil || len(b.accounts) != 2 { // V58
		t.Errorf("another environment: %v", err)
	}
}

// V73: the same message twice makes nothing twice.
func TestASecondDeliveryDoesNothing(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.runTo(t, transfer.Done)
	calls := len(b.calls)
	b.runTo(t, transfer.Done)
	if len(b.calls) != calls+1 || b.accounts["keep"].Version != 5 {
		t.Errorf("%v", b.calls[calls:])
	}
}
