package reference

import "useraccounts/internal/catalogue"

// KindSet is the kinds of reference data that need the same permissions, by their slugs in URLs.
type KindSet struct {
	// Slugs are the kinds in the order of the API reference; Kinds has the kind of each.
	Slugs []string
	Kinds map[string]catalogue.Kind
}

// AccessKinds are the kinds that decide who may do what.
func AccessKinds() KindSet {
	return newKindSet(
		kindSlug{"licences", catalogue.Licence}, kindSlug{"roles", catalogue.Role}, kindSlug{"groups", catalogue.Group},
		kindSlug{"dac-groups", catalogue.DACGroup})
}

// StaffKinds are the kinds that resources refer to.
func StaffKinds() KindSet {
	return newKindSet(
		kindSlug{"resource-groups", catalogue.ResourceGroup}, kindSlug{"departments", catalogue.Department},
		kindSlug{"cost-centres", catalogue.CostCentre},
		kindSlug{"payment-methods", catalogue.PaymentMethod}, kindSlug{"payment-terms", catalogue.PaymentTerms})
}

type kindSlug struct {
	slug string
	kind catalogue.Kind
}

func newKindSet(kinds ...kindSlug) KindSet {
	set := KindSet{Kinds: map[string]catalogue.Kind{}}
	for _, k := range kinds {
		set.Slugs = append(set.Slugs, k.slug)
		set.Kinds[k.slug] = k.kind
	}
	return set
}

// kindName is the name of a kind within a sentence.
func kindName(kind catalogue.Kind) string {
	switch kind {
	case catalogue.Licence:
		return "licence"
	case catalogue.DACGroup:
		return "DAC group"
	case catalogue.ResourceGroup:
		return "resource group"
	case catalogue.CostCentre:
		return "cost centre"
	case catalogue.PaymentMethod:
		return "payment method"
	case catalogue.PaymentTerms:
		return "payment terms"
	default:
		return string(kind)
	}
}
