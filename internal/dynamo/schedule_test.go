package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/resource"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// The schedules here run the whole worker and the real store, on a table in memory, through an import, its undo and an
// import behind that: with workers that die before or after any call, ones that wake up late, messages that come twice,
// people who edit, use and delete, second clicks, cancelled undos, and readers who turn their pages meanwhile.

// simulation is one goroutine's table and what works on it. Each schedule resets it.
type simulation struct {
	*fixture
	memory    *fakeTable
	base      *base
	resources *resource.Service
	contacts  *account.Contacts
	mutant    mutant

	r    *rand.Rand
	jobs []string // of the first import, of undos, of the second import
	undo string   // the job that undoes, the last of them
	// people's edits, what everybody has to see now, and what happened to each row before the undo counted.
	edits    int
	expected view
	touched  map[string][]transfer.Outcome
	applied  map[string]bool // jobs whose commit sees knows
	// undoOutcomes is what the undo that counts made of each row.
	undoOutcomes map[string]transfer.Outcome
	commits      int
	reader       *pagedReader
	failure      error
	// trace is what happened, for a schedule that found something.
	trace []string
}

// base is what schedules begin with: an import that was submitted, and the same one committed.
type base struct {
	before, after         snapshot
	imported              transfer.Job
	viewBefore, viewAfter view
	secondFile            []byte // the file of the second import
}

type snapshot struct {
	items map[itemKey]attributes
	files map[string][]byte
}

type view map[string]string

// scheduleRows is the first import: accounts and resources are made, changed, taken over, and emails change hands.
func scheduleRows() [][]any {
	return [][]any{
		resourceHeadings(), resourceRow("one", "A", "STAFF", "B", "by import"),
		resourceRow("two", nil, "STAFF", "KEEP", "by import"),
		{"keep", nil, nil, nil, nil, nil, nil, nil, "B", "by import"}, resourceRow("three", "B", "STAFF", "A", "by import"),
		{"p", nil, nil, "q@example.com"}, {"q", nil, nil, "p@example.com"},
		{"m", "By import", nil, "moved@example.com", "EDITOR"},
		resourceRow("five", "FREE", nil, "KEEP", "by import"), personRow("plain"),
	}
}

// rowDependencies are the rows that each row needs to be undone.
func rowDependencies() map[string][]string {
	return map[string][]string{"one": {"three"}, "three": {"one", "keep"}, "p": {"q"}, "q": {"p"}}
}

// rowResources are the resources of the rows, and whether the import changed the account too.
func rowResources() map[string]string {
	return map[string]string{"one": "A", "two": "1", "keep": "KEEP", "three": "B", "five": "FREE"}
}

func newSimulation(t *testing.T) *simulation {
	t.Helper()
	w := &simulation{memory: &fakeTable{items: map[itemKey]attributes{}}}
	w.fixture = fixtureOn(t, &dynamo.Table{Client: w.memory.client(), Name: "table"})
	w.createPeople(t)
	w.create(t, "m", map[string]any{"roles": []string{"VIEWER"}})
	w.create(t, "lone", nil)
	w.createResource(t, "FREE")
	w.resources, w.contacts = w.resourceService(), w.tabServices().contacts
	w.base = &base{viewBefore: w.readAll(w.currentScope(t).Env)}
	w.base.imported = w.submit(t, transfer.Options{}, scheduleRows()...)
	w.base.before = w.snapshot()
	w.finish(t, w.base.imported, transfer.Done)
	w.base.viewAfter = w.readAll(w.currentScope(t).Env)
	w.base.after = w.snapshot()
	w.base.secondFile = workbook(t, headings(), []any{"p", "By the second"}, []any{"lone", "By the second"},
		personRow("newcomer"))
	return w
}

// clone is another simulation of the same base, for another goroutine.
func (w *simulation) clone() *simulation {
	out := &simulation{memory: &fakeTable{}, base: w.base}
	f := *w.fixture
	f.table = &dynamo.Table{Client: out.memory.client(), Name: "table"}
	f.environments, f.store, f.jobStore = dynamo.NewEnvironments(f.table), dynamo.Accounts{Table: f.table},
		dynamo.Jobs{Table: f.table}
	f.accounts, f.files, f.queue = accountService(f.store), &fakeFiles{}, &fakeQueue{}
	out.fixture = &f
	out.resources, out.contacts = f.resourceService(), f.tabServices().contacts
	return out
}

func (w *simulation) snapshot() snapshot {
	return snapshot{maps.Clone(w.memory.items), maps.Clone(w.files.stored)}
}

// begin resets the simulation to where schedules start: before the import or after it.
func (w *simulation) begin(seed uint64) {
	w.r = rand.New(rand.NewPCG(seed, 11))
	from, sees := w.base.after, w.base.viewAfter
	if w.applied = map[string]bool{}; seed%4 == 0 {
		from, sees = w.base.before, w.base.viewBefore
	} else {
		w.applied[w.base.imported.ID] = true
	}
	w.memory.items, w.files.stored = maps.Clone(from.items), maps.Clone(from.files)
	w.jobs, w.undo, w.edits, w.commits, w.reader, w.undoOutcomes, w.failure, w.trace = []string{w.base.imported.ID}, "",
		0, 0, nil, nil, nil, nil
	w.expected, w.touched = maps.Clone(sees), map[string][]transfer.Outcome{}
	w.memory.call, w.memory.mutant = w.intercept, w.mutant.condition
}

// process is one run of a worker.
type process struct {
	mu        sync.Mutex
	busy      sync.Mutex // something happens while a call of this process is about to be made
	calls     int
	stop      int // the call at which it dies
	afterCall bool
	dead      bool
	depth     int
}

type processKey struct{}

// intercept is around each call: the process may die of it, or anything may happen first.
func (w *simulation) intercept(ctx context.Context, do func()) bool {
	p, ok := ctx.Value(processKey{}).(*process)
	if !ok {
		do()
		return true
	}
	if p.busy.TryLock() {
		w.interleave(p.depth)
		p.busy.Unlock()
	}
	p.mu.Lock()
	p.calls++
	dies := p.calls == p.stop
	dead := p.dead || dies
	p.dead = dead
	p.mu.Unlock()
	if !dead || dies && p.afterCall {
		do()
	}
	return !dead
}

// run runs a job in a process that may die.
func (w *simulation) run(job string, depth, stop int) {
	p := &process{stop: stop, afterCall: w.r.IntN(2) == 0, depth: depth}
	w.logf("worker %d on %s, to die at %d", depth, job, stop)
	err := w.deliver(context.WithValue(context.Background(), processKey{}, p), job)
	w.logf("worker %d ended after %d calls: %v", depth, p.calls, err)
	if err != nil && !p.dead && !errors.Is(err, transfer.ErrSuperseded) {
		w.fail("a worker that lived: %w", err)
	}
	w.applyCommits()
}

// randomJob is one of the jobs, of which a message may come at any time.
func (w *simulation) randomJob() string { return w.jobs[w.r.IntN(len(w.jobs))] }

// deliver runs the worker for a message.
func (w *simulation) deliver(ctx context.Context, job string) error {
	worker := w.worker()
	imports := worker.UndoStore
	worker.Sleep = func(context.Context, time.Duration) error {
		if !w.mutant.impatient {
			w.reader = nil // who reads since before the commit is done by the end of this
		}
		return nil
	}
	worker.Staging, worker.UndoStore = twoRowStaging{worker.Staging}, imports
	if w.mutant.undoing != nil {
		worker.UndoStore = w.mutant.undoing(imports)
	}
	if w.mutant.staging != nil {
		worker.Staging = w.mutant.staging(worker.Staging)
	}
	return worker.Run(ctx, env, job)
}

// twoRowStaging stages no more than two rows at once, so that a small job has several such steps.
type twoRowStaging struct{ transfer.Staging }

func (s twoRowStaging) Stage(ctx context.Context, j transfer.Job, rows []transfer.StagedRow) (int, error) {
	return s.Staging.Stage(ctx, j, rows[:min(2, len(rows))])
}

func (w *simulation) logf(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *simulation) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf(format, args...)
	}
}

// interleave is what may happen before a call of a worker.
func (w *simulation) interleave(depth int) {
	if w.failure != nil {
		return
	}
	switch n := w.r.IntN(60); {
	case n < 2:
		w.readNow()
	case n < 7:
		w.readPage()
	case n < 9:
		w.edit()
	case n < 11 && depth < 3:
		w.run(w.randomJob(), depth+1, 1+w.r.IntN(40))
	case n == 11:
		w.orderUndo()
	}
}

// schedule runs one schedule and returns what was wrong.
func (w *simulation) schedule(seed uint64) error {
	w.begin(seed)
	for range 3 + w.r.IntN(4) {
		w.orderUndo()
		for range w.r.IntN(3) {
			w.edit()
		}
		if w.r.IntN(6) == 0 {
			w.submitSecondImport()
		}
		w.run(w.randomJob(), 0, 1+w.r.IntN(45))
		if w.r.IntN(12) == 0 && w.undo != "" {
			_ = w.jobStore.SetFlag(context.Background(), transfer.Job{Env: env, ID: w.undo}, transfer.FlagCancelRequested)
		}
		w.readNow()
	}
	if w.failure == nil {
		w.end()
	}
	return w.failure
}

// orderUndo orders that the import be undone, once more if it was already.
func (w *simulation) orderUndo() {
	before, err := w.jobStore.Job(context.Background(), env, w.undo)
	ordered := err == nil &&
		!slices.Contains([]transfer.State{transfer.Cancelled, transfer.Failed, transfer.Refused}, before.State)
	first, err := w.jobStore.Job(context.Background(), env, w.jobs[0])
	if err != nil || first.State != transfer.Done {
		return
	}
	scope, err := w.now()
	if err != nil {
		w.fail("scope: %w", err)
		return
	}
	is, err := w.transferService().Undo(context.Background(), scope, w.jobs[0])
	switch {
	case err != nil:
		w.fail("the click: %w", err)
	case ordered && is.ID != w.undo:
		w.fail("a second click made another undo: %s beside %s", is.ID, w.undo)
	case is.ID != w.undo:
		w.undo = is.ID
		w.jobs = append(w.jobs, is.ID)
	}
}

// submitSecondImport submits a second import, which changes an account of the first.
func (w *simulation) submitSecondImport() {
	if !w.applied[w.jobs[0]] ||
		slices.ContainsFunc(w.jobs, func(id string) bool { return strings.HasSuffix(id, "BEHIND") }) {
		return
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	j := transfer.Job{ID: token.NewIDString() + "BEHIND", Env: env, Kind: transfer.Import, State: transfer.Submitted,
		Options: w.base.imported.Options,
		By:      w.admin.Caller.Username, ByID: w.admin.Caller.AccountID, Created: now, Submitted: now, ProvedAt: now}
	j.Options.SkipErrors = true
	w.files.put(j.UploadKey(), w.base.secondFile)
	j.File = transfer.File{Key: j.UploadKey()}
	if err := w.jobStore.Create(context.Background(), j); err != nil {
		w.fail("submit: %w", err)
	}
	w.jobs = append(w.jobs, j.ID)
}

func (w *simulation) now() (access.Scope, error) {
	scope := w.admin
	scope.Caller.AuthenticatedAt = time.Now() // a long run outlasts the proof of its beginning
	var err error
	scope.Env, err = w.environments.Environment(context.Background(), env)
	return scope, err
}

// V73, V74, V75: random schedules of an import, its undo and an import behind it, on the real store. LONG_SCHEDULES
// says how many.
func TestRandomSchedules(t *testing.T) {
	count := 100
	if n, err := strconv.Atoi(os.Getenv("LONG_SCHEDULES")); err == nil {
		count = n
	}
	first := newSimulation(t)
	defer debug.SetGCPercent(debug.SetGCPercent(500)) // half of the time would go into collecting what is small anyway
	begun := time.Now()
	var next atomic.Uint64
	var wg sync.WaitGroup
	var ends sync.Map
	for range runtime.GOMAXPROCS(0) {
		w := first.clone()
		wg.Go(func() {
			for seed := next.Add(1) - 1; seed < uint64(count) && !t.Failed(); seed = next.Add(1) - 1 {
				if err := w.schedule(seed); err != nil {
					t.Errorf("seed %d: %v\n%s", seed, err, strings.Join(w.trace, "\n"))
				}
				was, _ := ends.LoadOrStore(w.summary(), new(atomic.Int64))
				was.(*atomic.Int64).Add(1)
			}
		})
	}
	wg.Wait()
	ends.Range(func(what, n any) bool { t.Logf("%5d %s", n.(*atomic.Int64).Load(), what); return true })
	t.Logf("%d schedules, %.0f a minute", count, float64(count)/time.Since(begun).Minutes())
}
