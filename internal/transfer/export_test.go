package transfer

import (
	"useraccounts/internal/catalogue"
	"useraccounts/internal/sheet"
)

// ExportColumns is exportColumns.
func ExportColumns(known *catalogue.Catalogue) []sheet.Column { return exportColumns(known) }

// Headings returns the sheet's headings in order, and which of them a sheet must have.
func Headings() (names []string, required map[string]bool) {
	required = map[string]bool{}
	for _, h := range headings() {
		names = append(names, h.Name)
		if h.Required {
			required[h.Name] = true
		}
	}
	return names, required
}

// FieldsOfColumns returns the account's field of each column that fills one, by heading.
func FieldsOfColumns() map[string]string {
	out := map[string]string{}
	for _, c := range columns() {
		if c.accountField != "" {
			out[c.heading] = c.accountField
		}
	}
	return out
}

// EscapeClear is escapeClear.
func EscapeClear(value string) string { return escapeClear(value) }
