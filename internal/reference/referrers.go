package reference

import (
	"fmt"
	"strings"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// referrersOf returns the entries of the catalogue that have the code of another entry.
func referrersOf(c *catalogue.Catalogue, e Entry) nameList {
	var referrers nameList
	search := func(kind catalogue.Kind, codes func(Entry) []string) {
		for _, other := range c.All(kind) {
			if catalogue.ContainsCode(codes(other), e.Code) {
				referrers.add(kindName(kind) + " " + other.Code)
			}
		}
	}
	byDefault := func(code func(Entry) string) {
		search(catalogue.ResourceGroup, func(g Entry) []string { return []string{code(g)} })
	}
	switch e.Kind {
	case catalogue.Role:
		search(catalogue.Licence, func(l Entry) []string { return l.Roles })
		search(catalogue.Group, func(g Entry) []string { return g.Roles })
	case catalogue.Group:
		search(catalogue.Group, func(g Entry) []string { return g.Groups })
	case catalogue.Department:
		byDefault(func(g Entry) string { return g.Defaults.Department })
	case catalogue.CostCentre:
		byDefault(func(g Entry) string { return g.Defaults.CostCentre })
	case catalogue.PaymentMethod:
		byDefault(func(g Entry) string { return g.Defaults.PaymentMethod })
	case catalogue.PaymentTerms:
		byDefault(func(g Entry) string { return g.Defaults.PaymentTerms })
	default: // no entry refers to it
	}
	return referrers
}

// maxListedNames is how many names an answer lists.
const maxListedNames = 20

// nameList counts things and keeps the first names that may be shown.
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

// fault is the conflict with all names: in a sentence, and one by one for programs.
func (n *nameList) fault(code, input, head, tail string) error {
	sentence := head + strings.Join(n.names, ", ")
	switch more := n.count - len(n.names); {
	case len(n.names) == 0:
		sentence += "accounts that you may not read"
	case more > 0:
		sentence += fmt.Sprintf(" and %d more", more)
	}
	var fields []fault.Field
	for _, name := range n.names {
		fields = append(fields, fault.Field{Field: input, Code: code, Message: name})
	}
	return fault.New(fault.Conflict, code, "%s", sentence+tail).WithFields(fields...)
}
