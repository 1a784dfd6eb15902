package field

import (
	"slices"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// cleanCountry returns the country that a text names, in capitals. Names of regions, numbers, three letters and codes
// that another has replaced are refused.
func (d *Def[T]) cleanCountry(typed string) (clean, code, message string) {
	clean = strings.ToUpper(typed)
	if !isCountry(clean) {
		return "", "country",
			d.Label + " must be a country as ISO 3166-1 writes it in two letters, such as " + suggestCountry(clean) + "."
	}
	return clean, "", ""
}

func isCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.IsCountry() && region.Canonicalize().String() == code
}

// Countries returns every code that a field of countries takes, in order.
func Countries() []string {
	var out []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if code := string([]rune{a, b}); isCountry(code) {
				out = append(out, code)
			}
		}
	}
	return out
}

// Currencies returns every code that a field of currencies takes, in order.
func Currencies() []string {
	var out []string
	for inUse := currency.Query(); inUse.Next(); {
		out = append(out, inUse.Unit().String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// suggestCountry returns the code of a country that was named in another way, by three letters, by its number or by a
// code that another has replaced (UK, GBR and 826 mean GB); for anything else the code of some country. Names of
// countries in words would take tables of megabytes into every function.
func suggestCountry(typed string) string {
	region, err := language.ParseRegion(typed)
	if meant := region.Canonicalize(); err == nil && meant.IsCountry() && len(meant.String()) == 2 {
		return meant.String()
	}
	return "GB"
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
	return "", "currency",
		d.Label + " must be a currency as ISO 4217 writes it in three letters, such as " + suggestCurrency(typed, clean) + "."
}

// suggestCurrency returns the code of the money that was named by the sign of a widely used one or by a country, else
// GBP.
func suggestCurrency(typed, capitals string) string {
	if code, ok := map[string]string{"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY", "EURO": "EUR",
		"EUROS": "EUR"}[capitals]; ok {
		return code
	}
	if region, err := language.ParseRegion(typed); err == nil {
		if unit, ok := currency.FromRegion(region); ok {
			return unit.String()
		}
	}
	return "GBP"
}
