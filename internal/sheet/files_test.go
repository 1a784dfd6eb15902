package sheet

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// describe returns all rows of a file, one on a line.
func describe(t *testing.T, file []byte) string {
	t.Helper()
	rows, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(texts(r) + "\n")
	}
	return b.String()
}

// TestRealFiles: the same sheet as different programs wrote it (testdata/README.md) reads the same: shared and inline
// strings, rich text, real dates, numbers typed for text, booleans, a blank row, a hidden row, a second sheet.
func TestRealFiles(t *testing.T) {
	header := "A1 text Username|B1 text First name|C1 text Mobile|D1 text Date from|E1 text MFA requires|F1 text " +
		"Legacy ref|G1 text User roles|H1 text Description\n"
	kim := "A2 text kim|B2 text Kim\u00a0|C2 number 447700900123|D2 date 2026-12-31|E2 bool TRUE|F2 number 0007|G2 " +
		"text A; B;a|H2 text  two\nlines \n"
	sam := "A4 text sam|B4 text Sam|C4 number 7.5|D4 date 2026-03-01|E4 bool FALSE|F4 text 0007|G4 text =1+1|H4 text " +
		"_x0041_ & <b> \"q\" \U0001F600\n"
	pat := "A5 text pat|B5 text Patrick|C5 text +447700|D5 text 31/12/2026|E5 text yes|F5 blank|G5 text kim|H5 text x\n"
	for _, test := range []struct{ name, want, others string }{
		{"xlsxwriter.xlsx", header + kim + sam + pat, "Notes"},
		{"xlsxwriter-inline.xlsx", header + kim + sam + pat, "Notes"},
		{"libreoffice.xlsx", header + kim + sam + pat, "Notes"},
		// openpyxl stores no values of formulas, and does not know the escapes, so that Excel too shows an A.
		{"openpyxl.xlsx", header + kim + strings.Replace(sam, "_x0041_", "A", 1) +
			strings.Replace(pat, "G5 text kim", "G5 novalue", 1) +
			"A6 error #N/A|B6 text top left|C6 blank|D6 blank|E6 blank|F6 blank|G6 blank|H6 text merged\n", "Notes"},
		{"openpyxl-1904.xlsx",
			"A1 text Username|B1 text First name|C1 text Mobile|D1 text Date from\nA2 text kim|B2 text Kim|C2 text 1|D2 date " +
				"2026-12-31\n", ""},
		{"libreoffice-1904.xlsx",
			"A1 text Username|B1 text First name|C1 text Mobile|D1 text Date from\nA2 text kim|B2 text Kim|C2 text 1|D2 date " +
				"2026-12-31\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", test.name))
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(t, file); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			if got := strings.Join(mustOpen(t, file).OtherSheets(), "|"); got != test.others {
				t.Errorf("other sheets %q, want %q", got, test.others)
			}
		})
	}
	for name, code := range map[string]string{"libreoffice.xls": CodeOldWorkbook, "libreoffice.ods": CodeNotWorkbook} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = open(file)
		wantCode(t, err, code)
	}
}

// TestGoogleSheets: a sheet as Google Sheets writes it: inherited styles, a prefix for every extension, blank cells
// with a style in every row down to row 1000, and a formula that Excel does not know.
func TestGoogleSheets(t *testing.T) {
	var blank strings.Builder
	for range 998 {
		blank.WriteString(`<row ht="15.75" customHeight="1"><c s="1"/><c s="1"/></row>`)
	}
	file := book(nil).formats("", "14",
		"m/d/yyyy").shared(`<si><t>Username</t></si><si><t>Date from</t></si><si><t xml:space="preserve">kim </t></si>`).set(
		sheetPart,
		xmlHead+`<worksheet xmlns="`+mainURI+`" xmlns:r="`+officeRels+
			`" xmlns:mx="http://schemas.microsoft.com/office/mac/excel/2008/main" `+
			`xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac">`+
			`<sheetPr><outlinePr summaryBelow="0"/></sheetPr><sheetViews><sheetView workbookViewId="0"/></sheetViews><sheetFormatPr customHeight="1" defaultColWidth="12.63"/>`+
			`<sheetData><row r="1"><c r="A1" s="1" t="s"><v>0</v></c><c r="B1" s="1" t="s"><v>1</v></c></row>`+
			`<row r="2"><c r="A2" s="1" t="s"><v>2</v></c><c r="B2" s="2"><f>IFERROR(__xludf.DUMMYFUNCTION("today()"),46387.0)</f><v>46387.0</v></c></row>`+
			blank.String()+`</sheetData><drawing r:id="rId1"/></worksheet>`).bytes(t)
	if got, want := describe(t, file),
		"A1 text Username|B1 text Date from\nA2 text kim |B2 date 2026-12-31\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestExcelize: a sheet as excelize writes it, and an encrypted one.
func TestExcelize(t *testing.T) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	for cell, value := range map[string]any{
		"A1": "Username", "B1": "Date from", "A2": "kim", "B2": time.Date(2026, 12, 31, 9, 0, 0, 0, time.UTC), "C2": true,
		"D2": 447700900123, "E2": 0.1 + 0.2,
	} {
		if err := f.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetCellFormula("Sheet1", "F2", "1+1"); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := f.Write(&file); err != nil {
		t.Fatal(err)
	}
	want := "A1 text Username|B1 text Date from\nA2 text kim|B2 date 2026-12-31|C2 bool TRUE|D2 number 447700900123|E2 " +
		"number 0.3|F2 novalue\n"
	if got := describe(t, file.Bytes()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	file.Reset()
	if err := f.Write(&file, excelize.Options{Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	_, err := open(file.Bytes())
	wantCode(t, err, CodeEncrypted)
}
