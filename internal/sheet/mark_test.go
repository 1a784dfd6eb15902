package sheet

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func markFile(t testing.TB, file []byte, rows ...RowMark) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Mark(&out, file, DefaultLimits(), rows); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// richWorkbook is a workbook with much that a person may have put there, made by another library.
func richWorkbook(t testing.TB) []byte {
	t.Helper()
	book := excelize.NewFile()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	must(book.SetSheetRow("Sheet1", "A1", &[]any{"Username", "Description", "Date from"}))
	must(book.SetSheetRow("Sheet1", "A3", &[]any{"jane", "Jane", "2026-01-01"}))
	must(book.SetSheetRow("Sheet1", "A4", &[]any{"kim", "Kim", "31/31/2026"}))
	yellow, err := book.NewStyle(
		&excelize.Style{Font: &excelize.Font{Bold: true},
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFFF00"}}})
	must(err)
	must(book.SetCellStyle("Sheet1", "B3", "C4", yellow))
	must(book.SetColWidth("Sheet1", "A", "B", 33))
	must(book.AddComment("Sheet1", excelize.Comment{Cell: "A3", Author: "Pat", Text: "Ask Pat first"}))
	must(book.AddComment("Sheet1", excelize.Comment{Cell: "C4", Author: "Pat", Text: "From the contract"}))
	rule := excelize.NewDataValidation(true)
	rule.SetSqref("B2:B99")
	must(rule.SetDropList([]string{"Jane", "Kim"}))
	must(book.AddDataValidation("Sheet1", rule))
	must(book.AddTable("Sheet1", &excelize.Table{Range: "A1:C4", Name: "People"}))
	_, err = book.NewSheet("Notes")
	must(err)
	must(book.SetCellFormula("Notes", "A1", "1+1"))
	var out bytes.Buffer
	must(book.Write(&out))
	return out.Bytes()
}

func richMarks() []RowMark {
	return []RowMark{
		{Number: 3, Result: "skipped"},
		{Number: 4, Result: "failed", Errors: "B4: no such thing",
			Cells: []CellMark{{Column: 2, Note: "No such thing."}, {Column: 3, Note: "No date."}, {Column: 5, Note: "Needed."}}},
	}
}

// What comes back has results, marks and notes, read by another library; and all else as it was.
func TestMarkAddsResultsAndKeepsTheRest(t *testing.T) {
	before := richWorkbook(t)
	file := markFile(t, before, richMarks()...)
	book, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]string{
		"A1": "Username", "D1": "Result", "E1": "Errors", "D3": "skipped", "E3": "", "D4": "failed",
		"E4": "B4: no such thing", "C4": "31/31/2026",
	} {
		if got, _ := book.GetCellValue("Sheet1", cell); got != want {
			t.Errorf("%s holds %q, want %q", cell, got, want)
		}
	}
	for cell, want := range map[string]string{"B3": "FFFF00", "B4": markColour[2:], "C4": markColour[2:], "A4": ""} {
		id, _ := book.GetCellStyle("Sheet1", cell)
		style, err := book.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(style.Fill.Color, ",")
		if got != want {
			t.Errorf("%s is filled with %q, want %q", cell, got, want)
		}
		if cell == "B4" && (style.Font == nil || !style.Font.Bold) {
			t.Error("the marked cell lost its font")
		}
	}
	notes, err := book.GetComments("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, n := range notes {
		got[n.Cell] = n.Text
		for _, p := range n.Paragraph {
			got[n.Cell] += p.Text
		}
	}
	if !strings.Contains(got["A3"], "Ask Pat") || !strings.Contains(got["C4"], "contract") ||
		!strings.Contains(got["B4"], "No such thing.") {
		t.Errorf("notes %q", got)
	}
	was, is := unzip(t, before), unzip(t, file)
	for name, xml := range was {
		switch name {
		case sheetPart, "xl/styles.xml", "xl/comments1.xml", "xl/drawings/vmlDrawing1.vml":
		default:
			if is[name] != xml {
				t.Errorf("%s is another", name)
			}
		}
	}
	for _, kept := range []string{"<dataValidation ", "<tablePart ", `width="33"`} {
		if !strings.Contains(is[sheetPart], kept) {
			t.Errorf("the sheet lost %s", kept)
		}
	}
}

// A second round takes the columns, marks and notes of the first away, and leaves people's.
func TestMarkAgainReplacesTheFirstRound(t *testing.T) {
	once := markFile(t, richWorkbook(t), richMarks()...)
	twice := markFile(t, once,
		RowMark{Number: 3, Result: "failed", Errors: "A3: x",
			Cells: []CellMark{{Column: 1, Note: "x"}, {Column: 2, Note: "y"}}}, RowMark{Number: 4, Result: "skipped"})
	rows, err := readAll(twice)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(rows[0]) + "\n" +
		texts(rows[2]); got !=
		"A1 text Username|B1 text Description|C1 text Date from|D1 text Result|E1 text Errors\nA4 text kim|B4 text Kim|C4 "+
			"text 31/31/2026|D4 text skipped" {
		t.Errorf("%s", got)
	}
	book, err := excelize.OpenReader(bytes.NewReader(twice))
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]string{"B4": "FFFF00", "C4": "FFFF00", "B3": markColour[2:], "A3": markColour[2:]} {
		id, _ := book.GetCellStyle("Sheet1", cell)
		style, _ := book.GetStyle(id)
		if got := strings.Join(style.Fill.Color, ","); got != want {
			t.Errorf("%s is filled with %q, want %q", cell, got, want)
		}
	}
	notes, _ := book.GetComments("Sheet1")
	var at []string
	for _, n := range notes {
		at = append(at, n.Cell)
	}
	slices.Sort(at)
	if !slices.Equal(at, []string{"A3", "B3", "C4"}) {
		t.Errorf("notes at %v", at)
	}
	if vml := unzip(t, twice)["xl/drawings/vmlDrawing1.vml"]; strings.Count(vml, "<v:shape ") != 3 {
		t.Errorf("%d boxes", strings.Count(vml, "<v:shape "))
	}
	if again := markFile(t, twice); len(unzip(t, again)["xl/styles.xml"]) != len(unzip(t, twice)["xl/styles.xml"]) {
		t.Error("the styles grow with each round")
	}
}

// Sheets as programs write them: prefixes, UTF-16, rows and cells without addresses, no styles, no widths.
func TestMarkTakesWhatTheReaderTakes(t *testing.T) {
	plain := `<row><c t="inlineStr"><is><t>Username</t></is></c></row><row r="7"><c t="inlineStr"><is><t>jane</t></is></c></row>`
	prefixed := `<x:worksheet xmlns:x="` + mainURI +
		`"><!-- <c --><x:dimension ref="A1:A7"/><x:sheetData><x:row r="1" spans="1:1"><x:c r="A1" t="inlineStr"><x:is><x:t>Username</x:t></x:is></x:c></x:row>` +
		`<x:row r="7"><x:c r="A7" t="inlineStr"><x:is><x:t>jane</x:t></x:is></x:c></x:row></x:sheetData><x:pageMargins left="1" right="1" top="1" bottom="1" header="1" footer="1"/><x:tableParts count="0"/></x:worksheet>`
	for name, b := range map[string]book{
		"bare":     book(nil).rows(plain),
		"prefixed": book(nil).set(sheetPart, prefixed),
		"styled":   book(nil).rows(plain).set("xl/styles.xml", defaultStyles()),
		"UTF-16": book(nil).set(sheetPart,
			string(utf16Bytes("\ufeff"+`<?xml version="1.0" encoding="UTF-16"?>`+strings.ReplaceAll(prefixed, "x:", "")))),
	} {
		if name == "UTF-16" {
			b = b.set(sheetPart, strings.ReplaceAll(b[sheetPart], string(utf16Bytes(`xmlns:="`)), string(utf16Bytes(`xmlns="`))))
			b = b.set(sheetPart, strings.ReplaceAll(b[sheetPart], string(utf16Bytes("xmlns:x=")), string(utf16Bytes("xmlns="))))
		}
		file := markFile(t, b.bytes(t),
			RowMark{Number: 7, Result: "failed", Errors: "A7", Cells: []CellMark{{1, "wrong"}, {9, "missing"}}})
		rows, err := readAll(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := texts(rows[0]) + "\n" +
			texts(rows[1]); got != "A1 text Username|B1 text Result|C1 text Errors\nA7 text jane|B7 text failed|C7 text A7" {
			t.Errorf("%s: %s", name, got)
		}
		opened, err := excelize.OpenReader(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if notes, err := opened.GetComments("People"); err != nil || len(notes) != 2 {
			t.Errorf("%s: %d notes, %v", name, len(notes), err)
		}
		if xml := unzip(t, file)[sheetPart]; name == "prefixed" &&
			(!strings.Contains(xml, `<!-- <c -->`) || strings.Contains(xml, "spans") || !strings.Contains(xml, `ref="A1:C7"`) ||
				strings.Index(xml, "legacyDrawing") > strings.Index(xml, "tableParts")) {
			t.Errorf("%s", xml)
		}
	}
}

// Columns without a heading that hold values stay where they are; the results go beside them.
func TestMarkFindsFreeColumns(t *testing.T) {
	file := markFile(t,
		book(nil).rows(
			`<row r="1"><c r="A1" t="str"><v>Username</v></c></row><row r="2"><c r="A2" t="str"><v>j</v></c><c r="C2" t="str"><v>stray</v></c></row>`).bytes(t),
		RowMark{Number: 2, Result: "failed", Errors: "e"})
	rows, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(rows[1]); got != "A2 text j|B2 text failed|C2 text stray|D2 text e" {
		t.Errorf("%s", got)
	}
}

// The largest sheet with every row marked, within 200 MB.
func TestMarkOfTheLargestSheetIsBounded(t *testing.T) {
	file := sharedFile(t)
	rows := worstMarks()
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as in the product
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var out bytes.Buffer
	if err := Mark(&out, file, DefaultLimits(), rows); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if held := after.HeapAlloc - min(after.HeapAlloc, before.HeapAlloc); held > 150<<20 {
		t.Errorf("%d MB on the heap", held>>20)
	}
	got, err := readAll(out.Bytes())
	if err != nil || len(got) != benchRows+1 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	if out.Len() > 10<<20 {
		t.Errorf("%d bytes, more than may be sent again", out.Len())
	}
}

func worstMarks() []RowMark {
	rows := make([]RowMark, benchRows)
	for i := range rows {
		rows[i] = RowMark{Number: i + 2, Result: "failed",
			Errors: fmt.Sprintf("A%d: is not right; C%d: is not right either", i+2, i+2),
			Cells:  []CellMark{{1, "Is not right; write it otherwise."}, {3, "Is not right either."}}}
	}
	return rows
}

func BenchmarkMark5000(b *testing.B) {
	file, rows := sharedFile(b), worstMarks()
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := Mark(&out, file, DefaultLimits(), rows); err != nil {
			b.Fatal(err)
		}
	}
}

// The floor that Mark is held against: another library opens the file and saves it, with nothing changed.
func BenchmarkMarkFloorExcelize5000(b *testing.B) {
	file := sharedFile(b)
	b.ReportAllocs()
	for b.Loop() {
		book, err := excelize.OpenReader(bytes.NewReader(file),
			excelize.Options{UnzipSizeLimit: 64 << 20, UnzipXMLSizeLimit: 64 << 20})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := book.GetRows("People"); err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		if err := book.Write(&out); err != nil {
			b.Fatal(err)
		}
	}
}
