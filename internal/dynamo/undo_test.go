package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/fault"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

func (f *fixture) transferService() *transfer.Service {
	return &transfer.Service{Jobs: f.jobStore, UndoJobs: f.jobStore,
		Scheduler: transfer.Scheduler{Jobs: f.jobStore, Messages: f.queue, Now: time.Now}, Now: time.Now,
		NewID: token.NewIDString}
}

// undo orders that an import be undone.
func (f *fixture) undo(t *testing.T, of transfer.Job) transfer.Job {
	t.Helper()
	j, err := f.transferService().Undo(t.Context(), f.currentScope(t), of.ID)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// visibleState is all that people see of accounts and resources, but for versions and times of change.
func (f *fixture) visibleState(t *testing.T) string {
	t.Helper()
	sc := f.currentScope(t)
	found, _, err := f.store.Page(t.Context(), sc.Env, "", 10000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range found {
		a.Version, a.UpdatedAt, a.Stored, a.Epoch, a.DeviceEpoch = 0, time.Time{}, account.Revision{}, 0, 0
		out = append(out, fmt.Sprintf("%+v", a))
		for _, key := range a.LoginKeys() {
			if leads, err := f.find(t.Context(), key); err != nil || leads != a.DirectoryKey() {
				t.Errorf("%s of %s leads to %q (%v)", key, a.Username, leads, err)
			}
		}
	}
	out = append(out, f.visibleResources(t, sc.Env, func() {})...)
	seats, err := f.store.Seats(t.Context(), env)
	return strings.Join(append(out, fmt.Sprint(seats, err)), "\n")
}

// leftovers are the keys of everything in the table but logs.
func (f *fixture) leftovers(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f.dump(t))), func(key string) bool {
		return strings.HasPrefix(key, "G#") || strings.HasPrefix(key, "U#") && strings.Contains(key, " E#")
	})
}

// outcomes are those of a job's rows, by username.
func (f *fixture) outcomes(t *testing.T, j transfer.Job) map[string]transfer.Outcome {
	t.Helper()
	var rows []transfer.Row
	if err := json.Unmarshal(f.files.stored[f.job(t, j.ID).ReportKey()], &rows); err != nil {
		t.Fatal(err)
	}
	out := map[string]transfer.Outcome{}
	for _, row := range rows {
		out[row.Username] = row.Outcome
	}
	return out
}

// runImport runs an import to its end.
func (f *fixture) runImport(t *testing.T, rows ...[]any) transfer.Job {
	t.Helper()
	return f.finish(t, f.submit(t, transfer.Options{}, rows...), transfer.Done)
}

// An undone import leaves what was there before it: accounts, resources, managers, emails that changed hands, seats,
// and no item of its own but the logs. The accounts' logs name the job, the environment's says who was deleted, the
// import who undid it.
func TestUndoGivesEverythingBack(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEa")
	before, left := f.visibleState(t), f.leftovers(t)
	j := f.runImport(t, f.fullImport(t, "a")...)
	if f.visibleState(t) == before {
		t.Fatal("the import did nothing")
	}
	u := f.finish(t, f.undo(t, j), transfer.Done)
	if want := (transfer.Counts{Rows: 8, Undone: 8}); u.Counts != want {
		t.Errorf("%+v; %v", u.Counts, f.outcomes(t, u))
	}
	if got := f.visibleState(t); got != before {
		t.Errorf("after:\n%s\nbefore:\n%s", got, before)
	}
	if got := f.leftovers(t); !slices.Equal(got, left) {
		t.Errorf("left: %v\nbefore: %v", got, left)
	}
	if of := f.job(t, j.ID); !of.Undone || of.UndoJobID != u.ID || !of.UndoableUntil().IsZero() {
		t.Errorf("%+v", of)
	}
	p, _, _ := f.store.Page(t.Context(), f.currentScope(t).Env, "o", 1)
	events, _, err := accountlog.Store{Table: f.table}.Events(t.Context(), f.currentScope(t).Env, p[0].ID, "", 10)
	if err != nil || events[0].Job != u.ID || len(events[0].Changes) == 0 {
		t.Errorf("%+v %v", events, err)
	}
	log, _, err := dynamo.EnvironmentLog{Table: f.table}.Events(t.Context(), env, "", 100)
	deleted := 0
	for _, e := range log {
		if e.Job == u.ID && e.Kind == "deleted" && strings.HasPrefix(e.Subject, "account/a") {
			deleted++
		}
	}
	if err != nil || deleted != 5 {
		t.Errorf("%d of 5 deletions in the log, %v", deleted, err)
	}
	// What it gave back can be imported again, and that undone in turn.
	f.assertImported(t, "a", func() [2]string {
		emails := [2]string{f.email(t, "p"), f.email(t, "q")}
		f.runImport(t, f.fullImport(t, "a")...)
		return emails
	}())
}

// V73, V74: an undo killed at any write, before or after it arrives, is unseen until it is whole, and whole by the next
// delivery.
func TestUndoKilledAtEveryWriteEndsWhole(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEk")
	before, left := f.visibleState(t), f.leftovers(t)
	for at := 1; ; at += everyNth() {
		dead := false
		for _, after := range []bool{false, true} {
			j := f.runImport(t, f.fullImport(t, "k")...)
			between := f.visibleState(t)
			u := f.undo(t, j)
			c := &crash{at: at, after: after}
			_ = f.workerOn(t, c).Run(t.Context(), env, u.ID)
			if f.job(t, u.ID).State != transfer.Done && f.visibleState(t) != between {
				t.Fatalf("killed at %d (%v): a reader sees part of it", at, after)
			}
			f.finish(t, u, transfer.Done)
			if got := f.visibleState(t); got != before {
				t.Fatalf("killed at %d (%v):\n%s\nwant\n%s", at, after, got, before)
			}
			if got := f.leftovers(t); !slices.Equal(got, left) {
				t.Fatalf("killed at %d (%v): left %v\nwant %v", at, after, got, left)
			}
			dead = dead || c.dead
		}
		if !dead {
			if at < 10 {
				t.Errorf("%d writes only", at)
			}
			return
		}
	}
}

// V73: an undo that is cancelled after all is staged, and killed at any write as it takes that back, leaves the import
// as it was, item by item, which can then still be undone.
func TestUndoCancelledLeavesTheImport(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.createResource(t, "FREEc")
	before := f.visibleState(t)
	j := f.runImport(t, f.fullImport(t, "c")...)
	// The mark of an import that was committed says nothing more on a key or an anchor; on rows and resources it does.
	marks := regexp.MustCompile(`(imp|wasId|wasRow):\S+ `)
	dump := func() map[string]string {
		out := f.dump(t)
		for key, is := range out {
			if strings.HasPrefix(key, "L#") || strings.HasSuffix(key, " A") {
				out[key] = marks.ReplaceAllString(is, "")
			}
		}
		return out
	}
	imported := dump()
	for at := 1; ; at += everyNth() {
		u := f.undo(t, j)
		if err := f.workerOn(t, &crash{at: 5}).Run(t.Context(), env, u.ID); err == nil {
			t.Fatal("the undo was not stopped before its commit")
		}
		if is := f.job(t, u.ID); is.State != transfer.Writing || is.NextRow == 0 {
			t.Fatalf("%s at %d", is.State, is.NextRow)
		}
		if err := f.jobStore.SetFlag(t.Context(), u, transfer.FlagCancelRequested); err != nil {
			t.Fatal(err)
		}
		c := &crash{at: at, after: at%2 == 0}
		_ = f.workerOn(t, c).Run(t.Context(), env, u.ID)
		f.finish(t, u, transfer.Cancelled)
		assertUnchanged(t, fmt.Sprintf("killed at %d", at), imported, dump())
		if t.Failed() {
			return
		}
		if !c.dead {
			break
		}
	}
	f.finish(t, f.undo(t, j), transfer.Done)
	if got := f.visibleState(t); got != before {
		t.Errorf("after:\n%s\nbefore:\n%s", got, before)
	}
}

// What was edited or used since the import is left alone, row by row, with all that depends on it; the rest is undone.
func TestUndoLeavesWhatWasEditedSince(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	f.create(t, "edited", nil)
	f.create(t, "fine", nil)
	rows := [][]any{resourceHeadings(), {"edited", "By import"}, {"fine", "By import"},
		{"keep", nil, nil, nil, nil, nil, nil, nil, nil, "By import"}, {"p", nil, nil, "new-p@example.com"}}
	for _, name := range []string{"untouched", "changed", "contacted", "renamed", "gone"} {
		rows = append(rows, personRow(name))
	}
	rows = append(rows, resourceRow("boss", "BOSS", "STAFF"), resourceRow("staffed", "ST", "STAFF"))
	j := f.runImport(t, rows...)
	id := func(name string) string {
		page, _, err := f.store.Page(t.Context(), f.currentScope(t).Env, name[:len(name)-1]+string(name[len(name)-1]-1)+"~",
			1)
		if err != nil || page[0].Username != name {
			t.Fatalf("%s: %v %v", name, page, err)
		}
		return page[0].ID
	}
	change := func(name string, patch map[string]any) {
		if _, err := f.accounts.Change(t.Context(), f.currentScope(t), id(name), 0, patch); err != nil {
			t.Fatal(err)
		}
	}
	change("edited", map[string]any{"mobile": "1"})
	change("changed", map[string]any{"mobile": "1"})
	change("renamed", map[string]any{"username": "other"})
	if err := f.accounts.Delete(t.Context(), f.currentScope(t), id("gone"), 0); err != nil {
		t.Fatal(err)
	}
	f.touchTab(t, id("contacted"))
	f.create(t, "heir", map[string]any{"email": "p@example.com"}) // the email that p had before the import
	if _, err := f.resourceService().Change(t.Context(), f.currentScope(t), "ST", 0,
		map[string]any{"jobTitle": "By a person"}, false); err != nil {
		t.Fatal(err)
	}
	f.createResource(t, "LATER")
	if _, err := f.resourceService().Change(t.Context(), f.currentScope(t), "LATER", 0, map[string]any{"manager": "BOSS"},
		false); err != nil {
		t.Fatal(err)
	}
	u := f.finish(t, f.undo(t, j), transfer.Done)
	want := map[string]transfer.Outcome{
		"edited": "editedSince", "fine": "undone", "keep": "undone", "p": "failed", "untouched": "undone",
		"changed":   "editedSince",
		"contacted": "inUse", "renamed": "editedSince", "gone": "editedSince", "boss": "inUse", "staffed": "editedSince",
	}
	if got := f.outcomes(t, u); !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	names := f.usernames(t)
	for _, name := range []string{"changed", "contacted", "other", "boss", "staffed"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not there", name)
		}
	}
	if slices.Contains(names, "untouched") {
		t.Error("untouched is there")
	}
	for name, want := range map[string]string{"edited": "By import", "fine": "Somebody"} {
		if a, err := f.accounts.Get(t.Context(), f.currentScope(t), id(name)); err != nil || a.Name != want {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	if a, err := f.accounts.Get(t.Context(), f.currentScope(t), id("edited")); err != nil || a.Mobile != "1" {
		t.Errorf("the edit is lost: %+v %v", a, err)
	}
}

// touchTab writes a tab of an account.
func (f *fixture) touchTab(t *testing.T, id string) {
	t.Helper()
	if _, err := f.tabServices().contacts.Replace(t.Context(), f.currentScope(t), id, 1,
		account.Contact{Title: "Dr"}); err != nil {
		t.Fatal(err)
	}
}

// V76: whoever undoes does it with their own rights, as they are when it runs.
func TestUndoIsJudgedByTheRightsOfWhoUndoes(t *testing.T) {
	f := newFixture(t)
	f.create(t, "had", map[string]any{"roles": []string{"ADMIN"}})
	j := f.runImport(t, headings(), []any{"had", nil, nil, nil, "VIEWER"}, personRow("made"))
	u := f.undo(t, j)
	f.barAdmin(t)
	if got := f.finish(t, u, transfer.Failed); got.Problem.Code != "rightsRevoked" {
		t.Errorf("%+v", got.Problem)
	}
}

// barAdmin takes the import's actor out of use, behind the rules.
func (f *fixture) barAdmin(t *testing.T) {
	t.Helper()
	a, err := f.accounts.Get(t.Context(), f.currentScope(t), f.admin.Caller.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	w := account.Write{Before: &a, After: a}
	w.After.AccessLocked, w.After.Version = true, a.Version+1
	w.Event.ID, w.Event.Kind, w.Event.At = token.NewIDString(), "blocked", time.Now()
	if err := f.store.Write(t.Context(), f.currentScope(t).Env, w); err != nil {
		t.Fatal(err)
	}
}

// Two clicks at once make one job, and a later one answers with it. One that came to nothing is followed by another.
func TestUndoIsOrderedOnce(t *testing.T) {
	f := newFixture(t)
	j := f.runImport(t, headings(), personRow("one"))
	jobs := make([]string, 6)
	for _, err := range repeatInParallel(len(jobs), func(i int) error {
		u, err := f.transferService().Undo(t.Context(), f.admin, j.ID)
		jobs[i] = u.ID
		return err
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if slices.Sort(jobs); jobs[0] != jobs[len(jobs)-1] {
		t.Errorf("%v", jobs)
	}
	first := f.job(t, jobs[0])
	if _, err := f.transferService().Cancel(t.Context(), f.currentScope(t), first.ID); err != nil {
		t.Fatal(err)
	}
	second := f.finish(t, f.undo(t, j), transfer.Done)
	if again := f.undo(t, j); second.ID == first.ID || again.ID != second.ID {
		t.Errorf("%s, then %s, then %s", first.ID, second.ID, again.ID)
	}
	if slices.Contains(f.usernames(t), "one") {
		t.Error("it was not undone")
	}
	late := f.transferService()
	late.Now = func() time.Time { return time.Now().Add(transfer.UndoPeriod + time.Minute) }
	if _, err := late.Undo(t.Context(), f.currentScope(t),
		f.runImport(t, headings(), personRow("two")).ID); !fault.HasCode(err, "tooLate") {
		t.Errorf("%v", err)
	}
	if _, err := f.transferService().Undo(t.Context(), f.currentScope(t),
		f.runImport(t, headings(), []any{"two"}).ID); !fault.HasCode(err, "nothingToUndo") {
		t.Errorf("%v", err)
	}
}

// While an undo is about to take an account away, whoever edits it wins, and nobody adds what would go unseen.
func TestWhatIsBeingUndoneIsNotAddedTo(t *testing.T) {
	f := newFixture(t)
	j := f.runImport(t, headings(), personRow("one"), personRow("two"))
	u := f.undo(t, j)
	if err := f.workerOn(t, &crash{at: 5}).Run(t.Context(), env, u.ID); err == nil {
		t.Fatal("the undo was not stopped before its commit")
	}
	one, _, err := f.store.Page(t.Context(), f.currentScope(t).Env, "on", 1)
	if err != nil || one[0].Username != "one" {
		t.Fatalf("%v %v", one, err)
	}
	if _, err := f.tabServices().contacts.Replace(t.Context(), f.currentScope(t), one[0].ID, 1,
		account.Contact{Title: "Dr"}); !fault.HasCode(err, "busy") {
		t.Errorf("a tab: %v", err)
	}
	if _, err := f.accounts.Create(t.Context(), f.currentScope(t),
		map[string]any{"username": "ONE", "name": "N", "email": "x@example.com", "userType": "FULL"}); !fault.HasCode(err,
		"busy") {
		t.Errorf("a create: %v", err)
	}
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), one[0].ID, 0,
		map[string]any{"mobile": "1"}); err != nil {
		t.Fatal(err)
	}
	f.finish(t, u, transfer.Done)
	if got := f.outcomes(t, u); got["one"] != "editedSince" || got["two"] != "undone" ||
		!slices.Contains(f.usernames(t), "one") || slices.Contains(f.usernames(t), "two") {
		t.Errorf("%v %v", got, f.usernames(t))
	}
	f.create(t, "two", nil)
}

// V73: rows that an import staged are found again when its file is gone, and when what was written down of them is as
// well.
func TestAnImportWhoseFileIsGoneIsTakenBack(t *testing.T) {
	f := newFixture(t)
	f.createPeople(t)
	for _, traces := range []bool{true, false} {
		f.createResource(t, fmt.Sprintf("FREEg%v", traces))
		before := f.dump(t)
		j := f.submit(t, transfer.Options{}, f.fullImport(t, fmt.Sprintf("g%v", traces))...)
		if err := f.workerOn(t, &crash{at: 6}).Run(t.Context(), env, j.ID); err == nil {
			t.Fatal("it was not stopped")
		}
		if is := f.job(t, j.ID); is.State != transfer.Writing || is.NextRow == 0 {
			t.Fatalf("%s at %d", is.State, is.NextRow)
		}
		delete(f.files.stored, j.UploadKey())
		if !traces {
			delete(f.files.stored, j.RowRefsKey())
		}
		if got := f.finish(t, j, transfer.Failed); got.Problem.Code != "fileGone" {
			t.Errorf("%+v", got.Problem)
		}
		assertUnchanged(t, fmt.Sprintf("with traces %v", traces), before, f.dump(t))
		if len(f.currentScope(t).Env.Imports.Pending) > 0 {
			t.Error("the number is still pending")
		}
	}
}

// An import right behind an undo waits until that has cleared up what it took away, accounts and resources.
func TestAnImportBehindAnUndoWaitsUntilThatHasClearedUp(t *testing.T) {
	f := newFixture(t)
	rows := [][]any{resourceHeadings(), resourceRow("one", "CODE", "STAFF")}
	u := f.undo(t, f.runImport(t, rows...))
	dying := f.worker()
	// as it waits for readers, to clear up then
	dying.Sleep = func(context.Context, time.Duration) error { return errProcessDied }
	if err := dying.Run(t.Context(), env, u.ID); !errors.Is(err, errProcessDied) || f.job(t, u.ID).State != transfer.Done {
		t.Fatal(err)
	}
	for _, again := range [][][]any{rows, {resourceHeadings(), resourceRow("another", "CODE", "STAFF")}} {
		j := f.submit(t, transfer.Options{}, again...)
		waited := 0
		worker := f.worker()
		worker.Sleep = func(ctx context.Context, _ time.Duration) error {
			if waited++; waited == 3 {
				return f.worker().Run(ctx, env, u.ID)
			}
			return nil
		}
		if err := worker.Run(t.Context(), env, j.ID); err != nil {
			t.Fatal(err)
		}
		if is := f.job(t, j.ID); is.State != transfer.Done || is.Counts.Created != 1 || waited != 3 {
			t.Fatalf("%s %+v %+v after waiting %d times", is.State, is.Counts, is.Problem, waited)
		}
		u = f.undo(t, j)
		if err := dying.Run(t.Context(), env, u.ID); !errors.Is(err, errProcessDied) {
			t.Fatal(err)
		}
	}
}
