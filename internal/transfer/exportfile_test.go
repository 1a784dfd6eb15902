package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/account"
	"useraccounts/internal/fault"
	"useraccounts/internal/resource"
	"useraccounts/internal/sheet"
	"useraccounts/internal/transfer"
)

// submitExport makes an export the backend's submitted job.
func (b *fakeBackend) submitExport(format sheet.DateFormat) {
	b.job = transfer.Job{ID: "job", Env: "test", Kind: transfer.Export, State: transfer.Submitted,
		Options: transfer.Options{DateFormat: format}, By: "boss", ByID: "9", Created: now}
}

// readExport returns the header and the rows of the export's n-th file.
func (b *fakeBackend) readExport(t testing.TB, n int) (header []string, rows []sheet.Row) {
	t.Helper()
	body := b.files[b.job.ExportKey(n)]
	wb, err := sheet.Open(bytes.NewReader(body), int64(len(body)), sheet.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	head, err := wb.Header()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range head.Cells {
		header = append(header, c.Text)
	}
	if _, err := wb.Count(transfer.MaxRows); err != nil {
		t.Fatal(err)
	}
	for row, err := range wb.Data(transfer.MaxRows) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return header, rows
}

// hostileAccounts are accounts that spreadsheets, scanners or people would mistake.
func hostileAccounts() []account.Account {
	var out []account.Account
	for i, text := range []string{
		`=cmd|'/c calc'!A1`, "+1", "-1", "@SUM(A1)", "'quoted", `"x"`, "TRUE", "0123", "1e5", "31/12/2026", "a;b",
		"<img src=x>", "&amp;", "_x000D_", "ʻokina",
		"日本語", "😀", "a\u00a0b", "x\u200by", "مرحبا", "#N/A", "[x]", "{1}", strings.Repeat("ä", 200),
	} {
		a := existingAccount(fmt.Sprintf("u%02d", i))
		a.Name, a.Mobile = text, ""
		if len(text) <= 20 {
			a.Mobile = text
		}
		a.DateTo, a.MFARequired, a.Groups, a.DACGroups = "2028-02-29", i%2 == 0, []string{"STAFF"}, []string{"DAC1", "DAC2"}
		out = append(out, a)
	}
	bare := existingAccount("bare")
	bare.UserType, bare.Email, bare.Roles, bare.Mobile = "API", "", nil, ""
	jane := existingAccount("jane@corp.example")
	jane.Email = "jane@example.com"
	return append(out, bare, jane)
}

// V78: what an export holds comes back unchanged, in each date format, and an import of it writes nothing.
func TestAnExportImportsUnchanged(t *testing.T) {
	for _, format := range sheet.DateFormats() {
		b := newFakeBackend(hostileAccounts()...)
		b.pageSize = 7
		b.submitExport(format)
		b.runTo(t, transfer.Done)
		if b.job.Files != 1 || b.job.Counts.Rows != len(hostileAccounts()) || b.count("page") != 4 {
			t.Fatalf("%+v, %d pages", b.job, b.count("page"))
		}
		file := b.files[b.job.ExportKey(1)]
		b.submit(transfer.Options{DateFormat: format}, file)
		b.calls = nil
		if err := b.run(); err != nil || b.job.State != transfer.Done ||
			b.job.Counts != (transfer.Counts{Rows: len(hostileAccounts()), Unchanged: len(hostileAccounts())}) ||
			b.count("stage") > 0 {
			t.Errorf("%s: %s %v %+v %+v", format, b.job.State, err, b.job.Counts, b.job.Problem)
			for i, row := range b.outcomes(t) {
				if row != "unchanged" {
					t.Errorf("row %d: %s", i+2, row)
				}
			}
		}
	}
}

// The 36 columns stand in an export as in the golden file.
func TestAnExportHasTheHeadings(t *testing.T) {
	golden, err := os.ReadFile("testdata/headings.txt")
	if err != nil {
		t.Fatal(err)
	}
	b := newFakeBackend()
	b.submitExport(sheet.ISO)
	b.runTo(t, transfer.Done)
	header, rows := b.readExport(t, 1)
	if strings.Join(header, "\n")+"\n" != string(golden) || len(rows) != 0 || b.job.Files != 1 {
		t.Errorf("header %q, %d rows, %d files", header, len(rows), b.job.Files)
	}
}

// The lists of an export reach as far as an import does, and not to the end of the grid, where programs that keep the
// rule of each cell by itself take minutes to open the file.
func TestTheListsOfAnExportEndWhereAnImportDoes(t *testing.T) {
	b := newFakeBackend()
	b.submitExport(sheet.ISO)
	b.runTo(t, transfer.Done)
	x, err := excelize.OpenReader(bytes.NewReader(b.files[b.job.ExportKey(1)]))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := x.GetDataValidations(transfer.SheetName)
	if err != nil || len(rules) == 0 {
		t.Fatal(rules, err)
	}
	for _, r := range rules {
		if !strings.HasSuffix(r.Sqref, "5001") {
			t.Errorf("a list for %s", r.Sqref)
		}
	}
}

func TestAnExportedRow(t *testing.T) {
	a := existingAccount("doej")
	a.DateTo, a.Resource, a.Groups, a.DACGroups, a.MFARequired = "2027-12-31", "R1", []string{"STAFF"},
		[]string{"DAC1", "DAC2"}, true
	a.PasswordHash, a.LockedReason = "$argon2id$secret", "a reason"
	b := newFakeBackend(a)
	b.resources = map[string]resource.Resource{
		"r1": {
			Code: "R1", Description: "Somebody", FirstName: "Some", MiddleName: "<clear>", LastName: "Body", JobTitle: "Clerk",
			Company: "Acme", LegacyRef: "007",
			Country: "GB", ResourceGroup: "STAFF", Currency: "GBP", Department: "OPS", Manager: "R2", CostCentre: "100",
			Staff: true, Title: "Dr", Suffix: "MA",
			PaymentMethod: "BACS", PaymentTerms: "30D",
		},
		"r2": {Code: "R2", Description: "The manager"},
	}
	b.submitExport(sheet.British)
	b.runTo(t, transfer.Done)
	header, rows := b.readExport(t, 1)
	got := map[string]string{}
	for i, h := range header {
		if c := rows[0].Cell(i + 1); !c.IsBlank() {
			got[h] = c.Text
		}
	}
	want := map[string]string{
		"Username": "doej", "Description": "Somebody", "User licenses": "FULL", "User license description": "FULL users",
		"Date from": "2026-01-01",
		"Date to":   "2027-12-31", "Email": "doej@example.com", "Mobile": "0123", "MFA requires": "TRUE", "Resource": "R1",
		"DAC groups": "DAC1; DAC2",
		"User roles": "VIEWER", "User groups": "STAFF",
		"First name": "Some", "Middle name": "<<clear>>", "Last name": "Body", "Job title": "Clerk", "Company": "Acme",
		"Legacy ref":           "007",
		"Resource description": "Somebody", "Country code": "GB", "Resource group": "STAFF", "Currency": "GBP",
		"Department": "OPS", "Manager": "R2",
		"Manager description": "The manager", "Cost centre": "100", "Staff": "TRUE", "Title": "Dr", "Suffix": "MA",
		"Payment method": "BACS", "Payment terms": "30D",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
}

// More than 5,000 accounts are split into files that each import: at 5,000 there is one file, one over there are two.
func TestExportsAreSplitAt5000(t *testing.T) {
	b := newFakeBackend()
	for i := range transfer.MaxRows {
		a := account.Account{ID: fmt.Sprint(i), Username: fmt.Sprintf("u%05d", i)}
		b.accounts[a.Username] = a
	}
	b.submitExport(sheet.ISO)
	b.runTo(t, transfer.Done)
	if b.job.Files != 1 || b.job.Counts.Rows != 5000 || b.job.FileName(1) != "user-accounts-2026-01-05.xlsx" {
		t.Errorf("5,000: %+v", b.job)
	}
	b.accounts["u05000"] = account.Account{ID: "5000", Username: "u05000"}
	b.submitExport(sheet.ISO)
	b.runTo(t, transfer.Done)
	if b.job.Files != 2 || b.job.Counts.Rows != 5001 || b.job.FileName(2) != "user-accounts-2026-01-05-02.xlsx" {
		t.Errorf("5,001: %+v", b.job)
	}
	_, second := b.readExport(t, 2)
	if len(second) != 1 || second[0].Cell(1).Text != "u05000" {
		t.Errorf("the second file holds %d rows", len(second))
	}
	_, first := b.readExport(t, 1)
	if len(first) != 5000 || first[4999].Cell(1).Text != "u04999" {
		t.Errorf("the first file holds %d rows", len(first))
	}
}

// V84: whatever fails, the export is not done, and the next delivery does it.
func TestAnExportMayFailAtEveryCall(t *testing.T) {
	dry := newFakeBackend(hostileAccounts()...)
	dry.pageSize = 10
	dry.submitExport(sheet.ISO)
	dry.runTo(t, transfer.Done)
	for n, call := range dry.calls {
		b := newFakeBackend(hostileAccounts()...)
		b.pageSize = 10
		b.submitExport(sheet.ISO)
		b.onCall = func(string) error {
			if len(b.calls) == n+1 {
				return errDown
			}
			return nil
		}
		if err := b.run(); !errors.Is(err, errDown) || b.job.State == transfer.Done {
			t.Errorf("%s: %v, %s", call, err, b.job.State)
		}
		b.onCall = nil
		b.runTo(t, transfer.Done)
		if b.job.Files != 1 || b.job.Counts.Rows != len(hostileAccounts()) {
			t.Errorf("%s: %+v", call, b.job)
		}
	}
}

func TestExportsThatAreNotMade(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fakeBackend)
		want   transfer.State
	}{
		{"cancelled before", func(b *fakeBackend) { b.job.CancelRequested = true }, transfer.Cancelled},
		{"may not sign in", func(b *fakeBackend) { b.actorForbidden = true }, transfer.Failed},
		{"may not export", func(b *fakeBackend) { b.roles = []string{"IMPORTER"} }, transfer.Failed},
	} {
		b := newFakeBackend(hostileAccounts()...)
		b.submitExport(sheet.ISO)
		c.change(b)
		b.runTo(t, c.want)
		if b.count("page")+b.count("put") > 0 ||
			(c.want == transfer.Failed) != (b.job.Problem != nil && b.job.Problem.Code == "rightsRevoked") {
			t.Errorf("%s: %v %+v", c.name, b.calls, b.job.Problem)
		}
	}
}

// V75: an export whose job another worker claimed stops, and does not end the job.
func TestAnExportThatLostItsJobStops(t *testing.T) {
	b := newFakeBackend(hostileAccounts()...)
	b.submitExport(sheet.ISO)
	b.onCall = func(call string) error {
		if call == "put" {
			b.job.Epoch++
		}
		return nil
	}
	if err := b.run(); !errors.Is(err, transfer.ErrSuperseded) || b.job.State != transfer.Writing {
		t.Errorf("%v, %s", err, b.job.State)
	}
}

// An export by filters has what the list shows, one by ids those accounts.
func TestAnExportOfSome(t *testing.T) {
	locked := existingAccount("locked")
	locked.Active = false
	for name, c := range map[string]struct {
		o    transfer.Options
		want []string
	}{
		"all":               {transfer.Options{}, []string{"anna", "kim", "locked"}},
		"as the list shows": {transfer.Options{Filters: map[string]string{}}, []string{"anna", "kim"}},
		"filter":            {transfer.Options{Filters: map[string]string{"find": "KIM"}}, []string{"kim"}},
		"locked":            {transfer.Options{Filters: map[string]string{"active": "false"}}, []string{"locked"}},
		"nobody":            {transfer.Options{Filters: map[string]string{"find": "zz"}}, nil},
		"ids, also of no more": {transfer.Options{IDs: []string{"id of locked", "gone", "id of anna"}},
			[]string{"anna", "locked"}},
	} {
		b := newFakeBackend(existingAccount("anna"), existingAccount("kim"), locked)
		b.pageSize = 1
		b.submitExport(sheet.ISO)
		c.o.DateFormat = sheet.ISO
		b.job.Options = c.o
		b.runTo(t, transfer.Done)
		_, rows := b.readExport(t, 1)
		var got []string
		for _, r := range rows {
			got = append(got, r.Cell(1).Text)
		}
		if !slices.Equal(got, c.want) || b.job.Files != 1 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestExportsThatAreNotBegun(t *testing.T) {
	for field, o := range map[string]transfer.Options{
		"filters.nope": {Filters: map[string]string{"nope": "x"}},
		"ids":          {IDs: []string{}},
		"ids ":         {IDs: make([]string, transfer.MaxExportIDs+1)},
		"ids  ":        {IDs: []string{strings.Repeat("x", 65)}},
		"ids   ":       {IDs: []string{"a"}, Filters: map[string]string{}},
	} {
		s := newFakeStore()
		_, err := s.service().BeginExport(t.Context(), caller("9"), o)
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Fields[0].Field != strings.TrimSpace(field) ||
			len(s.jobs) > 0 {
			t.Errorf("%s: %v", field, err)
		}
	}
}
