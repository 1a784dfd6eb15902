package sheet

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"useraccounts/internal/fault"
)

// Heading is a column that a sheet may have.
type Heading struct {
	Name string
	// Required says that the sheet must have the column.
	Required bool
}

// The headings of the columns that Mark adds. In a sheet they are accepted and ignored.
const (
	HeadingResult = "Result"
	HeadingErrors = "Errors"
)

// Headings maps the wanted headings to the columns of a sheet. The zero value has none.
type Headings struct {
	columns       []int        // the column of each wanted heading, from 1; 0 for none
	hasHeading    map[int]bool // the columns with a heading
	resultColumns map[int]bool // those of them that Mark added
	invalid       []CellMark
}

// InvalidCells returns the marks of the invalid cells of the header row.
func (h Headings) InvalidCells() []CellMark { return h.invalid }

// MatchHeadings finds the wanted headings in the header row, in any order and without regard to case and white space.
// It returns a field for each heading that is unknown (with the most similar known one), duplicate, missing or not a
// text. With any of these the sheet must not be read.
func MatchHeadings(header Row, want []Heading) (Headings, []fault.Field) {
	h := Headings{columns: make([]int, len(want)), hasHeading: make(map[int]bool), resultColumns: make(map[int]bool)}
	places := make(map[string]int, len(want)+2)
	for i, w := range want {
		places[foldHeading(w.Name)] = i
	}
	var wrong []fault.Field
	var unknown []Cell
	for _, cell := range header.Cells {
		text, f := cell.AsText()
		folded := foldHeading(text)
		if f != nil {
			f.Field = cell.Address()
			wrong = append(wrong, *f)
			h.invalid = append(h.invalid, CellMark{cell.Column, strings.TrimPrefix(f.Message, f.Field+" ")})
			folded = ""
		}
		i, ok := places[folded]
		switch {
		case f == nil && folded == "":
			continue
		case ok && h.columns[i] != 0:
			wrong = append(wrong, fault.Field{Field: want[i].Name, Code: "doubledHeading", Message: fmt.Sprintf(
				"Both column %s and column %s have the heading %q. Remove one of them.",
				ColumnName(h.columns[i]), ColumnName(cell.Column), want[i].Name)})
			h.invalid = append(h.invalid, CellMark{cell.Column, wrong[len(wrong)-1].Message})
		case ok:
			h.columns[i] = cell.Column
		case f == nil && (folded == foldHeading(HeadingResult) || folded == foldHeading(HeadingErrors)):
			h.resultColumns[cell.Column] = true
		case f == nil:
			unknown = append(unknown, cell)
		}
		h.hasHeading[cell.Column] = true
	}
	for _, cell := range unknown {
		wrong = append(wrong, h.unknownHeading(cell, want))
		h.invalid = append(h.invalid,
			CellMark{cell.Column, strings.TrimPrefix(wrong[len(wrong)-1].Message, cell.Address()+": ")})
	}
	for i, w := range want {
		if w.Required && h.columns[i] == 0 {
			wrong = append(wrong, fault.Field{Field: w.Name, Code: "missingHeading",
				Message: fmt.Sprintf("The column %q is missing; add it, with this heading in row %d.", w.Name, header.Number)})
		}
	}
	return h, wrong
}

// unknownHeading returns the field for an unknown heading, with the most similar wanted one. Of two equally similar
// ones it names the one that the sheet does not have.
func (h Headings) unknownHeading(cell Cell, want []Heading) fault.Field {
	const absentFirst = 1 // in half steps, so it only decides between equals
	given := []rune(foldHeading(cell.Text))
	given = given[:min(len(given), maxQuoted)]
	best, name := 0, ""
	for i, w := range want {
		known := []rune(foldHeading(w.Name))
		d := distance(given, known)
		if d > max(2, len(known)/3) {
			continue
		}
		score := 2 * d
		if h.columns[i] != 0 {
			score += absentFirst
		}
		if name == "" || score < best {
			best, name = score, w.Name
		}
	}
	f := fault.Field{Field: strings.Trim(quote(cell.Text), `"`), Code: "unknownHeading"}
	f.Message = fmt.Sprintf("%s: %s is not the heading of a column that is known here", cell.Address(), quote(cell.Text))
	if name != "" {
		f.Message += fmt.Sprintf("; did you mean %q?", name)
	} else {
		f.Message += "; correct it, or remove the column."
	}
	return f
}

// Present reports whether the sheet has the i-th of the wanted headings.
func (h Headings) Present(i int) bool { return i >= 0 && i < len(h.columns) && h.columns[i] != 0 }

// Column returns the column of the i-th of the wanted headings, from 1; 0 when the sheet has none.
func (h Headings) Column(i int) int {
	if !h.Present(i) {
		return 0
	}
	return h.columns[i]
}

// Cell returns the cell of the row under the i-th of the wanted headings; a blank one when the sheet has none.
func (h Headings) Cell(row Row, i int) Cell {
	if !h.Present(i) {
		return Cell{Row: row.Number}
	}
	return row.Cell(h.columns[i])
}

// IsEmpty reports whether the row has no values but those that Mark wrote: a person emptied it in a result sheet.
func (h Headings) IsEmpty(row Row) bool {
	return !slices.ContainsFunc(row.Cells, func(c Cell) bool { return !h.resultColumns[c.Column] && !c.IsBlank() })
}

// ValueWithoutHeading returns a field for the first value of the row in a column without a heading, or nil. Without an
// error such a value would be lost silently.
func (h Headings) ValueWithoutHeading(row Row) *fault.Field {
	for _, c := range row.Cells {
		if !h.hasHeading[c.Column] && !c.IsBlank() {
			f := c.fieldFault("blankHeading",
				"contains a value, but column %s has no heading. Add a heading, or remove the value.",
				ColumnName(c.Column))
			f.Field = ColumnName(c.Column)
			return f
		}
	}
	return nil
}

// foldHeading returns a heading for comparison: in lower case, without white space and invisible characters.
func foldHeading(s string) string {
	return strings.Map(func(r rune) rune {
		if isSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// distance returns the edit distance of a and b (optimal string alignment): the number of letters to insert, delete,
// replace or swap with their neighbour.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i, x := range a {
		row[0] = i + 1
		for j, y := range b {
			cost := 1
			if x == y {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x == b[j-1] && a[i-1] == y {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
