package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// afterLegacyDrawing are the elements of a worksheet that can come after legacyDrawing (18.3.1.99).
var afterLegacyDrawing = []string{
	"legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
	"AlternateContent",
}

// sheetEditor copies the worksheet with its rows marked.
type sheetEditor struct {
	*editor
	*marking
	nsPrefix     string       // the prefix of the worksheet's elements
	pastRows     bool         // the rows have been copied
	hasColumns   bool         // there is a cols element
	lastColumn   int          // the last column of the cols element
	columnStyles []styleRange // the styles of whole columns
	hasDrawing   bool         // there is a legacyDrawing
	row          int
}

// styleRange is a range of columns with the same style.
type styleRange struct{ from, to, style int }

// run copies the whole worksheet.
func (e *sheetEditor) run() error {
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEOF:
			e.write(e.raw)
			return e.err
		case tok == tokenStart && e.depth() == 1:
			e.nsPrefix = e.prefix()
			e.write(e.raw)
		case tok == tokenStart && e.depth() == 2:
			err = e.copyElement()
		case tok == tokenEnd && e.depth() == 0:
			end := e.takeTag()
			e.writeDrawingRef()
			e.write(end)
		default:
			e.write(e.raw)
		}
		if err != nil {
			return err
		}
	}
}

// copyElement copies a child of the worksheet element whose start was just read.
func (e *sheetEditor) copyElement() error {
	name := string(e.name)
	main := e.ns == nsMain
	switch {
	case main && name == "dimension":
		e.write(e.dimension(e.takeTag()))
		return e.copyTo(1)
	case main && name == "cols":
		return e.copyColumns()
	case main && name == "sheetData":
		tag := e.takeTag()
		if !e.hasColumns {
			e.writeString("<" + e.nsPrefix + "cols>" + e.newColumns() + "</" + e.nsPrefix + "cols>")
		}
		e.write(tag)
		return e.copyRows()
	case main && name == "legacyDrawing":
		e.hasDrawing = true
		if id := e.attrIn(nsOffice, "id"); e.notes != nil {
			e.notes.drawing = id
		}
	case e.pastRows && slices.Contains(afterLegacyDrawing, name):
		tag := bytes.Clone(e.takeTag())
		e.writeDrawingRef()
		e.write(tag)
		return e.copyTo(1)
	}
	e.write(e.raw)
	return e.copyTo(1)
}

// writeDrawingRef writes the element that refers to the drawing of the notes, if there is none.
func (e *sheetEditor) writeDrawingRef() {
	if e.hasDrawing || e.notes == nil {
		return
	}
	e.hasDrawing = true
	e.writeString(fmt.Sprintf(`<%slegacyDrawing xmlns:r="%s" r:id="%s"/>`, e.nsPrefix, officeRels, newDrawingID))
}

// dimension returns the dimension tag, extended to the added columns.
func (e *sheetEditor) dimension(tag []byte) []byte {
	_, at, end := attrSpan(tag, "ref")
	from, to, ok := strings.Cut(string(tag[at:end]), ":")
	if !ok {
		to = from
	}
	column, row := parseAddress([]byte(to))
	if at == 0 || column == 0 || column >= e.errors {
		return tag
	}
	return withAttr(tag, "ref", from+":"+Address(row, e.errors))
}

// copyColumns copies the widths of the columns, and adds those of the two columns.
func (e *sheetEditor) copyColumns() error {
	e.hasColumns = true
	e.write(e.raw)
	for {
		tok, err := e.read()
		if err != nil {
			return err
		}
		if tok == tokenEnd && e.depth() == 1 {
			end := e.takeTag()
			if e.lastColumn < e.result {
				e.writeString(e.newColumns())
			}
			e.write(end)
			return e.err
		}
		if tok == tokenStart && string(e.name) == "col" {
			s := styleRange{e.attrInt("min"), e.attrInt("max"), e.attrInt("style")}
			e.lastColumn = max(e.lastColumn, s.to)
			if s.style != 0 {
				e.columnStyles = append(e.columnStyles, s)
			}
		}
		e.write(e.raw)
	}
}

func (e *sheetEditor) newColumns() string {
	if e.result == 0 {
		return fmt.Sprintf(`<%scol min="1" max="1" width="20" customWidth="1"/>`, e.nsPrefix)
	}
	return fmt.Sprintf(
		`<%scol min="%d" max="%d" width="12" customWidth="1"/><%scol min="%d" max="%d" width="70" customWidth="1"/>`,
		e.nsPrefix, e.result, e.result, e.nsPrefix, e.errors, e.errors)
}

// copyRows copies the rows.
func (e *sheetEditor) copyRows() error {
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEnd && e.depth() == 1:
			e.pastRows = true
			e.write(e.raw)
			return e.err
		case tok == tokenStart && e.ns == nsMain && string(e.name) == "row":
			if err := e.copyRow(); err != nil {
				return err
			}
		default:
			e.write(e.raw)
		}
	}
}

// copyRow copies the row whose start was just read.
func (e *sheetEditor) copyRow() error {
	e.row++
	if r, ok := e.attr("r"); ok {
		e.row, _ = strconv.Atoi(string(r))
	}
	note, wanted := e.marks[e.row]
	if !wanted {
		e.write(e.raw)
		return e.copyTo(2)
	}
	e.write(withAttr(e.takeTag(), "spans", "")) // optional, and no longer correct
	fresh := e.newCells(note)
	column := 0
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEnd && e.depth() == 2:
			end := bytes.Clone(e.takeTag())
			for _, c := range fresh {
				e.writeCell(c, e.defaultStyle(c.column))
			}
			e.write(end)
			return e.err
		case tok == tokenStart && e.ns == nsMain && string(e.name) == "c":
			column++
			if r, ok := e.attr("r"); ok {
				column, _ = parseAddress(r)
			}
			if fresh, err = e.copyCell(note, fresh, column); err != nil {
				return err
			}
		default:
			e.write(e.raw)
		}
	}
}

// newCell is a cell that Mark adds: a result, or a blank cell to be marked.
type newCell struct {
	column  int
	text    string
	result  bool // in one of the two added columns
	invalid bool
}

// newCells returns the cells that a row needs, in order. copyCell removes those that the row has already.
func (m *marking) newCells(note RowMark) []newCell {
	var out []newCell
	if m.result > 0 {
		out = append(out, newCell{column: m.result, text: note.Result, result: true},
			newCell{column: m.errors, text: truncateCell(note.Errors), result: true})
	}
	for _, c := range note.Cells {
		if c.Column != m.result && c.Column != m.errors {
			out = append(out, newCell{column: c.Column, invalid: true})
		}
	}
	slices.SortStableFunc(out, func(a, b newCell) int { return a.column - b.column })
	return slices.CompactFunc(out, func(a, b newCell) bool { return a.column == b.column })
}

// copyCell copies the cell whose start was just read, after the new cells that come before it. It returns the rest of
// them.
func (e *sheetEditor) copyCell(note RowMark, fresh []newCell, column int) ([]newCell, error) {
	tag := bytes.Clone(e.takeTag())
	style := e.attrInt("s")
	for len(fresh) > 0 && fresh[0].column < column {
		e.writeCell(fresh[0], e.defaultStyle(fresh[0].column))
		fresh = fresh[1:]
	}
	bad := false
	if len(fresh) > 0 && fresh[0].column == column {
		c := fresh[0]
		fresh = fresh[1:]
		if c.result {
			if note.Number == e.header {
				e.write(tag) // a table's column may have the same spelling
				return fresh, e.copyTo(3)
			}
			e.writeCell(c, e.styles.styleFor(style, false))
			return fresh, e.discardTo(3)
		}
		bad = c.invalid
	}
	if now := e.styles.styleFor(style, bad); now != style {
		tag = withAttr(tag, "s", strconv.Itoa(now))
	}
	e.write(tag)
	return fresh, e.copyTo(3)
}

// defaultStyle returns the style of a cell that does not exist: that of its column.
func (e *sheetEditor) defaultStyle(column int) int {
	for _, s := range e.columnStyles {
		if column >= s.from && column <= s.to {
			return s.style
		}
	}
	return 0
}

// writeCell writes a new cell.
func (e *sheetEditor) writeCell(c newCell, style int) {
	if c.result && e.row == e.header {
		style = e.headingStyle
	}
	style = e.styles.styleFor(style, c.invalid)
	var b []byte
	b = fmt.Appendf(b, `<%sc r="%s"`, e.nsPrefix, Address(e.row, c.column))
	if style != 0 {
		b = fmt.Appendf(b, ` s="%d"`, style)
	}
	if c.text == "" {
		e.write(append(b, "/>"...))
		return
	}
	b = fmt.Appendf(b, ` t="inlineStr"><%sis><%st xml:space="preserve">`, e.nsPrefix, e.nsPrefix)
	b = appendText(b, c.text)
	e.write(fmt.Appendf(b, `</%st></%sis></%sc>`, e.nsPrefix, e.nsPrefix, e.nsPrefix))
}

// truncateCell returns a text that fits into a cell.
func truncateCell(s string) string {
	if len(s) <= maxCellChars {
		return s
	}
	return truncateText(s, maxCellChars-1) + "…"
}

// truncateText returns the start of s, of at most limit UTF-16 code units.
func truncateText(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
		if n > limit {
			return s[:i]
		}
	}
	return s
}
