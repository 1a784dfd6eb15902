package sheet

import (
	"archive/zip"
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/fault"
)

// A workbook made of hand-written parts. Those that are not given are the least that Excel writes.
type book map[string]string

const (
	mainURI   = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	strictURI = "http://purl.oclc.org/ooxml/spreadsheetml/main"
	sheetPart = "xl/worksheets/sheet1.xml"
)

// rows makes the first worksheet of the content of sheetData.
func (b book) rows(inner string) book {
	return b.set(sheetPart, `<worksheet xmlns="`+mainURI+`"><sheetData>`+inner+`</sheetData></worksheet>`)
}

// shared makes the shared strings of si elements.
func (b book) shared(inner string) book {
	return b.set("xl/sharedStrings.xml", `<sst xmlns="`+mainURI+`">`+inner+`</sst>`)
}

// formats makes the styles: style i has the i-th number format, "" for General, a number for a built-in one.
func (b book) formats(codes ...string) book {
	var custom, xfs strings.Builder
	for i, code := range codes {
		id := "0"
		if _, ok := parseDigits(code, 1, 3); ok {
			id = code
		} else if code != "" {
			id = string(rune('1'+i/10)) + string(rune('0'+i%10)) + "7" // 107, 117, ... 207
			custom.WriteString(`<numFmt numFmtId="` + id + `" formatCode="` + xmlText(code) + `"/>`)
		}
		xfs.WriteString(`<xf numFmtId="` + id + `"/>`)
	}
	return b.set("xl/styles.xml",
		`<styleSheet xmlns="`+mainURI+`"><numFmts>`+custom.String()+`</numFmts><cellXfs>`+xfs.String()+
			`</cellXfs></styleSheet>`)
}

func (b book) set(name, xml string) book {
	if b == nil {
		b = book{}
	}
	b = maps.Clone(b)
	b[name] = xml
	return b
}

// parts returns all parts, in the order of a real file.
func (b book) parts() []part {
	all := book{
		typesPart: `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/>` + contentType("workbook", "sheet.main") + `</Types>`,
		"_rels/.rels":     relationships(relationship(1, "officeDocument", "xl/workbook.xml")),
		"xl/workbook.xml": workbookXML(`<sheet name="People" sheetId="1" r:id="rId1"/>`),
		sheetPart:         `<worksheet xmlns="` + mainURI + `"><sheetData/></worksheet>`,
		"xl/_rels/workbook.xml.rels": relationships(relationship(1, "worksheet", "worksheets/sheet1.xml") +
			relationship(8, "styles", "styles.xml") + relationship(9, "sharedStrings", "sharedStrings.xml")),
		"xl/styles.xml":        `<styleSheet xmlns="` + mainURI + `"/>`,
		"xl/sharedStrings.xml": `<sst xmlns="` + mainURI + `"/>`,
	}
	maps.Copy(all, b)
	var parts []part
	for _, name := range slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(strings.Split(a, "/")), len(strings.Split(b, "/"))), strings.Compare(a, b))
	}) {
		parts = append(parts, part{name, all[name]})
	}
	return parts
}

func workbookXML(sheets string) string {
	return `<workbook xmlns="` + mainURI + `" xmlns:r="` + officeRels + `"><sheets>` + sheets + `</sheets></workbook>`
}

// bytes returns the file.
func (b book) bytes(t testing.TB) []byte { return zipOf(t, b.parts()...) }

func zipOf(t testing.TB, parts ...part) []byte {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for _, p := range parts {
		w, err := z.Create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p.xml)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// open opens a file with the limits of the product.
func open(file []byte) (*Workbook, error) {
	return Open(bytes.NewReader(file), int64(len(file)), DefaultLimits())
}

func mustOpen(t testing.TB, file []byte) *Workbook {
	t.Helper()
	w, err := open(file)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return w
}

// readAll returns all rows, the header first.
func readAll(file []byte) ([]Row, error) {
	w, err := open(file)
	if err != nil {
		return nil, err
	}
	header, err := w.Header()
	if err != nil {
		return nil, err
	}
	rows := []Row{header}
	for row, err := range w.Data(5000) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// wantCode fails the test unless err is a fault with that code and a text that tells a person what to do.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Code != code {
		t.Fatalf("got %v, want a fault %s", err, code)
	}
	if len(f.Detail) < 40 || strings.Contains(f.Detail, "%!") || strings.Contains(f.Detail, ".xml") ||
		f.Kind == fault.Internal {
		t.Errorf("%s: a detail that does not help: %q", code, f.Detail)
	}
}

// texts returns the kinds and texts of a row's cells, as "C7 text: x".
func texts(row Row) string {
	var all []string
	for _, c := range row.Cells {
		kind := [...]string{"blank", "text", "number", "bool", "date", "error", "novalue"}[c.Kind]
		line := c.Address() + " " + kind
		if c.Kind != Blank && c.Kind != FormulaWithoutValue {
			line += " " + c.Text
		}
		all = append(all, line)
	}
	return strings.Join(all, "|")
}
