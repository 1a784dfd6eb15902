package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

// V73: an account that a person edits while an import or an undo of it is staged, and then renames or deletes, or whose
// name another then takes, leaves nothing of that behind when the job comes to nothing: no key, no event, no change of
// its resource.
func TestWhatWasRenamedOrDeletedMeanwhileIsTakenBack(t *testing.T) {
	operations := map[string]func(*fixture, *testing.T, string){
		"renamed": func(f *fixture, t *testing.T, name string) {
			f.edit(t, name)
			if _, err := f.accounts.Change(t.Context(), f.currentScope(t), f.named(t, name), 0,
				map[string]any{"username": "renamed"}); err != nil {
				t.Fatal(err)
			}
		},
		"renamed, and the name taken": func(f *fixture, t *testing.T, name string) {
			f.edit(t, name)
			if _, err := f.accounts.Change(t.Context(), f.currentScope(t), f.named(t, name), 0,
				map[string]any{"username": "renamed"}); err != nil {
				t.Fatal(err)
			}
			f.create(t, name, map[string]any{"email": "heir@example.com"})
		},
		"deleted": func(f *fixture, t *testing.T, name string) {
			f.edit(t, name)
			err := f.accounts.Delete(t.Context(), f.currentScope(t), f.named(t, name), 0)
			if fault.HasCode(err, "inUse") {
				t.Skip("who has a resource is not deleted")
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	}
	rows := map[string][]any{
		"keep": {"keep", "Changed", nil, nil, nil, nil, nil, nil, nil, "by import"},
		"p":    {"p", nil, nil, "fresh@example.com"},
		"q":    {"q", "Changed", nil, nil, nil, true, nil, "STAFF"},
	}
	for what, op := range operations {
		for who, row := range rows {
			for _, undo := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s undo %v", who, what, undo), func(t *testing.T) {
					f := fixtureOn(t, &dynamo.Table{Client: (&fakeTable{items: map[itemKey]attributes{}}).client(), Name: "table"})
					f.createPeople(t)
					plain := f.leftovers(t)
					j := f.submit(t, transfer.Options{}, resourceHeadings(), row)
					if undo {
						f.finish(t, j, transfer.Done)
						plain = f.leftovers(t)
						j = f.undo(t, j)
					}
					dying := f.worker()
					dying.Staging = uncommitted{dying.Staging}
					if err := dying.Run(t.Context(), env, j.ID); !errors.Is(err, errProcessDied) {
						t.Fatal(err)
					}
					staged := f.job(t, j.ID)
					if f.marked(t, staged) == 0 {
						t.Fatal("nothing was staged")
					}
					op(f, t, who)
					f.cancel(t, j)
					f.finish(t, j, transfer.Cancelled)
					for key, is := range f.dump(t) {
						if strings.Contains(is, fmt.Sprintf(" imp:%d ", staged.ImportID)) {
							t.Errorf("left over: %s %s", key, is)
						}
					}
					for _, key := range f.leftovers(t) {
						if strings.HasPrefix(key, "L#") && !slices.Contains(plain, key) && !strings.Contains(key, "heir@") {
							t.Errorf("a key is left: %s", key)
						}
					}
					f.visibleState(t) // fails where a key does not lead to its account
				})
			}
		}
	}
}

// edit changes an account, which discards what is staged of it.
func (f *fixture) edit(t *testing.T, username string) {
	t.Helper()
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), f.named(t, username), 0,
		map[string]any{"mobile": "1"}); err != nil {
		t.Fatal(err)
	}
}

// named is the id of the account of a username.
func (f *fixture) named(t *testing.T, username string) string {
	t.Helper()
	found, err := dynamo.Directory{Accounts: f.store, Environments: f.environments}.AccountsByUsername(t.Context(),
		f.currentScope(t).Env, 0, []string{username})
	if err != nil || !found[0].Exists {
		t.Fatalf("there is no %s: %v", username, err)
	}
	return found[0].Account.ID
}
