package sheet

import (
	"strconv"
	"strings"
	"time"

	"useraccounts/internal/fault"
)

// Kind says what a cell holds.
type Kind uint8

// The kinds of cell.
const (
	Blank               Kind = iota // nothing; a cell of white space is Text, see Cell.IsBlank
	Text                            // a text, as it is stored
	Number                          // a number that is not shown as a date
	Bool                            // TRUE or FALSE
	Date                            // a number that the sheet shows as a date
	ErrorValue                      // an error value such as #N/A; Text holds it
	FormulaWithoutValue             // a formula whose value is not stored in the file
)

// Cell is one cell, as it was read or is to be written.
type Cell struct {
	// Row and Column are where it was read, both from 1; zero in a cell to be written.
	Row, Column int
	Kind        Kind
	// True is the value of a Bool.
	True bool
	// Text is the value as text: a Text as stored, a Number as Excel shows it under the format General, a Bool as TRUE or
	// FALSE, a Date as yyyy-MM-dd, an ErrorValue as it is.
	Text string
	// Date is the value of a Date: midnight UTC. TimeDropped says that the sheet has a time of day too.
	Date        time.Time
	TimeDropped bool
}

// TextCell returns a cell to be written that holds a text; the empty text is a blank cell.
func TextCell(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{Kind: Text, Text: s}
}

// DateCell returns a cell to be written that holds the day of t in t's own zone; the zero time is a blank cell.
func DateCell(t time.Time) Cell {
	if t.IsZero() {
		return Cell{}
	}
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return Cell{Kind: Date, Date: day, Text: day.Format(time.DateOnly)}
}

// BoolCell returns a cell to be written that holds TRUE or FALSE.
func BoolCell(b bool) Cell {
	if b {
		return Cell{Kind: Bool, True: true, Text: "TRUE"}
	}
	return Cell{Kind: Bool, Text: "FALSE"}
}

// IsBlank reports whether the cell holds nothing, or white space only.
func (c Cell) IsBlank() bool {
	return c.Kind == Blank || c.Kind == Text && Clean(c.Text) == ""
}

// Address returns where the cell is, as "C7".
func (c Cell) Address() string { return Address(c.Row, c.Column) }

// AsText returns the cell as a cleaned text; "" for a blank one. It returns a field without a name when the cell holds
// an error value, a formula without a value, or what a spreadsheet makes of a text that it takes for something else: a
// date, TRUE or FALSE, a number that lost digits.
func (c Cell) AsText() (string, *fault.Field) {
	if f := c.textFault(); f != nil {
		return "", f
	}
	return Clean(c.Text), nil
}

// AsCodes returns the codes in the cell (SplitCodes). It fails as AsText does.
func (c Cell) AsCodes() ([]string, *fault.Field) {
	if f := c.textFault(); f != nil {
		return nil, f
	}
	return SplitCodes(c.Text), nil
}

// AsBool returns the cell as yes or no: a Bool, or TRUE/FALSE, YES/NO, Y/N or 1/0 in any case. Ask IsBlank first: a
// blank cell is no. For anything else it returns a field without a name.
func (c Cell) AsBool() (bool, *fault.Field) {
	if f := c.valueFault(); f != nil {
		return false, f
	}
	switch strings.ToUpper(Clean(c.Text)) {
	case "TRUE", "YES", "Y", "1":
		return true, nil
	case "FALSE", "NO", "N", "0", "":
		return false, nil
	}
	return false, c.fieldFault("yesNo", "%s is neither yes nor no. Enter TRUE or FALSE.", quote(c.Text))
}

// AsDate returns the cell as a day (midnight UTC): a Date whatever the format, a Text as the format says and in no
// other way. A blank cell is the zero time. For anything else, a Number too, it returns a field without a name.
func (c Cell) AsDate(format DateFormat) (time.Time, *fault.Field) {
	if f := c.valueFault(); f != nil {
		return time.Time{}, f
	}
	switch {
	case c.Kind == Date:
		return c.Date, nil
	case c.IsBlank():
		return time.Time{}, nil
	case c.Kind == Number:
		return time.Time{}, c.fieldFault("date",
			"%s is a number, not a date. Format the cell as a date, or enter a date such as %s.", quote(c.Text),
			format.Example())
	}
	day, err := format.Parse(Clean(c.Text))
	if err != nil {
		return time.Time{}, c.fieldFault("date", "%s is not a date in the chosen %s format %s. Enter it as in %s.",
			quote(c.Text), format.Title(), format.Pattern(), format.Example())
	}
	return day, nil
}

// valueFault returns why the cell has no value, or nil.
func (c Cell) valueFault() *fault.Field {
	switch c.Kind {
	case ErrorValue:
		return c.fieldFault("cellError", "contains the error %s. Enter a value in its place.", quote(c.Text))
	case FormulaWithoutValue:
		return c.fieldFault("formulaWithoutValue", "contains a formula whose result is not stored in the file. "+
			"Open the file in Excel, save it and upload it again, or replace the formula with its value.")
	default:
		return nil
	}
}

// textFault returns why the cell cannot be what was typed as a text, or nil.
func (c Cell) textFault() *fault.Field {
	const again = "Format the cell as text and type the value again."
	switch {
	case c.Kind == Date:
		return c.fieldFault("dateForText", "contains the date %s. A spreadsheet turns texts such as mar1 or 1-3 into dates. "+
			again, c.Text)
	case c.Kind == Bool:
		return c.fieldFault("boolForText", "contains the value %s. A spreadsheet turns the text true or false into it. "+
			again, c.Text)
	case c.Kind == Number && lostDigits(c.Text):
		return c.fieldFault("numberForText", "contains the number %s, of which a spreadsheet keeps 15 digits at most. "+
			again, c.Text)
	case c.Kind == Text && isScientific(Clean(c.Text)):
		return c.fieldFault("numberForText", "contains %s: a number that lost digits when it was shortened. "+again,
			quote(c.Text))
	}
	return c.valueFault()
}

// lostDigits reports whether a number, as numberText returns it, has more digits than a spreadsheet keeps (15), or an
// exponent.
func lostDigits(text string) bool {
	whole, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return strings.Contains(text, "E") || len(strings.TrimLeft(whole, "0")) > 15
}

// isScientific reports whether a text is a number as spreadsheets shorten it: 1.23E+12.
func isScientific(text string) bool {
	mantissa, exponent, found := strings.Cut(strings.TrimPrefix(text, "-"), "E+")
	first, decimals, _ := strings.Cut(mantissa, ".")
	return found && len(first) == 1 && len(exponent) >= 2 && strings.Trim(first+decimals+exponent, "0123456789") == ""
}

// Row is one row of the sheet.
type Row struct {
	// Number is the row's number as Excel shows it, from 1.
	Number int
	// Hidden says that a filter or a person has hidden the row.
	Hidden bool
	// Cells holds the cells from column A on, with no blank ones at the end. Each knows its address, blank ones too.
	Cells []Cell
}

// Cell returns the cell in a column, counted from 1; a blank one right of the last.
func (r Row) Cell(column int) Cell {
	if column >= 1 && column <= len(r.Cells) {
		return r.Cells[column-1]
	}
	return Cell{Row: r.Number, Column: column}
}

// Address returns the address of a cell, as "C7", from its row and column, both counted from 1.
func Address(row, column int) string { return ColumnName(column) + strconv.Itoa(row) }

// ParseAddress returns the column and the row of an address, and whether it is one.
func ParseAddress(address string) (column, row int, ok bool) {
	column, row = parseAddress([]byte(address))
	return column, row, column > 0
}

// ColumnName returns the letters of a column counted from 1: "A", "AJ". It returns "?" for a number that is none.
func ColumnName(column int) string {
	if column < 1 || column > maxSheetColumns {
		return "?"
	}
	var letters [3]byte
	i := len(letters)
	for ; column > 0; column = (column - 1) / 26 {
		i--
		letters[i] = byte('A' + (column-1)%26)
	}
	return string(letters[i:])
}
