package transfer_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

// The result sheet has notes at the invalid cells. Corrected there and uploaded as it is, it imports without errors.
func TestTheResultSheetCanBeCorrectedAndImported(t *testing.T) {
	for _, o := range []transfer.Options{{}, {SkipErrors: true}, {DryRun: true}} {
		backend := newFakeBackend()
		backend.submit(o, book(t, baseHeader(), newRow("one"), []any{nil, nil, nil, nil}, []any{"two", "Two", "NONE", "bad"}))
		if err := backend.run(); err != nil || !backend.job.State.Ended() || !backend.job.HasResultSheet {
			t.Fatalf("%+v: %v %+v", o, err, backend.job)
		}
		back, err := excelize.OpenReader(bytes.NewReader(backend.files[backend.job.ResultSheetKey()]))
		if err != nil {
			t.Fatal(err)
		}
		name := back.GetSheetName(0)
		rows, err := back.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		result, errors := slices.Index(rows[0], "Result"), slices.Index(rows[0], "Errors")
		// The blank row in between counts: what is said of row 4 stands in row 4.
		if rows[3][0] != "two" || rows[3][result] != "Error" || !strings.Contains(rows[3][errors], "C4 User licenses: ") ||
			!strings.Contains(rows[3][errors], "D4 Email: ") {
			t.Errorf("%+v: %q", o, rows)
		}
		notes, _ := back.GetComments(name)
		if len(notes) != 2 {
			t.Errorf("%+v: %d notes", o, len(notes))
		}
		for cell, value := range map[string]string{"C4": "FULL", "D4": "two@example.com"} {
			if err := back.SetCellValue(name, cell, value); err != nil {
				t.Fatal(err)
			}
		}
		var corrected bytes.Buffer
		if err := back.Write(&corrected); err != nil {
			t.Fatal(err)
		}
		backend.submit(transfer.Options{}, corrected.Bytes())
		backend.runTo(t, transfer.Done)
		if c := backend.job.Counts; c.Failed != 0 || c.Rows != 2 || len(backend.accounts) != 2 {
			t.Errorf("%+v: %+v", o, c)
		}
	}
}

// A row that was emptied in a sheet that came back, all but what was said of it, is none.
func TestAnEmptiedRowOfAReturnedSheetIsNone(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{},
		book(t, append(baseHeader(), "Result", "Errors"), append(newRow("one"), "Not imported"),
			[]any{nil, nil, nil, nil, "Error", "A3 Username: wrong"}))
	b.runTo(t, transfer.Done)
	if b.job.Counts != (transfer.Counts{Rows: 1, Created: 1}) {
		t.Errorf("%+v", b.job.Counts)
	}
}

// Who may have the sheet, and when there is one.
func TestTheLinkToTheSheet(t *testing.T) {
	job := transfer.Job{ID: "j", Env: "test", Kind: transfer.Import, State: transfer.Refused, ByID: "9", Created: now,
		HasReport: true, HasResultSheet: true}
	with := func(change func(*transfer.Job)) *fakeStore {
		j := job
		change(&j)
		s := newFakeStore(j)
		s.uploads[job.ResultSheetKey()] = transfer.File{}
		return s
	}
	same := func(*transfer.Job) {}
	got, err := with(same).service().ResultSheet(t.Context(), caller("9"), "j")
	if err != nil || got.Name != "user-accounts-import-2026-01-05-result.xlsx" || got.URL == "" ||
		!got.Expires.After(now) {
		t.Errorf("%+v %v", got, err)
	}
	_, err = with(same).service().ResultSheet(t.Context(), caller("8"), "j")
	wantFault(t, "another's (V77)", err, fault.NotFound, "notFound")
	_, err = with(func(j *transfer.Job) { j.State = transfer.Checking }).service().ResultSheet(t.Context(), caller("9"),
		"j")
	wantFault(t, "running", err, fault.Conflict, "notEnded")
	_, err = with(func(j *transfer.Job) { j.HasResultSheet = false }).service().ResultSheet(t.Context(), caller("9"), "j")
	wantFault(t, "none", err, fault.Conflict, "noSheet")
	_, err = with(func(j *transfer.Job) { j.Kind = transfer.Export }).service().ResultSheet(t.Context(), caller("9"), "j")
	wantFault(t, "an export", err, fault.Conflict, "notImport")
	_, err = newFakeStore(job).service().ResultSheet(t.Context(), caller("9"), "j")
	wantFault(t, "swept", err, fault.NotFound, "expired")
}

// A sheet whose headings are not right comes back with those marked and, in the first row, what is wrong with all of
// them, also with the one that is missing; corrected there and sent as it is, it imports. One that has too many rows,
// which are not all read, does not.
func TestASheetOfWrongHeadingsComesBack(t *testing.T) {
	b := newFakeBackend()
	b.submit(transfer.Options{},
		withHeading(t, "D1", "description",
			book(t, []string{"User name x", "E-mial", "Description", "D", "User licenses"},
				[]any{"one", "one@example.com", "One", nil, "FULL"})))
	b.runTo(t, transfer.Refused)
	if !b.job.HasResultSheet || b.job.HasReport || b.job.Problem.Code != "headings" {
		t.Fatalf("%+v", b.job)
	}
	back, err := excelize.OpenReader(bytes.NewReader(b.files[b.job.ResultSheetKey()]))
	if err != nil {
		t.Fatal(err)
	}
	name := back.GetSheetName(0)
	rows, err := back.GetRows(name)
	if err != nil || len(rows) != 2 || rows[0][5] != "Result" || rows[0][6] != "Errors" || rows[1][5] != "Not imported" {
		t.Fatalf("%q %v", rows, err)
	}
	for _, said := range []string{`"Username" is missing`, `B1: "E-mial" is not`, `did you mean "Email"?`,
		`Both column C and column D have the heading "Description"`} {
		if !strings.Contains(rows[1][6], said) {
			t.Errorf("%q does not say %s", rows[1][6], said)
		}
	}
	notes, _ := back.GetComments(name)
	at := map[string]string{}
	for _, n := range notes {
		at[n.Cell] = n.Text
	}
	if len(at) != 3 || !strings.Contains(at["B1"], `did you mean "Email"?`) ||
		!strings.Contains(at["D1"], "Remove one of them") || at["A1"] == "" {
		t.Errorf("%v", at)
	}
	for cell, value := range map[string]string{"A1": "Username", "B1": "Email", "D1": "Mobile"} {
		if err := back.SetCellValue(name, cell, value); err != nil {
			t.Fatal(err)
		}
	}
	var corrected bytes.Buffer
	if err := back.Write(&corrected); err != nil {
		t.Fatal(err)
	}
	b.submit(transfer.Options{}, corrected.Bytes())
	b.runTo(t, transfer.Done)
	if b.job.Counts != (transfer.Counts{Rows: 1, Created: 1}) {
		t.Errorf("%+v", b.job.Counts)
	}
	many := make([][]any, transfer.MaxRows+1)
	for i := range many {
		many[i] = []any{"x"}
	}
	b.submit(transfer.Options{}, book(t, []string{"User"}, many...))
	if b.runTo(t, transfer.Refused); b.job.HasResultSheet || b.job.Problem.Code != "headings" {
		t.Errorf("%+v", b.job)
	}
}

// withHeading changes a cell of a workbook.
func withHeading(t *testing.T, cell, text string, file []byte) []byte {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := errors.Join(book.SetCellValue(book.GetSheetName(0), cell, text), book.Write(&out)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
