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

// rowReader reads the rows of one sheet.
type rowReader struct {
	columns    []column
	headings   sheet.Headings
	dateFormat sheet.DateFormat
}

// rowInput is one row as it was read: what it asks for, and what could not be read.
type rowInput struct {
	number   int
	username string
	patch    field.Patch
	// resourcePatch is the change of the account's resource, createResource that the account is to have one.
	resourcePatch  field.Patch
	createResource bool
	// errors are the cells that could not be read. resourceErrors are those in columns of resources, which may be ignored.
	errors, resourceErrors []fault.Field
	// numberTyped are the headings of text columns whose cell contains a number.
	numberTyped []string
	// droppedTimes are the cells of dates whose time of day was dropped.
	droppedTimes []string
	// unreadable holds the texts of the cells that could not be read, by heading.
	unreadable map[string]string
}

// resourceCode returns the code of the resource that the row names; "" for none.
func (in *rowInput) resourceCode() string {
	code, _ := in.resourcePatch["code"].(string)
	return code
}

// read turns a row into patches. A blank cell or an absent column changes nothing; the clear word empties the field.
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
		patch, errors, name := out.patch, &out.errors, c.accountField
		switch {
		case c.heading == createResourceHeading:
			r.createResource(&out, cell)
			continue
		case c.resourceField != "":
			patch, errors, name = out.resourcePatch, &out.resourceErrors, c.resourceField
		case c.accountField == "":
			continue
		}
		value, f := r.value(c, cell)
		if f != nil {
			f.Field = c.heading
			*errors = append(*errors, *f)
			out.keepText(c.heading, cell)
			continue
		}
		if codes, ok := value.([]string); ok && len(codes) == 0 {
			continue // nothing but separators counts as blank: it does not remove all codes
		}
		if c.kind == sheet.Date && cell.TimeDropped {
			out.droppedTimes = append(out.droppedTimes, cell.Address())
		}
		if c.kind == sheet.Text && cell.Kind == sheet.Number {
			out.numberTyped = append(out.numberTyped, c.heading)
		}
		patch[name] = value
	}
	out.username, _ = out.patch["username"].(string)
	unreadable := slices.ContainsFunc(out.errors, func(f fault.Field) bool { return f.Field == usernameHeading })
	if out.username == "" && !unreadable {
		out.errors = append(out.errors,
			fault.Field{Field: usernameHeading, Code: "required", Message: "Every row needs a Username."})
	}
	return out
}

// createResource reads the column Create Resource.
func (r rowReader) createResource(out *rowInput, cell sheet.Cell) {
	create, f := cell.AsBool()
	if clearDepth(sheet.Clean(cell.Text)) == 1 {
		return // the clear word counts as blank
	}
	if f != nil {
		f.Field = createResourceHeading
		out.errors = append(out.errors, *f)
		out.keepText(createResourceHeading, cell)
	}
	out.createResource = create
}

// keepText keeps the text of a cell that could not be read, to be shown with its error.
func (in *rowInput) keepText(heading string, cell sheet.Cell) {
	if in.unreadable == nil {
		in.unreadable = map[string]string{}
	}
	in.unreadable[heading] = cell.Text
}

// value returns what a cell gives its field; nil for the clear word.
func (r rowReader) value(c column, cell sheet.Cell) (any, *fault.Field) {
	if cell.Kind == sheet.Text && clearDepth(sheet.Clean(cell.Text)) == 1 {
		return nil, nil
	}
	switch {
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

// rowError returns an error of a row with the cell that it is about and the value in it.
func (r rowReader) rowError(in *rowInput, f fault.Field) RowError {
	out := RowError{Field: f.Field, Code: f.Code, Message: f.Message}
	i := slices.IndexFunc(r.columns, func(c column) bool { return c.heading == f.Field })
	if i < 0 || !r.headings.Present(i) {
		if f.Code == "blankHeading" {
			out.Cell = f.Field + strconv.Itoa(in.number) // the field is the letters of the column
		}
		return out
	}
	out.Cell = sheet.Address(in.number, r.headings.Column(i))
	c := r.columns[i]
	value, given := in.patch[c.accountField]
	if c.resourceField != "" {
		value, given = in.resourcePatch[c.resourceField]
	}
	if given {
		out.Value = excerpt(r.format(c, value))
	}
	if given && value == nil {
		out.Value = clearWord
	}
	if text, unreadable := in.unreadable[f.Field]; unreadable {
		out.Value = excerpt(text)
	}
	if f.Code == "unknownCode" && c.codes && strings.ContainsAny(out.Value, ",|") {
		out.Message += " Separate codes with semicolons."
	}
	if slices.Contains(in.numberTyped, f.Field) && (f.Code == "unknownCode" || f.Code == "mobileNumber") {
		out.Message += " The cell contains a number, which has no leading zeros and no plus sign. Format the cell as text " +
			"and type the value again."
	}
	return out
}

// format returns a value as a cell of the sheet shows it.
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

// changes returns the columns that differ, as the sheet shows their values.
func (r rowReader) changes(accountDiffs, resourceDiffs []field.Diff) []RowChange {
	byHeading := map[string]field.Diff{}
	for _, d := range accountDiffs {
		byHeading[accountHeading(r.columns, d.Field)] = d
	}
	for _, d := range resourceDiffs {
		if d.Field != "description" && d.Field != "code" { // the account's fields name and resource say the same
			byHeading[resourceHeadingOf(r.columns, d.Field)] = d
		}
	}
	var out []RowChange
	for _, c := range r.columns {
		d, ok := byHeading[c.heading]
		if !ok {
			continue
		}
		delete(byHeading, c.heading)
		change := RowChange{Field: c.heading, From: r.format(c, d.From), To: r.format(c, d.To)}
		if change.From != change.To {
			out = append(out, change)
		}
	}
	if d, ok := byHeading["resource"]; ok { // this field of the account has no column of its own
		out = append(out, RowChange{Field: resourceHeading, From: r.format(column{}, d.From), To: r.format(column{}, d.To)})
	}
	return out
}

// maxDroppedTimes bounds the cells that a job names.
const maxDroppedTimes = 20

// maxExcerpt is the most characters of a value in a message.
const maxExcerpt = 60

// excerpt returns a value as a message shows it: on one line, without invisible characters, and cut if it is long.
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
