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

// The schedules here run the whole worker and the real store, on a table in memory, through an import, its undo and an import
// behind that: with workers that die before or after any call, ones that wake up late, messages that come twice, people who
// edit, use and delete, second clicks, cancelled undos, and readers who turn their pages meanwhile.

// world is one goroutine's table and what works on it; each schedule begins it anew.
type world struct {
	*fixture
	memory    *memory
	base      *base
	resources *resource.Service
	contacts  *account.Contacts
	breaks    mutant

	r    *rand.Rand
	jobs []string // of the first import, of undos, of the second import
	undo string   // the job that undoes, the last of them
	// people's edits, what everybody has to see now, and what happened to each row before the undo counted.
	edits   int
	sees    view
	touched map[string][]transfer.Outcome
	applied map[string]bool // jobs whose commit sees knows
	// gaveBack is what the undo that counts made of each row.
	gaveBack map[string]transfer.Outcome
	commits  int
	reader   *walk
	wrong    error
	// story is what happened, for a schedule that found something.
	story []string
}

// base is what schedules begin with: an import that was submitted, and the same one committed.
type base struct {
	before, after     snapshot
	imported          transfer.Job
	viewBefore, first view
	behind            []byte // the file of the second import
}

type snapshot struct {
	items map[place]attributes
	files map[string][]byte
}

type view map[string]string

// scheduleRows is the first import: accounts and resources are made, changed, taken over, and emails change hands.
func scheduleRows() [][]any {
	return [][]any{
		staffHeads(), hired("one", "A", "STAFF", "B", "by import"), hired("two", nil, "STAFF", "KEEP", "by import"),
		{"keep", nil, nil, nil, nil, nil, nil, nil, "B", "by import"}, hired("three", "B", "STAFF", "A", "by import"),
		{"p", nil, nil, "q@example.com"}, {"q", nil, nil, "p@example.com"}, {"m", "By import", nil, "moved@example.com", "EDITOR"},
		hired("five", "FREE", nil, "KEEP", "by import"), person("plain"),
	}
}

// needs are the rows that each row needs to be undone.
func needs() map[string][]string {
	return map[string][]string{"one": {"three"}, "three": {"one", "keep"}, "p": {"q"}, "q": {"p"}}
}

// staffOf are the resources of the rows, and whether the import changed the account too.
func staffOf() map[string]string {
	return map[string]string{"one": "A", "two": "1", "keep": "KEEP", "three": "B", "five": "FREE"}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{memory: &memory{items: map[place]attributes{}}}
	w.fixture = fixtureOn(t, &dynamo.Table{Client: w.memory.client(), Name: "table"})
	w.office(t)
	w.create(t, "m", map[string]any{"roles": []string{"VIEWER"}})
	w.create(t, "lone", nil)
	w.makeResource(t, "FREE")
	w.resources, w.contacts = w.resourcesFor(), w.tabs().contacts
	w.base = &base{viewBefore: w.look(w.fresh(t).Env)}
	w.base.imported = w.submit(t, transfer.Options{}, scheduleRows()...)
	w.base.before = w.snapshot()
	w.finish(t, w.base.imported, transfer.Done)
	w.base.first = w.look(w.fresh(t).Env)
	w.base.after = w.snapshot()
	w.base.behind = workbook(t, heads(), []any{"p", "By the second"}, []any{"lone", "By the second"}, person("newcomer"))
	return w
}

// on is another world of the same base, for another goroutine.
func (w *world) on() *world {
	out := &world{memory: &memory{}, base: w.base}
	f := *w.fixture
	f.table = &dynamo.Table{Client: out.memory.client(), Name: "table"}
	f.environments, f.store, f.records = dynamo.NewEnvironments(f.table), dynamo.Accounts{Table: f.table}, dynamo.Jobs{Table: f.table}
	f.accounts, f.files, f.queue = accountService(f.store), &files{}, &messages{}
	out.fixture = &f
	out.resources, out.contacts = f.resourcesFor(), f.tabs().contacts
	return out
}

func (w *world) snapshot() snapshot {
	return snapshot{maps.Clone(w.memory.items), maps.Clone(w.files.stored)}
}

// begin puts the world back to where schedules begin: before the import or after it.
func (w *world) begin(seed uint64) {
	w.r = rand.New(rand.NewPCG(seed, 11)) //nolint:gosec // a schedule is no secret
	from, sees := w.base.after, w.base.first
	if w.applied = map[string]bool{}; seed%4 == 0 {
		from, sees = w.base.before, w.base.viewBefore
	} else {
		w.applied[w.base.imported.ID] = true
	}
	w.memory.items, w.files.stored = maps.Clone(from.items), maps.Clone(from.files)
	w.jobs, w.undo, w.edits, w.commits, w.reader, w.gaveBack, w.wrong, w.story = []string{w.base.imported.ID}, "", 0, 0, nil, nil, nil, nil
	w.sees, w.touched = maps.Clone(sees), map[string][]transfer.Outcome{}
	w.memory.call, w.memory.mutant = w.intercept, w.breaks.condition
}

// process is one run of a worker.
type process struct {
	mu    sync.Mutex
	busy  sync.Mutex // something happens while a call of this process is about to be made
	calls int
	stop  int // the call at which it dies
	late  bool
	dead  bool
	depth int
}

type processKey struct{}

// intercept is around each call: the process may die of it, or anything may happen first.
func (w *world) intercept(ctx context.Context, do func()) bool {
	p, ok := ctx.Value(processKey{}).(*process)
	if !ok {
		do()
		return true
	}
	if p.busy.TryLock() {
		w.happens(p.depth)
		p.busy.Unlock()
	}
	p.mu.Lock()
	p.calls++
	dies := p.calls == p.stop
	dead := p.dead || dies
	p.dead = dead
	p.mu.Unlock()
	if !dead || dies && p.late {
		do()
	}
	return !dead
}

// run runs a job in a process that may die.
func (w *world) run(job string, depth, stop int) {
	p := &process{stop: stop, late: w.r.IntN(2) == 0, depth: depth}
	w.tell("worker %d on %s, to die at %d", depth, job, stop)
	err := w.deliver(context.WithValue(context.Background(), processKey{}, p), job)
	w.tell("worker %d ended after %d calls: %v", depth, p.calls, err)
	if err != nil && !p.dead && !errors.Is(err, transfer.ErrLost) {
		w.fail("a worker that lived: %w", err)
	}
	w.settle()
}

// any is one of the jobs, of which a message may come at any time.
func (w *world) any() string { return w.jobs[w.r.IntN(len(w.jobs))] }

// deliver runs the worker for a message.
func (w *world) deliver(ctx context.Context, job string) error {
	worker := w.worker()
	imports := worker.Undoing
	worker.Sleep = func(context.Context, time.Duration) error {
		if !w.breaks.impatient {
			w.reader = nil // who reads since before the commit is done by the end of this
		}
		return nil
	}
	worker.Staging, worker.Undoing = inTwos{worker.Staging}, imports
	if w.breaks.undoing != nil {
		worker.Undoing = w.breaks.undoing(imports)
	}
	if w.breaks.staging != nil {
		worker.Staging = w.breaks.staging(worker.Staging)
	}
	return worker.Run(ctx, env, job)
}

// inTwos stages no more than two rows at once, so that a small job has several such steps.
type inTwos struct{ transfer.Staging }

func (s inTwos) Stage(ctx context.Context, j transfer.Job, rows []transfer.Staged) (int, error) {
	return s.Staging.Stage(ctx, j, rows[:min(2, len(rows))])
}

func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	if w.wrong == nil {
		w.wrong = fmt.Errorf(format, args...)
	}
}

// happens is what may happen before a call of a worker.
func (w *world) happens(depth int) {
	if w.wrong != nil {
		return
	}
	switch n := w.r.IntN(60); {
	case n < 2:
		w.readNow()
	case n < 7:
		w.turnPage()
	case n < 9:
		w.edit()
	case n < 11 && depth < 3:
		w.run(w.any(), depth+1, 1+w.r.IntN(40))
	case n == 11:
		w.click()
	}
}

// schedule runs one schedule and returns what was wrong.
func (w *world) schedule(seed uint64) error {
	w.begin(seed)
	for range 3 + w.r.IntN(4) {
		w.click()
		for range w.r.IntN(3) {
			w.edit()
		}
		if w.r.IntN(6) == 0 {
			w.importBehind()
		}
		w.run(w.any(), 0, 1+w.r.IntN(45))
		if w.r.IntN(12) == 0 && w.undo != "" {
			_ = w.records.Mark(context.Background(), transfer.Job{Env: env, ID: w.undo}, transfer.MarkCancel)
		}
		w.readNow()
	}
	if w.wrong == nil {
		w.end()
	}
	return w.wrong
}

// click orders that the import be undone, once more if it was already.
func (w *world) click() {
	before, err := w.records.Job(context.Background(), env, w.undo)
	ordered := err == nil && !slices.Contains([]transfer.State{transfer.Cancelled, transfer.Failed, transfer.Refused}, before.State)
	first, err := w.records.Job(context.Background(), env, w.jobs[0])
	if err != nil || first.State != transfer.Done {
		return
	}
	scope, err := w.now()
	if err != nil {
		w.fail("scope: %w", err)
		return
	}
	is, err := w.transfers().Undo(context.Background(), scope, w.jobs[0])
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

// importBehind submits a second import, which changes an account of the first.
func (w *world) importBehind() {
	if !w.applied[w.jobs[0]] || slices.ContainsFunc(w.jobs, func(id string) bool { return strings.HasSuffix(id, "BEHIND") }) {
		return
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	j := transfer.Job{ID: token.NewIDText() + "BEHIND", Env: env, Kind: transfer.Import, State: transfer.Submitted, Options: w.base.imported.Options,
		By: w.admin.Caller.Username, ByID: w.admin.Caller.AccountID, Created: now, Submitted: now}
	j.Options.SkipErrors = true
	w.files.put(j.UploadKey(), w.base.behind)
	j.File = transfer.File{Key: j.UploadKey()}
	if err := w.records.Create(context.Background(), j); err != nil {
		w.fail("submit: %w", err)
	}
	w.jobs = append(w.jobs, j.ID)
}

func (w *world) now() (access.Scope, error) {
	scope := w.admin
	var err error
	scope.Env, err = w.environments.Environment(context.Background(), env)
	return scope, err
}

// V73, V74, V75: random schedules of an import, its undo and an import behind it, on the real store. LONG_SCHEDULES says how
// many.
func TestRandomSchedules(t *testing.T) {
	count := 300
	if n, err := strconv.Atoi(os.Getenv("LONG_SCHEDULES")); err == nil {
		count = n
	}
	first := newWorld(t)
	defer debug.SetGCPercent(debug.SetGCPercent(500)) // half of the time would go into collecting what is small anyway
	begun := time.Now()
	var next atomic.Uint64
	var wg sync.WaitGroup
	var ends sync.Map
	for range runtime.GOMAXPROCS(0) {
		w := first.on()
		wg.Go(func() {
			for seed := next.Add(1) - 1; seed < uint64(count) && !t.Failed(); seed = next.Add(1) - 1 { //nolint:gosec // no negative count
				if err := w.schedule(seed); err != nil {
					t.Errorf("seed %d: %v\n%s", seed, err, strings.Join(w.story, "\n"))
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
