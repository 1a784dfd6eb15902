package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

// maxEdits is how many edits people make while an import is undone: the undo restarts no more than three times.
const maxEdits = 2

// edit is something that a person does. What it comes to is noted in what everybody has to see from then on, and why
// the row cannot be undone any more, unless it was before.
func (w *simulation) edit() {
	w.applyCommits()
	if !w.applied[w.jobs[0]] || w.edits >= maxEdits && !w.undone() || w.failure != nil {
		return
	}
	scope, err := w.now()
	if err != nil {
		w.fail("scope: %w", err)
		return
	}
	w.edits++
	rows := []string{"one", "two", "three", "five", "plain", "keep", "p", "q", "m", "lone"}
	who := rows[w.r.IntN(len(rows))]
	operations := []func(access.Scope, string) error{w.editAccount, w.editAccount, w.editResource, w.editResource,
		w.fillContact, w.deletePlain, w.createHeir, w.renameM, w.nameManager, w.createPlain}
	op := w.r.IntN(len(operations))
	err = operations[op](scope, who)
	if w.logf("edit %d on %s: %v", op, who, err); err != nil && fault.As(err) == nil {
		w.fail("a person: %w", err)
	}
}

// undone reports whether the import is undone by now, as far as readers see.
func (w *simulation) undone() bool { return w.applied[w.undo] }

func (w *simulation) touch(row string, why transfer.Outcome) {
	if !w.undone() {
		w.touched[row] = append(w.touched[row], why)
	}
}

// account finds an account as readers see it by now.
func (w *simulation) account(scope access.Scope, name string) (account.Account, error) {
	found, err := dynamo.Directory{Accounts: w.store,
		Environments: w.environments}.AccountsByUsername(context.Background(), scope.Env, 0, []string{name})
	if err == nil && !found[0].Exists {
		err = fault.New(fault.NotFound, "notFound", "There is no such account.")
	}
	if err != nil {
		return account.Account{}, err
	}
	return found[0].Account, nil
}

func (w *simulation) editAccount(scope access.Scope, who string) error {
	a, err := w.account(scope, who)
	if err == nil {
		a, err = w.accounts.Change(context.Background(), scope, a.ID, 0,
			map[string]any{"mobile": fmt.Sprint("edit ", w.edits)})
	}
	if err != nil {
		return err
	}
	w.expected["account "+who] = textOfAccount(a)
	if who != "keep" && who != "lone" { // of keep the import changed the resource alone
		w.touch(who, transfer.RowEditedSince)
	}
	return nil
}

func (w *simulation) editResource(scope access.Scope, who string) error {
	a, err := w.account(scope, who)
	if err != nil || a.Resource == "" {
		return err
	}
	r, err := w.resources.Change(context.Background(), scope, a.Resource, 0,
		map[string]any{"jobTitle": fmt.Sprint("edit ", w.edits)}, false)
	if err != nil {
		return err
	}
	w.expected["resource "+r.Key()] = textOfResource(r, who)
	w.touch(who, transfer.RowEditedSince)
	return nil
}

func (w *simulation) fillContact(scope access.Scope, who string) error {
	a, err := w.account(scope, who)
	if err == nil {
		_, err = w.contacts.Replace(context.Background(), scope, a.ID, 1, account.Contact{Title: "Dr"})
	}
	if err == nil && slices.Contains([]string{"one", "two", "three", "five", "plain"}, who) {
		w.touch(who, transfer.RowInUse)
	}
	return err
}

func (w *simulation) deletePlain(scope access.Scope, _ string) error {
	a, err := w.account(scope, "plain")
	if err == nil {
		err = w.accounts.Delete(context.Background(), scope, a.ID, 0)
	}
	if err == nil {
		delete(w.expected, "account plain")
		w.touch("plain", transfer.RowEditedSince)
	}
	return err
}

// createHeir gives the email that the import took from m to another account.
func (w *simulation) createHeir(scope access.Scope, _ string) error {
	name := fmt.Sprint("heir", w.edits)
	a, err := w.accounts.Create(context.Background(), scope,
		map[string]any{"username": name, "name": "Heir", "email": "m@example.com", "userType": "FULL"})
	if err == nil {
		w.expected["account "+name] = textOfAccount(a)
		w.touch("m", transfer.RowFailed)
	}
	return err
}

func (w *simulation) renameM(scope access.Scope, _ string) error {
	a, err := w.account(scope, "m")
	if err == nil {
		a, err = w.accounts.Change(context.Background(), scope, a.ID, 0,
			map[string]any{"username": fmt.Sprint("renamed", w.edits)})
	}
	if err == nil {
		delete(w.expected, "account m")
		w.expected["account "+a.DirectoryKey()] = textOfAccount(a)
		w.touch("m", transfer.RowEditedSince)
	}
	return err
}

// nameManager makes a resource that the import made the manager of another.
func (w *simulation) nameManager(scope access.Scope, _ string) error {
	r, err := w.resources.Create(context.Background(), scope,
		resourcePatch(map[string]any{"code": fmt.Sprint("LATER", w.edits), "manager": "A"}))
	if err == nil {
		w.expected["resource "+r.Key()] = textOfResource(r, "")
		w.touch("one", transfer.RowInUse)
	}
	return err
}

// createPlain makes an account of a name that one of the import had, once that one is gone.
func (w *simulation) createPlain(scope access.Scope, _ string) error {
	a, err := w.accounts.Create(context.Background(), scope,
		map[string]any{"username": "PLAIN", "name": "Another", "email": "another@example.com", "userType": "FULL"})
	if err == nil {
		w.expected["account plain"] = textOfAccount(a)
	}
	return err
}

// applyCommits notes what became visible since the last time: nothing but commits may change what readers see.
func (w *simulation) applyCommits() {
	for _, kind := range []transfer.Kind{transfer.Undo, transfer.Import} {
		for _, id := range w.jobs {
			if w.applied[id] || w.stateOf(id) != transfer.Done {
				continue
			}
			j, err := w.jobStore.Job(context.Background(), env, id)
			if err != nil || j.Kind != kind {
				continue
			}
			w.applied[id] = true
			w.commits++
			switch {
			case id == w.jobs[0]:
				w.expected = maps.Clone(w.base.viewAfter)
			case kind == transfer.Undo:
				w.applyUndo(j)
			default:
				w.applySecondImport(j)
			}
		}
	}
}

// stateOf reads a job's state past the client, as it is asked for before everything that happens.
func (w *simulation) stateOf(id string) transfer.State {
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	return transfer.State(text(w.memory.items[itemKey{"J#" + env, id}], "state"))
}

func (w *simulation) applyUndo(j transfer.Job) {
	w.undoOutcomes = w.outcomesOf(j)
	for name, is := range w.undoOutcomes {
		if is != transfer.RowUndone {
			continue
		}
		keys := []string{"account " + name}
		if code := rowResources()[name]; code != "" {
			keys = append(keys, "resource "+strings.ToLower(code))
		}
		for _, key := range keys {
			if was, there := w.base.viewBefore[key]; there {
				if key == "account keep" {
					was = w.expected[key] // of which the import changed nothing
				}
				w.expected[key] = was
			} else {
				delete(w.expected, key)
			}
		}
	}
}

func (w *simulation) applySecondImport(j transfer.Job) {
	for name, is := range w.outcomesOf(j) {
		key := "account " + name
		switch is {
		case transfer.RowUpdated:
			parts := strings.Split(w.expected[key], "|")
			parts[1] = "By the second"
			w.expected[key] = strings.Join(parts, "|")
			// or both counted since the last look
			if !w.undone() || w.undoOutcomes != nil && w.undoOutcomes[name] != transfer.RowUndone {
				w.touched[name] = append(w.touched[name], transfer.RowEditedSince)
			}
		case transfer.RowCreated:
			w.expected[key] = strings.ReplaceAll(w.base.viewAfter["account plain"], "plain", name)
		default: // the row changed no account
		}
	}
}

// pagedReader is a reader who turns pages, by the environment's head as it was at the first.
type pagedReader struct {
	head           environment.Environment
	resources      bool
	after          string
	got, want      view
	edits, commits int
}

// readPage begins to read, or reads the next page.
func (w *simulation) readPage() {
	w.applyCommits()
	if w.reader == nil {
		scope, err := w.now()
		if err != nil {
			w.fail("scope: %w", err)
		}
		w.reader = &pagedReader{head: scope.Env, resources: w.r.IntN(3) == 0, got: view{}, want: maps.Clone(w.expected),
			edits: w.edits, commits: w.commits}
		if w.mutant.blind {
			w.reader.head.Imports = environment.Snapshot{Last: 1 << 40}
		}
	}
	r := w.reader
	var err error
	if r.resources {
		r.after, err = w.resourcePage(r.head, r.after, 2, r.got)
	} else {
		r.after, err = w.accountPage(r.head, r.after, 4, r.got)
	}
	if err != nil {
		w.fail("a reader: %w", err)
	}
	if r.after != "" {
		return
	}
	w.reader = nil
	if r.edits != w.edits || w.commits > r.commits+2 {
		return // the table keeps what was before one import, and nothing of what was before a person's edit
	}
	prefix := "account "
	if r.resources {
		prefix = "resource "
	}
	maps.DeleteFunc(r.want, func(key, _ string) bool { return !strings.HasPrefix(key, prefix) })
	w.compare("who turned pages", r.got, r.want)
}

func (w *simulation) accountPage(head environment.Environment, after string, limit int, into view) (string, error) {
	found, next, err := w.store.Page(context.Background(), head, after, limit)
	for _, a := range found {
		into["account "+a.DirectoryKey()] = textOfAccount(a)
	}
	return next, err
}

func (w *simulation) resourcePage(head environment.Environment, after string, limit int, into view) (string, error) {
	found, next, err := dynamo.Resources{Table: w.table}.Page(context.Background(), head, after, limit)
	for _, r := range found {
		owner := ""
		if r.AccountID != "" {
			owner = w.ownerOf(head, r.AccountID)
		}
		into["resource "+r.Key()] = textOfResource(r, owner)
	}
	return next, err
}
