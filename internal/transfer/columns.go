package transfer

import (
	"slices"
	"strings"

	"useraccounts/internal/sheet"
)

// column is one of the 36 columns of the sheet.
type column struct {
	heading string
	kind    sheet.Kind
	// field is the account's field that the column fills; "" for a column of resources or for reference.
	field string
	// staff is the resource's field that the column fills. These columns are ignored unless a resource is made or there.
	staff string
	// codes columns hold several codes separated by semicolons.
	codes bool
	width float64
}

// clearWord empties an optional field. Where the word itself is the value, it is written with one more pair of brackets:
// <<clear>> is the text <clear>, <<<clear>>> is <<clear>>, and an export writes them so.
const clearWord = "<clear>"

// clearDepth returns how many pairs of brackets stand around the clear word; 0 for any other text.
func clearDepth(text string) int {
	if !strings.HasPrefix(text, "<") {
		return 0 // nearly all
	}
	inner := strings.TrimLeft(text, "<")
	depth := len(text) - len(inner)
	word := strings.TrimRight(inner, ">")
	if len(inner)-len(word) != depth || !strings.EqualFold(word, strings.Trim(clearWord, "<>")) {
		return 0
	}
	return depth
}

// unescapeClear returns the value that a cell's text stands for, which is not the clear word.
func unescapeClear(text string) string {
	if clearDepth(text) > 1 {
		return text[1 : len(text)-1]
	}
	return text
}

// escapeClear returns the text of the cell that stands for a value.
func escapeClear(value string) string {
	if clearDepth(value) > 0 {
		return "<" + value + ">"
	}
	return value
}

const (
	usernameHeading       = "Username"
	emailHeading          = "Email"
	createResourceHeading = "Create Resource"
	resourceHeading       = "Resource"
	managerHeading        = "Manager"
	groupHeading          = "Resource group"
	rolesHeading          = "User roles"
)

// columns returns the 36 columns in the guide's order and spelling.
func columns() []column {
	return []column{
		{heading: usernameHeading, field: "username", kind: sheet.Text, width: 20},
		{heading: "First name", staff: "firstName", kind: sheet.Text, width: 16},
		{heading: "Middle name", staff: "middleName", kind: sheet.Text, width: 16},
		{heading: "Last name", staff: "lastName", kind: sheet.Text, width: 16},
		{heading: "Job title", staff: "jobTitle", kind: sheet.Text, width: 18},
		{heading: "Company", staff: "company", kind: sheet.Text, width: 18},
		{heading: "Description", field: "name", kind: sheet.Text, width: 28},
		{heading: "User licenses", field: "userType", kind: sheet.Text, width: 14},
		{heading: "User license description", kind: sheet.Text, width: 24},
		{heading: "Date from", field: "dateFrom", kind: sheet.Date, width: 12},
		{heading: "Date to", field: "dateTo", kind: sheet.Date, width: 12},
		{heading: emailHeading, field: "email", kind: sheet.Text, width: 30},
		{heading: "Mobile", field: "mobile", kind: sheet.Text, width: 18},
		{heading: "MFA requires", field: "mfaRequired", kind: sheet.Bool, width: 14},
		{heading: createResourceHeading, kind: sheet.Bool, width: 16},
		{heading: resourceHeading, staff: "code", kind: sheet.Text, width: 12},
		{heading: "Legacy ref", staff: "legacyRef", kind: sheet.Text, width: 14},
		{heading: "Resource description", kind: sheet.Text, width: 24},
		{heading: "Country code", staff: "country", kind: sheet.Text, width: 14},
		{heading: groupHeading, staff: "resourceGroup", kind: sheet.Text, width: 16},
		{heading: "Resource group description", kind: sheet.Text, width: 26},
		{heading: "Currency", staff: "currency", kind: sheet.Text, width: 10},
		{heading: "Department", staff: "department", kind: sheet.Text, width: 14},
		{heading: "Department description", kind: sheet.Text, width: 24},
		{heading: managerHeading, staff: "manager", kind: sheet.Text, width: 12},
		{heading: "Manager description", kind: sheet.Text, width: 22},
		{heading: "Cost centre", staff: "costCentre", kind: sheet.Text, width: 14},
		{heading: "Cost centre description", kind: sheet.Text, width: 24},
		{heading: "Staff", staff: "staff", kind: sheet.Bool, width: 8},
		{heading: "Title", staff: "title", kind: sheet.Text, width: 8},
		{heading: "Suffix", staff: "suffix", kind: sheet.Text, width: 8},
		{heading: "Payment method", staff: "paymentMethod", kind: sheet.Text, width: 16},
		{heading: "Payment terms", staff: "paymentTerms", kind: sheet.Text, width: 16},
		{heading: "DAC groups", field: "dacGroups", kind: sheet.Text, codes: true, width: 18},
		{heading: rolesHeading, field: "roles", kind: sheet.Text, codes: true, width: 24},
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

// staffHeadingOf returns the heading of the column that fills a resource's field.
func staffHeadingOf(all []column, name string) string {
	i := slices.IndexFunc(all, func(c column) bool { return c.staff == name })
	switch {
	case i >= 0:
		return all[i].heading
	case name == "description": // it is the account's name
		return headingOf(all, "name")
	default:
		return name
	}
}
