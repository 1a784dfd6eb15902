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
// staged is unseen, every write holds the job's epoch, an edit of what is staged aborts the import. The real store has
// its own tests, of a crash at every write, in internal/dynamo.

// smallImport is a backend with a file that creates and changes accounts and resources, and swaps emails.
func smallImport(t testing.TB) *fakeBackend {
	b := newFakeBackend(existingAccount("p"), existingAccount("q"))
	b.addResource("keep", "E1", nil)
	b.submit(transfer.Options{}, smallBook(t))
	return b
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
func (b *fakeBackend) visibleState() string {
	out := ""
	for _, key := range []string{"keep", "one", "p", "q", "two"} {
		a := b.accounts[key]
		out += fmt.Sprintf("%s:%s,%s,%d ", key, a.Email, a.Resource, a.Version)
	}
	for _, key := range []string{"1", "b", "e1"} {
		r := b.resources[key]
		out += fmt.Sprintf("%s:%s,%v ", key, r.Manager, r.AccountID != "")
	}
	return out
}

// V73: every schedule of two crashes, before or after any call, ends with all of it, and shows nothing until then. Only
// make long has the first crash at each call; elsewhere it is at every fifth.
func TestEveryScheduleOfTwoCrashes(t *testing.T) {
	dry := smallImport(t)
	before := dry.visibleState()
	dry.runTo(t, transfer.Done)
	after := dry.visibleState()
	if before == after {
		t.Fatal("the import did nothing")
	}
	ran, step := 0, 5
	if os.Getenv("LONG") != "" {
		step = 1
	}
	for first := 0; first < len(dry.calls); first += step {
		for second := range len(dry.calls) + 2 {
			for which := range 4 {
				b := smallImport(t)
				for n, at := range []int{first, second} {
					died, late := false, which>>n&1 == 1
					b.calls = nil
					b.onCall = func(string) error {
						if died {
							return errDown
						}
						if len(b.calls) == at+1 {
							died = true
							if !late {
								return errDown
							}
						}
						return nil
					}
					err := b.run()
					if s := b.visibleState(); s != before && (b.job.State != transfer.Done || s != after) {
						t.Fatalf("crashes at %d and %d (%d): a reader sees %s", first, second, which, s)
					}
					if err == nil && !b.job.State.Ended() {
						t.Fatalf("crashes at %d and %d: the message is done with, the job is not", first, second)
					}
				}
				b.onCall = nil
				b.runTo(t, transfer.Done)
				if s := b.visibleState(); s != after {
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
	count := 100
	if n, err := strconv.Atoi(os.Getenv("LONG_SCHEDULES")); err == nil {
		count = n
	}
	dry := smallImport(t)
	dry.runTo(t, transfer.Done)
	start := time.Now()
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := next.Add(1) - 1; seed < uint64(count) && !t.Failed(); seed = next.Add(1) - 1 {
				if !runSchedule(t, seed, dry.job.Counts) {
					t.Errorf("seed %d", seed)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d schedules, %.0f a minute", count, float64(count)/time.Since(start).Minutes())
}

var errStopped = errors.New("stopped for good")

// runSchedule runs one schedule and reports whether all was well.
func runSchedule(t *testing.T, seed uint64, whole transfer.Counts) bool {
	r := rand.New(rand.NewPCG(seed, 7))
	b := smallImport(t)
	before := b.visibleState()
	edits := 0
	person := func() {
		switch r.IntN(3) {
		case 0: // an account of the file is edited
			a := b.accounts["p"]
			a.Mobile, a.Version = fmt.Sprint("edit", edits), a.Version+1
			edits++
			b.editAccount(a)
		case 1: // a resource is
			e := b.resources["e1"]
			e.JobTitle, e.Version = fmt.Sprint("edit", edits), e.Version+1
			edits++
			if _, staged := b.stagedResources["e1"]; staged {
				delete(b.stagedResources, "e1")
				b.aborted = true
			}
			b.resources["e1"] = e
		case 2:
			if r.IntN(8) == 0 && !b.job.State.Ended() {
				b.job.CancelRequested = true
			}
		}
	}
	var run func(depth int)
	run = func(depth int) {
		stop := r.IntN(30)
		dead := false
		calls := 0
		b.onCall = func(string) error {
			if dead {
				return errStopped
			}
			if calls++; calls == stop {
				dead = true
				if r.IntN(2) == 0 {
					return errStopped
				}
			}
			if b.job.State != transfer.Done && r.IntN(25) == 0 && edits < 2 {
				person()
			}
			if depth < 2 && r.IntN(40) == 0 {
				mine := b.onCall
				run(depth + 1) // another worker runs while this one sleeps; then this one wakes up
				b.onCall = mine
			}
			return nil
		}
		_ = b.run()
	}
	for range 3 {
		seen := b.visibleEmails()
		run(0)
		if b.job.State != transfer.Done && b.visibleEmails() != seen {
			t.Errorf("a reader sees part: %s, before %s", b.visibleState(), before)
			return false
		}
	}
	b.onCall = nil
	if err := b.run(); err != nil {
		t.Errorf("it does not end: %v", err)
		return false
	}
	p, e := b.accounts["p"], b.resources["e1"]
	swapped := p.Email == "q@example.com" && b.accounts["q"].Email == "p@example.com" && e.Manager == "B" &&
		b.resources["b"].Manager == "E1" && b.accounts["one"].Resource != ""
	switch b.job.State {
	case transfer.Done:
		if !swapped || b.job.Counts != whole || len(b.accounts) != 5 || len(b.resources) != 3 {
			t.Errorf("done: %s %+v", b.visibleState(), b.job.Counts)
			return false
		}
	case transfer.Cancelled, transfer.Failed:
		if p.Email != "p@example.com" || len(b.accounts) != 3 || len(b.resources) != 1 ||
			len(b.staged)+len(b.stagedResources) > 0 {
			t.Errorf("%s: %s", b.job.State, b.visibleState())
			return false
		}
	default:
		t.Errorf("it ended %s: %+v", b.job.State, b.job.Problem)
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
func (b *fakeBackend) editAccount(a account.Account) {
	if _, staged := b.staged[a.DirectoryKey()]; staged {
		delete(b.staged, a.DirectoryKey())
		b.aborted = true
	}
	b.accounts[a.DirectoryKey()] = a
}

// visibleEmails is what a reader sees that only the import changes.
func (b *fakeBackend) visibleEmails() string {
	out := fmt.Sprint(len(b.accounts), len(b.resources))
	for _, key := range []string{"p", "q"} {
		out += " " + b.accounts[key].Email
	}
	return out + b.resources["e1"].Manager
}

// The fence is what stops a worker that wakes up after another ended its job. The mutant without it writes on: it
// begins the import anew, under a number of its own.
func TestWithoutTheFenceALateWorkerWritesOn(t *testing.T) {
	dry := smallImport(t)
	dry.runTo(t, transfer.Done)
	found := 0
	for _, unfenced := range []bool{false, true} {
		for n := 1; n < len(dry.calls); n++ {
			b := smallImport(t)
			slept := 0
			b.onCall = func(string) error {
				if slept++; slept == n+1 {
					b.onCall = nil
					b.runTo(t, transfer.Done)
					b.unfenced = unfenced
				}
				return nil
			}
			err := b.run()
			wrote := b.lastImportID > 1 || !b.job.State.Ended() || !errors.Is(err, transfer.ErrSuperseded)
			switch {
			case !unfenced && wrote:
				t.Errorf("asleep at %s: %v, %s", dry.calls[n], err, b.job.State)
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
		b := smallImport(t)
		slept := 0
		var report, sheet string
		b.onCall = func(string) error {
			if slept++; slept == n+1 {
				b.onCall = nil
				b.runTo(t, transfer.Done)
				report, sheet = string(b.files[b.job.ReportKey()]), string(b.files[b.job.ResultSheetKey()])
			}
			return nil
		}
		_ = b.run()
		if report == "" || sheet == "" || string(b.files[b.job.ReportKey()]) != report ||
			string(b.files[b.job.ResultSheetKey()]) != sheet {
			t.Errorf("asleep at %s: the result was\n%s\nand is\n%s", dry.calls[n], report, b.files[b.job.ReportKey()])
		}
	}
}
