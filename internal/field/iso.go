package field

import (
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// cleanCountry returns the country that a text names, in capitals. Names of regions, numbers, three letters and codes
// that another has replaced are refused.
func (d *Def[T]) cleanCountry(typed string) (clean, code, message string) {
	clean = strings.ToUpper(typed)
	region, err := language.ParseRegion(clean)
	if err != nil || len(clean) != 2 || !region.IsCountry() || region.Canonicalize().String() != clean {
		return "", "country", d.Label + " must be a country as ISO 3166-1 writes it in two letters, such as GB."
	}
	return clean, "", ""
}

// cleanCurrency returns the currency that a text names, in capitals. Money of the past and codes for tests, metals and
// no currency at all are refused.
func (d *Def[T]) cleanCurrency(typed string) (clean, code, message string) {
	clean = strings.ToUpper(typed)
	unit, err := currency.ParseISO(clean)
	if err == nil && len(clean) == 3 {
		for inUse := currency.Query(); inUse.Next(); {
			if inUse.Unit() == unit {
				return clean, "", ""
			}
		}
	}
	return "", "currency", d.Label + " must be a currency as ISO 4217 writes it in three letters, such as GBP."
}
