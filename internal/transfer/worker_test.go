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

// mixedImport is an office with a file of five rows before it: three made, one changed, one as it is.
func mixedImport(t testing.TB, options transfer.Options) *fakeBackend {
	o := newFakeBackend(existingAccount("keep"), existingAccount("same"))
	mixedOnce.Do(func() {
		mixedBook = book(t, baseHeader(), newRow("one"), newRow("two"), []any{"keep", "Changed"}, []any{"same"},
			newRow("three"))
	})
	o.submit(options, mixedBook)
	return o
}

// assertUnchanged fails the test if anything of mixed shows.
func (o *fakeBackend) assertUnchanged(t testing.TB, name string) {
	t.Helper()
	want := map[string]account.Account{"keep": existingAccount("keep"), "same": existingAccount("same")}
	if !reflect.DeepEqual(o.accounts, want) {
		t.Errorf("%s: accounts %v", name, slices.Sorted(maps.Keys(o.accounts)))
	}
}

func TestAnImportRunsThrough(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.runTo(t, transfer.Done)
	want := "take,save checking,get,actor,rows,owners,put,begin,stage,stage,put,put,actor,get,commit"
	if got := strings.Join(o.calls, ","); got != want {
		t.Errorf("calls %s", got)
	}
	if o.job.Counts != (transfer.Counts{Rows: 5, Created: 3, Updated: 1, Unchanged: 1}) || o.job.Checked != 5 ||
		o.job.Restarts != 0 {
		t.Errorf("%+v", o.job)
	}
	if got := o.outcomes(t); !reflect.DeepEqual(got, []string{"created", "created", "updated", "unchanged", "created"}) {
		t.Errorf("%q", got)
	}
	if a := o.accounts["keep"]; a.Name != "Changed" || a.Version != 5 {
		t.Errorf("%+v", a)
	}
}

// V71: one wrong row, and not one account is written; the report lists every row.
func TestOneWrongRowRefusesTheFile(t *testing.T) {
	o := newFakeBackend()
	o.submit(transfer.Options{},
		book(t, baseHeader(), newRow("one"), []any{"two"}, newRow("three"), []any{"x", "X", "FULL", "bad"}))
	o.runTo(t, transfer.Refused)
	if o.count("begin")+o.count("stage") > 0 || len(o.accounts) > 0 {
		t.Errorf("%v", o.calls)
	}
	if o.job.Counts != (transfer.Counts{Rows: 4, Skipped: 2, Failed: 2}) || o.job.Problem.Code != "rowErrors" {
		t.Errorf("%+v %+v", o.job.Counts, o.job.Problem)
	}
	if got := o.outcomes(t); got[0] != "skipped" || !strings.HasPrefix(got[1], "failed ") || got[2] != "skipped" ||
		got[3] != "failed Email:address" {
		t.Errorf("%q", got)
	}
}

// V72: with Skip errors exactly the right rows; none at all is no fault, and writes nothing.
func TestSkipErrors(t *testing.T) {
	o := newFakeBackend()
	o.submit(transfer.Options{SkipErrors: true}, book(t, baseHeader(), newRow("one"), []any{"two"}, newRow("three")))
	o.runTo(t, transfer.Done)
	if got := slices.Sorted(maps.Keys(o.accounts)); !slices.Equal(got, []string{"one", "three"}) ||
		o.job.Counts != (transfer.Counts{Rows: 3, Created: 2, Failed: 1}) {
		t.Errorf("%v %+v", got, o.job.Counts)
	}
	o = newFakeBackend()
	o.submit(transfer.Options{SkipErrors: true}, book(t, baseHeader(), []any{"one"}, []any{"two"}))
	o.runTo(t, transfer.Done)
	if o.count("stage") > 0 || len(o.accounts) > 0 || o.job.Counts != (transfer.Counts{Rows: 2, Failed: 2}) {
		t.Errorf("all wrong: %v %+v", o.calls, o.job.Counts)
	}
}

// V84: whatever fails at whichever call, the worker says so, nobody sees anything, and the next delivery ends the job
// as if nothing had been.
func TestEveryCallMayFailOnce(t *testing.T) {
	dry := mixedImport(t, transfer.Options{})
	dry.runTo(t, transfer.Done)
	for n := range dry.calls {
		for _, after := range []bool{false, true} {
			o := mixedImport(t, transfer.Options{})
			o.onCall = func(string) error {
				if len(o.calls) == n+1 {
					if after {
						o.onCall = func(string) error { return errDown } // it is done, and nothing after it
						return nil
					}
					return errDown
				}
				return nil
			}
			name := fmt.Sprintf("%s, call %d, after it %v", dry.calls[n], n, after)
			err := o.run()
			last := n == len(dry.calls)-1 && after
			if (err == nil) != last {
				t.Errorf("%s: %v", name, err)
			}
			if !last {
				o.assertUnchanged(t, name)
			}
			o.onCall = nil
			o.runTo(t, transfer.Done)
			if o.job.Counts != dry.job.Counts || !reflect.DeepEqual(o.outcomes(t), dry.outcomes(t)) || len(o.accounts) != 5 ||
				o.accounts["keep"].Version != 5 {
				t.Errorf("%s: ended with %+v, %q, %d accounts", name, o.job.Counts, o.outcomes(t), len(o.accounts))
			}
		}
	}
}

// V75: a worker whose job another took changes nothing that counts, wherever it wakes up.
func TestAWorkerThatLostItsJobStops(t *testing.T) {
	dry := mixedImport(t, transfer.Options{})
	dry.runTo(t, transfer.Done)
	for n, call := range dry.calls[1:] {
		o := mixedImport(t, transfer.Options{})
		o.onCall = func(string) error {
			if len(o.calls) == n+2 {
				o.job.Epoch++ // another took it
			}
			return nil
		}
		if err := o.run(); !errors.Is(err, transfer.ErrSuperseded) {
			t.Errorf("%s: %v", call, err)
		}
		o.assertUnchanged(t, call)
		o.onCall = nil
		o.runTo(t, transfer.Done)
		if len(o.accounts) != 5 || o.job.Counts != dry.job.Counts {
			t.Errorf("%s: the other ended with %+v", call, o.job.Counts)
		}
	}
}

// A job can be cancelled until its commit: then it ends Cancelled, nothing is changed, and no report tells of rows that
// were created.
func TestCancelAtEveryStep(t *testing.T) {
	dry := mixedImport(t, transfer.Options{})
	dry.runTo(t, transfer.Done)
	for n, call := range dry.calls {
		o := mixedImport(t, transfer.Options{})
		o.onCall = func(string) error {
			if len(o.calls) == n+1 {
				o.job.CancelRequested = true
			}
			return nil
		}
		o.runTo(t, transfer.Cancelled)
		o.assertUnchanged(t, call)
		if c := o.job.Counts; c.Created+c.Updated+c.Unchanged > 0 || o.job.Problem != nil {
			t.Errorf("%s: %+v", call, o.job)
		}
		for _, row := range o.outcomes(t) {
			if row != "skipped" {
				t.Errorf("%s: a row is %s", call, row)
			}
		}
	}
}

// V73: a cancelled import whose worker dies while it takes its rows back is taken back by the next.
func TestTakingBackMayFailAtEveryCall(t *testing.T) {
	cancelled := func() *fakeBackend {
		o := mixedImport(t, transfer.Options{})
		o.onCall = func(call string) error {
			if call == "commit" {
				o.job.CancelRequested = true
			}
			return nil
		}
		return o
	}
	dry := cancelled()
	dry.runTo(t, transfer.Cancelled)
	from := slices.Index(dry.calls, "commit") + 1
	if got := dry.calls[from:]; !slices.Equal(got,
		[]string{"put", "put", "save rollingBack", "get", "takeBack", "close"}) {
		t.Fatalf("taking back is %v", got)
	}
	for n := from; n < len(dry.calls); n++ {
		o := cancelled()
		cancel := o.onCall
		o.onCall = func(call string) error {
			if len(o.calls) == n+1 {
				return errDown
			}
			return cancel(call)
		}
		if err := o.run(); !errors.Is(err, errDown) {
			t.Errorf("%s: %v", dry.calls[n], err)
		}
		o.onCall = nil
		o.runTo(t, transfer.Cancelled)
		o.assertUnchanged(t, dry.calls[n])
		if o.job.Counts != dry.job.Counts {
			t.Errorf("%s: %+v", dry.calls[n], o.job.Counts)
		}
	}
}

// An import that a person overtakes is taken back and starts again; with the fourth time it gives up.
func TestAnOvertakenImportStartsAgain(t *testing.T) {
	for _, step := range []string{"stage", "commit"} {
		for times := 1; times <= 4; times++ {
			o := mixedImport(t, transfer.Options{})
			left := times
			o.onCall = func(call string) error {
				if call == step && left > 0 {
					left--
					if len(o.accounts) != 2 {
						t.Errorf("%s: seen before it counts", step)
					}
					return transfer.ErrStale
				}
				return nil
			}
			if times <= 3 {
				o.runTo(t, transfer.Done)
				if o.job.Restarts != times || o.job.Counts != (transfer.Counts{Rows: 5, Created: 3, Updated: 1, Unchanged: 1}) ||
					len(o.accounts) != 5 {
					t.Errorf("%s, %d times: %+v", step, times, o.job)
				}
				continue
			}
			o.runTo(t, transfer.Failed)
			o.assertUnchanged(t, step)
			if o.job.Problem.Code != "overtaken" || o.job.Restarts != 3 ||
				o.job.Counts != (transfer.Counts{Rows: 5, Skipped: 5}) || o.outcomes(t)[0] != "skipped" {
				t.Errorf("%s: %+v %+v", step, o.job.Problem, o.job)
			}
		}
	}
}

// A report that was written for a commit which did not come about tells of nothing that happened, and is not shown.
func TestTheReportOfACommitThatFailedIsForgotten(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.onCall = func(call string) error {
		if call != "commit" {
			return nil
		}
		delete(o.files, o.job.UploadKey())
		return transfer.ErrStale
	}
	o.runTo(t, transfer.Failed)
	o.assertUnchanged(t, "gone")
	if o.job.Problem.Code != "fileGone" || o.job.HasReport {
		t.Errorf("%+v, report %v", o.job.Problem, o.job.HasReport)
	}
}

// A job that was cancelled before its worker began is not even read.
func TestAJobCancelledBeforeIsNotRead(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.job.CancelRequested = true
	o.runTo(t, transfer.Cancelled)
	if o.count("get")+o.count("rows")+o.count("begin") > 0 {
		t.Errorf("%v", o.calls)
	}
}

// A person's edit while rows are staged survives, and the import works on what that person made.
func TestAnEditMeanwhileSurvives(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.onCall = func(call string) error {
		if call == "commit" && o.job.Restarts == 0 {
			a := o.accounts["keep"]
			a.Mobile, a.Version = "theirs", 5
			o.accounts["keep"], o.aborted = a, true
		}
		return nil
	}
	o.runTo(t, transfer.Done)
	if a := o.accounts["keep"]; a.Mobile != "theirs" || a.Name != "Changed" || a.Version != 6 || o.job.Restarts != 1 {
		t.Errorf("%+v", a)
	}
}

// A row that an earlier worker had passed as right and unchanged, and that is neither any more, is not counted without
// being written: the import starts again.
func TestARowThatChangedBehindAnEarlierWorker(t *testing.T) {
	o := newFakeBackend(existingAccount("same"))
	o.submit(transfer.Options{},
		book(t, baseHeader(), []any{"same", "Somebody"}, newRow("one"), newRow("two"), newRow("three")))
	o.onCall = func(call string) error {
		if call == "stage" && o.count("stage") == 2 {
			return errDown
		}
		return nil
	}
	if err := o.run(); !errors.Is(err, errDown) || o.job.NextRow != 3 {
		t.Fatalf("%v at %d", err, o.job.NextRow)
	}
	o.onCall = nil
	a := o.accounts["same"]
	a.Name, a.Version = "Edited", 5
	o.accounts["same"] = a
	o.runTo(t, transfer.Done)
	if got := o.accounts["same"]; got.Name != "Somebody" || got.Version != 6 || o.job.Restarts != 1 ||
		o.job.Counts != (transfer.Counts{Rows: 4, Created: 3, Updated: 1}) {
		t.Errorf("%+v %+v", got, o.job)
	}
}

// A resumed import in which a row has become wrong is refused, and taken back whole, with its report.
func TestAResumedImportIsCheckedAgain(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.onCall = func(call string) error {
		if call == "stage" && o.count("stage") == 2 {
			return errDown
		}
		return nil
	}
	if err := o.run(); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	o.onCall = nil
	other := existingAccount("other")
	other.Email = "three@example.com" // the row not yet staged wants it
	o.accounts["other"] = other
	o.runTo(t, transfer.Refused)
	delete(o.accounts, "other")
	o.assertUnchanged(t, "refused")
	if got := o.outcomes(t); !reflect.DeepEqual(got,
		[]string{"skipped", "skipped", "skipped", "skipped", "failed Email:taken"}) {
		t.Errorf("%q", got)
	}
}

// V76, C44: the rights of whoever submitted are looked at when it runs and once more at the commit.
func TestRightsThatAreGoneStopTheImport(t *testing.T) {
	for name, change := range map[string]func(*fakeBackend){
		"may not sign in": func(o *fakeBackend) { o.actorForbidden = true },
		"may not import":  func(o *fakeBackend) { o.roles = []string{"VIEWER"} }} {
		o := mixedImport(t, transfer.Options{})
		change(o)
		o.runTo(t, transfer.Failed)
		if o.job.Problem.Code != "rightsRevoked" || o.count("rows") > 0 || o.outcomes(t) != nil {
			t.Errorf("%s: %+v %v", name, o.job.Problem, o.calls)
		}
		o = mixedImport(t, transfer.Options{})
		o.onCall = func(call string) error {
			if call == "actor" && o.count("actor") == 2 {
				change(o)
			}
			return nil
		}
		o.runTo(t, transfer.Failed)
		o.assertUnchanged(t, name)
		if o.job.Problem.Code != "rightsRevoked" || o.count("commit") > 0 || o.outcomes(t)[0] != "skipped" {
			t.Errorf("%s at the commit: %+v", name, o.job.Problem)
		}
	}
}

// V61, V76: whoever loses a right that rows give, after these were checked, does not give it by the commit.
func TestLesserRightsAtTheCommitCheckTheRowsAgain(t *testing.T) {
	o := newFakeBackend()
	o.submit(transfer.Options{}, book(t, append(baseHeader(), "User roles"), append(newRow("one"), "ADMIN")))
	o.onCall = func(call string) error {
		if call == "actor" && o.count("actor") == 2 {
			o.roles = []string{"IMPORTER"}
		}
		return nil
	}
	o.runTo(t, transfer.Refused)
	if got := o.outcomes(t); len(o.accounts) > 0 || !reflect.DeepEqual(got, []string{"failed User roles:aboveOwnRights"}) {
		t.Errorf("%q", got)
	}
}

func TestAFileThatIsGone(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	delete(o.files, o.job.UploadKey())
	o.runTo(t, transfer.Failed)
	if o.job.Problem.Code != "fileGone" || o.outcomes(t) != nil {
		t.Errorf("%+v", o.job.Problem)
	}
	// Gone, or another, after rows were staged: they are found by what was written down of them, and taken back (V76).
	for name, body := range map[string][]byte{"gone": nil, "no workbook": []byte("no workbook"),
		"another": book(t, []string{"Username"}, []any{"other"})} {
		o = mixedImport(t, transfer.Options{})
		o.onCall = func(call string) error {
			if call == "commit" {
				return errDown
			}
			return nil
		}
		if err := o.run(); !errors.Is(err, errDown) || len(o.staged) == 0 {
			t.Fatal(err, len(o.staged))
		}
		o.onCall = nil
		o.files[o.job.UploadKey()] = body
		if body == nil {
			delete(o.files, o.job.UploadKey())
		}
		o.runTo(t, transfer.Failed)
		if o.job.Problem.Code != "fileGone" {
			t.Errorf("%s: %+v", name, o.job.Problem)
		}
		o.assertUnchanged(t, name)
	}
}

// V73: a message for a job that has ended, or for none, is done with.
func TestMessagesWithNothingToDo(t *testing.T) {
	for _, state := range []transfer.State{transfer.Done, transfer.Refused, transfer.Cancelled, transfer.Failed} {
		o := mixedImport(t, transfer.Options{})
		o.job.State = state
		if err := o.run(); err != nil || len(o.calls) != 1 {
			t.Errorf("%s: %v, %v", state, err, o.calls)
		}
	}
	o := mixedImport(t, transfer.Options{})
	if err := o.worker().Run(t.Context(), "test", "another"); err != nil {
		t.Errorf("no job: %v", err)
	}
	if err := o.worker().Run(t.Context(), "elsewhere", "job"); err != nil || len(o.accounts) != 2 { // V58
		t.Errorf("another environment: %v", err)
	}
}

// V73: the same message twice makes nothing twice.
func TestASecondDeliveryDoesNothing(t *testing.T) {
	o := mixedImport(t, transfer.Options{})
	o.runTo(t, transfer.Done)
	calls := len(o.calls)
	o.runTo(t, transfer.Done)
	if len(o.calls) != calls+1 || o.accounts["keep"].Version != 5 {
		t.Errorf("%v", o.calls[calls:])
	}
}
