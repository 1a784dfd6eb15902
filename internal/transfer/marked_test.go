package transfer_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/fault"
	"useraccounts/internal/transfer"
)

// The sheet comes back with what is wrong at the cells; mended there and sent as it is, it imports clean.
func TestTheSheetComesBackAndCanBeMended(t *testing.T) {
	for _, o := range []transfer.Options{{}, {SkipErrors: true}, {DryRun: true}} {
		office := newOffice()
		office.submit(o, book(t, base(), fresh("one"), []any{nil, nil, nil, nil}, []any{"two", "Two", "NONE", "bad"}))
		if err := office.run(); err != nil || !office.job.State.Ended() || !office.job.Sheet {
			t.Fatalf("%+v: %v %+v", o, err, office.job)
		}
		back, err := excelize.OpenReader(bytes.NewReader(office.files[office.job.SheetKey()]))
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
		if rows[3][0] != "two" || rows[3][result] != "Error" || !strings.Contains(rows[3][errors], "C4 User licenses: ") || !strings.Contains(rows[3][errors], "D4 Email: ") {
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
		var mended bytes.Buffer
		if err := back.Write(&mended); err != nil {
			t.Fatal(err)
		}
		office.submit(transfer.Options{}, mended.Bytes())
		office.runs(t, transfer.Done)
		if c := office.job.Counts; c.Failed != 0 || c.Rows != 2 || len(office.accounts) != 2 {
			t.Errorf("%+v: %+v", o, c)
		}
	}
}

// A row that was emptied in a sheet that came back, all but what was said of it, is none.
func TestAnEmptiedRowOfAReturnedSheetIsNone(t *testing.T) {
	o := newOffice()
	o.submit(transfer.Options{}, book(t, append(base(), "Result", "Errors"), append(fresh("one"), "Not imported"), []any{nil, nil, nil, nil, "Error", "A3 Username: wrong"}))
	o.runs(t, transfer.Done)
	if o.job.Counts != (transfer.Counts{Rows: 1, Created: 1}) {
		t.Errorf("%+v", o.job.Counts)
	}
}

// Who may have the sheet, and when there is one.
func TestTheLinkToTheSheet(t *testing.T) {
	job := transfer.Job{ID: "j", Env: "test", Kind: transfer.Import, State: transfer.Refused, ByID: "9", Created: now, Report: true, Sheet: true}
	with := func(change func(*transfer.Job)) *desk {
		j := job
		change(&j)
		d := newDesk(j)
		d.heads[job.SheetKey()] = transfer.File{}
		return d
	}
	same := func(*transfer.Job) {}
	got, err := with(same).service().MarkedSheet(t.Context(), caller("9"), "j")
	if err != nil || got.Name != "user-accounts-import-2026-01-05-result.xlsx" || got.URL == "" || !got.Expires.After(now) {
		t.Errorf("%+v %v", got, err)
	}
	_, err = with(same).service().MarkedSheet(t.Context(), caller("8"), "j")
	refused(t, "another's (V77)", err, fault.NotFound, "notFound")
	_, err = with(func(j *transfer.Job) { j.State = transfer.Checking }).service().MarkedSheet(t.Context(), caller("9"), "j")
	refused(t, "running", err, fault.Conflict, "notEnded")
	_, err = with(func(j *transfer.Job) { j.Sheet = false }).service().MarkedSheet(t.Context(), caller("9"), "j")
	refused(t, "none", err, fault.Conflict, "noSheet")
	_, err = with(func(j *transfer.Job) { j.Kind = transfer.Export }).service().MarkedSheet(t.Context(), caller("9"), "j")
	refused(t, "an export", err, fault.Conflict, "notImport")
	_, err = newDesk(job).service().MarkedSheet(t.Context(), caller("9"), "j")
	refused(t, "swept", err, fault.NotFound, "expired")
}
