package sheet

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// joiners is the sheet of testdata/make.mjs as it is to be read.
const joiners = "A1 text Username|B1 text Description|C1 text User licenses|D1 text Date to|E1 text Email|F1 text " +
	"Mobile|G1 text MFA requires\n" +
	"A2 text kim|B2 text Kim <&> \"q\"\u00a0|C2 text FULL|D2 date 2031-12-31|E2 text kim@example.com|F2 number " +
	"7911123456|G2 bool TRUE\n" +
	"A4 text sam |B4 text Sam|C4 text NOPE|D4 text 31/12/2026|E4 text no address|F4 text 0007|G4 number 0\n" +
	"A5 text pat|B5 text Pat|C5 text TEAM|E5 text pat@example.com\n"

// blanks takes out what programs write for cells without a value.
func blanks(described string) string {
	var lines []string
	for line := range strings.Lines(described) {
		var cells []string
		for cell := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "|") {
			if !strings.HasSuffix(cell, " blank") {
				cells = append(cells, cell)
			}
		}
		lines = append(lines, strings.Join(cells, "|")+"\n")
	}
	return strings.Join(lines, "")
}

// TestJoinersOfOtherPrograms: a sheet as different libraries write it reads the same, and goes back with its marks: a
// note on each cell that is not right, but where a person left one; once, however often it comes back.
func TestJoinersOfOtherPrograms(t *testing.T) {
	for _, name := range []string{"exceljs.xlsx", "exceljs-1904.xlsx", "sheetjs.xlsx", "xlsx-populate.xlsx",
		"pyexcelerate.xlsx", "openpyxl-notes.xlsx"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			if got := blanks(describe(t, file)); got != joiners {
				t.Errorf("got\n%swant\n%s", got, joiners)
			}
			mine := notesOf(t, file)
			marks := []RowMark{
				{Number: 4, Result: "Error", Errors: "three",
					Cells: []CellMark{{3, "No licence."}, {4, "No date."}, {5, "No address."}}}}
			for range 2 {
				file = markFile(t, file, marks...)
				wellFormed(t, file)
				got := notesOf(t, file)
				if len(got) != len(mine)+3-len(mine["C4"])/len("a note of mine") {
					t.Errorf("notes %q, before %q", got, mine)
				}
				for cell, text := range map[string]string{"C4": "No licence.", "D4": "No date.", "E4": "No address."} {
					if own := mine[cell]; own != "" {
						text = own
					}
					if !strings.Contains(got[cell], text) {
						t.Errorf("the note of %s is %q, want %q", cell, got[cell], text)
					}
				}
			}
		})
	}
}

// TestPartsThatAreMadeHaveTheUsualNames: there are libraries that find the styles and the notes by the names that Excel
// gives to these parts, and fail at others; and every style of a cell is there.
func TestPartsThatAreMadeHaveTheUsualNames(t *testing.T) {
	for _, name := range []string{"exceljs-1904.xlsx", "xlsx-populate.xlsx", "pyexcelerate.xlsx",
		"pyexcelerate-bare.xlsx"} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		parts := unzip(t, markFile(t, file, RowMark{Number: 2, Result: "Error", Errors: "x", Cells: []CellMark{{1, "x"}}}))
		sheet := "xl/worksheets/sheet1.xml"
		relations := parts[relationshipsPart(sheet)]
		for _, target := range []string{`Target="../comments1.xml"`, `Target="../drawings/vmlDrawing1.vml"`} {
			if !strings.Contains(relations, target) {
				t.Errorf("%s: no %s in %s", name, target, relations)
			}
		}
		if parts["xl/comments1.xml"] == "" || parts["xl/drawings/vmlDrawing1.vml"] == "" ||
			strings.Count(parts["[Content_Types].xml"], `"/xl/styles.xml"`) != 1 {
			t.Errorf("%s: parts or types are missing: %s", name, parts["[Content_Types].xml"])
		}
		_, formats, _ := strings.Cut(parts["xl/styles.xml"], "<cellXfs")
		formats, _, _ = strings.Cut(formats, "</cellXfs>")
		for _, s := range regexp.MustCompile(`<c [^>]*\bs="(\d+)"`).FindAllStringSubmatch(parts[sheet], -1) {
			if index, _ := strconv.Atoi(s[1]); index >= strings.Count(formats, "<xf") {
				t.Errorf("%s: a cell has the style %d of %s", name, index, formats)
			}
		}
	}
}

// notesOf returns the notes of the first sheet, told by excelize, which reads them and the boxes that show them.
func notesOf(t *testing.T, file []byte) map[string]string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	notes, err := book.GetComments(book.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, n := range notes {
		out[n.Cell] = n.Text
		for _, p := range n.Paragraph {
			out[n.Cell] += p.Text
		}
	}
	return out
}

// wellFormed reads every part as XML with all its prefixes declared, which a library that is not strict would let pass.
func wellFormed(t *testing.T, file []byte) {
	t.Helper()
	for name, part := range unzip(t, file) {
		if !strings.HasSuffix(name, ".xml") && !strings.HasSuffix(name, ".vml") && !strings.HasSuffix(name, ".rels") {
			continue
		}
		d := xml.NewDecoder(strings.NewReader(part))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			element, is := token.(xml.StartElement)
			if !is {
				continue
			}
			seen := map[xml.Name]bool{}
			for _, a := range element.Attr {
				if seen[a.Name] {
					t.Errorf("%s: %s has %s twice", name, element.Name.Local, a.Name.Local)
				}
				seen[a.Name] = true
			}
			// an undeclared prefix stands for itself
			if space := element.Name.Space; space != "" && !strings.Contains(space, ":") {
				t.Errorf("%s: the prefix of %s:%s is not declared", name, space, element.Name.Local)
			}
		}
	}
}
