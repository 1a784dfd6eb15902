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
	// accountField is the field of the account that the column fills; "" if it fills none.
	accountField string
	// resourceField is the field of the resource that the column fills. The column is ignored for an account that has no
	// resource and gets none.
	resourceField string
	// codes says that a cell holds several codes, separated by semicolons.
	codes bool
	width float64
}

// clearWord empties an optional field. A value that looks like it has one more pair of brackets in the sheet: <<clear>>
// is the text <clear>, and <<<clear>>> is <<clear>>.
const clearWord = "<clear>"

// clearDepth returns the number of pairs of brackets around the clear word; 0 for any other text.
func clearDepth(text string) int {
	if !strings.HasPrefix(text, "<") {
		return 0 // nearly all texts
	}
	inner := strings.TrimLeft(text, "<")
	depth := len(text) - len(inner)
	word := strings.TrimRight(inner, ">")
	if len(inner)-len(word) != depth || !strings.EqualFold(word, strings.Trim(clearWord, "<>")) {
		return 0
	}
	return depth
}

// unescapeClear returns the value that a cell's text stands for, unless it is the clear word.
func unescapeClear(text string) string {
	if clearDepth(text) > 1 {
		return text[1 : len(text)-1]
	}
	return text
}

// escapeClear returns the text that stands for a value in a cell.
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

// columns returns the 36 columns, with the order and the headings of the guide.
func columns() []column {
	return []column{
		{heading: usernameHeading, accountField: "username", kind: sheet.Text, width: 20},
		{heading: "First name", resourceField: "firstName", kind: sheet.Text, width: 16},
		{heading: "Middle name", resourceField: "middleName", kind: sheet.Text, width: 16},
		{heading: "Last name", resourceField: "lastName", kind: sheet.Text, width: 16},
		{heading: "Job title", resourceField: "jobTitle", kind: sheet.Text, width: 18},
		{heading: "Company", resourceField: "company", kind: sheet.Text, width: 18},
		{heading: "Description", accountField: "name", kind: sheet.Text, width: 28},
		{heading: "User licenses", accountField: "userType", kind: sheet.Text, width: 14},
		{heading: "User license description", kind: sheet.Text, width: 24},
		{heading: "Date from", accountField: "dateFrom", kind: sheet.Date, width: 12},
		{heading: "Date to", accountField: "dateTo", kind: sheet.Date, width: 12},
		{heading: emailHeading, accountField: "email", kind: sheet.Text, width: 30},
		{heading: "Mobile", accountField: "mobile", kind: sheet.Text, width: 18},
		{heading: "MFA requires", accountField: "mfaRequired", kind: sheet.Bool, width: 14},
		{heading: createResourceHeading, kind: sheet.Bool, width: 16},
		{heading: resourceHeading, resourceField: "code", kind: sheet.Text, width: 12},
		{heading: "Legacy ref", resourceField: "legacyRef", kind: sheet.Text, width: 14},
		{heading: "Resource description", kind: sheet.Text, width: 24},
		{heading: "Country code", resourceField: "country", kind: sheet.Text, width: 14},
		{heading: groupHeading, resourceField: "resourceGroup", kind: sheet.Text, width: 16},
		{heading: "Resource group description", kind: sheet.Text, width: 26},
		{heading: "Currency", resourceField: "currency", kind: sheet.Text, width: 10},
		{heading: "Department", resourceField: "department", kind: sheet.Text, width: 14},
		{heading: "Department description", kind: sheet.Text, width: 24},
		{heading: managerHeading, resourceField: "manager", kind: sheet.Text, width: 12},
		{heading: "Manager description", kind: sheet.Text, width: 22},
		{heading: "Cost centre", resourceField: "costCentre", kind: sheet.Text, width: 14},
		{heading: "Cost centre description", kind: sheet.Text, width: 24},
		{heading: "Staff", resourceField: "staff", kind: sheet.Bool, width: 8},
		{heading: "Title", resourceField: "title", kind: sheet.Text, width: 8},
		{heading: "Suffix", resourceField: "suffix", kind: sheet.Text, width: 8},
		{heading: "Payment method", resourceField: "paymentMethod", kind: sheet.Text, width: 16},
		{heading: "Payment terms", resourceField: "paymentTerms", kind: sheet.Text, width: 16},
		{heading: "DAC groups", accountField: "dacGroups", kind: sheet.Text, codes: true, width: 18},
		{heading: rolesHeading, accountField: "roles", kind: sheet.Text, codes: true, width: 24},
		{heading: "User groups", accountField: "groups", kind: sheet.Text, codes: true, width: 24},
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

// accountHeading returns the heading of the column that fills a field of the account.
func accountHeading(all []column, name string) string {
	i := slices.IndexFunc(all, func(c column) bool { return c.accountField == name })
	if i < 0 {
		return name
	}
	return all[i].heading
}

// resourceHeadingOf returns the heading of the column that fills a field of the resource.
func resourceHeadingOf(all []column, name string) string {
	i := slices.IndexFunc(all, func(c column) bool { return c.resourceField == name })
	switch {
	case i >= 0:
		return all[i].heading
	case name == "description": // always the account's name
		return accountHeading(all, "name")
	default:
		return name
	}
}
