package sheet

import (
	"io"
	"path"
	"strings"
	"unicode"

	"useraccounts/internal/fault"
)

// Workbook is an opened workbook. It is for one goroutine at a time, and needs no closing: it holds nothing but memory.
type Workbook struct {
	archive *archive
	limits  Limits

	main   string   // the workbook part
	styles string   // the part with the styles, "" for none
	sheet  string   // the name of the worksheet that is read
	part   string   // its part
	others []string // the names of all other sheets
	hidden bool

	epoch1904 bool // day 0 is 1 January 1904 and not 31 December 1899
	formats   []cellFormat
	strings   *sharedStrings
}

// Open opens the workbook of size bytes in r. If it cannot be accepted, Open returns a *fault.Error with one of the
// Code constants; a plain error means that r failed. Open reads no rows. r must stay readable as long as the workbook
// is used.
func Open(r io.ReaderAt, size int64, limits Limits) (*Workbook, error) {
	if size > limits.FileBytes {
		return nil, fault.New(fault.TooLarge, CodeFileTooLarge, "The file is %s KB large, and the limit is %s KB. %s",
			thousands(int(size>>10)), thousands(int(limits.FileBytes>>10)), adviceCopyRows)
	}
	if err := sniff(r, size); err != nil {
		return nil, err
	}
	a, err := openArchive(r, size, limits)
	if err != nil {
		return nil, err
	}
	w := &Workbook{archive: a, limits: limits}
	main, err := w.mainPart()
	if err != nil {
		return nil, err
	}
	w.main = main
	relations, err := a.relations(main)
	if err != nil {
		return nil, err
	}
	if err := w.readWorkbook(main, relations); err != nil {
		return nil, err
	}
	for _, r := range relations {
		switch r.kind {
		case "styles":
			w.styles = r.target
			w.formats, err = a.readStyles(r.target)
		case "sharedStrings":
			w.strings = &sharedStrings{archive: a, part: r.target}
		}
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Sheet returns the name of the worksheet that is read: the first in the order of the workbook, even if it is hidden.
func (w *Workbook) Sheet() string { return w.sheet }

// Hidden reports whether that worksheet is hidden, which the person who uploaded it may not know.
func (w *Workbook) Hidden() bool { return w.hidden }

// OtherSheets returns the names of the sheets that are not read, in the order of the workbook.
func (w *Workbook) OtherSheets() []string { return w.others }

// mainPart returns the name of the workbook part. It refuses other kinds of file, and workbooks with macros.
func (w *Workbook) mainPart() (string, error) {
	a := w.archive
	switch {
	case a.has("content.xml") && a.has("META-INF/manifest.xml"):
		return "", notWorkbook("an OpenDocument file (such as .ods)")
	case a.has("Index/Document.iwa"), a.has("Index.zip"):
		return "", notWorkbook("an Apple Numbers document")
	case !a.has(typesPart):
		return "", notWorkbook("a zip archive")
	}
	for name := range a.parts {
		if path.Base(name) == "vbaproject.bin" || strings.HasPrefix(name, "xl/macrosheets/") {
			return "", macroFault()
		}
	}
	relations, err := a.relations("")
	if err != nil {
		return "", err
	}
	main := ""
	for _, r := range relations {
		if r.kind == "officeDocument" && main == "" {
			main = r.target
		}
	}
	if main == "" {
		return "", corrupt("no main part")
	}
	return main, a.checkTypes(main)
}

// macroFault returns the fault for a workbook with macros.
func macroFault() error {
	return fault.New(fault.Unsupported, CodeMacros, "The file contains macros, so it was not read. %s", adviceSaveAs)
}

// readWorkbook reads the workbook part (18.2): the date system, and which worksheet is the first.
func (w *Workbook) readWorkbook(part string, relations map[string]relation) error {
	s, r, err := w.archive.scan(part)
	if err != nil {
		return partFault(part, err)
	}
	err = s.root(nsMain, "workbook")
	if err == nil {
		err = s.each(nsMain, func() error {
			switch string(s.name) {
			case "workbookPr":
				value, _ := s.attr("date1904")
				w.epoch1904 = isXMLTrue(value)
			case "sheets":
				return s.each(nsMain, func() error { return w.addSheet(s, relations) })
			}
			return nil
		})
	}
	if err == nil {
		err = r.drain()
	}
	if err != nil {
		return partFault(part, err)
	}
	if w.part == "" {
		return fault.New(fault.Invalid, CodeNoWorksheet, "The workbook has no worksheet, only charts or similar sheets. %s",
			adviceCopyRows)
	}
	return nil
}

// addSheet adds the sheet element whose start s has just read (18.2.19).
func (w *Workbook) addSheet(s *scanner, relations map[string]relation) error {
	if string(s.name) != "sheet" {
		return nil
	}
	if len(w.others) >= w.limits.Parts {
		return tooManyParts("sheets", w.limits.Parts)
	}
	name, _ := s.attr("name")
	state, _ := s.attr("state")
	id := s.attrIn(nsOffice, "id")
	r, ok := relations[id]
	switch {
	case !ok:
		return corrupt("sheet %q leads to no part", name)
	case w.part != "" || r.kind != "worksheet":
		w.others = append(w.others, sheetName(name))
	case !w.archive.has(r.target):
		return corrupt("part %q is missing", r.target)
	default:
		w.sheet, w.part = sheetName(name), r.target
		w.hidden = len(state) > 0 && string(state) != "visible"
	}
	return nil
}

// sheetName returns a printable name, no longer than Excel allows.
func sheetName(name []byte) string {
	const most = 31
	var b strings.Builder
	for i, r := range []rune(string(name[:min(len(name), 4*most)])) {
		if i == most {
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isXMLTrue reports whether an attribute says true (XML schema, boolean).
func isXMLTrue(value []byte) bool { return string(value) == "1" || string(value) == "true" }
