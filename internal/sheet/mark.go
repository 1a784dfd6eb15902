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

// RowMark is what is to be written beside a row of a sheet that goes back to whoever sent it.
type RowMark struct {
	// Number is the row's number as Excel shows it.
	Number int
	// Result and Errors are the texts of the two columns that are added.
	Result, Errors string
	// Cells are those of the row that are not right.
	Cells []CellMark
}

// CellMark is a cell that is not right.
type CellMark struct {
	// Column is counted from 1.
	Column int
	// Note says what is wrong and what to do.
	Note string
}

const (
	// noteLead begins every note that is made here, by which those of an earlier round are known.
	noteLead = "User Accounts: "
	// maxNotes bounds the notes of a sheet, as each costs a spreadsheet program a drawing; cells beyond are only filled.
	maxNotes      = 10000
	maxNoteChars  = 2000
	newDrawingID  = "rIdUserAccountsDrawing"
	newCommentsID = "rIdUserAccountsNotes"
)

// marking is one workbook on its way back.
type marking struct {
	w       *Workbook
	byRow   map[int]RowMark
	header  int // the number of the row of headings
	result  int // the two columns that are added, 0 where there is no room
	errors  int
	heads   [2]bool // whether they are there already
	last    int     // the last column with a heading
	styles  *restyle
	notes   *notes
	written map[string][]byte // parts that were made anew, by name in lower case
	names   []string          // those of them that the file did not have
	// headStyle is that of the heading left of the columns that are added.
	headStyle int
}

// Mark writes the workbook in file to out with what became of each row: two more columns, Result and Errors, which take the
// place of those of an earlier round; a fill and a note on each cell that is not right, and none on the others. All else
// stays byte for byte, so that the file can be mended and sent again. The workbook is one that Open and Data take. A cell
// on which a person has left a note keeps that one.
func Mark(out io.Writer, file []byte, limits Limits, rows []RowMark) error {
	w, err := Open(bytes.NewReader(file), int64(len(file)), limits)
	if err != nil {
		return err
	}
	m := &marking{w: w, byRow: make(map[int]RowMark, len(rows)+1), written: map[string][]byte{}}
	for _, r := range rows {
		m.byRow[r.Number] = r
	}
	if err := m.place(); err != nil {
		return err
	}
	if err := m.readParts(rows); err != nil {
		return err
	}
	return m.pack(out, file)
}

// place decides where the columns that are added go: where they are, or right of the headings where nothing stands.
func (m *marking) place() error {
	header, err := m.w.Header()
	if err != nil {
		return err
	}
	m.header = header.Number
	for _, c := range header.Cells {
		switch text := foldHeading(c.Text); {
		case text == foldHeading(HeadingResult) && m.result == 0:
			m.result, m.heads[0] = c.Column, true
		case text == foldHeading(HeadingErrors) && m.errors == 0:
			m.errors, m.heads[1] = c.Column, true
		}
		if !c.IsBlank() {
			m.last = c.Column
		}
	}
	used := make([]bool, m.w.limits.Columns+2)
	for row, err := range m.w.rows() {
		if err != nil {
			return err
		}
		for _, c := range row.Cells {
			used[c.Column] = used[c.Column] || !c.IsBlank()
		}
	}
	free := func() int {
		for c := m.last + 1; c <= m.w.limits.Columns; c++ {
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
		m.tidyPlace()
	}
	head := m.byRow[m.header]
	m.byRow[m.header] = RowMark{Number: m.header, Result: HeadingResult, Errors: HeadingErrors, Cells: head.Cells}
	return nil
}

// tidyPlace handles what hardly happens: no room, or the columns in the other order.
func (m *marking) tidyPlace() {
	if m.result == 0 || m.errors == 0 {
		m.result, m.errors = 0, 0
		return
	}
	m.result, m.errors = m.errors, m.result
	for number, r := range m.byRow {
		r.Result, r.Errors = r.Errors, r.Result
		m.byRow[number] = r
	}
}

// readParts reads what has to be known before the worksheet is written.
func (m *marking) readParts(rows []RowMark) error {
	a := m.w.archive
	m.styles = nil
	var err error
	if m.w.styles == "" {
		m.styles, err = readRestyle(strings.NewReader(bareStyles()), a.limits.Depth)
	} else {
		err = a.with(m.w.styles, func(r io.Reader) error {
			m.styles, err = readRestyle(r, a.limits.Depth)
			return err
		})
	}
	if err != nil {
		return err
	}
	var relations map[string]relation
	if a.has(relationsOf(m.w.part)) {
		if relations, err = a.relations(m.w.part); err != nil {
			return err
		}
	}
	m.notes, err = newNotes(a, m.w.part, relations, rows)
	return err
}

// with calls f with the content of a part.
func (a *archive) with(part string, f func(io.Reader) error) error {
	a.spent = 0 // each of these passes is bounded by itself, as those over the worksheet are
	r, err := a.open(part, &a.spent)
	if err != nil {
		return err
	}
	return partFault(part, f(r))
}

// pack writes the file: the parts as they were, and those that were changed.
func (m *marking) pack(out io.Writer, file []byte) error {
	from, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return partFault("zip", err)
	}
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 3) })
	if err := m.writeWorksheet(z, from); err != nil {
		return err
	}
	if err := m.makeParts(); err != nil {
		return err
	}
	for _, f := range from.File {
		key := partKey(f.Name)
		body, made := m.written[key]
		switch {
		case key == strings.ToLower(m.w.part):
		case made:
			delete(m.written, key)
			err = put(z, f.Name, body)
		default:
			err = z.Copy(f)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range m.names {
		if err := put(z, name, m.written[strings.ToLower(name)]); err != nil {
			return err
		}
	}
	return z.Close()
}

// partKey is the name of a part as archive keeps it.
func partKey(name string) string { return strings.ToLower(strings.ReplaceAll(name, `\`, "/")) }

func put(z *zip.Writer, name string, body []byte) error {
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(body)
	}
	return err
}

// writeWorksheet writes the worksheet, which is the only part that is not held in memory.
func (m *marking) writeWorksheet(z *zip.Writer, from *zip.Reader) error {
	name := m.w.part
	for _, f := range from.File {
		if partKey(f.Name) == strings.ToLower(m.w.part) {
			name = f.Name
		}
	}
	w, err := z.Create(name)
	if err != nil {
		return err
	}
	a, spent := m.w.archive, int64(0)
	r, err := a.open(m.w.part, &spent)
	if err != nil {
		return err
	}
	if err := m.findHeadStyle(); err != nil {
		return err
	}
	e, err := newEditor(r, a.limits.Depth, w)
	if err == nil {
		err = (&sheetEdit{editor: e, marking: m}).run()
	}
	return partFault(m.w.part, err)
}

// findHeadStyle looks for the style of the last heading, so that those that are added look like it.
func (m *marking) findHeadStyle() error {
	a, spent := m.w.archive, int64(0)
	r, err := a.open(m.w.part, &spent)
	if err != nil {
		return err
	}
	s, err := newScanner(r, a.limits.Depth)
	last := Address(m.header, m.last)
	for err == nil {
		var tok token
		if tok, err = s.next(); err != nil || tok == tokenEOF {
			break
		}
		if at, _ := s.attr("r"); tok == tokenStart && string(s.name) == "c" && string(at) == last {
			m.headStyle = s.attrInt("s")
			return nil
		}
		if at, _ := s.attr("r"); tok == tokenStart && string(s.name) == "row" && len(at) > 0 {
			if n, _ := strconv.Atoi(string(at)); n > m.header {
				return nil
			}
		}
	}
	return partFault(m.w.part, err)
}

// makeParts makes the other parts that change, once the worksheet has told what there is.
func (m *marking) makeParts() error {
	a := m.w.archive
	var types, relations, bookRelations string
	if m.notes != nil {
		var err error
		if types, relations, err = m.notes.make(m); err != nil {
			return err
		}
	}
	if m.w.styles == "" && !m.styles.off {
		// The usual name, as there are libraries that go by it; some that write no styles leave a part of it that nothing leads to.
		m.w.styles = path.Join(path.Dir(m.w.main), "styles.xml")
		typed, err := m.types(m.w.styles)
		if err != nil {
			return err
		}
		if !typed {
			types += `<%sOverride PartName="/` + m.w.styles + `" ContentType="` + officeType + `styles+xml"/>`
		}
		bookRelations = `<%sRelationship Id="rIdUserAccountsStyles" Type="` + officeRels + `/styles" Target="/` + m.w.styles + `"/>`
		if err := m.make(m.w.styles, func(out io.Writer) error {
			return m.styles.write(strings.NewReader(bareStyles()), a.limits.Depth, out)
		}); err != nil {
			return err
		}
	} else if m.w.styles != "" {
		if err := m.remake(m.w.styles, m.styles.write); err != nil {
			return err
		}
	}
	for _, c := range []struct{ part, inner, empty string }{
		{typesPart, types, ""},
		{relationsOf(m.w.main), bookRelations, ""},
		{relationsOf(m.w.part), relations, xmlHead + `<Relationships` + relSpace + `></Relationships>`},
	} {
		if err := m.extend(c.part, c.inner, c.empty); err != nil {
			return err
		}
	}
	return nil
}

// types reports whether the content types name a part, which they must not do twice.
func (m *marking) types(part string) (named bool, err error) {
	err = m.w.archive.with(typesPart, func(r io.Reader) error {
		e, err := newEditor(r, m.w.limits.Depth, io.Discard)
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

func relationsOf(part string) string {
	return path.Join(path.Dir(part), "_rels", path.Base(part)+".rels")
}

// make makes a part.
func (m *marking) make(name string, write func(io.Writer) error) error {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		return err
	}
	key := strings.ToLower(name)
	if !m.w.archive.has(name) && !slices.Contains(m.names, name) {
		m.names = append(m.names, name)
	}
	m.written[key] = body.Bytes()
	return nil
}

// remake makes a part of what it was.
func (m *marking) remake(name string, write func(src io.Reader, depth int, out io.Writer) error) error {
	a := m.w.archive
	return m.make(name, func(out io.Writer) error {
		return a.with(name, func(r io.Reader) error { return write(r, a.limits.Depth, out) })
	})
}

// extend puts more before the end of a part's root. inner has a verb for each prefix; empty is the part where there is none.
func (m *marking) extend(name, inner, empty string) error {
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
		if err := e.appendTo(0, strings.ReplaceAll(inner, "%s", e.prefix())); err != nil {
			return err
		}
		return e.finish()
	}
	if m.w.archive.has(name) {
		return m.remake(name, write)
	}
	return m.make(name, func(out io.Writer) error { return write(strings.NewReader(empty), m.w.limits.Depth, out) })
}
