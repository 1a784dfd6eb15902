package reference

import (
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
)

// Filter says which entries a list shows, and which page of them.
type Filter struct {
	// Active, if not nil, leaves out the others.
	Active *bool
	// Find is a text that the code or the description contains, without regard to case.
	Find string
	// After is the position after which the page starts, Limit its size.
	After string
	Limit int
}

// List returns entries of a kind in the order of their codes, and the position to go on from, empty at the end.
func (s *Service) List(sc access.Scope, kind catalogue.Kind, f Filter) (found []Entry, next string) {
	for _, e := range sc.Catalogue.All(kind) {
		if catalogue.Fold(e.Code) <= f.After || (f.Active != nil && *f.Active != e.Active) || !containsText(e, f.Find) {
			continue
		}
		if len(found) == f.Limit {
			return found, catalogue.Fold(found[len(found)-1].Code)
		}
		found = append(found, e)
	}
	return found, ""
}

func containsText(e Entry, text string) bool {
	return text == "" || strings.Contains(catalogue.Fold(e.Code), catalogue.Fold(text)) ||
		strings.Contains(catalogue.Fold(e.Description), catalogue.Fold(text))
}
