package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo/accountlog"
	"useraccounts/internal/environment"
	"useraccounts/internal/resource"
	"useraccounts/internal/transfer"
)

func textOfAccount(a account.Account) string {
	return strings.Join(
		[]string{a.Username, a.Name, a.Email, a.Mobile, a.Resource, a.UserType,
			fmt.Sprint(a.Roles, a.Active, a.AccessLocked)}, "|")
}

func textOfResource(r resource.Resource, owner string) string {
	return strings.Join(
		[]string{r.Code, r.Description, owner, r.Manager, r.JobTitle, r.ResourceGroup, r.Department, fmt.Sprint(r.Active)},
		"|")
}

// ownerOf is the username of the account of an id, as its anchor says.
func (w *simulation) ownerOf(_ environment.Environment, id string) string {
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	return text(w.memory.items[itemKey{"U#" + id, "A"}], "row")
}

// readAll is all that a reader of a head sees of accounts and resources.
func (w *simulation) readAll(head environment.Environment) view {
	out := view{}
	for after, first := "", true; first || after != ""; first = false {
		var err error
		if after, err = w.accountPage(head, after, 100, out); err != nil {
			w.fail("a reader: %w", err)
			return out
		}
	}
	if _, err := w.resourcePage(head, "", 100, out); err != nil {
		w.fail("a reader: %w", err)
	}
	return out
}

func (w *simulation) compare(who string, got, want view) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			w.fail("%s sees %s as %q, not %q", who, key, got[key], want[key])
			return
		}
	}
	for key, is := range got {
		if _, there := want[key]; !there {
			w.fail("%s sees %s: %q", who, key, is)
			return
		}
	}
}

// readNow is a reader who reads all of it at this moment: as it has to be, and each account found by its email.
func (w *simulation) readNow() {
	w.applyCommits()
	scope, err := w.now()
	if err != nil {
		w.fail("scope: %w", err)
		return
	}
	w.compare("who looks now", w.readAll(scope.Env), w.expected)
	emails := map[string]string{"m@example.com": "", "moved@example.com": "", "plain@example.com": "",
		"one@example.com": ""}
	for _, is := range w.expected {
		if parts := strings.Split(is, "|"); strings.Contains(parts[2], "@") {
			emails[parts[2]] = strings.ToLower(parts[0])
		}
	}
	for email, want := range emails {
		if leads, err := w.find(context.Background(), email); err != nil || leads != want {
			w.fail("%s leads to %q (%w), not %q", email, leads, err, want)
		}
	}
}

func (w *simulation) outcomesOf(j transfer.Job) map[string]transfer.Outcome {
	w.files.mu.Lock()
	defer w.files.mu.Unlock()
	var rows []transfer.Row
	if err := json.Unmarshal(w.files.stored[j.ReportKey()], &rows); err != nil {
		w.fail("the report: %w", err)
	}
	out := map[string]transfer.Outcome{}
	for _, row := range rows {
		out[row.Username] = row.Outcome
	}
	return out
}

// end lets everything come to its end, with nothing in its way, and checks all of it.
func (w *simulation) end() {
	w.memory.call = nil
	for range 3 {
		w.orderUndo()
		for _, id := range w.jobs {
			if err := w.deliver(context.Background(), id); err != nil {
				w.fail("it does not end: %w", err)
				return
			}
			w.applyCommits()
		}
		if w.undone() {
			break
		}
	}
	w.readNow()
	w.checkJobs()
	w.checkRows()
	w.checkTable()
	w.checkSeats()
}

func (w *simulation) checkJobs() {
	for _, id := range w.jobs {
		j, err := w.jobStore.Job(context.Background(), env, id)
		if err != nil || !j.State.Ended() {
			w.fail("%s ended %s (%v)", j.Kind, j.State, err)
		}
		if j.State == transfer.Failed && j.Problem.Code != "overtaken" {
			w.fail("%s failed: %s", j.Kind, j.Problem.Code)
		}
		if id == w.jobs[0] && (j.Undone != w.undone() || j.UndoJobID != w.undo) {
			w.fail("the import says undone %v by %s", j.Undone, j.UndoJobID)
		}
	}
	head, err := w.environments.Environment(context.Background(), env)
	if err != nil || len(head.Imports.Pending) > 0 {
		w.fail("still pending: %v (%v)", head.Imports.Pending, err)
	}
}

// checkRows checks what became of each row: who was edited since is left alone, with those who depend on them, and
// nobody else.
func (w *simulation) checkRows() {
	left := maps.Clone(w.touched)
	for range rowDependencies() { // as often as it takes to the last of a chain
		for row, all := range rowDependencies() {
			for _, other := range all {
				if left[other] != nil && !slices.Contains(left[row], transfer.RowFailed) {
					left[row] = append(slices.Clone(left[row]), transfer.RowFailed, transfer.RowInUse)
				}
			}
		}
	}
	last, err := w.jobStore.Job(context.Background(), env, w.undo)
	if err != nil {
		w.fail("the undo: %w", err)
		return
	}
	if last.State == transfer.Refused && len(left) >= len(scheduleRows())-1 {
		return
	}
	if last.State != transfer.Done {
		w.fail("the undo ended %s: %+v; edited %v", last.State, last.Problem, w.touched)
		return
	}
	behind := slices.ContainsFunc(w.jobs, func(id string) bool { return strings.HasSuffix(id, "BEHIND") })
	for row, is := range w.outcomesOf(last) {
		if behind && is == transfer.RowFailed && (row == "p" || row == "q") {
			continue // the second import was just writing it
		}
		if why := left[row]; why == nil && is != transfer.RowUndone || why != nil && !slices.Contains(why, is) {
			w.fail("%s is %s, edited %v", row, is, w.touched)
		}
	}
}

// checkTable looks for what nobody sees but should not be there: staged or taken away items, keys of nobody, log lines
// of what did not happen, deletions told twice.
func (w *simulation) checkTable() {
	scope, err := w.now()
	if err != nil {
		w.fail("scope: %w", err)
		return
	}
	rows := map[string]string{} // ids by row
	for at, it := range w.memory.items {
		if strings.HasPrefix(at.pk, "D#") {
			rows[at.sk] = text(it, "id")
		}
	}
	deleted := map[string]int{}
	for at, it := range w.memory.items {
		kind := at.pk[:1]
		_, gone := it["gone"]
		_, handed := it["wasId"]
		switch {
		case kind == "L" && gone && handed, kind != "L" && gone,
			kind == "D" && w.base.viewBefore["account "+at.sk] == "" && w.expected["account "+at.sk] == "":
			w.fail("%v is left over: %s", at, textOfItem(it))
		case kind == "L" && !gone && rows[text(it, "row")] != text(it, "id"):
			w.fail("%v is a key of nobody: %s", at, textOfItem(it))
		case kind == "U" && (at.sk == "A" || at.sk == "C") &&
			rows[text(w.memory.items[itemKey{at.pk, "A"}], "row")] != at.pk[2:]:
			w.fail("%v is of nobody: %s", at, textOfItem(it))
		case kind == "G" && text(it, "kind") == "deleted" && strings.HasPrefix(text(it, "subject"), "account/"):
			deleted[strings.TrimPrefix(text(it, "subject"), "account/")]++
		}
	}
	undo, err := w.jobStore.Job(context.Background(), env, w.undo)
	if err != nil || undo.State != transfer.Done {
		return
	}
	for row, is := range w.outcomesOf(undo) {
		was := w.base.viewBefore["account "+row] != ""
		if told := deleted[row]; is == transfer.RowUndone && !was && told != 1 && row != "plain" {
			w.fail("the log tells %d times that %s was deleted", told, row)
		}
		if id := rows[row]; was && id != "" && row != "keep" {
			events, _, err := accountlog.Store{Table: w.table}.Events(context.Background(), scope.Env, id, "", 100)
			told := 0
			for _, e := range events {
				for _, job := range w.jobs[1:] {
					if e.Job == job && !strings.HasSuffix(job, "BEHIND") {
						told++
					}
				}
			}
			if want := map[bool]int{true: 1}[is == transfer.RowUndone]; err != nil || told != want {
				w.fail("the log of %s has %d lines of undos, not %d (%v)", row, told, want, err)
			}
		}
	}
}

// checkSeats checks that the seats in use are those of the accounts that are there.
func (w *simulation) checkSeats() {
	scope, err := w.now()
	if err != nil {
		w.fail("scope: %w", err)
		return
	}
	counted := map[string]int64{}
	found, _, err := w.store.Page(context.Background(), scope.Env, "", 1000)
	for _, a := range found {
		if licence := a.SeatLicence(); licence != "" {
			counted[licence]++
		}
	}
	used, other := w.store.Seats(context.Background(), env)
	maps.DeleteFunc(used, func(_ string, n int64) bool { return n == 0 })
	if err != nil || other != nil || !maps.Equal(used, counted) {
		w.fail("seats in use %v, accounts have %v (%v, %v)", used, counted, err, other)
	}
}

// summary says how a schedule ended, to be counted.
func (w *simulation) summary() string {
	j, err := w.jobStore.Job(context.Background(), env, w.undo)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("undo %s, %d rows left alone, %d jobs", j.State, j.Counts.Failed, len(w.jobs))
}

func text(it attributes, name string) string {
	if s, ok := it[name]; ok {
		return textOfValue(s)
	}
	return ""
}
