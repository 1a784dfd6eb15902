package transfer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/sheet"
)

// rowReader turns rows of one sheet into lines.
type rowReader struct {
	columns    []column
	headings   sheet.Headings
	dateFormat sheet.DateFormat
}

// rowInput is one data row as read: what it asks for, and what could not be read.
type rowInput struct {
	number   int
	username string
	patch    field.Patch
	// resourcePatch is what it asks of the account's resource, create that there be one.
	resourcePatch  field.Patch
	createResource bool
	// errors and resourceErrors are the cells that could not be read; the latter count only where the resource's columns
	// do.
	errors, resourceErrors []fault.Field
	// numberTyped are the columns of text whose cell holds a number.
	numberTyped []string
	// unreadable are the texts of the cells that could not be read, by heading.
	unreadable map[string]string
}

// resourceCode is the code of the resource that the row names, "" for none.
func (l rowInput) resourceCode() string {
	code, _ := l.resourcePatch["code"].(string)
	return code
}

// read turns a row into patches: a blank cell or an absent column gives nothing, the clear word empties the field.
func (r rowReader) read(row sheet.Row) rowInput {
	out := rowInput{number: row.Number, patch: field.Patch{}, resourcePatch: field.Patch{}}
	if f := r.headings.ValueWithoutHeading(row); f != nil {
		out.errors = append(out.errors, *f)
	}
	for i, c := range r.columns {
		if !r.headings.Present(i) {
			continue
		}
		cell := r.headings.Cell(row, i)
		if cell.IsBlank() {
			continue
		}
		patch, bad, name := out.patch, &out.errors, c.accountField
		switch {
		case c.heading == createResourceHeading:
			r.createResource(&out, cell)
			continue
		case c.resourceField != "":
			patch, bad, name = out.resourcePatch, &out.resourceErrors, c.resourceField
		case c.accountField == "":
			continue
		}
		value, f := r.value(c, cell)
		if f != nil {
			f.Field = c.heading
			*bad = append(*bad, *f)
			out.keepText(c.heading, cell)
			continue
		}
		if codes, ok := value.([]string); ok && len(codes) == 0 {
			continue // separators only: as good as blank, and no order to take everything away
		}
		if c.kind == sheet.Text && cell.Kind == sheet.Number {
			out.numberTyped = append(out.numberTyped, c.heading)
		}
		patch[name] = value
	}
	out.username, _ = out.patch["username"].(string)
	if out.username == "" &&
		!slices.ContainsFunc(out.errors, func(f fault.Field) bool { return f.Field == usernameHeading }) {
		out.errors = append(out.errors,
			fault.Field{Field: usernameHeading, Code: "required", Message: "Every row needs a Username."})
	}
	return out
}

func (r rowReader) createResource(out *rowInput, cell sheet.Cell) {
	create, f := cell.AsBool()
	if clearDepth(sheet.Clean(cell.Text)) == 1 {
		return // as good as blank
	}
	if f != nil {
		f.Field = createResourceHeading
		out.errors = append(out.errors, *f)
		out.keepText(createResourceHeading, cell)
	}
	out.createResource = create
}

// keepText keeps the text of a cell that could not be read, to be shown with what is wrong.
func (l *rowInput) keepText(heading string, cell sheet.Cell) {
	if l.unreadable == nil {
		l.unreadable = map[string]string{}
	}
	l.unreadable[heading] = cell.Text
}

func (r rowReader) value(c column, cell sheet.Cell) (any, *fault.Field) {
	if cell.Kind == sheet.Text && clearDepth(sheet.Clean(cell.Text)) == 1 {
		return nil, nil
	}
	switch {
	case c.kind == sheet.Text && cell.Kind == sheet.Number && strings.ContainsAny(cell.Text, "Ee"):
		return nil, &fault.Field{Code: "numberForText", Message: cell.Address() + " holds the number " + cell.Text +
			", of which Excel keeps no more than 15 digits; format the cell as text and type the value again."}
	case c.codes:
		return cellValue(cell.AsCodes())
	case c.kind == sheet.Date:
		day, f := cell.AsDate(r.dateFormat)
		if f != nil {
			return nil, f
		}
		return field.DateOf(day), nil
	case c.kind == sheet.Bool:
		return cellValue(cell.AsBool())
	}
	text, f := cell.AsText()
	if f != nil {
		return nil, f
	}
	return unescapeClear(text), nil
}

func cellValue[T any](v T, f *fault.Field) (any, *fault.Field) { return v, f }

// rowError returns the error of a line's column with its cell and the value in it.
func (r rowReader) rowError(l *rowInput, f fault.Field) RowError {
	out := RowError{Field: f.Field, Code: f.Code, Message: f.Message}
	i := slices.IndexFunc(r.columns, func(c column) bool { return c.heading == f.Field })
	if i < 0 || !r.headings.Present(i) {
		if f.Code == "blankHeading" {
			out.Cell = f.Field + strconv.Itoa(l.number) // the letters of the column
		}
		return out
	}
	out.Cell = sheet.Address(l.number, r.headings.Column(i))
	c := r.columns[i]
	value, given := l.patch[c.accountField]
	if c.resourceField != "" {
		value, given = l.resourcePatch[c.resourceField]
	}
	if given {
		out.Value = excerpt(r.format(c, value))
	}
	if given && value == nil {
		out.Value = clearWord
	}
	if text, unread := l.unreadable[f.Field]; unread {
		out.Value = excerpt(text)
	}
	if slices.Contains(l.numberTyped, f.Field) && (f.Code == "unknownCode" || f.Code == "mobileNumber") {
		out.Message += " The cell holds a number, which keeps no leading zeros and no +: format it as text and type the " +
			"value again."
	}
	return out
}

// format returns a value as the sheet says it.
func (r rowReader) format(c column, value any) string {
	switch value := value.(type) {
	case bool:
		return sheet.BoolCell(value).Text
	case []string:
		return sheet.JoinCodes(value)
	case field.Date:
		return r.formatDate(string(value))
	case string:
		if c.kind == sheet.Date {
			return r.formatDate(value)
		}
		return value
	}
	return ""
}

func (r rowReader) formatDate(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return r.dateFormat.Format(t)
}

// changes says in the sheet's words what differs between two values of each column; diffs are of the account, staff of
// its resource.
func (r rowReader) changes(diffs, staff []field.Diff) []RowChange {
	at := map[string]field.Diff{}
	for _, d := range diffs {
		at[accountHeading(r.columns, d.Field)] = d
	}
	for _, d := range staff {
		if d.Field != "description" && d.Field != "code" { // told with the account's
			at[fieldHeadingOfResource(r.columns, d.Field)] = d
		}
	}
	var out []RowChange
	for _, c := range r.columns {
		d, ok := at[c.heading]
		if !ok {
			continue
		}
		delete(at, c.heading)
		if change := (RowChange{Field: c.heading, From: r.format(c, d.From), To: r.format(c, d.To)}); change.From != change.To {
			out = append(out, change)
		}
	}
	if d, ok := at["resource"]; ok { // the link; the account's field has no column of its own
		out = append(out, RowChange{Field: resourceHeading, From: r.format(column{}, d.From), To: r.format(column{}, d.To)})
	}
	return out
}

// maxExcerpt bounds a value that an error shows, in characters.
const maxExcerpt = 60

// excerpt returns a value fit to be shown: one line, without characters that cannot be seen, cut where it is long.
func excerpt(text string) string {
	runes := []rune(sheet.Clean(text))
	cut := len(runes) > maxExcerpt
	runes = runes[:min(len(runes), maxExcerpt)]
	for i, c := range runes {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			runes[i] = ' '
		}
	}
	if cut {
		return string(runes) + "..."
	}
	return string(runes)
}

func clonePatch(p field.Patch) field.Patch {
	out := make(field.Patch, len(p)+2)
	maps.Copy(out, p)
	return out
}
