package reference

import "useraccounts/internal/catalogue"

// Family is the kinds of reference data that the same permissions open, by the words that addresses have for them.
type Family struct {
	// Words are the kinds in the order of the reference, Kinds what they stand for.
	Words []string
	Kinds map[string]catalogue.Kind
}

// Access is what decides who may do what.
func Access() Family {
	return family(
		word{"licences", catalogue.Licence}, word{"roles", catalogue.Role}, word{"groups", catalogue.Group}, word{"dac-groups", catalogue.DACGroup})
}

// Staff is what resources refer to.
func Staff() Family {
	return family(
		word{"resource-groups", catalogue.ResourceGroup}, word{"departments", catalogue.Department}, word{"cost-centres", catalogue.CostCentre},
		word{"payment-methods", catalogue.PaymentMethod}, word{"payment-terms", catalogue.PaymentTerms})
}

type word struct {
	text string
	kind catalogue.Kind
}

func family(words ...word) Family {
	f := Family{Kinds: map[string]catalogue.Kind{}}
	for _, w := range words {
		f.Words = append(f.Words, w.text)
		f.Kinds[w.text] = w.kind
	}
	return f
}

// nameOf is what people call an entry of a kind.
func nameOf(kind catalogue.Kind) string {
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
