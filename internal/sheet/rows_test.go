package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"useraccounts/internal/fault"
)

// TestCells: what a cell holds is read as Excel shows it (ECMA-376 18.3.1.4).
func TestCells(t *testing.T) {
	shared := `<si><t>zero</t></si><si><r><t>bo</t></r><r><rPr><b/></rPr><t xml:space="preserve">ld </t></r><rPh sb="0" eb="1"><t>KANA</t></rPh><phoneticPr fontId="1"/></si>` +
		`<si><t/></si><si><t>a_x000D_b_x005F_x0041__xD83D__xDE00__xD800_</t></si><si><t>  ` + "\u00a0" + `x  </t></si>`
	formats := []string{"", "14", `dd\/mm\/yyyy`, "0000", "[h]:mm", `"day" 0.00`, `yyyy\-mm\-dd\ hh:mm;@`, "mmm", "mm:ss",
		"[Red]General", "20", "0.00E+00", `[$-409]d\-mmm;@`, "49", "0.00;dd"}
	for _, test := range []struct{ name, cells, want string }{
		{"shared string", `<c r="A1" t="s"><v>0</v></c>`, "A1 text zero"},
		{"runs joined, phonetic text left out", `<c r="A1" t="s"><v>1</v></c>`, "A1 text bold "},
		{"empty shared string is blank", `<c r="A1" t="s"><v>2</v></c><c r="B1"><v>1</v></c>`, "A1 blank|B1 number 1"},
		{"escapes, with a surrogate pair and half of one", `<c r="A1" t="s"><v>3</v></c>`,
			"A1 text a\rb_x0041_\U0001F600\uFFFD"},
		{"inline string", `<c r="A1" t="inlineStr"><is><t>in</t></is></c>`, "A1 text in"},
		{"inline runs", `<c r="A1" t="inlineStr"><is><r><t>i</t></r><r><t>n</t></r></is></c>`, "A1 text in"},
		{"entities and CDATA", `<c r="A1" t="inlineStr"><is><t>&lt;&amp;&#65;&#x1F600;<![CDATA[<b>]]></t></is></c>`,
			"A1 text <&A\U0001F600<b>"},
		{"comment within a text", `<c r="A1" t="inlineStr"><is><t>a<!-- no -->b</t></is></c>`, "A1 text ab"},
		{"number", `<c r="A1"><v>7</v></c>`, "A1 number 7"},
		{"a mobile number typed as a number", `<c r="A1"><v>4.47700900123E+11</v></c>`, "A1 number 447700900123"},
		{"a number with .0", `<c r="A1" t="n"><v>7.0</v></c>`, "A1 number 7"},
		{"15 digits", `<c r="A1"><v>0.30000000000000004</v></c>`, "A1 number 0.3"},
		{"leading zeros by format", `<c r="A1" s="3"><v>7</v></c>`, "A1 number 0007"},
		{"true", `<c r="A1" t="b"><v>1</v></c>`, "A1 bool TRUE"},
		{"false", `<c r="A1" t="b"><v>0</v></c>`, "A1 bool FALSE"},
		{"error value", `<c r="A1" t="e"><v>#N/A</v></c>`, "A1 error #N/A"},
		{"stored value of a formula counts", `<c r="A1"><f>1+1</f><v>2</v></c>`, "A1 number 2"},
		{"stored text of a formula counts", `<c r="A1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>`, "A1 text ab"},
		{"formula of an empty text", `<c r="A1" t="str"><f>""</f><v></v></c><c r="B1"><v>1</v></c>`, "A1 blank|B1 number 1"},
		{"formula without a value", `<c r="A1"><f>1+1</f></c>`, "A1 novalue"},
		{"formula without a value, as openpyxl writes it", `<c r="A1"><f>1+1</f><v></v></c>`, "A1 novalue"},
		{"formula without a value, as text", `<c r="A1" t="str"><f>A2</f></c>`, "A1 novalue"},
		{"shared formula without a value", `<c r="A1"><f t="shared" si="0"/></c>`, "A1 novalue"},
		{"built-in date format", `<c r="A1" s="1"><v>46387</v></c>`, "A1 date 2026-12-31"},
		{"own date format", `<c r="A1" s="2"><v>46387</v></c>`, "A1 date 2026-12-31"},
		{"time of day dropped", `<c r="A1" s="6"><v>46387.999</v></c>`, "A1 date 2026-12-31"},
		{"month alone is a date", `<c r="A1" s="7"><v>46387</v></c>`, "A1 date 2026-12-31"},
		{"region and second section", `<c r="A1" s="12"><v>46387</v></c>`, "A1 date 2026-12-31"},
		{"minutes are no date", `<c r="A1" s="8"><v>46387</v></c>`, "A1 number 46387"},
		{"duration is no date", `<c r="A1" s="4"><v>46387.5</v></c>`, "A1 number 46387.5"},
		{"letters in quotes are no date", `<c r="A1" s="5"><v>46387</v></c>`, "A1 number 46387"},
		{"colour is no date", `<c r="A1" s="9"><v>46387</v></c>`, "A1 number 46387"},
		{"built-in time is no date", `<c r="A1" s="10"><v>46387</v></c>`, "A1 number 46387"},
		{"exponent is no year", `<c r="A1" s="11"><v>46387</v></c>`, "A1 number 46387"},
		{"text format", `<c r="A1" s="13"><v>46387</v></c>`, "A1 number 46387"},
		{"a date for negative numbers only", `<c r="A1" s="14"><v>46387</v></c>`, "A1 number 46387"},
		{"unknown style", `<c r="A1" s="99"><v>46387</v></c>`, "A1 number 46387"},
		{"1 January 1900", `<c r="A1" s="1"><v>1</v></c>`, "A1 date 1900-01-01"},
		{"28 February 1900", `<c r="A1" s="1"><v>59</v></c>`, "A1 date 1900-02-28"},
		{"29 February 1900 never was", `<c r="A1" s="1"><v>60</v></c>`, "A1 number 60"},
		{"1 March 1900", `<c r="A1" s="1"><v>61</v></c>`, "A1 date 1900-03-01"},
		{"day 0 is none", `<c r="A1" s="1"><v>0.5</v></c>`, "A1 number 0.5"},
		{"days end with the year 9999", `<c r="A1" s="1"><v>2958465</v></c><c r="B1" s="1"><v>2958466</v></c>`,
			"A1 date 9999-12-31|B1 number 2958466"},
		{"date of ISO 8601", `<c r="A1" t="d"><v>2026-12-31T10:00:00Z</v></c>`, "A1 date 2026-12-31"},
		{"no addresses at all", `<c t="s"><v>0</v></c><c><v>2</v></c>`, "A1 text zero|B1 number 2"},
		{"gaps are blank cells", `<c r="B1"><v>1</v></c><c r="D1"><v>2</v></c>`, "A1 blank|B1 number 1|C1 blank|D1 number 2"},
		{"styled blank cells at the end", `<c r="A1"><v>1</v></c><c r="B1" s="1"/><c r="XFD1" s="1"/>`, "A1 number 1"},
		{"hidden white space is kept, and cleaned by AsText", `<c r="A1" t="s"><v>4</v></c>`, "A1 text   \u00a0x  "},
		{"extensions are not read", `<c r="A1"><v>1</v><extLst><ext><v>2</v></ext></extLst></c><extLst/>`, "A1 number 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, err := readAll(
				book(nil).shared(shared).formats(formats...).rows(`<row r="1">` + test.cells + `</row>`).bytes(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(rows[0]); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Test1904: the date system of the workbook counts (18.17.4.1).
func Test1904(t *testing.T) {
	b := book(nil).formats("14").rows(
		`<row><c><v>1</v></c></row><row><c s="0"><v>0</v></c><c s="0"><v>44925.25</v></c><c s="0"><v>-1</v></c></row>`)
	b["xl/workbook.xml"] = strings.Replace(b.parts()[partIndex(b.parts(), "xl/workbook.xml")].xml, "<sheets>",
		`<workbookPr date1904="true"/><sheets>`, 1)
	rows, err := readAll(b.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := texts(rows[1]), "A2 date 1904-01-01|B2 date 2026-12-31|C2 number -1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func partIndex(parts []part, name string) int {
	for i, p := range parts {
		if p.name == name {
			return i
		}
	}
	return -1
}

// TestRows: blank rows do not count, wherever they are; numbers are those that Excel shows.
func TestRows(t *testing.T) {
	rows, err := readAll(book(nil).rows(`<row/><row r="3"><c t="inlineStr"><is><t>Name</t></is></c></row><row r="4"/>` +
		`<row r="5"><c s="1"/><c t="inlineStr"><is><t> &#160; </t></is></c></row><row r="7" hidden="1"><c><v>1</v></c></row><row><c><v>2</v></c></row>` +
		`<row r="1048576" s="1" customFormat="1"><c s="1"/></row>`).bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, r := range rows {
		numbers = append(numbers, r.Number)
	}
	if fmt.Sprint(numbers) != "[3 7 8]" {
		t.Errorf("rows %v, want 3, 7 and 8", numbers)
	}
}

// TestBrokenRows: numbers of rows and cells that cannot be are refused, and cost nothing (C47, V69).
func TestBrokenRows(t *testing.T) {
	ok := `<row><c><v>1</v></c></row>`
	for _, test := range []struct{ name, rows, code string }{
		{"row twice", `<row r="1"/><row r="1"/>`, CodeCorrupt},
		{"rows out of order", `<row r="9"/><row r="8"/>`, CodeCorrupt},
		{"row beyond the grid", `<row r="1048577"/>`, CodeCorrupt},
		{"row 10^9", `<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>`, CodeCorrupt},
		{"row 10^30", `<row r="1` + strings.Repeat("0", 30) + `"/>`, CodeCorrupt},
		{"row -1", `<row r="-1"/>`, CodeCorrupt},
		{"row 0", `<row r="0"/>`, CodeCorrupt},
		{"row of letters", `<row r="x"/>`, CodeCorrupt},
		{"row after the last", `<row r="1048576"/><row/>`, CodeCorrupt},
		{"cell of another row", `<row r="2"><c r="A3"><v>1</v></c></row>`, CodeCorrupt},
		{"cell twice", `<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>1</v></c></row>`, CodeCorrupt},
		{"cells out of order", `<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>`, CodeCorrupt},
		{"column beyond the grid", `<row r="2"><c r="XFE2"><v>1</v></c></row>`, CodeCorrupt},
		{"column ZZZZZZ", `<row r="2"><c r="ZZZZZZ2"><v>1</v></c></row>`, CodeCorrupt},
		{"value in column 65", `<row r="2"><c r="BM2"><v>1</v></c></row>`, CodeTooManyColumns},
		{"column without a name after the last", `<row r="2"><c r="XFD2"/><c/></row>`, CodeCorrupt},
		{"no number", `<row><c><v>seven</v></c></row>`, CodeCorrupt},
		{"infinity", `<row><c><v>1e999</v></c></row>`, CodeCorrupt},
		{"hexadecimal", `<row><c><v>0x10</v></c></row>`, CodeCorrupt},
		{"no boolean", `<row><c t="b"><v>2</v></c></row>`, CodeCorrupt},
		{"no type", `<row><c t="x"><v>2</v></c></row>`, CodeCorrupt},
		{"no date", `<row><c t="d"><v>yesterday</v></c></row>`, CodeCorrupt},
		{"two values", `<row><c><v>2</v><v>3</v></c></row>`, CodeCorrupt},
		{"shared string that is not there", `<row><c t="s"><v>0</v></c></row>`, CodeCorrupt},
		{"shared string -1", `<row><c t="s"><v>-1</v></c></row>`, CodeCorrupt},
		{"element that is not closed", `<row><c><v>2</c></row>`, CodeCorrupt},
		{"text longer than a cell", `<row><c t="inlineStr"><is><t>` + strings.Repeat("x", 32768) + `</t></is></c></row>`,
			CodeCellTooLong},
		{"text much longer than a cell", `<row><c t="str"><v>` + strings.Repeat("x", 300000) + `</v></c></row>`,
			CodeCellTooLong},
		{"text longer in UTF-16",
			`<row><c t="inlineStr"><is><t>` + strings.Repeat("\U0001F600", 16384) + `</t></is></c></row>`, CodeCellTooLong},
		{"nested elements", ok + strings.Repeat("<a>", 100), CodeUnsafe},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := readAll(book(nil).rows(test.rows).bytes(t))
			wantCode(t, err, test.code)
		})
	}
	// The bound itself is fine: 32,767 characters, and row 1,048,576.
	rows, err := readAll(
		book(nil).rows(`<row r="1048576"><c t="inlineStr"><is><t>` + strings.Repeat("x", 32767) +
			`</t></is></c></row>`).bytes(t))
	if err != nil || len(rows) != 1 || len(rows[0].Cells[0].Text) != 32767 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	// A text of a cell, or a shared one, that is too long is named by its address.
	_, err = readAll(
		book(nil).shared(`<si><t>` + strings.Repeat("x", 32768) +
			`</t></si>`).rows(`<row r="4"><c r="C4" t="s"><v>0</v></c></row>`).bytes(t))
	if wantCode(t, err, CodeCellTooLong); !strings.Contains(err.Error(), "Cell C4 ") {
		t.Errorf("no address in %q", err)
	}
}

// TestTooManyRows: row 5,001 ends the reading with a fault, in Count as in Data; 5,000 are fine (V70). What stands
// below is not even looked at.
func TestTooManyRows(t *testing.T) {
	row := `<row><c><v>1</v></c></row>`
	for _, n := range []int{0, 1, 4999, 5000} {
		w := mustOpen(t, book(nil).rows(row+strings.Repeat(row+"<row/>", n)).bytes(t))
		if got, err := w.Count(5000); got != n || err != nil {
			t.Errorf("%d rows: Count gives %d, %v", n, got, err)
		}
	}
	w := mustOpen(t, book(nil).rows(row+strings.Repeat(row, 5001)+"this would be an error < & >").bytes(t))
	_, err := w.Count(5000)
	wantCode(t, err, CodeTooManyRows)
	if d := fault.As(err).Detail; !strings.Contains(d, "5,000") || !strings.Contains(d, "split") {
		t.Errorf("the detail does not say what to do: %q", d)
	}
	n, last := 0, error(nil)
	for r, err := range w.Data(5000) {
		if last = err; err == nil {
			n++
		} else if r.Number != 0 {
			t.Errorf("row %d came with an error", r.Number)
		}
	}
	wantCode(t, last, CodeTooManyRows)
	if n != 5000 {
		t.Errorf("%d rows before the fault, want 5000", n)
	}
}

// TestPasses: Data can be called again, stopped early, and after a Count, with the same rows.
func TestPasses(t *testing.T) {
	var strs, cells strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&strs, "<si><t>s%d</t></si>", i)
		fmt.Fprintf(&cells, `<row><c t="s"><v>%d</v></c></row>`, i)
	}
	w := mustOpen(t, book(nil).shared(strs.String()+"<si><t>unused</t></si>").rows(cells.String()).bytes(t))
	for range 2 {
		for row, err := range w.Data(5000) {
			if err != nil || row.Cells[0].Text != "s1" {
				t.Fatal(row, err)
			}
			break
		}
		if n := len(w.strings.values); n > 2 && !w.strings.complete {
			t.Errorf("%d strings were read for two rows", n)
		}
		if n, err := w.Count(5000); n != 1999 || err != nil {
			t.Fatal(n, err)
		}
		i := 0
		for row, err := range w.Data(5000) {
			if i++; err != nil || row.Cells[0].Text != fmt.Sprintf("s%d", i) {
				t.Fatal(row, err)
			}
		}
	}
}

// TestNoHeader: a sheet of which nothing is read is an error and not an import of no rows.
func TestNoHeader(t *testing.T) {
	for name, file := range map[string][]byte{
		"empty":      book(nil).rows("").bytes(t),
		"blank rows": book(nil).rows(`<row/><row><c s="1"/></row>`).bytes(t),
		"no data":    book(nil).set(sheetPart, `<worksheet xmlns="`+mainURI+`"/>`).bytes(t),
	} {
		w := mustOpen(t, file)
		_, err := w.Header()
		wantCode(t, err, CodeNoHeader)
		_, err = w.Count(5000)
		wantCode(t, err, CodeNoHeader)
		if !strings.Contains(err.Error(), "People") {
			t.Errorf("%s: the sheet is not named: %v", name, err)
		}
	}
}

// brokenAt fails all reads from an offset on.
type brokenAt struct {
	r   io.ReaderAt
	off int64
}

var errDisk = errors.New("disk on fire")

func (b brokenAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.off {
		return 0, errDisk
	}
	return b.r.ReadAt(p, off)
}

// TestSourceFails: a failing disk or network is no fault of the file.
func TestSourceFails(t *testing.T) {
	file := book(nil).rows(strings.Repeat(`<row><c><v>1</v></c></row>`, 3)).bytes(t)
	size := int64(len(file))
	_, err := Open(brokenAt{strings.NewReader(string(file)), size / 2}, size, DefaultLimits())
	if !errors.Is(err, errDisk) || fault.As(err) != nil {
		t.Errorf("Open: %v", err)
	}
	late := &lateReader{r: strings.NewReader(string(file))}
	w, err := Open(late, size, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	late.broken = true
	if _, err := w.Count(10); !errors.Is(err, errDisk) || fault.As(err) != nil {
		t.Errorf("Count: %v", err)
	}
}

type lateReader struct {
	r      io.ReaderAt
	broken bool
}

func (l *lateReader) ReadAt(p []byte, off int64) (int, error) {
	if l.broken {
		return 0, errDisk
	}
	return l.r.ReadAt(p, off)
}
