package transfer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/resource"
	"useraccounts/internal/transfer"
)

// addResource adds an account with a resource to the backend, and returns the account.
func (b *fakeBackend) addResource(username, code string, change func(*resource.Resource)) account.Account {
	a := existingAccount(username)
	a.Resource = code
	r := resource.Resource{Code: code, Version: 3, AccountID: a.ID, Description: a.Name, ResourceGroup: "CREW",
		Country: "GB", Currency: "GBP", Department: "WORKS", Active: true}
	if change != nil {
		change(&r)
	}
	b.resources[r.Key()] = r
	b.accounts[a.DirectoryKey()] = a
	return a
}

func (b *fakeBackend) rowResults(t testing.TB) []transfer.Row {
	t.Helper()
	var rows []transfer.Row
	if err := json.Unmarshal(b.files[b.job.ReportKey()], &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func resourceHeader(more ...string) []string {
	return append(append(baseHeader(), "Create Resource", "Resource", "Resource group"), more...)
}

// A new account with Create Resource gets a resource with what the row says, the group's defaults and the
// environment's, and both name each other.
func TestANewAccountWithItsResource(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{},
		book(t, resourceHeader("First name", "Job title", "Department", "Currency", "Staff", "Title", "Suffix", "Legacy ref"),
			append(newRow("one"), true, "JD", "crew", "John", "Clerk", nil, nil, "Y", "DR", "OBE", "007"),
			append(newRow("two"), "1", "EF", "CREW", nil, nil, "works", "usd", nil, nil, nil, nil)))
	b.runTo(t, transfer.Done)
	one, two := b.resources["jd"], b.resources["ef"]
	if one.Description != "New one" || one.FirstName != "John" || one.JobTitle != "Clerk" || one.Department != "SALES" ||
		one.CostCentre != "C1" ||
		one.Currency != "EUR" || one.PaymentMethod != "FP" || one.PaymentTerms != "1" || one.Country != "GB" || !one.Staff ||
		one.Title != "DR" ||
		one.Suffix != "OBE" || one.LegacyRef != "007" || one.ResourceGroup != "CREW" || !one.Active {
		t.Errorf("%+v", one)
	}
	if two.Department != "WORKS" || two.Currency != "USD" {
		t.Errorf("a filled cell does not win: %+v", two)
	}
	for key, r := range map[string]resource.Resource{"one": one, "two": two} {
		if a := b.accounts[key]; a.Resource != r.Code || r.AccountID != a.ID || a.ID == "" {
			t.Errorf("%s: account %q, resource %q of %q", key, a.ID, a.Resource, r.AccountID)
		}
	}
}

// Blank codes get numbers, from one block for the whole import, in the order of rows; a worker that follows a dead one
// goes on where it stood.
func TestNumbersAreTakenInOneGo(t *testing.T) {
	rows := [][]any{append(newRow("a"), true, nil, "CREW"), append(newRow("b"), true, "X", "CREW"),
		append(newRow("c"), true, nil, "CREW"), append(newRow("d"), true, nil, "CREW")}
	for stop := range 3 {
		b := newFakeBackend()
		b.number = 41
		b.submit(transfer.Options{}, book(t, resourceHeader(), rows...))
		if stop > 0 {
			b.onCall = func(call string) error {
				if call == "stage" && b.count("stage") == stop {
					return errDown
				}
				return nil
			}
			if err := b.run(); !errors.Is(err, errDown) {
				t.Fatal(err)
			}
			b.onCall = nil
		}
		b.runTo(t, transfer.Done)
		got := []string{}
		for _, key := range []string{"a", "b", "c", "d"} {
			got = append(got, b.accounts[key].Resource)
			if b.resources[strings.ToLower(b.accounts[key].Resource)].AccountID != b.accounts[key].ID {
				t.Errorf("%s is not linked", key)
			}
		}
		if !reflect.DeepEqual(got, []string{"42", "X", "43", "44"}) || b.count("reserve") != 1 || b.number != 44 ||
			b.job.Restarts != 0 {
			t.Errorf("stopped at %d: %v, reserved %d times up to %d, %d restarts", stop, got, b.count("reserve"), b.number,
				b.job.Restarts)
		}
	}
}

// What rows ask of resources, and what is wrong with it.
func TestRowsOfResources(t *testing.T) {
	setUp := func() *fakeBackend {
		b := newFakeBackend(existingAccount("keep"))
		b.addResource("emp", "E1", nil)
		b.addResource("gone", "E2", func(r *resource.Resource) { r.Active = false })
		b.resources["free"] = resource.Resource{Code: "FREE", Version: 9, Description: "Nobody", ResourceGroup: "CREW",
			Country: "GB", Currency: "GBP", Active: true}
		return b
	}
	for name, c := range map[string]struct {
		more []string
		rows [][]any
		want []string
	}{
		"a code that is taken": {rows: [][]any{append(newRow("n"), true, "e1", "CREW")},
			want: []string{"failed Resource:linked"}},
		"one that nobody has": {rows: [][]any{append(newRow("n"), true, "free")}, want: []string{"created"}},
		"another than its own": {rows: [][]any{{"emp", nil, nil, nil, nil, "E9"}},
			want: []string{"failed Resource:hasResource"}},
		"its own": {rows: [][]any{{"emp", nil, nil, nil, true, "e1"}}, want: []string{"unchanged"}},
		"the same code twice": {
			rows: [][]any{append(newRow("a"), true, "X", "CREW"), append(newRow("b"), true, "x", "CREW")},
			want: []string{"failed Resource:doubled", "failed Resource:doubled"}},
		"a code that cannot be": {rows: [][]any{append(newRow("n"), true, "fields", "CREW")},
			want: []string{"failed Resource:code"}},
		"no group": {rows: [][]any{append(newRow("n"), true, "X")},
			want: []string{"failed Resource group:required"}},
		"a locked group": {rows: [][]any{append(newRow("n"), true, "X", "LOCKED")},
			want: []string{"failed Resource group:unknownCode"}},
		"an unknown department": {more: []string{"Department"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "NONE")}, want: []string{"failed Department:unknownCode"}},
		"an unknown payment method": {more: []string{"Payment method"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "NONE")}, want: []string{"failed Payment method:unknownCode"}},
		"no country": {more: []string{"Country code"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "XX")}, want: []string{"failed Country code:country"}},
		"no currency": {more: []string{"Currency"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "QQQ")}, want: []string{"failed Currency:currency"}},
		"a cleared currency": {more: []string{"Currency"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "<clear>")}, want: []string{"failed Currency:required"}},
		"a long name": {more: []string{"First name"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", strings.Repeat("x", 151))},
			want: []string{"failed First name:tooLong"}},
		"staff perhaps": {more: []string{"Staff"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "perhaps")}, want: []string{"failed Staff:yesNo"}},
		"itself as manager": {more: []string{"Manager"}, rows: [][]any{append(newRow("n"), true, "X", "CREW", "x")},
			want: []string{"failed Manager:self"}},
		"nobody as manager": {more: []string{"Manager"},
			rows: [][]any{append(newRow("n"), true, "X", "CREW", "NOBODY")}, want: []string{"failed Manager:unknownCode"}},
		"a locked manager": {more: []string{"Manager"}, rows: [][]any{append(newRow("n"), true, "X", "CREW", "E2")},
			want: []string{"failed Manager:unknownCode"}},
		"managers in a circle": {more: []string{"Manager"},
			rows: [][]any{append(newRow("a"), true, "A", "CREW", "b"), append(newRow("b"), true, "B", "CREW", "A"),
				append(newRow("c"), true, "C", "CREW", "A")},
			want: []string{"created", "created", "created"}},
		"a manager whose row is wrong": {more: []string{"Manager"},
			rows: [][]any{append(newRow("a"), true, "A", "CREW", "B"), append(newRow("b"), true, "B", "CREW", "C"),
				{"c", nil, "GOLD", "c@example.com", true, "C", "CREW"}, append(newRow("d"), true, "D", "CREW", "E1")},
			want: []string{"failed Manager:otherRow", "failed Manager:otherRow",
				"failed User licenses:unknownCode Description:required", "created"}},
		"ignored without a resource": {more: []string{"Department"},
			rows: [][]any{{"keep", nil, nil, nil, nil, "E1", "NONE", "NONE"}}, want: []string{"unchanged"}},
		"a change of its resource": {more: []string{"Department", "Manager"},
			rows: [][]any{{"emp", nil, nil, nil, nil, nil, nil, "sales", "free"}}, want: []string{"updated"}},
		"a wrong change of it": {more: []string{"Department"},
			rows: [][]any{{"emp", nil, nil, nil, "no", nil, nil, "NONE"}}, want: []string{"failed Department:unknownCode"}},
		"for an account there": {rows: [][]any{{"keep", nil, nil, nil, "y", "NEW", "CREW"}}, want: []string{"updated"}},
	} {
		rowsCase{name: name, header: resourceHeader(c.more...), rows: c.rows, want: c.want}.run(t, setUp(),
			transfer.Options{})
	}
}

// Import of resources needs the right to write them, and says so (V61).
func TestResourcesNeedTheirOwnRight(t *testing.T) {
	b := newFakeBackend()
	b.roles = []string{"IMPORTER"}
	b.addResource("emp", "E1", nil)
	rowsCase{name: "rights", header: resourceHeader("Department"),
		rows: [][]any{append(newRow("n"), true, "X", "CREW"), {"emp", nil, nil, nil, nil, nil, nil, "SALES"}, {"emp2"}},
		want: []string{"failed Create Resource:forbidden", "failed Resource:forbidden",
			"failed User licenses:required Description:required Email:required"}}.run(t, b, transfer.Options{})
}

// The description of a resource is its account's name: of a new one always, of one that is there when the row changes
// it.
func TestTheNameIsTheResourcesDescription(t *testing.T) {
	b := newFakeBackend()
	b.addResource("emp", "E1", func(r *resource.Resource) { r.Description = "Another" })
	b.submit(transfer.Options{}, book(t, baseHeader(), []any{"emp", "Somebody"}))
	b.runTo(t, transfer.Done)
	if b.job.Counts != (transfer.Counts{Rows: 1, Unchanged: 1}) || b.resources["e1"].Description != "Another" {
		t.Errorf("%+v %+v", b.job.Counts, b.resources["e1"])
	}
	b.submit(transfer.Options{}, book(t, baseHeader(), []any{"emp", "Changed"}))
	b.runTo(t, transfer.Done)
	if b.resources["e1"].Description != "Changed" || b.accounts["emp"].Name != "Changed" {
		t.Errorf("%+v", b.resources["e1"])
	}
}

// Reset from Resource group gives the defaults again, a filled cell wins, and what the group has no default for stays.
func TestResetFromResourceGroup(t *testing.T) {
	for _, reset := range []bool{false, true} {
		b := newFakeBackend()
		b.addResource("emp", "E1", func(r *resource.Resource) { r.Manager = "BOSS"; r.JobTitle = "Clerk" })
		b.submit(transfer.Options{ResetFromGroup: reset},
			book(t, append(baseHeader(), "Currency", "Cost centre"), []any{"emp", nil, nil, nil, "USD", "<clear>"}))
		b.runTo(t, transfer.Done)
		got := b.resources["e1"]
		want := map[bool]string{false: "WORKS USD   BOSS Clerk", true: "SALES USD  FP BOSS Clerk"}[reset]
		if said := fmt.Sprint(got.Department, " ", got.Currency, " ", got.CostCentre, " ", got.PaymentMethod, " ",
			got.Manager, " ", got.JobTitle); said != want {
			t.Errorf("reset %v: %q, want %q", reset, said, want)
		}
	}
}

// The default resource group is for rows that name none; one that is gone by the time the import runs stops it.
func TestTheDefaultResourceGroup(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{ResourceGroup: "crew"}, book(t, resourceHeader(), append(newRow("n"), true, "X")))
	b.runTo(t, transfer.Done)
	if b.resources["x"].ResourceGroup != "CREW" || b.resources["x"].Department != "SALES" {
		t.Errorf("%+v", b.resources["x"])
	}
	b = newFakeBackend()
	b.submit(transfer.Options{ResourceGroup: "OTHER"}, book(t, resourceHeader(), append(newRow("n"), true, "X", "CREW")))
	b.runTo(t, transfer.Done)
	if b.resources["x"].ResourceGroup != "CREW" {
		t.Errorf("the row's own group does not win: %+v", b.resources["x"])
	}
	for _, gone := range []string{"NONE", "LOCKED"} {
		b = newFakeBackend()
		b.submit(transfer.Options{ResourceGroup: gone}, book(t, baseHeader(), newRow("n")))
		b.runTo(t, transfer.Failed)
		if b.job.Problem.Code != "resourceGroup" || len(b.accounts) > 0 {
			t.Errorf("%s: %+v", gone, b.job.Problem)
		}
	}
}

// V61: Copy user roles from user is for new accounts whose row names no roles, within the licence and the actor's
// rights.
func TestCopyUserRolesFromUser(t *testing.T) {
	chief := existingAccount("chief")
	chief.Roles = []string{"ADMIN"}
	header := append(baseHeader(), "User roles")
	for _, c := range []struct {
		from  string
		roles []string
		row   []any
		want  string
		has   []string
	}{
		{"Somebody", nil, newRow("n"), "created", []string{"VIEWER"}},
		{"somebody", nil, append(newRow("n"), "SELF"), "created", []string{"SELF"}},
		{"somebody", nil, append(newRow("n"), "<clear>"), "created", nil},
		{"chief", nil, []any{"n", "N", "TEAM", "n@example.com"}, "failed User roles:outsideLicence", nil},
		{"chief", []string{"IMPORTER"}, newRow("n"), "failed User roles:aboveOwnRights", nil},
		{"chief", nil, []any{"keep", "Changed"}, "updated", []string{"VIEWER"}},
	} {
		b := newFakeBackend(existingAccount("somebody"), existingAccount("keep"), chief)
		if c.roles != nil {
			b.roles = c.roles
		}
		rowsCase{name: c.from, header: header, rows: [][]any{c.row}, want: []string{c.want}}.run(t, b,
			transfer.Options{CopyRolesFrom: c.from})
		if got := b.accounts[c.row[0].(string)].Roles; len(got)+len(c.has) > 0 && !reflect.DeepEqual(got, c.has) {
			t.Errorf("%s: %v, want %v", c.from, got, c.has)
		}
	}
	b := newFakeBackend()
	b.submit(transfer.Options{CopyRolesFrom: "nobody"}, book(t, baseHeader(), newRow("n")))
	b.runTo(t, transfer.Failed)
	if b.job.Problem.Code != "copyRolesFrom" || len(b.accounts) > 0 {
		t.Errorf("%+v", b.job.Problem)
	}
}

// Emails change hands within a file: swaps, chains and circles go in if the end is unique, together or not at all.
func TestEmailsChangeHands(t *testing.T) {
	to := func(who, whose string) []any { return []any{who, nil, nil, whose + "@example.com"} }
	for name, c := range map[string]struct {
		rows [][]any
		want []string
	}{
		"a swap":  {[][]any{to("a", "b"), to("b", "a")}, []string{"updated", "updated"}},
		"a chain": {[][]any{to("a", "b"), to("b", "new")}, []string{"updated", "updated"}},
		"a circle": {[][]any{to("a", "b"), to("b", "c"), to("c", "a")},
			[]string{"updated", "updated", "updated"}},
		"to a new": {[][]any{{"n", "N", "FULL", "a@example.com"}, to("a", "new")},
			[]string{"created", "updated"}},
		"as a username": {[][]any{{"a@example.com", "N", "FULL", "n@example.com"}, to("a", "new")},
			[]string{"created", "updated"}},
		"not given up": {[][]any{to("a", "b"), {"b", "Changed"}}, []string{"failed Email:taken", "updated"}},
		"a circle with a bad row": {[][]any{to("a", "b"), to("b", "c"), {"c", nil, "GOLD", "a@example.com"}},
			[]string{"failed Email:otherRow", "failed Email:taken", "failed User licenses:unknownCode"}},
		"a chain with a bad end": {[][]any{to("a", "b"), to("b", "keep")},
			[]string{"failed Email:otherRow", "failed Email:taken"}},
	} {
		b := newFakeBackend(existingAccount("a"), existingAccount("b"), existingAccount("c"), existingAccount("keep"))
		rowsCase{name: name, header: baseHeader(), rows: c.rows, want: c.want}.run(t, b, transfer.Options{})
		for _, row := range b.stagedRows {
			for identifier, former := range row.AcquiredIdentifiers {
				if former != "id of "+strings.TrimSuffix(identifier, "@example.com") {
					t.Errorf("%s: %s is taken from %s", name, identifier, former)
				}
			}
		}
	}
}

// The errors of a row name the cell, the value and what to do; its changes name the old and the new value.
func TestErrorsAndChangesNameTheirCells(t *testing.T) {
	b := newFakeBackend(existingAccount("keep"))
	b.addResource("emp", "E1", nil)
	b.submit(transfer.Options{SkipErrors: true},
		book(t, append(baseHeader(), "Date to", "MFA requires", "User roles", "Department"),
			[]any{"n", "N", "GO\u0007LD", "bad", "soon"},
			[]any{"keep", "Changed", nil, nil, "2026-12-31", true, "SELF; VIEWER"},
			[]any{"emp", nil, nil, nil, nil, nil, nil, "SALES"}))
	b.runTo(t, transfer.Done)
	rows := b.rowResults(t)
	for _, e := range rows[0].Errors {
		if want := map[string]string{"User licenses": "C2 GO LD", "Email": "D2 bad", "Date to": "E2 soon"}[e.Field]; e.Cell+
			" "+e.Value != want || e.Message == "" {
			t.Errorf("%+v, want %q", e, want)
		}
	}
	if len(rows[0].Errors) != 3 {
		t.Errorf("%+v", rows[0])
	}
	want := []transfer.RowChange{{Field: "Description", From: "Somebody", To: "Changed"},
		{Field: "Date to", To: "2026-12-31"}, {Field: "MFA requires", From: "FALSE", To: "TRUE"},
		{Field: "User roles", From: "VIEWER", To: "SELF; VIEWER"}}
	if !reflect.DeepEqual(rows[1].Changes, want) {
		t.Errorf("%+v", rows[1].Changes)
	}
	if !reflect.DeepEqual(rows[2].Changes, []transfer.RowChange{{Field: "Department", From: "WORKS", To: "SALES"}}) {
		t.Errorf("%+v", rows[2].Changes)
	}
}

// A dry run says what it would do, and writes nothing.
func TestADryRunWritesNothing(t *testing.T) {
	b := mixedImport(t, transfer.Options{DryRun: true})
	b.runTo(t, transfer.Done)
	b.assertUnchanged(t, "dry run")
	if b.count("begin")+b.count("stage")+b.count("commit") > 0 ||
		b.job.Counts != (transfer.Counts{Rows: 5, Created: 3, Updated: 1, Unchanged: 1}) {
		t.Errorf("%v %+v", b.calls, b.job.Counts)
	}
	if got := b.rowResults(t)[0].Changes; len(got) < 4 || got[0] != (transfer.RowChange{Field: "Username", To: "one"}) {
		t.Errorf("%+v", got)
	}
}

// The clear word itself is written with one more pair of brackets.
func TestTheClearWordAsAValue(t *testing.T) {
	for cell, want := range map[string]string{"<<clear>>": "<clear>", "<<<Clear>>>": "<<Clear>>", "<clear": "<clear",
		"<<clear>": "<<clear>", "clear": "clear", "<clearly>": "<clearly>"} {
		b := newFakeBackend(existingAccount("keep"))
		b.submit(transfer.Options{}, book(t, baseHeader(), []any{"keep", cell}))
		b.runTo(t, transfer.Done)
		if got := b.accounts["keep"].Name; got != want {
			t.Errorf("%s reads as %q, want %q", cell, got, want)
		}
		if back := transfer.EscapeClear(want); back != cell {
			t.Errorf("%q is written %q, want %q", want, back, cell)
		}
	}
}

// V76: what a dead worker staged by rights that are gone is not committed by the next.
func TestRowsStagedByFormerRightsAreJudgedAgain(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{}, book(t, append(baseHeader(), "User roles"), append(newRow("one"), "ADMIN")))
	b.onCall = func(call string) error {
		if call == "commit" {
			return errDown
		}
		return nil
	}
	if err := b.run(); !errors.Is(err, errDown) || len(b.staged) != 1 {
		t.Fatalf("%v, %d staged", err, len(b.staged))
	}
	b.onCall, b.roles = nil, []string{"IMPORTER"}
	b.runTo(t, transfer.Refused)
	if got := b.outcomes(t); len(b.accounts) > 0 || !reflect.DeepEqual(got, []string{"failed User roles:aboveOwnRights"}) {
		t.Errorf("%q, %d accounts", got, len(b.accounts))
	}
}

// V76, C44: a file that is replaced while it is imported is not committed.
func TestAFileThatChangesIsNotCommitted(t *testing.T) {
	b := mixedImport(t, transfer.Options{})
	b.onCall = func(call string) error {
		if call == "actor" && b.count("actor") == 2 {
			b.files[b.job.UploadKey()] = book(t, baseHeader(), newRow("other"))
		}
		return nil
	}
	b.runTo(t, transfer.Failed)
	b.assertUnchanged(t, "replaced")
	if b.job.Problem.Code != "fileGone" || b.count("commit") > 0 {
		t.Errorf("%+v %v", b.job.Problem, b.calls)
	}
}
