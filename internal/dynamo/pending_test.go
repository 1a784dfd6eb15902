package dynamo_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/signin"
	"useraccounts/internal/transfer"
)

// staged runs an import up to its commit, at which the worker dies: everything is written and nothing counts.
func (f *fixture) staged(t *testing.T, rows ...[]any) transfer.Job {
	t.Helper()
	j := f.submit(t, transfer.Options{}, rows...)
	// taken, checking, begun, staged, committed
	if err := f.workerOn(t, &crash{at: 5}).Run(t.Context(), env, j.ID); err == nil {
		t.Fatal("the import was not stopped before its commit")
	}
	is := f.job(t, j.ID)
	if is.State != transfer.Writing || is.NextRow != len(rows)-1 {
		t.Fatalf("the job is %s at %d: not all rows were staged", is.State, is.NextRow)
	}
	return is
}

// finish lets the next worker end the job.
func (f *fixture) finish(t *testing.T, j transfer.Job, want transfer.State) transfer.Job {
	t.Helper()
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	got := f.job(t, j.ID)
	if got.State != want {
		t.Fatalf("the job is %s, want %s: %+v", got.State, want, got.Problem)
	}
	return got
}

func (f *fixture) cancel(t *testing.T, j transfer.Job) {
	t.Helper()
	if err := f.jobStore.SetFlag(t.Context(), j, transfer.FlagCancelRequested); err != nil {
		t.Fatal(err)
	}
	f.finish(t, j, transfer.Cancelled)
}

// V62, V74: a person's edit of an account that an import has staged counts at once and survives; the import starts
// again, on what the person made of it.
func TestAnEditOfAStagedAccountSurvives(t *testing.T) {
	f := newFixture(t)
	keep := f.create(t, "keep", nil)
	j := f.staged(t, headings(), personRow("one"), []any{"keep", "By import", nil, "import@example.com"})
	got, err := f.accounts.Change(t.Context(), f.currentScope(t), keep.ID, 1,
		map[string]any{"mobile": "by a person", "email": "person@example.com"})
	if err != nil || got.Version != 2 || got.Name != "Somebody" {
		t.Fatalf("%+v %v", got, err)
	}
	if seen, _ := f.accounts.Get(t.Context(), f.currentScope(t), keep.ID); seen.Mobile != "by a person" ||
		seen.Name != "Somebody" {
		t.Errorf("while the import is pending: %+v", seen)
	}
	// The worker that staged it could not commit any more, were it alive.
	done := f.job(t, j.ID)
	done.State = transfer.Done
	imports := dynamo.Imports{Jobs: f.jobStore, Accounts: f.store, Environments: f.environments}
	if err := imports.Commit(t.Context(), done, f.admin.Caller, nil); !errors.Is(err, transfer.ErrStale) {
		t.Fatalf("the commit: %v", err)
	}
	if ended := f.finish(t, j, transfer.Done); ended.Restarts != 1 {
		t.Errorf("%d restarts", ended.Restarts)
	}
	is, err := f.accounts.Get(t.Context(), f.currentScope(t), keep.ID)
	if err != nil || is.Mobile != "by a person" || is.Name != "By import" || is.Email != "import@example.com" ||
		is.Version != 3 {
		t.Errorf("%+v %v", is, err)
	}
	for identifier, want := range map[string]string{
		"keep@example.com":   "",
		"person@example.com": "",
		"import@example.com": "keep",
		"one":                "one",
	} {
		if key, err := f.find(t.Context(), identifier); err != nil || key != want {
			t.Errorf("%s leads to %q (%v), want %q", identifier, key, err, want)
		}
	}
}

// A rename would move the account away from where its import finds it again: it waits. Afterwards nothing is left over.
func TestARenameWaitsForTheImport(t *testing.T) {
	f := newFixture(t)
	keep := f.create(t, "keep", nil)
	j := f.staged(t, headings(), []any{"keep", "By import", nil, "import@example.com"})
	_, err := f.accounts.Change(t.Context(), f.currentScope(t), keep.ID, 1, map[string]any{"username": "moved"})
	if !fault.Is(err, fault.Conflict) || !fault.HasCode(err, "busy") || fault.As(err).RetryAfter == 0 {
		t.Fatalf("%v", err)
	}
	f.cancel(t, j)
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), keep.ID, 1,
		map[string]any{"username": "moved"}); err != nil {
		t.Fatal(err)
	}
	for identifier, want := range map[string]string{
		"keep":               "",
		"moved":              "moved",
		"keep@example.com":   "moved",
		"import@example.com": "",
	} {
		if key, err := f.find(t.Context(), identifier); err != nil || key != want {
			t.Errorf("%s leads to %q (%v), want %q", identifier, key, err, want)
		}
	}
}

// V91: no import takes a password away by a licence for API clients. The row fails, and nothing of it is written.
func TestNoImportTakesAPasswordAway(t *testing.T) {
	f := newFixture(t)
	f.member(t, "doej")
	in := f.login(t, f.signin, "doej", secret)
	j := f.submit(t, transfer.Options{}, headings(), []any{"doej", nil, "API"})
	f.finish(t, j, transfer.Refused)
	if err := in(); err != nil {
		t.Errorf("after the import: %v", err)
	}
}

// A job that a person cancelled in the moment its worker began stays cancelled.
func TestACancelledJobIsNotTakenUp(t *testing.T) {
	f := newFixture(t)
	j := f.submit(t, transfer.Options{}, headings(), personRow("one"))
	taken, err := f.jobStore.Claim(t.Context(), env, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	s := &transfer.Service{Jobs: f.jobStore,
		Scheduler: transfer.Scheduler{Jobs: f.jobStore, Messages: f.queue, Now: time.Now}, Now: f.signin.Now}
	if got, err := s.Cancel(t.Context(), f.currentScope(t), j.ID); err != nil || got.State != transfer.Cancelled {
		t.Fatalf("%+v %v", got, err)
	}
	taken.State = transfer.Checking
	if err := f.jobStore.Save(t.Context(), taken); !errors.Is(err, transfer.ErrSuperseded) {
		t.Errorf("the worker goes on: %v", err)
	}
	f.finish(t, j, transfer.Cancelled)
}

// readInPages reads the list in pages of two with one snapshot, as a cursor holds it, and does something between the
// pages.
func (f *fixture) readInPages(t *testing.T, env environment.Environment, between func()) []string {
	t.Helper()
	var names []string
	for after := ""; ; between() {
		page, next, err := f.store.Page(t.Context(), env, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			names = append(names, a.Username+"="+a.Name)
		}
		if after = next; next == "" {
			return names
		}
	}
}

// V74, V77: who walks the list with the snapshot of the first page never sees part of an import that commits between
// pages; who begins after it sees all.
func TestAWalkNeverSeesPartOfAnImport(t *testing.T) {
	f := newFixture(t)
	f.create(t, "bert", nil)
	f.create(t, "yann", nil)
	j := f.staged(t, headings(), personRow("aaa"), []any{"bert", "By import"}, personRow("mmm"),
		[]any{"yann", "By import"}, personRow("zzz"))
	before := f.currentScope(t).Env
	committed := false
	got := f.readInPages(t, before, func() {
		if !committed {
			committed = true
			f.finish(t, j, transfer.Done)
		}
	})
	if want := []string{"admin=Administrator", "bert=Somebody", "yann=Somebody"}; !committed || !slices.Equal(got, want) {
		t.Errorf("with the old snapshot: %v", got)
	}
	want := []string{"aaa=Person aaa", "admin=Administrator", "bert=By import", "mmm=Person mmm", "yann=By import",
		"zzz=Person zzz"}
	if got := f.readInPages(t, f.currentScope(t).Env, func() {}); !slices.Equal(got, want) {
		t.Errorf("with a new one: %v", got)
	}
}

// The test above can fail: a reader that sees every import sees one that is pending.
func TestAReaderWithoutASnapshotSeesPartOfAnImport(t *testing.T) {
	f := newFixture(t)
	f.staged(t, headings(), personRow("aaa"))
	blind := f.currentScope(t).Env
	blind.Imports = environment.Snapshot{Last: 1 << 40} // Sees is true for all
	if got := f.readInPages(t, blind, func() {}); !slices.Contains(got, "aaa=Person aaa") {
		t.Errorf("the mutant lives: %v", got)
	}
}

// unfencedClient is a client that takes the job's epoch out of every condition: a Stage without its fence.
func unfencedClient(t *testing.T) *dynamodb.Client {
	o := localtest.Services(t).DynamoDBClient().Options()
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(
			middleware.InitializeMiddlewareFunc("unfenced",
				func(ctx context.Context, in middleware.InitializeInput,
					next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					if write, ok := in.Parameters.(*dynamodb.TransactWriteItemsInput); ok {
						for _, it := range write.TransactItems {
							if u := it.Update; u != nil && u.ConditionExpression != nil {
								u.ConditionExpression = aws.String(
									strings.Replace(*u.ConditionExpression, "epoch = :epoch", "(epoch >= :epoch OR epoch < :epoch)", 1))
							}
						}
					}
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
	})
	return dynamodb.New(o)
}

// V75: a worker whose job another took stages nothing and commits nothing. With its fence taken out it would: the test
// can fail.
func TestAWorkerOfAnEarlierEpochChangesNothing(t *testing.T) {
	f := newFixture(t)
	for _, fenced := range []bool{true, false} {
		table := f.table
		if !fenced {
			table = &dynamo.Table{Client: unfencedClient(t), Name: f.table.Name}
		}
		imports := dynamo.Imports{Jobs: dynamo.Jobs{Table: table}, Accounts: dynamo.Accounts{Table: table},
			Environments: dynamo.NewEnvironments(table)}
		j := f.submit(t, transfer.Options{}, headings(), personRow("one"))
		old, err := f.jobStore.Claim(t.Context(), env, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		if old, err = imports.Begin(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if _, err := f.jobStore.Claim(t.Context(), env, j.ID); err != nil {
			t.Fatal(err)
		}
		w, err := f.accounts.Rules.Create(f.currentScope(t),
			map[string]any{"username": "one", "name": "N", "email": "one@example.com", "userType": "FULL"}, old.ID,
			f.signin.Now())
		if err != nil {
			t.Fatal(err)
		}
		_, staged := imports.Stage(t.Context(), old, []transfer.StagedRow{{NextRow: 1, Account: w}})
		done := old
		done.State, done.NextRow = transfer.Done, 1
		committed := imports.Commit(t.Context(), done, f.admin.Caller, nil)
		if fenced {
			if !errors.Is(staged, transfer.ErrSuperseded) || !errors.Is(committed, transfer.ErrSuperseded) ||
				slices.Contains(f.usernames(t), "one") {
				t.Errorf("staged: %v, committed: %v, %v", staged, committed, f.usernames(t))
			}
			f.cancel(t, f.job(t, j.ID))
		} else if staged != nil || committed != nil || !slices.Contains(f.usernames(t), "one") {
			t.Errorf("the mutant lives: staged %v, committed %v", staged, committed)
		}
	}
}

// V40: whoever is blocked is out at the next request, also while an import has staged their account.
func TestABlockOfAStagedAccountEndsItsSession(t *testing.T) {
	f := newFixture(t)
	a := f.member(t, "doej")
	in, err := f.signin.Login(t.Context(), "doej", secret, signin.ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	j := f.staged(t, headings(), []any{"doej", "By import", nil, nil, "VIEWER"})
	if _, err := f.signin.Authenticate(t.Context(), in.Access.Reveal()); err != nil {
		t.Errorf("while the import is pending: %v", err)
	}
	if _, err := f.accounts.Block(t.Context(), f.currentScope(t), a.ID, 0, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.signin.Authenticate(t.Context(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("blocked: %v", err)
	}
	f.finish(t, j, transfer.Done)
	if is, err := f.accounts.Get(t.Context(), f.currentScope(t), a.ID); err != nil || !is.AccessLocked ||
		is.Name != "By import" {
		t.Errorf("%+v %v", is, err)
	}
	if _, err := f.signin.Authenticate(t.Context(), in.Access.Reveal()); !fault.HasCode(err, "session") {
		t.Errorf("after the import: %v", err)
	}
}
