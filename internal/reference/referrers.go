package reference

import (
	"fmt"
	"slices"
	"strings"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// referrersOf returns what of the catalogue names an entry.
func referrersOf(c *catalogue.Catalogue, e Entry) nameList {
	var users nameList
	names := func(codes ...string) bool {
		return slices.ContainsFunc(codes,
			func(code string) bool { return code != "" && catalogue.Fold(code) == catalogue.Fold(e.Code) })
	}
	look := func(kind catalogue.Kind, codes func(Entry) []string) {
		for _, other := range c.All(kind) {
			if names(codes(other)...) {
				users.add(kindName(kind) + " " + other.Code)
			}
		}
	}
	byDefault := func(code func(Entry) string) {
		look(catalogue.ResourceGroup, func(g Entry) []string { return []string{code(g)} })
	}
	switch e.Kind {
	case catalogue.Role:
		look(catalogue.Licence, func(l Entry) []string { return l.Roles })
		look(catalogue.Group, func(g Entry) []string { return g.Roles })
	case catalogue.Group:
		look(catalogue.Group, func(g Entry) []string { return g.Groups })
	case catalogue.Department:
		byDefault(func(g Entry) string { return g.Defaults.Department })
	case catalogue.CostCentre:
		byDefault(func(g Entry) string { return g.Defaults.CostCentre })
	case catalogue.PaymentMethod:
		byDefault(func(g Entry) string { return g.Defaults.PaymentMethod })
	case catalogue.PaymentTerms:
		byDefault(func(g Entry) string { return g.Defaults.PaymentTerms })
	}
	return users
}

// maxListedNames is how many of those that stand in the way an answer names.
const maxListedNames = 20

// nameList counts things and keeps the names of the first.
type nameList struct {
	names []string
	count int
}

func (n *nameList) add(name string) {
	n.count++
	if len(n.names) < maxListedNames {
		n.names = append(n.names, name)
	}
}

// fault is the conflict with all that is named: in a sentence, and one by one for programs.
func (n *nameList) fault(code, input, head, tail string) error {
	sentence := head + strings.Join(n.names, ", ")
	if more := n.count - len(n.names); more > 0 {
		sentence += fmt.Sprintf(" and %d more", more)
	}
	var fields []fault.Field
	for _, name := range n.names {
		fields = append(fields, fault.Field{Field: input, Code: code, Message: name})
	}
	return fault.New(fault.Conflict, code, "%s", sentence+tail).WithFields(fields...)
}
