package sheet

import (
	"errors"
	"iter"
	"slices"

	"useraccounts/internal/fault"
)

// Header returns the first row that is not blank: the headings. A sheet without such a row is a CodeNoHeader fault. It
// reads no further than that row.
func (w *Workbook) Header() (Row, error) {
	for row, err := range w.rows() {
		return row, err
	}
	return Row{}, w.noHeader()
}

// noHeader is the fault for a sheet without a row that is not blank.
func (w *Workbook) noHeader() error {
	return fault.New(fault.Invalid, CodeNoHeader,
		"The worksheet %s is empty. Its first row must contain the headings. If your rows are on another sheet, move that "+
			"sheet to the first position.", quote(w.sheet))
}

// Data returns the rows below the header, without blank ones; each call is a pass of its own. An error ends it: a
// CodeTooManyRows fault instead of row maxRows+1, so that no more rows are unpacked; CodeNoHeader for an empty sheet;
// another fault for anything that cannot be read. Damage may be found as late as the end of the file, so the rows are
// only valid once the loop has ended without an error.
func (w *Workbook) Data(maxRows int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		n := -1 // the header does not count
		for row, err := range w.rows() {
			if n++; n > maxRows && err == nil {
				row, err = Row{}, tooManyRows(maxRows)
			}
			if n == 0 && err == nil {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
		if n < 0 {
			yield(Row{}, w.noHeader())
		}
	}
}

// Count returns the number of rows of Data(maxRows), in a pass of its own; its errors are those of Data.
func (w *Workbook) Count(maxRows int) (int, error) {
	n := 0
	for _, err := range w.Data(maxRows) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// rows returns the rows that are not blank, in order, or an error at the end.
func (w *Workbook) rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		p := &pass{w: w}
		err := p.run(func(r Row) bool { return yield(r, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(Row{}, err)
		}
	}
}

// errStopped is how a pass ends when no more rows are wanted.
var errStopped = errors.New("no more rows wanted")

// pass is one reading of the worksheet.
type pass struct {
	w        *Workbook
	s        *scanner
	unpacked int64  // bytes unpacked
	row      int    // number of the row that is read
	hidden   bool   // the row is hidden
	cells    []Cell // its cells so far
	value    []byte // scratch
}

// run calls yield for each row that is not blank.
func (p *pass) run(yield func(Row) bool) error {
	r, err := p.w.archive.open(p.w.part, &p.unpacked)
	if err != nil {
		return err
	}
	if p.s, err = newScanner(r, p.w.limits.Depth); err == nil {
		err = p.s.root(nsMain, "worksheet")
	}
	for found := false; err == nil && !found; {
		var tok token
		if tok, err = p.s.next(); err != nil || tok == tokenEnd {
			break
		}
		if tok == tokenStart {
			if found = p.s.ns == nsMain && string(p.s.name) == "sheetData"; found {
				err = p.s.each(nsMain, func() error { return p.readRow(yield) })
			} else {
				err = p.s.skipTo(1)
			}
		}
	}
	if err == nil {
		err = r.drain()
	}
	if err == nil {
		err = p.w.strings.check()
	}
	switch {
	case errors.Is(err, errStopped):
		return err
	case errors.Is(err, errTextLong):
		return cellTooLong(Address(p.row, len(p.cells)+1), p.w.limits.CellChars)
	}
	return partFault(p.w.part, err)
}

// readRow reads the row element that has just started (18.3.1.73), and yields the row if it is not blank.
func (p *pass) readRow(yield func(Row) bool) error {
	s := p.s
	if string(s.name) != "row" {
		return nil
	}
	number := p.row + 1
	if r, ok := s.attr("r"); ok {
		// Rows must be in order, as Excel writes and requires them; that also bounds their number.
		n, isNumber := parseDigits(string(r[:min(len(r), 8)]), 1, 7)
		if !isNumber || n < number {
			return corrupt("row %q after row %d", r, p.row)
		}
		number = n
	}
	if number > maxSheetRows {
		return corrupt("row %d", number)
	}
	p.row = number
	hidden, _ := s.attr("hidden")
	p.hidden = isXMLTrue(hidden)
	p.cells = p.cells[:0]
	column := 0
	for {
		tok, err := s.next()
		if err != nil {
			return err
		}
		switch {
		case tok == tokenEnd:
			return p.endRow(yield)
		case tok != tokenStart:
		case s.ns != nsMain || string(s.name) != "c":
			if err := s.skipTo(s.depth() - 1); err != nil {
				return err
			}
		default:
			if column, err = p.readCell(column); err != nil {
				return err
			}
		}
	}
}

// endRow yields the row if it is not blank.
func (p *pass) endRow(yield func(Row) bool) error {
	if !slices.ContainsFunc(p.cells, func(c Cell) bool { return !c.IsBlank() }) {
		return nil
	}
	if !yield(Row{Number: p.row, Hidden: p.hidden, Cells: slices.Clone(p.cells)}) {
		return errStopped
	}
	return nil
}

// readCell reads the c element that has just started (18.3.1.4), and returns its column; last is that of the one
// before.
func (p *pass) readCell(last int) (int, error) {
	column := last + 1
	if r, ok := p.s.attr("r"); ok {
		c, row := parseAddress(r)
		if c < column || row != p.row {
			return 0, corrupt("cell %q in row %d after column %d", r, p.row, last)
		}
		column = c
	}
	if column > maxSheetColumns {
		return 0, corrupt("column %d", column)
	}
	cell, err := p.readValue()
	if errors.Is(err, errTextLong) {
		return 0, cellTooLong(Address(p.row, column), p.w.limits.CellChars)
	}
	if err != nil {
		return 0, err
	}
	cell.Row, cell.Column = p.row, column
	switch {
	case cell.Kind == Blank:
		return column, nil
	case column > p.w.limits.Columns:
		if cell.IsBlank() {
			return column, nil
		}
		return 0, tooManyColumns(cell.Address(), p.w.limits.Columns)
	}
	for c := len(p.cells) + 1; c < column; c++ {
		p.cells = append(p.cells, Cell{Row: p.row, Column: c})
	}
	p.cells = append(p.cells, cell)
	return column, nil
}

// parseAddress returns the column and row of an address such as C7; zeros when it is none.
func parseAddress(b []byte) (column, row int) {
	i := 0
	for ; i < len(b) && i < 4 && b[i] >= 'A' && b[i] <= 'Z'; i++ {
		column = column*26 + int(b[i]-'A') + 1
	}
	if len(b)-i > 7 || column > maxSheetColumns {
		return 0, 0
	}
	for _, c := range b[i:] {
		if c < '0' || c > '9' {
			return 0, 0
		}
		row = row*10 + int(c-'0')
	}
	if column == 0 || row == 0 {
		return 0, 0
	}
	return column, row
}
