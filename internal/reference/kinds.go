package reference

import "useraccounts/internal/catalogue"

// KindSet is the kinds of reference data that the same permissions open, by the words that addresses have for them.
type KindSet struct {
	// Slugs are the kinds in the order of the reference, Kinds what they stand for.
	Slugs []string
	Kinds map[string]catalogue.Kind
}

// AccessKinds is what decides who may do what.
func AccessKinds() KindSet {
	return newKindSet(
		kindSlug{"licences", catalogue.Licence}, kindSlug{"roles", catalogue.Role}, kindSlug{"groups", catalogue.Group},
		kindSlug{"dac-groups", catalogue.DACGroup})
}

// StaffKinds is what resources refer to.
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

func newKindSet(words ...kindSlug) KindSet {
	f := KindSet{Kinds: map[string]catalogue.Kind{}}
	for _, w := range words {
		f.Slugs = append(f.Slugs, w.slug)
		f.Kinds[w.slug] = w.kind
	}
	return f
}

// kindName is what people call an entry of a kind.
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
