package field

import (
	"errors"
	"fmt"
	"slices"
)

// Section is a group of fields on a form.
type Section struct {
	Name  string `json:"name" help:"As the section of fields names it."`
	Label string `json:"label" help:"The heading."`
	Tab   string `json:"tab,omitzero" help:"The tab on which the fields of an existing entry are changed, if not on the form."`
}

// UsedSections returns the sections that have one of the fields, in their order.
func UsedSections(fields []Meta, sections []Section) []Section {
	return slices.DeleteFunc(slices.Clone(sections), func(s Section) bool {
		return !slices.ContainsFunc(fields, func(m Meta) bool { return m.Section == s.Name })
	})
}

// CheckSections returns an error that names each field whose section is not listed, and each section that is listed
// twice, without a label or without a field. Fields without a section are not part of a form.
func CheckSections(fields []Meta, sections []Section) error {
	var wrong []error
	seen := map[string]bool{"": true}
	for _, s := range sections {
		if seen[s.Name] || s.Label == "" {
			wrong = append(wrong, fmt.Errorf("the section %q is listed twice or has no name or label", s.Name))
		}
		seen[s.Name] = true
	}
	for _, m := range fields {
		if !seen[m.Section] {
			wrong = append(wrong, fmt.Errorf("the section %q of the field %s is not listed", m.Section, m.Name))
		}
	}
	if used := len(UsedSections(fields, sections)); used < len(sections) {
		wrong = append(wrong, fmt.Errorf("%d listed sections have no field", len(sections)-used))
	}
	return errors.Join(wrong...)
}
