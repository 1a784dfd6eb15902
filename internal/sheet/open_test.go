package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/fault"
)

// TestNotAWorkbook: a file that is no .xlsx is recognised by what it is, and the answer says what to do.
func TestNotAWorkbook(t *testing.T) {
	ole := "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 504)
	withType := func(kind string) []byte {
		b := book(nil)
		types := b.parts()[partIndex(b.parts(), typesPart)].xml
		return b.set(typesPart, strings.Replace(types, officeType+"sheet.main+xml", kind, 1)).bytes(t)
	}
	for _, test := range []struct{ name, file, code, word string }{
		{"empty", "", CodeNotWorkbook, "empty"},
		{"CSV", "Username,First name\r\nkim,Kim\r\n", CodeNotWorkbook, "CSV"},
		{"CSV with a mark", "\xEF\xBB\xBFUsername;First name\n", CodeNotWorkbook, "CSV"},
		{"CSV in UTF-16", "\xFF\xFEU\x00s\x00", CodeNotWorkbook, "CSV"},
		{"CSV in Windows-1252", "Name\nM\xFCller\n", CodeNotWorkbook, "CSV"},
		{"PDF", "%PDF-1.7\n%\xE2\xE3", CodeNotWorkbook, "PDF"},
		{"HTML called .xls", "\r\n<HTML><table>", CodeNotWorkbook, "HTML"},
		{"XML spreadsheet 2003", `<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>`, CodeNotWorkbook, "XML"},
		{"RTF", `{\rtf1\ansi`, CodeNotWorkbook, "RTF"},
		{"picture", "\x89PNG\r\n\x1a\n\x00\x00", CodeNotWorkbook, "something else"},
		{".xls", ole + string(utf16Bytes("Workbook")), CodeOldWorkbook, ".xls"},
		{".xls of 1995", ole + string(utf16Bytes("Book")), CodeOldWorkbook, ".xls"},
		{".xls of 1992", "\x09\x04\x06\x00\x00\x00\x10\x00", CodeOldWorkbook, ".xls"},
		{".doc", ole + string(utf16Bytes("WordDocument")), CodeNotWorkbook, "Word"},
		{"encrypted", ole + string(utf16Bytes("EncryptionInfo")) + string(utf16Bytes("EncryptedPackage")), CodeEncrypted,
			"password"},
		{"zip of other things", string(zipOf(t, part{"readme.txt", "hi"})), CodeNotWorkbook, "zip"},
		{".ods", string(zipOf(t, part{"mimetype", "x"}, part{"content.xml", "x"}, part{"META-INF/manifest.xml", "x"})),
			CodeNotWorkbook, ".ods"},
		{".numbers", string(zipOf(t, part{"Index/Document.iwa", "x"})), CodeNotWorkbook, "Numbers"},
		{".docx", string(withType("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml")),
			CodeNotWorkbook, "Word"},
		{".pptx", string(withType("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml")),
			CodeNotWorkbook, "PowerPoint"},
		{".xlsb", string(withType("application/vnd.ms-excel.sheet.binary.macroEnabled.main")), CodeOldWorkbook, ".xlsb"},
		{".xlsm", string(withType("application/vnd.ms-excel.sheet.macroEnabled.main+xml")), CodeMacros, "macros"},
		{"macros under another name", string(book(nil).set("xl/vbaProject.bin", "x").bytes(t)), CodeMacros, "macros"},
		{"macro sheet", string(book(nil).set("xl/macrosheets/sheet1.xml", "x").bytes(t)), CodeMacros, "macros"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := open([]byte(test.file))
			wantCode(t, err, test.code)
			if d := fault.As(err).Detail; !strings.Contains(d, test.word) {
				t.Errorf("%q does not name %s", d, test.word)
			}
		})
	}
}

// TestEncryptedFar: the mark of an encrypted workbook is found through the header, wherever the directory is.
func TestEncryptedFar(t *testing.T) {
	file := make([]byte, 3<<20)
	copy(file, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	binary.LittleEndian.PutUint16(file[0x1E:], 9)
	binary.LittleEndian.PutUint32(file[0x30:], 5000)
	copy(file[5001*512:], utf16Bytes("EncryptedPackage"))
	_, err := open(file)
	wantCode(t, err, CodeEncrypted)
}

// TestFirstWorksheet: the first worksheet in the order of the workbook is read, whatever its part is called, and the
// others are named.
func TestFirstWorksheet(t *testing.T) {
	b := book(nil).
		set("xl/workbook.xml",
			workbookXML(
				`<sheet name="Chart" sheetId="9" r:id="rId4"/><sheet name="Real &amp; hidden" sheetId="3" state="hidden" r:id="rId2"/><sheet name="Old" sheetId="1" r:id="rId1"/>`)).
		set("xl/worksheets/other.xml",
			`<worksheet xmlns="`+mainURI+`"><sheetData><row><c t="b"><v>1</v></c></row></sheetData></worksheet>`).
		set("xl/charts/c.xml", "<x/>").
		set("xl/_rels/workbook.xml.rels", relationships(relationship(1, "worksheet", "worksheets/sheet1.xml")+
			relationship(2, "worksheet", "/xl/worksheets/Other.xml")+relationship(4, "chartsheet", "charts/c.xml")))
	w := mustOpen(t, b.bytes(t))
	header, err := w.Header()
	if err != nil || header.Cells[0].Text != "TRUE" {
		t.Fatal(header, err)
	}
	if w.Sheet() != "Real & hidden" || !w.Hidden() || strings.Join(w.OtherSheets(), "|") != "Chart|Old" {
		t.Errorf("%q, hidden %v, others %q", w.Sheet(), w.Hidden(), w.OtherSheets())
	}
	_, err = open(b.set("xl/workbook.xml", workbookXML(`<sheet name="Chart" sheetId="9" r:id="rId4"/>`)).bytes(t))
	wantCode(t, err, CodeNoWorksheet)
	_, err = open(b.set("xl/workbook.xml", workbookXML("")).bytes(t))
	wantCode(t, err, CodeNoWorksheet)
	for _, bad := range []string{`<sheet name="A" r:id="rId77"/>`, `<sheet name="A"/>`} {
		_, err = open(b.set("xl/workbook.xml", workbookXML(bad)).bytes(t))
		wantCode(t, err, CodeCorrupt)
	}
}

// TestDialects: the same sheet as other programs write it: prefixes, the strict namespaces, a byte order mark, UTF-16,
// backslashes, the type of the workbook as a default.
func TestDialects(t *testing.T) {
	plain := book(nil).shared(`<si><t>Name</t></si>`).rows(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`)
	all := func(change func(string) string) []byte {
		b := book{}
		for _, p := range plain.parts() {
			b[p.name] = change(p.xml)
		}
		return b.bytes(t)
	}
	prefixed := func(s string) string {
		if !strings.Contains(s, ` xmlns="`+mainURI) {
			return s
		}
		s = strings.ReplaceAll(strings.ReplaceAll(s, "</", "</x:"), "<", "<x:")
		return strings.ReplaceAll(strings.ReplaceAll(s, "<x:/x:", "</x:"), `xmlns="`+mainURI, `xmlns:x="`+mainURI)
	}
	for name, file := range map[string][]byte{
		"plain":    plain.bytes(t),
		"prefixes": all(prefixed),
		"strict": all(func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, mainURI, strictURI), officeRels,
				"http://purl.oclc.org/ooxml/officeDocument/relationships")
		}),
		"byte order mark": all(func(s string) string { return "\xEF\xBB\xBF" + xmlHead + s }),
		"UTF-16": all(func(s string) string {
			return "\xFF\xFE" + string(utf16Bytes(strings.Replace(xmlHead, "UTF-8", "UTF-16", 1)+s))
		}),
		"default type": all(func(s string) string {
			return strings.Replace(strings.Replace(s, contentType("workbook", "sheet.main"), "", 1), "application/xml",
				officeType+"sheet.main+xml", 1)
		}),
		"comments and instructions": all(
			func(s string) string { return xmlHead + "<!-- a - b --><?x y?>" + s + "<!---->\n" }),
	} {
		rows, err := readAll(file)
		if err != nil || texts(rows[0]) != "A1 text Name" {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	var backslashes []part
	for _, p := range plain.parts() {
		backslashes = append(backslashes, part{strings.ReplaceAll(p.name, "/", `\`), p.xml})
	}
	backslashes = append(backslashes, part{"xl/", ""})
	if rows, err := readAll(zipOf(t, backslashes...)); err != nil || texts(rows[0]) != "A1 text Name" {
		t.Errorf("backslashes: %v, %v", rows, err)
	}
}

// TestUnsafe: what no spreadsheet program writes is refused (V69): DTD, entities, path tricks, doubled parts.
func TestUnsafe(t *testing.T) {
	dtd := `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>`
	external := `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>`
	sheet := `<worksheet xmlns="` + mainURI +
		`"><sheetData><row><c t="inlineStr"><is><t>%</t></is></c></row></sheetData></worksheet>`
	for name, b := range map[string]book{
		"DTD in the sheet":     book(nil).set(sheetPart, dtd+sheet),
		"external entity":      book(nil).set(sheetPart, external+strings.Replace(sheet, "%", "&a;", 1)),
		"entity without a DTD": book(nil).set(sheetPart, strings.Replace(sheet, "%", "&nbsp;", 1)),
		"DTD in the workbook":  book(nil).set("xl/workbook.xml", dtd+workbookXML("")),
		"DTD in the strings": book(nil).rows(`<row><c t="s"><v>0</v></c></row>`).set("xl/sharedStrings.xml",
			dtd+"<sst/>"),
		"DTD in the types":          book(nil).set(typesPart, dtd+"<Types/>"),
		"DTD in the styles":         book(nil).set("xl/styles.xml", dtd+"<styleSheet/>"),
		"path up":                   book(nil).set("../evil.xml", "x"),
		"path up in the middle":     book(nil).set("xl/../../evil.xml", "x"),
		"path up with backslashes":  book(nil).set(`xl\..\..\evil.xml`, "x"),
		"absolute path":             book(nil).set("/etc/passwd", "x"),
		"drive":                     book(nil).set("C:/evil.xml", "x"),
		"control character":         book(nil).set("xl/a\x00.xml", "x"),
		"double slash":              book(nil).set("xl//a.xml", "x"),
		"long name":                 book(nil).set(strings.Repeat("a", 300), "x"),
		"part twice in other case":  book(nil).set("XL/Workbook.xml", "x"),
		"part twice by a backslash": book(nil).set(`xl\workbook.xml`, "x"),
		"relationship twice": book(nil).set("xl/_rels/workbook.xml.rels",
			relationships(relationship(1, "worksheet", "worksheets/sheet1.xml")+
				relationship(1, "worksheet", "worksheets/sheet2.xml"))),
		"relationship out of the package": book(nil).set("xl/_rels/workbook.xml.rels",
			relationships(relationship(1, "worksheet", "../../sheet1.xml"))),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(b.bytes(t))
			wantCode(t, err, CodeUnsafe)
		})
	}
	_, err := open(zipOf(t, append(book(nil).parts(), part{"xl/workbook.xml", "x"})...))
	wantCode(t, err, CodeUnsafe)
}

// TestExternalLinks: links to other files are not followed, and harm nothing (V69).
func TestExternalLinks(t *testing.T) {
	rows, err := readAll(book(nil).rows(`<row><c><f>[1]Sheet1!A1</f><v>5</v></c></row>`).
		set("xl/externalLinks/externalLink1.xml", "not even XML").
		set("xl/_rels/workbook.xml.rels", relationships(relationship(1, "worksheet", "worksheets/sheet1.xml")+
			relationship(2, "externalLink", "externalLinks/externalLink1.xml")+
			`<Relationship Id="x" Type="`+officeRels+
			`/externalLinkPath" Target="http://169.254.169.254/" TargetMode="External"/>`)).bytes(t))
	if err != nil || texts(rows[0]) != "A1 number 5" {
		t.Error(rows, err)
	}
	b := book(nil).set("xl/_rels/workbook.xml.rels", relationships(
		`<Relationship Id="rId1" Type="`+officeRels+`/worksheet" Target="worksheets/sheet1.xml" TargetMode="External"/>`))
	_, err = open(b.bytes(t))
	wantCode(t, err, CodeCorrupt)
}

// TestCorrupt: a damaged file is said to be damaged, whichever part it is in.
func TestCorrupt(t *testing.T) {
	good := book(nil).shared(`<si><t>Name</t></si>`).rows(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`)
	file := good.bytes(t)
	for name, bad := range map[string][]byte{
		"cut off":          file[:len(file)-30],
		"cut in half":      file[:len(file)/2],
		"first bytes only": file[:10],
		"PK only":          []byte("PK"),
		"empty zip":        zipOf(t),
		"no relationships": zipOf(t, part{typesPart, "<Types/>"}),
		"missing sheet": good.set("xl/_rels/workbook.xml.rels",
			relationships(relationship(1, "worksheet", "worksheets/none.xml"))).bytes(t),
		"missing strings": good.set("xl/_rels/workbook.xml.rels",
			relationships(relationship(1, "worksheet", "worksheets/sheet1.xml"))).bytes(t),
		"no main part":            good.set("_rels/.rels", relationships("")).bytes(t),
		"types are no XML":        good.set(typesPart, "Types").bytes(t),
		"workbook is no workbook": good.set("xl/workbook.xml", `<sst xmlns="`+mainURI+`"/>`).bytes(t),
		"sheet of no namespace":   good.set(sheetPart, `<worksheet><sheetData/></worksheet>`).bytes(t),
		"sheet cut off": good.set(sheetPart,
			`<worksheet xmlns="`+mainURI+`"><sheetData><row><c><v>1</v></c></row>`).bytes(t),
		"sheet is empty":         good.set(sheetPart, ``).bytes(t),
		"strings are no strings": good.set("xl/sharedStrings.xml", `<x/>`).bytes(t),
		"styles cut off":         good.set("xl/styles.xml", `<styleSheet xmlns="`+mainURI+`"><cellXfs>`).bytes(t),
		"sheet in Latin-1": good.set(sheetPart,
			`<?xml version="1.0" encoding="ISO-8859-1"?><worksheet xmlns="`+mainURI+`"/>`).bytes(t),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(bad)
			wantCode(t, err, CodeCorrupt)
		})
	}
}

// TestEveryByteCounts: a file of which any one byte was changed on its way is refused, or reads as before: never does
// it read as something else. The checksum is what finds most of them, so it must have been looked at by the end of a
// Count.
func TestEveryByteCounts(t *testing.T) {
	good := book(nil).shared(`<si><t>Name</t></si><si><t>Kim</t></si><si><t>Sam</t></si>`).
		rows(`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row><row r="3"><c r="A3"><v>17</v></c></row>`).bytes(t)
	read := func(file []byte) string {
		rows, err := readAll(file)
		if err != nil {
			return ""
		}
		var all string
		for _, r := range rows {
			all += texts(r) + "\n"
		}
		return all
	}
	want := read(good)
	if want == "" {
		t.Fatal("the good file is not read")
	}
	refused := 0
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x04
		switch got := read(bad); got {
		case "":
			refused++
		case want:
		default:
			t.Errorf("byte %d changed: read as\n%s", i, got)
		}
	}
	if refused < len(good)/2 {
		t.Errorf("only %d of %d changes were noticed", refused, len(good))
	}
}

// TestLyingZip: what the zip says of its sizes is not believed. A size that is too small, which other readers take as a
// sheet without rows, is an error here, as is one that is too large.
func TestLyingZip(t *testing.T) {
	file := book(nil).rows(strings.Repeat(`<row><c><v>1</v></c></row>`, 50)).bytes(t)
	for _, lie := range []uint32{0, 1, 100, 1 << 20} {
		bad := bytes.Clone(file)
		at := bytes.LastIndex(bad, []byte(sheetPart)) - 46 + 24 // of the size within the entry of the directory
		binary.LittleEndian.PutUint32(bad[at:], lie)
		_, err := readAll(bad)
		wantCode(t, err, CodeCorrupt)
	}
	bad := bytes.Clone(file)
	at := bytes.LastIndex(bad, []byte(sheetPart)) - 46 + 24
	binary.LittleEndian.PutUint32(bad[at:], 1<<30)
	_, err := readAll(bad)
	wantCode(t, err, CodeUnpacksTooLarge)
	locked := bytes.Clone(file)
	locked[at-24+8] |= 1
	_, err = readAll(locked)
	wantCode(t, err, CodeEncrypted)
	odd := bytes.Clone(file)
	odd[at-24+10] = 99 // an unknown way of packing
	_, err = readAll(odd)
	wantCode(t, err, CodeCorrupt)
}

// TestLimits: each limit holds by itself, and those of imports are no wider than they should be (V69).
func TestLimits(t *testing.T) {
	if is := DefaultLimits(); is.FileBytes > 10<<20 || is.UnpackedBytes > 100<<20 || is.Parts > 256 || is.Columns > 64 ||
		is.CellChars > 32767 || is.Depth > 64 || is.Ratio > 250 {
		t.Errorf("imports are bounded by %+v", is)
	}
	file := book(nil).shared(strings.Repeat("<si><t>x</t></si>", 20)).rows(
		strings.Repeat(`<row><c t="s"><v>15</v></c></row>`, 30)).bytes(t)
	for name, test := range map[string]struct {
		change func(*Limits)
		code   string
	}{
		"file":     {func(l *Limits) { l.FileBytes = int64(len(file)) - 1 }, CodeFileTooLarge},
		"parts":    {func(l *Limits) { l.Parts = 6 }, CodeTooManyParts},
		"unpacked": {func(l *Limits) { l.UnpackedBytes = 1500 }, CodeUnpacksTooLarge},
		"strings":  {func(l *Limits) { l.Strings = 15 }, CodeTooManyParts},
		"depth":    {func(l *Limits) { l.Depth = 4 }, CodeUnsafe},
		"cell":     {func(l *Limits) { l.CellChars = 0 }, CodeCellTooLong},
		"columns":  {func(l *Limits) { l.Columns = 0 }, CodeTooManyColumns},
		"none":     {func(*Limits) {}, ""},
	} {
		limits := DefaultLimits()
		test.change(&limits)
		w, err := Open(bytes.NewReader(file), int64(len(file)), limits)
		if err == nil {
			_, err = w.Count(5000)
		}
		if test.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		t.Run(name, func(t *testing.T) { wantCode(t, err, test.code) })
	}
}

// packed returns a zip with one more part, whose content is written by f.
func packed(t testing.TB, b book, name string, f func(write func(string))) []byte {
	t.Helper()
	return withPart(t, b, name, func(z *zip.Writer) error {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		f(func(s string) {
			if _, err := io.WriteString(w, s); err != nil {
				t.Fatal(err)
			}
		})
		return nil
	})
}

// packedUnits returns a zip with one more part: head, so many bytes of the unit over and over, tail. The units are
// compressed once, as blocks that may follow each other, because compressing hundreds of megabytes takes seconds.
func packedUnits(t testing.TB, b book, name, head, unit, tail string, size int) []byte {
	t.Helper()
	chunk := strings.Repeat(unit, max(1, (1<<20)/len(unit)))
	n := (size + len(chunk) - 1) / len(chunk)
	blocks := func(text string, end func(*flate.Writer) error) []byte {
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.DefaultCompression)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err := errors.Join(err, end(w)); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	raw := slices.Concat(blocks(head, (*flate.Writer).Flush),
		bytes.Repeat(blocks(chunk, (*flate.Writer).Flush), n), blocks(tail, (*flate.Writer).Close))
	sum := crc32.Update(0, crc32.IEEETable, []byte(head))
	for range n {
		sum = crc32.Update(sum, crc32.IEEETable, []byte(chunk))
	}
	return withPart(t, b, name, func(z *zip.Writer) error {
		w, err := z.CreateRaw(&zip.FileHeader{
			Name: name, Method: zip.Deflate, CRC32: crc32.Update(sum, crc32.IEEETable, []byte(tail)),
			CompressedSize64: uint64(len(raw)), UncompressedSize64: uint64(len(head) + n*len(chunk) + len(tail)),
		})
		if err == nil {
			_, err = w.Write(raw)
		}
		return err
	})
}

// withPart returns the zip of a book in which add writes the part of this name.
func withPart(t testing.TB, b book, name string, add func(*zip.Writer) error) []byte {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	for _, p := range b.parts() {
		if p.name == name {
			continue
		}
		w, err := z.Create(p.name)
		if err == nil {
			_, err = io.WriteString(w, p.xml)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(add(z), z.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
