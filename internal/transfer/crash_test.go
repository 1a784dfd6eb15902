package transfer_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/transfer"
)

// The schedules here run the whole worker against a store in memory that keeps the rules of the real one: what is
// staged is unseen, every write holds the job's epoch, an edit of what is staged dooms the import. The real store has
// its own tests, of a crash at every write, in internal/dynamo.

// smallImport is an office with a file in which accounts and resources are made and changed and emails swapped.
func smallImport(t testing.TB) *fakeBackend {
	o := newFakeBackend(existingAccount("p"), existingAccount("q"))
	o.addResource("keep", "E1", nil)
	o.submit(transfer.Options{}, smallBook(t))
	return o
}

var smallFile []byte

func smallBook(t testing.TB) []byte {
	if smallFile == nil {
		smallFile = book(t, resourceHeader("Manager"), append(newRow("one"), true, nil, "CREW", "B"),
			append(newRow("two"), true, "B", "CREW", "E1"),
			[]any{"p", nil, nil, "q@example.com"}, []any{"q", nil, nil, "p@example.com"},
			[]any{"keep", nil, nil, nil, nil, nil, nil, "B"})
	}
	return smallFile
}

// visibleState is all that a reader sees.
func (o *fakeBackend) visibleState() string {
	out := ""
	for _, key := range []string{"keep", "one", "p", "q", "two"} {
		a := o.accounts[key]
		out += fmt.Sprintf("%s:%s,%s,%d ", key, a.Email, a.Resource, a.Version)
	}
	for _, key := range []string{"1", "b", "e1"} {
		r := o.resources[key]
		out += fmt.Sprintf("%s:%s,%v ", key, r.Manager, r.AccountID != "")
	}
	return out
}

// V73: every schedule of two crashes, before or after any call, ends with all of it, and shows nothing until then.
func TestEveryScheduleOfTwoCrashes(t *testing.T) {
	dry := smallImport(t)
	before := dry.visibleState()
	dry.runTo(t, transfer.Done)
	after := dry.visibleState()
	if before == after {
		t.Fatal("the import did nothing")
	}
	ran, step := 0, 1
	if testing.Short() {
		step = 7 // under the race detector, which sees the same in any of them
	}
	for first := 0; first < len(dry.calls); first += step {
		for second := range len(dry.calls) + 2 {
			for which := range 4 {
				o := smallImport(t)
				for n, at := range []int{first, second} {
					died, late := false, which>>n&1 == 1
					o.calls = nil
					o.onCall = func(string) error {
						if died {
							return errDown
						}
						if len(o.calls) == at+1 {
							died = true
							if !late {
								return errDown
							}
						}
						return nil
					}
					err := o.run()
					if s := o.visibleState(); s != before && (o.job.State != transfer.Done || s != after) {
						t.Fatalf("crashes at %d and %d (%d): a reader sees %s", first, second, which, s)
					}
					if err == nil && !o.job.State.Ended() {
						t.Fatalf("crashes at %d and %d: the message is done with, the job is not", first, second)
					}
				}
				o.onCall = nil
				o.runTo(t, transfer.Done)
				if s := o.visibleState(); s != after {
					t.Fatalf("crashes at %d and %d (%d): ended with %s, want %s", first, second, which, s, after)
				}
				ran++
			}
		}
	}
	t.Logf("%d schedules", ran)
}

// V73, V75: random schedules of crashes, workers that wake up late, people who edit and cancel. LONG_SCHEDULES says how
// many.
func TestRandomSchedules(t *testing.T) {
	count := 300
	if n, err := strconv.Atoi(os.Getenv("LONG_SCHEDULES")); err == nil {
		count = n
	}
	dry := smallImport(t)
	dry.runTo(t, transfer.Done)
	begun := time.Now()
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := next.Add(1) - 1; seed < uint64(count) &&
				!t.Failed(); seed = next.Add(1) - 1 { //nolint:gosec // no negative count
				if !runSchedule(t, seed, dry.job.Counts) {
					t.Errorf("seed %d", seed)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d schedules, %.0f a minute", count, float64(count)/time.Since(begun).Minutes())
}

var errStopped = errors.New("stopped for good")

// runSchedule runs one schedule and reports whether all was well.
func runSchedule(t *testing.T, seed uint64, whole transfer.Counts) bool {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a schedule is no secret
	o := smallImport(t)
	before := o.visibleState()
	edits := 0
	person := func() {
		switch r.IntN(3) {
		case 0: // an account of the file is edited
			a := o.accounts["p"]
			a.Mobile, a.Version = fmt.Sprint("edit", edits), a.Version+1
			edits++
			o.editAccount(a)
		case 1: // a resource is
			e := o.resources["e1"]
			e.JobTitle, e.Version = fmt.Sprint("edit", edits), e.Version+1
			edits++
			if _, staged := o.stagedResources["e1"]; staged {
				delete(o.stagedResources, "e1")
				o.aborted = true
			}
			o.resources["e1"] = e
		case 2:
			if r.IntN(8) == 0 && !o.job.State.Ended() {
				o.job.CancelRequested = true
			}
		}
	}
	var run func(depth int)
	run = func(depth int) {
		stop := r.IntN(30)
		dead := false
		calls := 0
		o.onCall = func(string) error {
			if dead {
				return errStopped
			}
			if calls++; calls == stop {
				dead = true
				if r.IntN(2) == 0 {
					return errStopped
				}
			}
			if o.job.State != transfer.Done && r.IntN(25) == 0 && edits < 2 {
				person()
			}
			if depth < 2 && r.IntN(40) == 0 {
				mine := o.onCall
				run(depth + 1) // another worker runs while this one sleeps; then this one wakes up
				o.onCall = mine
			}
			return nil
		}
		_ = o.run()
	}
	for range 3 {
		seen := o.visibleEmails()
		run(0)
		if o.job.State != transfer.Done && o.visibleEmails() != seen {
			t.Errorf("a reader sees part: %s, before %s", o.visibleState(), before)
			return false
		}
	}
	o.onCall = nil
	if err := o.run(); err != nil {
		t.Errorf("it does not end: %v", err)
		return false
	}
	p, e := o.accounts["p"], o.resources["e1"]
	swapped := p.Email == "q@example.com" && o.accounts["q"].Email == "p@example.com" && e.Manager == "B" &&
		o.resources["b"].Manager == "E1" && o.accounts["one"].Resource != ""
	switch o.job.State {
	case transfer.Done:
		if !swapped || o.job.Counts != whole || len(o.accounts) != 5 || len(o.resources) != 3 {
			t.Errorf("done: %s %+v", o.visibleState(), o.job.Counts)
			return false
		}
	case transfer.Cancelled, transfer.Failed:
		if p.Email != "p@example.com" || len(o.accounts) != 3 || len(o.resources) != 1 ||
			len(o.staged)+len(o.stagedResources) > 0 {
			t.Errorf("%s: %s", o.job.State, o.visibleState())
			return false
		}
	default:
		t.Errorf("it ended %s: %+v", o.job.State, o.job.Problem)
		return false
	}
	// Every edit is there, whatever came of the import.
	if want := existingAccount("p").Version; p.Version < want+versions(p.Mobile) || e.Version < 3+versions(e.JobTitle) {
		t.Errorf("an edit is lost: %+v %+v", p, e)
		return false
	}
	return true
}

func versions(edited string) int64 {
	if len(edited) > 4 && edited[:4] == "edit" {
		return 1
	}
	return 0
}

// editAccount is a person's edit, which counts at once.
func (o *fakeBackend) editAccount(a account.Account) {
	if _, staged := o.staged[a.DirectoryKey()]; staged {
		delete(o.staged, a.DirectoryKey())
		o.aborted = true
	}
	o.accounts[a.DirectoryKey()] = a
}

// visibleEmails is what a reader sees that only the import changes.
func (o *fakeBackend) visibleEmails() string {
	out := fmt.Sprint(len(o.accounts), len(o.resources))
	for _, key := range []string{"p", "q"} {
		out += " " + o.accounts[key].Email
	}
	return out + o.resources["e1"].Manager
}

// The fence is what stops a worker that wakes up after another ended its job. The mutant without it writes on: it
// begins the import anew, under a number of its own.
func TestWithoutTheFenceALateWorkerWritesOn(t *testing.T) {
	dry := smallImport(t)
	dry.runTo(t, transfer.Done)
	found := 0
	for _, unfenced := range []bool{false, true} {
		for n := 1; n < len(dry.calls); n++ {
			o := smallImport(t)
			slept := 0
			o.onCall = func(string) error {
				if slept++; slept == n+1 {
					o.onCall = nil
					o.runTo(t, transfer.Done)
					o.unfenced = unfenced
				}
				return nil
			}
			err := o.run()
			wrote := o.lastImportID > 1 || !o.job.State.Ended() || !errors.Is(err, transfer.ErrSuperseded)
			switch {
			case !unfenced && wrote:
				t.Errorf("asleep at %s: %v, %s", dry.calls[n], err, o.job.State)
			case unfenced && wrote:
				found++
			}
		}
	}
	if found == 0 {
		t.Error("the mutant lives")
	}
}

// V73, V75: a worker that wakes up after another ended its job writes no result of rows over that one's, nor another
// sheet: what it finds of its own rows by then are errors.
func TestALateWorkerLeavesTheResultAlone(t *testing.T) {
	dry := smallImport(t)
	dry.runTo(t, transfer.Done)
	for n := 1; n < len(dry.calls); n++ {
		o := smallImport(t)
		slept := 0
		var report, sheet string
		o.onCall = func(string) error {
			if slept++; slept == n+1 {
				o.onCall = nil
				o.runTo(t, transfer.Done)
				report, sheet = string(o.files[o.job.ReportKey()]), string(o.files[o.job.ResultSheetKey()])
			}
			return nil
		}
		_ = o.run()
		if report == "" || sheet == "" || string(o.files[o.job.ReportKey()]) != report ||
			string(o.files[o.job.ResultSheetKey()]) != sheet {
			t.Errorf("asleep at %s: the result was\n%s\nand is\n%s", dry.calls[n], report, o.files[o.job.ReportKey()])
		}
	}
}
