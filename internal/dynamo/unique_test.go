package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/transfer"
)

// inParallel runs the operations at the same time and returns their errors in order.
func inParallel(operations ...func() error) []error {
	errs := make([]error, len(operations))
	var start, end sync.WaitGroup
	start.Add(1)
	for i, op := range operations {
		end.Go(func() {
			start.Wait()
			errs[i] = op()
		})
	}
	start.Done()
	end.Wait()
	return errs
}

// assertOneSucceeds fails the test unless exactly one had no error, and the rest were told what is taken.
func assertOneSucceeds(t *testing.T, name string, errs []error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !fault.Is(err, fault.Conflict) || !fault.HasCode(err, "taken"):
			t.Errorf("%s: %v", name, err)
		}
	}
	if won != 1 {
		t.Errorf("%s: %d of %d won", name, won, len(errs))
	}
}

func (f *fixture) creating(t *testing.T, p field.Patch) func() error {
	scope := f.currentScope(t)
	return func() error {
		_, err := f.accounts.Create(t.Context(), scope, p)
		return err
	}
}

// V63, C08: of creates of one username, or of one email, or of one text as both, in any case and Unicode form, exactly
// one wins, however many come at once.
func TestOfParallelCreatesOfOneIdentifierOneWins(t *testing.T) {
	f := newFixture(t)
	spellings := map[string][]string{
		"josé":              {"josé", "JOSÉ", "jose\u0301", "ｊｏｓé", " José ", "JOSE\u0301"},
		"jane@example.com":  {"jane@example.com", "JANE@example.com", "jane＠example.com"},
		"straße@example.de": {"straße@example.de", "STRASSE@example.de", "strasse@EXAMPLE.de"},
	}
	n := 0
	for id, forms := range spellings {
		var operations []func() error
		for i := range 100 {
			n++
			p := field.Patch{"username": forms[i%len(forms)], "name": "N", "email": fmt.Sprintf("e%d@example.com", n),
				"userType": "FULL"}
			if id != "josé" && i%2 == 1 { // as an email
				p["username"], p["email"] = fmt.Sprintf("n%d", n), forms[i%2]
			}
			operations = append(operations, f.creating(t, p))
		}
		assertOneSucceeds(t, id, inParallel(operations...))
	}
}

// C08: in both directions, for create and for rename, one after the other.
func TestNobodysUsernameIsAnothersEmail(t *testing.T) {
	f := newFixture(t)
	f.create(t, "first", field.Patch{"email": "jane@example.com"})
	f.create(t, "bob@example.com", field.Patch{"email": "other@example.com"})
	mover := f.create(t, "mover", nil)
	for name, p := range map[string]field.Patch{
		"username": {"username": "JANE＠Example.com"}, "email": {"email": "BOB@example.com"},
		"own kind": {"username": "FIRST"}, "email twice": {"email": "Jane@EXAMPLE.com"},
	} {
		made := field.Patch{"username": "new", "name": "N", "email": "new@example.com", "userType": "FULL"}
		for k, v := range p {
			made[k] = v
		}
		if err := f.creating(t, made)(); !fault.HasCode(err, "taken") {
			t.Errorf("%s, created: %v", name, err)
		}
		if _, err := f.accounts.Change(t.Context(), f.currentScope(t), mover.ID, 1, p); !fault.HasCode(err, "taken") {
			t.Errorf("%s, changed: %v", name, err)
		}
	}
}

// where says how an account is reached: the names and addresses that lead to it, and its list entry.
func (f *fixture) where(t *testing.T, id string, identifiers ...string) string {
	t.Helper()
	a, err := f.accounts.Get(t.Context(), f.currentScope(t), id)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%s %s v%d:", a.Username, a.Email, a.Version)
	for _, identifier := range identifiers {
		key, err := f.find(t.Context(), identifier)
		if err != nil {
			t.Fatal(err)
		}
		out += " " + identifier + "=" + key
	}
	return out + fmt.Sprint(" ", f.usernames(t))
}

// V64: a rename, or a change of email, or both, killed before or after any write, leaves one of both states whole, and
// can then be done.
func TestARenameKilledAtEveryWriteIsWholeOrNothing(t *testing.T) {
	f := newFixture(t)
	for i, change := range []field.Patch{
		{"username": "moved"}, {"email": "moved@example.com"}, {"username": "moved", "email": "moved@example.com"},
		{"username": "moved@example.com"}, {"username": "moved@example.com", "email": "MOVED@example.com"},
	} {
		for at, died := 1, true; died; at++ {
			died = false
			for _, after := range []bool{false, true} {
				died = f.renameKilled(t, change, fmt.Sprintf("z%d%d%v", i, at, after), &crash{at: at, after: after}) || died
			}
		}
	}
}

// renameKilled makes an account, changes it through c, and looks at what there is then. It returns whether c killed it.
func (f *fixture) renameKilled(t *testing.T, change field.Patch, name string, c *crash) bool {
	t.Helper()
	made := f.create(t, name, nil)
	reach := []string{name, name + "@example.com", "moved", "moved@example.com"}
	old := f.where(t, made.ID, reach...)
	on := *f.accounts
	on.Store = dynamo.Accounts{Table: &dynamo.Table{Client: c.client(t), Name: f.table.Name}}
	_, err := on.Change(t.Context(), f.currentScope(t), made.ID, 1, change)
	died := errors.Is(err, errProcessDied)
	if err != nil && !died {
		t.Fatal(err)
	}
	is := f.where(t, made.ID, reach...)
	if is == old {
		if !died || c.after {
			t.Errorf("%s %v: nothing was done (%v)", name, change, err)
		}
		if _, err := f.accounts.Change(t.Context(), f.currentScope(t), made.ID, 1, change); err != nil {
			t.Errorf("%s %v: cannot be done now: %v", name, change, err)
		}
		is = f.where(t, made.ID, reach...)
	} else if died && !c.after {
		t.Errorf("%s %v: %s became %s", name, change, old, is)
	}
	wantName, wantMail := name, name+"@example.com"
	if v, ok := change["username"].(string); ok {
		wantName = v
	}
	if v, ok := change["email"].(string); ok {
		wantMail = v
	}
	want := account.Account{Username: wantName, Email: wantMail}
	reached := fmt.Sprintf("%s %s v2:", wantName, wantMail)
	for _, identifier := range reach {
		key := ""
		if identifier == want.DirectoryKey() || slices.Contains(want.LoginKeys(), identifier) {
			key = want.DirectoryKey()
		}
		reached += " " + identifier + "=" + key
	}
	if len(is) < len(reached) || is[:len(reached)] != reached {
		t.Errorf("%s %v: %s, want %s", name, change, is, reached)
	}
	// Out of the way of the next, by the same means.
	if _, err := f.accounts.Change(t.Context(), f.currentScope(t), made.ID, 2,
		field.Patch{"username": "gone" + name, "email": "gone" + name + "@example.com"}); err != nil {
		t.Fatal(err)
	}
	return died
}

// Identifiers that a committed import released are free at once, both of one account too.
func TestIdentifiersThatAnImportReleasedAreFree(t *testing.T) {
	f := newFixture(t)
	f.create(t, "one", field.Patch{"email": "free1@example.com"})
	f.create(t, "two", field.Patch{"email": "free2@example.com"})
	j := f.submit(t, transfer.Options{}, []any{"Username", "Email"}, []any{"one", "new1@example.com"},
		[]any{"two", "new2@example.com"})
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	f.create(t, "FREE1@example.com", field.Patch{"email": "free2@EXAMPLE.com"})
}
