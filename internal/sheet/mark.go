package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// RowMark is what Mark writes at a row.
type RowMark struct {
	// Number is the row's number as Excel shows it.
	Number int
	// Result and Errors are the texts in the two added columns.
	Result, Errors string
	// Cells are the invalid cells of the row.
	Cells []CellMark
}

// CellMark is an invalid cell.
type CellMark struct {
	// Column is counted from 1.
	Column int
	// Note says what is wrong and what to do.
	Note string
}

const (
	// notePrefix starts every note that Mark writes. By it Mark recognises the notes of an earlier call.
	notePrefix = "User Accounts: "
	// maxNotes bounds the notes of a sheet, as each one is a drawing for a spreadsheet program. Cells beyond are only
	// filled.
	maxNotes      = 10000
	maxNoteChars  = 2000
	newDrawingID  = "rIdUserAccountsDrawing"
	newCommentsID = "rIdUserAccountsNotes"
)

// marking is one call of Mark.
type marking struct {
	workbook    *Workbook
	marks       map[int]RowMark
	header      int // the number of the header row
	result      int // the two added columns; 0 if there is no room
	errors      int
	hasHeadings [2]bool // whether the sheet has their headings already
	lastHeading int     // the last column with a heading
	styles      *markStyles
	notes       *notes
	rewritten   map[string][]byte // parts that were written again, by name in lower case
	addedParts  []string          // those of them that are new
	// headingStyle is the style of the last heading, which the added headings get.
	headingStyle int
}

// Mark writes the workbook in file to out, with the result of each row. It adds the columns Result and Errors, or
// replaces those of an earlier call. It gives each invalid cell a fill and a note, and removes its own from all other
// cells. Everything else is copied byte for byte, so the file can be corrected and uploaded again. A cell with a note
// of a person keeps that one. The workbook must be one that Open and Data accept.
func Mark(out io.Writer, file []byte, limits Limits, rows []RowMark) error {
	w, err := Open(bytes.NewReader(file), int64(len(file)), limits)
	if err != nil {
		return err
	}
	m := &marking{workbook: w, marks: make(map[int]RowMark, len(rows)+1), rewritten: map[string][]byte{}}
	for _, r := range rows {
		m.marks[r.Number] = r
	}
	if err := m.placeColumns(); err != nil {
		return err
	}
	if err := m.readParts(rows); err != nil {
		return err
	}
	return m.writeArchive(out, file)
}

// placeColumns decides where the two columns go: where they are already, or to empty columns right of the headings.
func (m *marking) placeColumns() error {
	header, err := m.workbook.Header()
	if err != nil {
		return err
	}
	m.header = header.Number
	for _, c := range header.Cells {
		switch text := foldHeading(c.Text); {
		case text == foldHeading(HeadingResult) && m.result == 0:
			m.result, m.hasHeadings[0] = c.Column, true
		case text == foldHeading(HeadingErrors) && m.errors == 0:
			m.errors, m.hasHeadings[1] = c.Column, true
		}
		if !c.IsBlank() {
			m.lastHeading = c.Column
		}
	}
	used := make([]bool, m.workbook.limits.Columns+2)
	for row, err := range m.workbook.rows() {
		if err != nil {
			return err
		}
		for _, c := range row.Cells {
			used[c.Column] = used[c.Column] || !c.IsBlank()
		}
	}
	free := func() int {
		for c := m.lastHeading + 1; c <= m.workbook.limits.Columns; c++ {
			if !used[c] {
				used[c] = true
				return c
			}
		}
		return 0
	}
	if m.result == 0 {
		m.result = free()
	}
	if m.errors == 0 {
		m.errors = free()
	}
	if m.result == 0 || m.errors == 0 || m.result > m.errors {
		m.fixColumnOrder()
	}
	head := m.marks[m.header]
	m.marks[m.header] = RowMark{Number: m.header, Result: HeadingResult, Errors: HeadingErrors, Cells: head.Cells}
	return nil
}

// fixColumnOrder handles two rare cases: there is no room for the columns, or they are in the other order.
func (m *marking) fixColumnOrder() {
	if m.result == 0 || m.errors == 0 {
		m.result, m.errors = 0, 0
		return
	}
	m.result, m.errors = m.errors, m.result
	for number, r := range m.marks {
		r.Result, r.Errors = r.Errors, r.Result
		m.marks[number] = r
	}
}

// readParts reads the styles and notes, which must be known before the worksheet is written.
func (m *marking) readParts(rows []RowMark) error {
	a := m.workbook.archive
	m.styles = nil
	var err error
	if m.workbook.styles == "" {
		m.styles, err = readMarkStyles(strings.NewReader(defaultStyles()), a.limits.Depth)
	} else {
		err = a.readPart(m.workbook.styles, func(r io.Reader) error {
			m.styles, err = readMarkStyles(r, a.limits.Depth)
			return err
		})
	}
	if err != nil {
		return err
	}
	var relations map[string]relation
	if a.has(relationshipsPart(m.workbook.part)) {
		if relations, err = a.relations(m.workbook.part); err != nil {
			return err
		}
	}
	m.notes, err = newNotes(a, m.workbook.part, relations, rows)
	return err
}

// readPart calls f with the content of a part.
func (a *archive) readPart(part string, f func(io.Reader) error) error {
	a.unpacked = 0 // each pass has a limit of its own, as each pass over the worksheet has
	r, err := a.open(part, &a.unpacked)
	if err != nil {
		return err
	}
	return partFault(part, f(r))
}

// writeArchive writes the zip: the worksheet, the changed parts, and copies of all others.
func (m *marking) writeArchive(out io.Writer, file []byte) error {
	from, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return partFault("zip", err)
	}
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 3) })
	if err := m.writeWorksheet(z, from); err != nil {
		return err
	}
	if err := m.rewriteParts(); err != nil {
		return err
	}
	for _, f := range from.File {
		key := partKey(f.Name)
		body, made := m.rewritten[key]
		switch {
		case key == strings.ToLower(m.workbook.part):
		case made:
			delete(m.rewritten, key)
			err = writeEntry(z, f.Name, body)
		default:
			err = z.Copy(f)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range m.addedParts {
		if err := writeEntry(z, name, m.rewritten[strings.ToLower(name)]); err != nil {
			return err
		}
	}
	return z.Close()
}

// partKey returns the name of a part as archive stores it.
func partKey(name string) string { return strings.ToLower(strings.ReplaceAll(name, `\`, "/")) }

func writeEntry(z *zip.Writer, name string, body []byte) error {
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(body)
	}
	return err
}

// writeWorksheet writes the worksheet as a stream; all other changed parts are held in memory.
func (m *marking) writeWorksheet(z *zip.Writer, from *zip.Reader) error {
	name := m.workbook.part
	for _, f := range from.File {
		if partKey(f.Name) == strings.ToLower(m.workbook.part) {
			name = f.Name
		}
	}
	w, err := z.Create(name)
	if err != nil {
		return err
	}
	a, spent := m.workbook.archive, int64(0)
	r, err := a.open(m.workbook.part, &spent)
	if err != nil {
		return err
	}
	if err := m.findHeadingStyle(); err != nil {
		return err
	}
	e, err := newEditor(r, a.limits.Depth, w)
	if err == nil {
		err = (&sheetEditor{editor: e, marking: m}).run()
	}
	return partFault(m.workbook.part, err)
}

// findHeadingStyle finds the style of the last heading.
func (m *marking) findHeadingStyle() error {
	a, spent := m.workbook.archive, int64(0)
	r, err := a.open(m.workbook.part, &spent)
	if err != nil {
		return err
	}
	s, err := newScanner(r, a.limits.Depth)
	last := Address(m.header, m.lastHeading)
	for err == nil {
		var tok token
		if tok, err = s.next(); err != nil || tok == tokenEOF {
			break
		}
		if at, _ := s.attr("r"); tok == tokenStart && string(s.name) == "c" && string(at) == last {
			m.headingStyle = s.attrInt("s")
			return nil
		}
		if at, _ := s.attr("r"); tok == tokenStart && string(s.name) == "row" && len(at) > 0 {
			if n, _ := strconv.Atoi(string(at)); n > m.header {
				return nil
			}
		}
	}
	return partFault(m.workbook.part, err)
}

// rewriteParts writes the other parts that change, after the worksheet, which tells what is there.
func (m *marking) rewriteParts() error {
	a := m.workbook.archive
	var types, relations, bookRelations string
	if m.notes != nil {
		var err error
		if types, relations, err = m.notes.addParts(m); err != nil {
			return err
		}
	}
	if m.workbook.styles == "" && !m.styles.disabled {
		// The usual name, as some libraries find the part by it. Some files have such a part without a relationship to it.
		m.workbook.styles = path.Join(path.Dir(m.workbook.main), "styles.xml")
		typed, err := m.hasContentType(m.workbook.styles)
		if err != nil {
			return err
		}
		if !typed {
			types += `<%sOverride PartName="/` + m.workbook.styles + `" ContentType="` + officeType + `styles+xml"/>`
		}
		bookRelations = `<%sRelationship Id="rIdUserAccountsStyles" Type="` + officeRels + `/styles" Target="/` +
			m.workbook.styles + `"/>`
		if err := m.addPart(m.workbook.styles, func(out io.Writer) error {
			return m.styles.write(strings.NewReader(defaultStyles()), a.limits.Depth, out)
		}); err != nil {
			return err
		}
	} else if m.workbook.styles != "" {
		if err := m.rewritePart(m.workbook.styles, m.styles.write); err != nil {
			return err
		}
	}
	for _, c := range []struct{ part, inner, empty string }{
		{typesPart, types, ""},
		{relationshipsPart(m.workbook.main), bookRelations, ""},
		{relationshipsPart(m.workbook.part), relations, xmlHead + `<Relationships` + relSpace + `></Relationships>`},
	} {
		if err := m.appendToPart(c.part, c.inner, c.empty); err != nil {
			return err
		}
	}
	return nil
}

// hasContentType reports whether the content types name a part. They must not name it twice.
func (m *marking) hasContentType(part string) (named bool, err error) {
	err = m.workbook.archive.readPart(typesPart, func(r io.Reader) error {
		e, err := newEditor(r, m.workbook.limits.Depth, io.Discard)
		for err == nil {
			var tok token
			if tok, err = e.read(); err != nil || tok == tokenEOF {
				break
			}
			if tok == tokenStart {
				name, _ := e.attr("PartName")
				named = named || strings.EqualFold(string(name), "/"+part)
			}
		}
		return err
	})
	return named, err
}

func relationshipsPart(part string) string {
	return path.Join(path.Dir(part), "_rels", path.Base(part)+".rels")
}

// addPart writes a part, which may be a new one.
func (m *marking) addPart(name string, write func(io.Writer) error) error {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		return err
	}
	key := strings.ToLower(name)
	if !m.workbook.archive.has(name) && !slices.Contains(m.addedParts, name) {
		m.addedParts = append(m.addedParts, name)
	}
	m.rewritten[key] = body.Bytes()
	return nil
}

// rewritePart writes a part from its current content.
func (m *marking) rewritePart(name string, write func(src io.Reader, depth int, out io.Writer) error) error {
	a := m.workbook.archive
	return m.addPart(name, func(out io.Writer) error {
		return a.readPart(name, func(r io.Reader) error { return write(r, a.limits.Depth, out) })
	})
}

// appendToPart appends inner to the root of a part, with the root's prefix for each %s in it. empty is the part to
// start from if there is none.
func (m *marking) appendToPart(name, inner, empty string) error {
	if inner == "" {
		return nil
	}
	write := func(src io.Reader, depth int, out io.Writer) error {
		e, err := newEditor(src, depth, out)
		if err != nil {
			return err
		}
		if _, err := e.read(); err != nil {
			return err
		}
		if err := e.appendChildren(0, strings.ReplaceAll(inner, "%s", e.prefix())); err != nil {
			return err
		}
		return e.finish()
	}
	if m.workbook.archive.has(name) {
		return m.rewritePart(name, write)
	}
	return m.addPart(name,
		func(out io.Writer) error { return write(strings.NewReader(empty), m.workbook.limits.Depth, out) })
}
