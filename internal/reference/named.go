package reference

import (
	"fmt"
	"slices"
	"strings"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// namedBy returns what of the catalogue names an entry.
func namedBy(c *catalogue.Catalogue, e Entry) named {
	var users named
	names := func(codes ...string) bool {
		return slices.ContainsFunc(codes, func(code string) bool { return code != "" && catalogue.Fold(code) == catalogue.Fold(e.Code) })
	}
	look := func(kind catalogue.Kind, codes func(Entry) []string) {
		for _, other := range c.All(kind) {
			if names(codes(other)...) {
				users.add(nameOf(kind) + " " + other.Code)
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

// maxNamed is how many of those that stand in the way an answer names.
const maxNamed = 20

// named counts things and keeps the names of the first.
type named struct {
	first []string
	count int
}

func (n *named) add(name string) {
	n.count++
	if len(n.first) < maxNamed {
		n.first = append(n.first, name)
	}
}

// fault is the conflict with all that is named: in a sentence, and one by one for programs.
func (n *named) fault(code, input, head, tail string) error {
	sentence := head + strings.Join(n.first, ", ")
	if more := n.count - len(n.first); more > 0 {
		sentence += fmt.Sprintf(" and %d more", more)
	}
	var fields []fault.Field
	for _, name := range n.first {
		fields = append(fields, fault.Field{Field: input, Code: code, Message: name})
	}
	return fault.New(fault.Conflict, code, "%s", sentence+tail).WithFields(fields...)
}
