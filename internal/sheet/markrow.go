package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// beforeWhich are the elements of a worksheet that come after legacyDrawing (18.3.1.99), or may.
var beforeWhich = []string{
	"legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst", "AlternateContent",
}

// sheetEdit is the worksheet on its way back.
type sheetEdit struct {
	*editor
	*marking
	prefixed string // the prefix of the worksheet's elements
	sheetEnd bool   // the rows are behind
	columns  bool   // there is a cols element
	wide     int    // the last column that it tells of
	defaults []span // of styles of columns
	drawn    bool   // there is a legacyDrawing
	row      int
}

// span is a run of columns with a style.
type span struct{ from, to, style int }

// run copies the worksheet with its rows marked.
func (e *sheetEdit) run() error {
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEOF:
			e.write(e.raw)
			return e.err
		case tok == tokenStart && e.depth() == 1:
			e.prefixed = e.prefix()
			e.write(e.raw)
		case tok == tokenStart && e.depth() == 2:
			err = e.part()
		case tok == tokenEnd && e.depth() == 0:
			end := e.before()
			e.draw()
			e.write(end)
		default:
			e.write(e.raw)
		}
		if err != nil {
			return err
		}
	}
}

// part copies an element of the worksheet, whose start was just read.
func (e *sheetEdit) part() error {
	name := string(e.name)
	main := e.ns == nsMain
	switch {
	case main && name == "dimension":
		e.write(e.dimension(e.before()))
		return e.copyTo(1)
	case main && name == "cols":
		return e.cols()
	case main && name == "sheetData":
		tag := e.before()
		if !e.columns {
			e.writeString("<" + e.prefixed + "cols>" + e.newColumns() + "</" + e.prefixed + "cols>")
		}
		e.write(tag)
		return e.rows()
	case main && name == "legacyDrawing":
		e.drawn = true
		if id := e.attrIn(nsOffice, "id"); e.notes != nil {
			e.notes.drawing = id
		}
	case e.sheetEnd && slices.Contains(beforeWhich, name):
		tag := bytes.Clone(e.before())
		e.draw()
		e.write(tag)
		return e.copyTo(1)
	}
	e.write(e.raw)
	return e.copyTo(1)
}

// draw writes the element that leads to the notes, if there is none.
func (e *sheetEdit) draw() {
	if e.drawn || e.notes == nil {
		return
	}
	e.drawn = true
	fmt.Fprintf(e.out, `<%slegacyDrawing xmlns:r="%s" r:id="%s"/>`, e.prefixed, officeRels, newDrawingID) //nolint:errcheck // the next write tells
}

// dimension returns the tag that says how far the sheet goes, with the columns of results in it.
func (e *sheetEdit) dimension(tag []byte) []byte {
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

// cols copies the widths of columns, and adds those of results.
func (e *sheetEdit) cols() error {
	e.columns = true
	e.write(e.raw)
	for {
		tok, err := e.read()
		if err != nil {
			return err
		}
		if tok == tokenEnd && e.depth() == 1 {
			end := e.before()
			if e.wide < e.result {
				e.writeString(e.newColumns())
			}
			e.write(end)
			return e.err
		}
		if tok == tokenStart && string(e.name) == "col" {
			s := span{e.attrInt("min"), e.attrInt("max"), e.attrInt("style")}
			e.wide = max(e.wide, s.to)
			if s.style != 0 {
				e.defaults = append(e.defaults, s)
			}
		}
		e.write(e.raw)
	}
}

func (e *sheetEdit) newColumns() string {
	if e.result == 0 {
		return fmt.Sprintf(`<%scol min="1" max="1" width="20" customWidth="1"/>`, e.prefixed)
	}
	return fmt.Sprintf(`<%scol min="%d" max="%d" width="12" customWidth="1"/><%scol min="%d" max="%d" width="70" customWidth="1"/>`,
		e.prefixed, e.result, e.result, e.prefixed, e.errors, e.errors)
}

// rows copies the rows.
func (e *sheetEdit) rows() error {
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEnd && e.depth() == 1:
			e.sheetEnd = true
			e.write(e.raw)
			return e.err
		case tok == tokenStart && e.ns == nsMain && string(e.name) == "row":
			if err := e.oneRow(); err != nil {
				return err
			}
		default:
			e.write(e.raw)
		}
	}
}

// oneRow copies the row whose start was just read.
func (e *sheetEdit) oneRow() error {
	e.row++
	if r, ok := e.attr("r"); ok {
		e.row, _ = strconv.Atoi(string(r))
	}
	note, wanted := e.byRow[e.row]
	if !wanted {
		e.write(e.raw)
		return e.copyTo(2)
	}
	e.write(withAttr(e.before(), "spans", "")) // only a hint, and no longer right
	fresh := e.fresh(note)
	column := 0
	for {
		tok, err := e.read()
		switch {
		case err != nil:
			return err
		case tok == tokenEnd && e.depth() == 2:
			end := bytes.Clone(e.before())
			for _, c := range fresh {
				e.cell(c, e.defaultStyle(c.column))
			}
			e.write(end)
			return e.err
		case tok == tokenStart && e.ns == nsMain && string(e.name) == "c":
			column++
			if r, ok := e.attr("r"); ok {
				column, _ = parseAddress(r)
			}
			if fresh, err = e.oneCell(note, fresh, column); err != nil {
				return err
			}
		default:
			e.write(e.raw)
		}
	}
}

// newCell is a cell to be written: one of the results, or a blank one to be marked.
type newCell struct {
	column int
	text   string
	own    bool // of the columns that are added
	bad    bool
}

// fresh returns the cells that a row is to have besides those it has, in order; a cell that it has is taken off later.
func (m *marking) fresh(note RowMark) []newCell {
	var out []newCell
	if m.result > 0 {
		out = append(out, newCell{column: m.result, text: note.Result, own: true}, newCell{column: m.errors, text: clipCell(note.Errors), own: true})
	}
	for _, c := range note.Cells {
		if c.Column != m.result && c.Column != m.errors {
			out = append(out, newCell{column: c.Column, bad: true})
		}
	}
	slices.SortStableFunc(out, func(a, b newCell) int { return a.column - b.column })
	return slices.CompactFunc(out, func(a, b newCell) bool { return a.column == b.column })
}

// oneCell copies the cell whose start was just read, after the new ones that stand before it.
func (e *sheetEdit) oneCell(note RowMark, fresh []newCell, column int) ([]newCell, error) {
	tag := bytes.Clone(e.before())
	style := e.attrInt("s")
	for len(fresh) > 0 && fresh[0].column < column {
		e.cell(fresh[0], e.defaultStyle(fresh[0].column))
		fresh = fresh[1:]
	}
	bad := false
	if len(fresh) > 0 && fresh[0].column == column {
		c := fresh[0]
		fresh = fresh[1:]
		if c.own {
			if note.Number == e.header {
				e.write(tag) // its spelling may be that of a table's column
				return fresh, e.copyTo(3)
			}
			e.cell(c, e.styles.of(style, false))
			return fresh, e.dropTo(3)
		}
		bad = c.bad
	}
	if now := e.styles.of(style, bad); now != style {
		tag = withAttr(tag, "s", strconv.Itoa(now))
	}
	e.write(tag)
	return fresh, e.copyTo(3)
}

// defaultStyle is the style of a cell that is not there: that of its column.
func (e *sheetEdit) defaultStyle(column int) int {
	for _, s := range e.defaults {
		if column >= s.from && column <= s.to {
			return s.style
		}
	}
	return 0
}

// cell writes a new cell.
func (e *sheetEdit) cell(c newCell, style int) {
	if c.own && e.row == e.header {
		style = e.headStyle
	}
	style = e.styles.of(style, c.bad)
	var b []byte
	b = fmt.Appendf(b, `<%sc r="%s"`, e.prefixed, Address(e.row, c.column))
	if style != 0 {
		b = fmt.Appendf(b, ` s="%d"`, style)
	}
	if c.text == "" {
		e.write(append(b, "/>"...))
		return
	}
	b = fmt.Appendf(b, ` t="inlineStr"><%sis><%st xml:space="preserve">`, e.prefixed, e.prefixed)
	b = appendText(b, c.text)
	e.write(fmt.Appendf(b, `</%st></%sis></%sc>`, e.prefixed, e.prefixed, e.prefixed))
}

// clipCell returns a text no longer than a cell holds.
func clipCell(s string) string {
	if len(s) <= maxCellChars {
		return s
	}
	return clipText(s, maxCellChars-1) + "…"
}

// clipText returns the first runes of s that have no more than so many UTF-16 code units.
func clipText(s string, most int) string {
	n := 0
	for i, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
		if n > most {
			return s[:i]
		}
	}
	return s
}
