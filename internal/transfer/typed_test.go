package transfer_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/transfer"
)

// excelizeBook makes a workbook as people make them: the library stores numbers as numbers, and do may spoil it
// further.
func excelizeBook(t testing.TB, do func(*excelize.File), rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		if row == nil {
			continue // a blank row in the middle
		}
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err == nil {
			err = f.SetSheetRow("Sheet1", cell, &row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if do != nil {
		do(f)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func headerRow(names ...string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// Numbers in text columns: those that can be read are taken; an error for the others says what to do.
func TestNumbersTypedWhereTextIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		column string
		value  any
		want   string
		cure   bool
	}{
		"a mobile that dials":         {"Mobile", 7911123456, "created", false},
		"a mobile that lost its plus": {"Mobile", 49301234567890, "failed Mobile:mobileNumber", true},
		"digits beyond what is kept":  {"Mobile", 1.2345678901234567e+22, "failed Mobile:numberForText", true},
		"a code without its zero":     {"Payment terms", 30, "failed Payment terms:unknownCode", true},
		"a code that is a number":     {"Payment terms", 1, "created", false},
		"a code as text":              {"Payment terms", "030", "created", false},
		"a resource that is a number": {"Resource", 17, "created", false},
		"yes as a number":             {"MFA requires", 1, "created", false},
		"yes as a word":               {"MFA requires", " yes ", "created", false},
		"yes as a boolean":            {"MFA requires", true, "created", false},
		"two is no answer":            {"MFA requires", 2, "failed MFA requires:yesNo", false},
	} {
		b := newFakeBackend()
		header := append(headerRow("Username", "Description", "User licenses", "Email", "Create Resource", "Resource group"),
			c.column)
		b.submit(transfer.Options{SkipErrors: true},
			excelizeBook(t, nil, header, []any{"n", "N", "FULL", "n@example.com", "y", "CREW", c.value}))
		b.runTo(t, transfer.Done)
		if got := b.outcomes(t); got[0] != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if c.cure && !strings.Contains(b.rowResults(t)[0].Errors[0].Message, "Format the cell as text") {
			t.Errorf("%s: no cure in %+v", name, b.rowResults(t)[0].Errors)
		}
	}
}

// Dates of both calendars, spaces that cannot be seen, formulas with and without a stored value, and blank rows.
func TestSheetsAsPeopleMakeThem(t *testing.T) {
	day := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	for name, epoch1904 := range map[string]bool{"1900": false, "1904": true} {
		b := newFakeBackend()
		b.submit(transfer.Options{SkipErrors: true}, excelizeBook(t, func(f *excelize.File) {
			serial := 46387.0 // 2026-12-31 counted from 1900
			if epoch1904 {
				serial -= 1462
				if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &epoch1904}); err != nil {
					t.Fatal(err)
				}
			}
			style, err := f.NewStyle(&excelize.Style{NumFmt: 14})
			if err == nil {
				err = f.SetCellStyle("Sheet1", "E2", "E2", style)
			}
			if err == nil {
				err = f.SetCellFloat("Sheet1", "E2", serial, -1, 64)
			}
			if err == nil {
				err = f.SetCellFormula("Sheet1", "B6", `"N"&"one"`)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, headerRow("Username", "Description", "User licenses", "Email", "Date to", "User roles"),
			[]any{"\u00a0One\u200b ", " New\u00a0", "full\t", "one@example.com\u00a0"},
			nil, nil,
			[]any{"two", "Two", "FULL", "two@example.com", day.Format(time.DateOnly), " viewer ;; SELF;"},
			[]any{"three", nil, "FULL", "three@example.com"}))
		b.runTo(t, transfer.Done)
		rows := b.rowResults(t)
		if len(rows) != 3 || rows[0].Row != 2 || rows[1].Row != 5 || rows[2].Row != 6 {
			t.Fatalf("%s: %+v", name, rows)
		}
		if one := b.accounts["one"]; one.DateTo != "2026-12-31" || one.Username != "One" || one.Name != "New" ||
			one.Email != "one@example.com" {
			t.Errorf("%s: %+v", name, one)
		}
		if two := b.accounts["two"]; two.DateTo != "2026-12-31" || strings.Join(two.Roles, ",") != "SELF,VIEWER" {
			t.Errorf("%s: %+v", name, two)
		}
		if e := rows[2].Errors; len(e) != 1 || e[0].Cell != "B6" || e[0].Code != "formulaWithoutValue" {
			t.Errorf("%s: %+v", name, rows[2])
		}
	}
}
