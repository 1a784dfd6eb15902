package transfer

import (
	"slices"

	"useraccounts/internal/fault"
	"useraccounts/internal/field"
	"useraccounts/internal/sheet"
)

// column is one of the 36 columns of the sheet.
type column struct {
	heading string
	kind    sheet.Kind
	// field is the account's field that the column fills; "" for a column of resources or for reference.
	field string
	// resource columns are ignored unless a resource is made or there.
	resource bool
	// codes columns hold several codes separated by semicolons.
	codes bool
	width float64
}

// clearWord empties an optional field on update.
const clearWord = "<clear>"

const (
	usernameHeading       = "Username"
	createResourceHeading = "Create Resource"
)

// columns returns the 36 columns in the guide's order and spelling.
func columns() []column {
	return []column{
		{heading: usernameHeading, field: "username", kind: sheet.Text, width: 20},
		{heading: "First name", kind: sheet.Text, resource: true, width: 16},
		{heading: "Middle name", kind: sheet.Text, resource: true, width: 16},
		{heading: "Last name", kind: sheet.Text, resource: true, width: 16},
		{heading: "Job title", kind: sheet.Text, resource: true, width: 18},
		{heading: "Company", kind: sheet.Text, resource: true, width: 18},
		{heading: "Description", field: "name", kind: sheet.Text, width: 28},
		{heading: "User licenses", field: "userType", kind: sheet.Text, width: 14},
		{heading: "User license description", kind: sheet.Text, width: 24},
		{heading: "Date from", field: "dateFrom", kind: sheet.Date, width: 12},
		{heading: "Date to", field: "dateTo", kind: sheet.Date, width: 12},
		{heading: "Email", field: "email", kind: sheet.Text, width: 30},
		{heading: "Mobile", field: "mobile", kind: sheet.Text, width: 18},
		{heading: "MFA requires", field: "mfaRequired", kind: sheet.Bool, width: 14},
		{heading: createResourceHeading, kind: sheet.Bool, width: 16},
		{heading: "Resource", kind: sheet.Text, width: 12},
		{heading: "Legacy ref", kind: sheet.Text, resource: true, width: 14},
		{heading: "Resource description", kind: sheet.Text, width: 24},
		{heading: "Country code", kind: sheet.Text, resource: true, width: 14},
		{heading: "Resource group", kind: sheet.Text, resource: true, width: 16},
		{heading: "Resource group description", kind: sheet.Text, width: 26},
		{heading: "Currency", kind: sheet.Text, resource: true, width: 10},
		{heading: "Department", kind: sheet.Text, resource: true, width: 14},
		{heading: "Department description", kind: sheet.Text, width: 24},
		{heading: "Manager", kind: sheet.Text, resource: true, width: 12},
		{heading: "Manager description", kind: sheet.Text, width: 22},
		{heading: "Cost centre", kind: sheet.Text, resource: true, width: 14},
		{heading: "Cost centre description", kind: sheet.Text, width: 24},
		{heading: "Staff", kind: sheet.Bool, resource: true, width: 8},
		{heading: "Title", kind: sheet.Text, resource: true, width: 8},
		{heading: "Suffix", kind: sheet.Text, resource: true, width: 8},
		{heading: "Payment method", kind: sheet.Text, resource: true, width: 16},
		{heading: "Payment terms", kind: sheet.Text, resource: true, width: 16},
		{heading: "DAC groups", field: "dacGroups", kind: sheet.Text, codes: true, width: 18},
		{heading: "User roles", field: "roles", kind: sheet.Text, codes: true, width: 24},
		{heading: "User groups", field: "groups", kind: sheet.Text, codes: true, width: 24},
	}
}

func headings() []sheet.Heading {
	all := columns()
	out := make([]sheet.Heading, len(all))
	for i, c := range all {
		out[i] = sheet.Heading{Name: c.heading, Required: c.heading == usernameHeading}
	}
	return out
}

// headingOf returns the heading of the column that fills an account's field, for error texts.
func headingOf(all []column, name string) string {
	i := slices.IndexFunc(all, func(c column) bool { return c.field == name })
	if i < 0 {
		return name
	}
	return all[i].heading
}

// reader turns rows of one sheet into patches.
type reader struct {
	columns  []column
	headings sheet.Headings
	format   sheet.DateFormat
}

// line is one data row as read: what it asks for, and what could not be read.
type line struct {
	number   int
	username string
	patch    field.Patch
	bad      []fault.Field
}

// read turns a row into a patch: a blank cell or an absent column gives nothing, a clear word empties the field.
func (r reader) read(row sheet.Row) line {
	out := line{number: row.Number, patch: field.Patch{}}
	if f := r.headings.Stray(row); f != nil {
		out.bad = append(out.bad, *f)
	}
	for i, c := range r.columns {
		if !r.headings.Present(i) {
			continue
		}
		cell := r.headings.Cell(row, i)
		if c.heading == createResourceHeading {
			r.refuseResource(&out, cell)
		}
		if c.field == "" || cell.IsBlank() {
			continue
		}
		value, f := r.value(c, cell)
		if f != nil {
			f.Field = c.heading
			out.bad = append(out.bad, *f)
			continue
		}
		if codes, ok := value.([]string); ok && len(codes) == 0 {
			continue // separators only: as good as blank, and no order to take everything away
		}
		out.patch[c.field] = value
	}
	out.username, _ = out.patch["username"].(string)
	if out.username == "" && !slices.ContainsFunc(out.bad, func(f fault.Field) bool { return f.Field == usernameHeading }) {
		out.bad = append(out.bad, fault.Field{Field: usernameHeading, Code: "required", Message: "Every row needs a Username."})
	}
	return out
}

// refuseResource says no to a row that asks for a resource, rather than importing half of what it asks.
func (r reader) refuseResource(out *line, cell sheet.Cell) {
	if cell.IsBlank() {
		return
	}
	create, f := cell.AsBool()
	if f == nil && create {
		f = &fault.Field{Code: "notAvailable", Message: cell.Address() + ": resources cannot be created by an import yet; leave Create Resource blank or FALSE."}
	}
	if f != nil {
		f.Field = createResourceHeading
		out.bad = append(out.bad, *f)
	}
}

func (r reader) value(c column, cell sheet.Cell) (any, *fault.Field) {
	if cell.Kind == sheet.Text && sheet.Clean(cell.Text) == clearWord {
		return nil, nil
	}
	switch {
	case c.codes:
		return cellValue(cell.AsCodes())
	case c.kind == sheet.Date:
		day, f := cell.AsDate(r.format)
		if f != nil {
			return nil, f
		}
		return field.DateOf(day), nil
	case c.kind == sheet.Bool:
		return cellValue(cell.AsBool())
	default:
		return cellValue(cell.AsText())
	}
}

func cellValue[T any](v T, f *fault.Field) (any, *fault.Field) { return v, f }
