package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/fault"
)

// rowsOf returns rows as Export wants them, in one slice that is used again.
func rowsOf(rows [][]Cell) iter.Seq2[[]Cell, error] {
	return func(yield func([]Cell, error) bool) {
		var again []Cell
		for _, r := range rows {
			again = append(again[:0], r...)
			if !yield(again, nil) {
				return
			}
		}
	}
}

func export(t testing.TB, e Export) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := Write(&file, e); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// unzip returns the parts of a file.
func unzip(t testing.TB, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	parts := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = string(content)
	}
	return parts
}

// formulaTexts are names that run as a formula at whoever opens the file, if nothing is done about it.
func formulaTexts() []string {
	return []string{"=cmd|'/c calc'!A1", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1",
		`=HYPERLINK("http://x","y")`, "=", "-", "'=1+1"}
}

// TestInert: text that a spreadsheet would run as a formula is a text, stays one when it is edited (quotePrefix), and
// comes back unchanged: no f element, no cell without the type of a text (C49).
func TestInert(t *testing.T) {
	var rows [][]Cell
	for _, s := range formulaTexts() {
		rows = append(rows, []Cell{TextCell(s)})
	}
	e := Export{Sheet: "User accounts", Format: British,
		Columns: []Column{{Heading: "=1+2", Kind: Text, Choices: formulaTexts()}}, Rows: rowsOf(rows)}
	file := export(t, e)
	parts := unzip(t, file)
	styled := regexp.MustCompile(`<c r="\w+" s="(\d)" t="inlineStr">`)
	for name, content := range parts {
		if regexp.MustCompile(`<f[ >/]`).MatchString(content) {
			t.Errorf("a formula in %s", name)
		}
	}
	cells := styled.FindAllStringSubmatch(parts[sheetPart], -1)
	if len(cells) != len(rows)+1 || strings.Count(parts[sheetPart], "<c ") != len(cells) {
		t.Fatalf("%d cells of text for %d", len(cells), len(rows)+1)
	}
	for i, c := range cells[1 : len(cells)-1] {
		if c[1] != fmt.Sprint(styleQuoted) {
			t.Errorf("%q has style %s", formulaTexts()[i], c[1])
		}
	}
	x, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	for i, s := range formulaTexts() {
		at := Address(i+2, 1)
		if f, err := x.GetCellFormula(e.Sheet, at); f != "" || err != nil {
			t.Errorf("%s: excelize sees the formula %q, %v", at, f, err)
		}
		if got, err := x.GetCellValue(e.Sheet, at); got != s || err != nil {
			t.Errorf("%s: excelize reads %q, want %q, %v", at, got, s, err)
		}
		id, _ := x.GetCellStyle(e.Sheet, at)
		if q := x.Styles.CellXfs.Xf[id].QuotePrefix; s[0] != '\'' && (q == nil || !*q) {
			t.Errorf("%s: no quotePrefix for %q", at, s)
		}
	}
	back, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range formulaTexts() {
		if got := back[i+1].Cells[0]; got.Kind != Text || got.Text != s {
			t.Errorf("%q came back as %+v", s, got)
		}
	}
}

// hostileText returns a text of characters that files are made of, or that files are broken by.
func hostileText(r *rand.Rand) string {
	pieces := []string{"=", "+", "-", "@", "\t", "\n", "\r", "\r\n", "\x00", "\x01", "\x1f", "\x7f", "\u0085", "\u2028",
		"\ufffe", "\uffff", "\ufffd", "\u00a0", "\u200b", "\ufeff", " ",
		"<", ">", "&", "\"", "'", "]]>", "<!--", "<![CDATA[", "&amp;", "&#65;", "</t>", "_", "_x", "_x0041_", "_x005F_",
		"_x005f_", "_xD83D_", "_xDE00_", "x0041_", "_x000D_", "_xZZZZ_", "__x0042_",
		"é", "ß", "İ", "Ǆ", "e\u0301", "日本語", "\U0001F600", "\U0010FFFF", "\u202e", "مرحبا", ";", ",", "TRUE", "1E5", "007",
		"31/12/2026", "#N/A", "a", "B", "7"}
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func hostileCell(r *rand.Rand) Cell {
	switch r.IntN(6) {
	case 0:
		return BoolCell(r.IntN(2) == 0)
	case 1:
		return DateCell(time.Date(1900+r.IntN(8100), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), 0, 0, 0, time.UTC))
	case 2:
		return Cell{}
	}
	return TextCell(hostileText(r))
}

// TestRoundTrip: what is written is read back as it was, in all date formats: import(export(x)) = x (V78).
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		format := DateFormats()[seed%4]
		e := Export{Sheet: "User accounts", Format: format}
		for i := range 1 + r.IntN(36) {
			c := Column{Heading: fmt.Sprintf("%d %s", i, strings.Map(func(r rune) rune {
				if r < 0x20 {
					return 'c'
				}
				return r
			}, hostileText(r))), Kind: []Kind{Text, Date, Bool}[r.IntN(3)]}
			for range r.IntN(4) * r.IntN(4) {
				c.Choices = append(c.Choices, hostileText(r))
			}
			e.Columns = append(e.Columns, c)
		}
		rows := make([][]Cell, r.IntN(40))
		for i := range rows {
			rows[i] = make([]Cell, r.IntN(len(e.Columns)+1))
			for j := range rows[i] {
				rows[i][j] = hostileCell(r)
			}
		}
		e.Rows = rowsOf(rows)
		file := export(t, e)
		back, err := readAll(file)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, c := range e.Columns {
			if got := back[0].Cell(i + 1); got.Text != c.Heading {
				t.Errorf("seed %d: heading %q came back as %q", seed, c.Heading, got.Text)
			}
		}
		back = back[1:]
		for i, row := range rows {
			if !slices.ContainsFunc(row, func(c Cell) bool { return !c.IsBlank() }) {
				continue // a blank row does not count
			}
			if len(back) == 0 || back[0].Number != i+2 {
				t.Fatalf("seed %d: row %d is lost", seed, i+2)
			}
			for j := range e.Columns {
				var want Cell
				if j < len(row) {
					want = row[j]
				}
				got := back[0].Cell(j + 1)
				want.Row, want.Column = got.Row, got.Column
				if got != want {
					t.Errorf("seed %d, %s: got %+v, want %+v", seed, got.Address(), got, want)
				}
			}
			back = back[1:]
		}
		if len(back) > 0 {
			t.Errorf("seed %d: %d rows too many", seed, len(back))
		}
	}
}

// TestDatesAsText: a date that a person retypes as text, as the sheet shows it, is the same date in the same format.
func TestDatesAsText(t *testing.T) {
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	for format, shown := range map[DateFormat]string{British: "04/03/2026", European: "04.03.2026",
		American: "03/04/2026", ISO: "2026-03-04"} {
		file := export(t, Export{Sheet: "S", Format: format, Columns: []Column{{Heading: "D", Kind: Date}},
			Rows: rowsOf([][]Cell{{DateCell(day)}, {DateCell(time.Date(1850, 1, 2, 0, 0, 0, 0, time.UTC))}})})
		x, err := excelize.OpenReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.GetCellValue("S", "A2")
		_ = x.Close()
		if err != nil || got != shown {
			t.Errorf("%s: a spreadsheet shows %q, want %q, %v", format.Title(), got, shown, err)
		}
		if back, wrong := TextCell(got).AsDate(format); wrong != nil || !back.Equal(day) {
			t.Errorf("%s: %v, %v", format.Title(), back, wrong)
		}
		rows, err := readAll(file)
		if err != nil || rows[2].Cells[0].Kind != Text {
			t.Errorf("a day before 1900: %+v, %v", rows, err)
		}
	}
}

// TestExportLooks: a frozen, bold header; a table with filters over it all; drop-down lists for new rows too, as far as
// there is room and no further, on a hidden sheet when they do not fit into a rule; real booleans. Told by
// excelize and not by the reader here.
func TestExportLooks(t *testing.T) {
	var wordy []string
	for i := range 26 {
		wordy = append(wordy, fmt.Sprintf("CHOICE%03d", i)) // with their commas 259 characters, 4 too many
	}
	var long []string
	for i := range 100 {
		long = append(long, fmt.Sprintf("CODE%d, and more", i))
	}
	file := export(t, Export{Sheet: "User accounts", Format: British, ValidationRows: 40, Columns: []Column{
		{Heading: "Username", Kind: Text, Width: 30},
		{Heading: "MFA", Kind: Bool},
		{Heading: "Licence", Kind: Text, Choices: []string{"FULL", "API & more"}},
		{Heading: "Department", Kind: Text, Choices: long},
		{Heading: "Date from", Kind: Date},
		{Heading: "Group", Kind: Text, Choices: wordy},
		{Heading: "Rank", Kind: Text, Choices: wordy[3:]},
	}, Rows: rowsOf(
		[][]Cell{{TextCell("kim"), BoolCell(true), TextCell("FULL"), {},
			DateCell(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC))}, {TextCell("sam "), BoolCell(false)}})})
	x, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	const sheet = "User accounts"
	if got := fmt.Sprint(x.GetSheetList()); got != "[User accounts Lists]" {
		t.Error(got)
	}
	if visible, err := x.GetSheetVisible("Lists"); visible || err != nil {
		t.Error("the lists are to be seen", err)
	}
	panes, err := x.GetPanes(sheet)
	if err != nil || !panes.Freeze || panes.YSplit != 1 || panes.XSplit != 0 {
		t.Errorf("%+v, %v", panes, err)
	}
	tables, err := x.GetTables(sheet)
	if err != nil || len(tables) != 1 || tables[0].Range != "A1:G3" {
		t.Errorf("%+v, %v", tables, err)
	}
	id, _ := x.GetCellStyle(sheet, "A1")
	if style, err := x.GetStyle(id); err != nil || style.Font == nil || !style.Font.Bold {
		t.Error("the header is not bold", err)
	}
	id, _ = x.GetColStyle(sheet, "A")
	if style, err := x.GetStyle(id); err != nil || style.NumFmt != 49 {
		t.Error("what is typed below is not text", err)
	}
	if width, err := x.GetColWidth(sheet, "A"); width != 30 || err != nil {
		t.Error(width, err)
	}
	rules, err := x.GetDataValidations(sheet)
	got := ""
	for _, r := range rules {
		got += r.Sqref + " " + r.Formula1 + "\n"
	}
	if want := "B2:B41 \"TRUE,FALSE\"\nC2:C41 \"FULL,API & more\"\nD2:D41 Choices1\n" +
		"F2:F41 Choices2\nG2:G41 \"" + strings.Join(wordy[3:], ",") + "\"\n"; err != nil || got != want {
		t.Errorf("got  %s\nwant %s, %v", got, want, err)
	}
	for at, want := range map[string]string{"B2": "TRUE", "B3": "FALSE", "E2": "31/12/2026", "D2": ""} {
		if got, err := x.GetCellValue(sheet, at); got != want || err != nil {
			t.Errorf("%s: %q, want %q, %v", at, got, want, err)
		}
	}
	if kind, err := x.GetCellType(sheet, "B2"); kind != excelize.CellTypeBool || err != nil {
		t.Error("B2 is no boolean", err)
	}
	if got, err := x.GetCellValue("Lists", "A100"); got != "CODE99, and more" || err != nil {
		t.Error(got, err)
	}
	if cells := unzip(t, file)[sheetPart]; !strings.Contains(cells, `<t xml:space="preserve">sam </t>`) ||
		!strings.Contains(cells, `<t>kim</t>`) {
		t.Error("Excel drops the blank of a text without xml:space")
	}
	w := mustOpen(t, file)
	if w.Sheet() != sheet || fmt.Sprint(w.OtherSheets()) != "[Lists]" {
		t.Error(w.Sheet(), w.OtherSheets())
	}
}

// TestExportOfNothing: no account at all gives a sheet with headings, which imports as no rows.
func TestExportOfNothing(t *testing.T) {
	file := export(t,
		Export{Sheet: "S", Format: ISO, Columns: []Column{{Heading: "Username", Kind: Text}}, Rows: rowsOf(nil)})
	if n, err := mustOpen(t, file).Count(5000); n != 0 || err != nil {
		t.Error(n, err)
	}
	if ref := unzip(t, file)["xl/tables/table1.xml"]; !strings.Contains(ref, `ref="A1:A2"`) {
		t.Error("a table of one row is one that Excel repairs:", ref)
	}
}

// TestExportRefuses: what makes no workbook is an error before a byte is written; a text that fits into no cell is a
// fault; an error of the rows comes through.
func TestExportRefuses(t *testing.T) {
	good := Export{Sheet: "S", Format: ISO, Columns: []Column{{Heading: "A", Kind: Text}}, Rows: rowsOf(nil)}
	for name, change := range map[string]func(*Export){
		"no format":       func(e *Export) { e.Format = 0 },
		"no name":         func(e *Export) { e.Sheet = "" },
		"long name":       func(e *Export) { e.Sheet = strings.Repeat("x", 32) },
		"odd name":        func(e *Export) { e.Sheet = "a/b" },
		"name of lists":   func(e *Export) { e.Sheet = "LISTS" },
		"no columns":      func(e *Export) { e.Columns = nil },
		"heading twice":   func(e *Export) { e.Columns = []Column{{Heading: "A", Kind: Text}, {Heading: "a", Kind: Text}} },
		"heading blank":   func(e *Export) { e.Columns = []Column{{Heading: " ", Kind: Text}} },
		"heading of tabs": func(e *Export) { e.Columns = []Column{{Heading: "a\tb", Kind: Text}} },
		"no kind":         func(e *Export) { e.Columns = []Column{{Heading: "A"}} },
	} {
		e := good
		change(&e)
		var file bytes.Buffer
		if err := Write(&file, e); err == nil || file.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, file.Len())
		}
	}
	long := good
	long.Rows = rowsOf([][]Cell{{TextCell(strings.Repeat("x", 32767))}, {TextCell(strings.Repeat("\U0001F600", 16384))}})
	err := Write(io.Discard, long)
	if wantCode(t, err, CodeCellTooLong); !strings.Contains(fault.As(err).Detail, "A3") {
		t.Error(err)
	}
	for name, rows := range map[string][][]Cell{"too wide": {{TextCell("a"), TextCell("b")}},
		"no kind": {{{Kind: ErrorValue, Text: "#N/A"}}}} {
		wrong := good
		wrong.Rows = rowsOf(rows)
		if err := Write(io.Discard, wrong); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	broken := errors.New("table is gone")
	failing := good
	failing.Rows = func(yield func([]Cell, error) bool) { yield(nil, broken) }
	if err := Write(io.Discard, failing); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := Write(&fullDisk{left: 100}, good); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

// fullDisk takes a number of bytes.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

// TestEscapes: what XML cannot hold is written as Excel does (22.9.2.19), and nothing else is.
func TestEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "\x00\x1f": "_x0000__x001F_", "\r\n": "_x000D_\n", "_x0041_": "_x005F_x0041_",
		"_x0041_x0042_": "_x005F_x0041_x005F_x0042_",
		"_x":            "_x", "_xZZZZ_": "_xZZZZ_", "\ufffe": "_xFFFE_", "\xff": "\ufffd", "<&>": "&lt;&amp;&gt;",
		"\U0001F600": "\U0001F600",
	} {
		if got := string(appendText(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"_x0041_": "A", "_x005F_x0041_": "_x0041_", "_x005f_": "_", "_X0041_": "_X0041_", "_x41_": "_x41_",
		"_x0041": "_x0041", "_xD83D__xDE00_": "\U0001F600", "_xD83D_": "\ufffd", "_xDE00_": "\ufffd",
		"_xD83D__x0041_": "\ufffdA", "__x0041__": "_A_",
	} {
		if got := decodeEscapes([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
