package sheet

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// Column is one column of a sheet to be written.
type Column struct {
	Heading string
	// Kind is Text, Date or Bool. It is the format of the whole column, also for rows that a person adds. Each cell is
	// written by its own kind.
	Kind Kind
	// Width is in characters; 0 is wide enough for the heading.
	Width float64
	// Choices are offered as a drop-down list; other values can be typed too. A Bool always offers TRUE and FALSE.
	Choices []string
	// Hint is shown when a cell of the column is selected, instead of a list. It is cut at 255 characters.
	Hint string
}

// Export is a workbook to be written.
type Export struct {
	// Sheet is the name of the worksheet.
	Sheet string
	// Format is how days are shown.
	Format  DateFormat
	Columns []Column
	// ValidationRows is the minimum number of rows below the header that have the lists and hints.
	ValidationRows int
	// Rows gives the cells of each row in the order of Columns, made by TextCell, DateCell, BoolCell or Cell{}. The slice
	// may be used again for the next row. An error ends the writing.
	Rows iter.Seq2[[]Cell, error]
}

const (
	listsName = "Lists" // of the hidden sheet with the choices that are too long for a rule
	tableName = "Table1"
)

// Write writes the workbook: one worksheet with the header frozen and bold and a table with filters over it all. Texts
// are inert, whatever they look like, and come back from Data as they were (C49); a value longer than a cell holds is a
// CodeCellTooLong fault. It holds one row at a time. After an error, what w got is no workbook.
func Write(w io.Writer, e Export) error {
	if err := e.check(); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	// The fastest level: files get a tenth larger, and are written twice as fast.
	z.RegisterCompressor(zip.Deflate,
		func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	lists := e.choiceLists()
	for _, p := range e.fixedParts(lists) {
		if err := writePart(z, p.name, p.xml); err != nil {
			return err
		}
	}
	rows, err := e.writeSheet(z, lists)
	if err != nil {
		return err
	}
	if err := writePart(z, "xl/tables/table1.xml", e.table(rows)); err != nil {
		return err
	}
	if len(lists) > 0 {
		if err := writeLists(z, lists); err != nil {
			return err
		}
	}
	return z.Close()
}

// check returns an error for an Export that no workbook can be made of.
func (e Export) check() error {
	if e.Format.String() == "" {
		return errors.New("sheet: an export without a date format")
	}
	if n := utf16Length(e.Sheet); n < 1 || n > 31 || strings.ContainsAny(e.Sheet, `[]:*?/\`) ||
		strings.Trim(e.Sheet, "'") != e.Sheet ||
		strings.EqualFold(e.Sheet, listsName) {
		return fmt.Errorf("sheet: %q cannot be the name of a worksheet", e.Sheet)
	}
	if len(e.Columns) == 0 || len(e.Columns) > maxSheetColumns {
		return fmt.Errorf("sheet: an export of %d columns", len(e.Columns))
	}
	seen := make(map[string]bool)
	for _, c := range e.Columns {
		key := strings.ToLower(c.Heading)
		if Clean(c.Heading) == "" || utf16Length(c.Heading) > 255 || seen[key] ||
			strings.ContainsFunc(c.Heading, func(r rune) bool { return r < 0x20 }) {
			return fmt.Errorf("sheet: %q cannot be a heading, or is there twice", c.Heading)
		}
		seen[key] = true
		if c.Kind != Text && c.Kind != Date && c.Kind != Bool {
			return fmt.Errorf("sheet: column %q is of no kind that is written", c.Heading)
		}
	}
	return nil
}

// writePart writes a part whose text is complete.
func writePart(z *zip.Writer, name, xml string) error {
	w, err := z.Create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xmlHead+xml)
	return err
}

// writeSheet writes the worksheet (18.3.1.99), and returns how many rows it has, with the header.
func (e Export) writeSheet(z *zip.Writer, lists []choiceList) (int, error) {
	part, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(part, windowSize)
	w.WriteString(xmlHead + e.sheetHead()) //nolint:errcheck // bufio keeps the error for Flush
	letters := make([]string, len(e.Columns))
	header := make([]Cell, len(e.Columns))
	for i, c := range e.Columns {
		letters[i] = ColumnName(i + 1)
		header[i] = TextCell(c.Heading)
	}
	line, err := appendRow(nil, 1, letters, header, func(Cell) int { return styleHeader })
	if err != nil {
		return 0, err
	}
	w.Write(line) //nolint:errcheck // as above
	rows := 1
	var shown []Cell
	for cells, err := range e.Rows {
		if err != nil {
			return 0, err
		}
		if rows++; len(cells) > len(e.Columns) || rows > maxSheetRows {
			return 0, fmt.Errorf("sheet: row %d of an export has %d cells for %d columns", rows, len(cells), len(e.Columns))
		}
		shown = e.storableCells(shown[:0], cells)
		if line, err = appendRow(line[:0], rows, letters, shown, styleOf); err != nil {
			return 0, err
		}
		if _, err = w.Write(line); err != nil {
			return 0, err
		}
	}
	w.WriteString(e.sheetTail(lists, rows)) //nolint:errcheck // as above
	return rows, w.Flush()
}

// storableCells appends the cells to dst, with days as text that have no serial number in a workbook.
func (e Export) storableCells(dst, cells []Cell) []Cell {
	for _, c := range cells {
		if c.Kind == Date {
			if _, ok := daySerial(c.Date); !ok {
				c = TextCell(e.Format.Format(c.Date))
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// styleOf returns the style of a cell.
func styleOf(c Cell) int {
	switch c.Kind {
	case Date:
		return styleDate
	case Text:
		if runsAsFormula(c.Text) {
			return styleQuoted
		}
		return styleText
	default:
		return styleGeneral
	}
}

// runsAsFormula reports whether a spreadsheet would take the text as a formula if it were typed or pasted (C49).
func runsAsFormula(s string) bool {
	return s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) ||
		strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") || strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠")
}

// appendRow appends a row element. Texts are inline: each stands once, where it is needed, and none is kept.
func appendRow(dst []byte, number int, letters []string, cells []Cell, style func(Cell) int) ([]byte, error) {
	dst = append(dst, `<row r="`...)
	dst = strconv.AppendInt(dst, int64(number), 10)
	dst = append(dst, `">`...)
	for i, c := range cells {
		if c.Kind == Blank {
			continue
		}
		dst = append(dst, `<c r="`...)
		dst = append(dst, letters[i]...)
		dst = strconv.AppendInt(dst, int64(number), 10)
		if s := style(c); s != styleGeneral {
			dst = append(dst, `" s="`...)
			dst = strconv.AppendInt(dst, int64(s), 10)
		}
		switch c.Kind {
		case Date:
			serial, _ := daySerial(c.Date)
			dst = append(dst, `"><v>`...)
			dst = strconv.AppendInt(dst, int64(serial), 10)
			dst = append(dst, `</v></c>`...)
		case Bool:
			dst = append(dst, `" t="b"><v>`...)
			if c.True {
				dst = append(dst, `1</v></c>`...)
			} else {
				dst = append(dst, `0</v></c>`...)
			}
		case Text:
			if len(c.Text) > maxCellChars && utf16Length(c.Text) > maxCellChars {
				return nil, cellTooLong(letters[i]+strconv.Itoa(number), maxCellChars)
			}
			dst = append(dst, `" t="inlineStr"><is><t`...)
			if strings.TrimSpace(c.Text) != c.Text {
				dst = append(dst, ` xml:space="preserve"`...)
			}
			dst = append(dst, '>')
			dst = appendText(dst, c.Text)
			dst = append(dst, `</t></is></c>`...)
		default:
			return nil, fmt.Errorf("sheet: a cell of kind %d cannot be written", c.Kind)
		}
	}
	return append(dst, `</row>`...), nil
}
