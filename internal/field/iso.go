package field

import (
	"slices"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// cleanCountry returns a country code in capitals. Regions, numbers, three letters and replaced codes are refused.
func (d *Def[T]) cleanCountry(input string) (clean, code, message string) {
	clean = strings.ToUpper(input)
	if !isCountry(clean) {
		return "", "country",
			d.Label + " must be a country code of two letters (ISO 3166-1), such as " + suggestCountry(clean) + "."
	}
	return clean, "", ""
}

func isCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.IsCountry() && region.Canonicalize().String() == code
}

// Countries returns every country code, sorted.
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

// Currencies returns every currency code, sorted.
func Currencies() []string {
	var out []string
	for inUse := currency.Query(); inUse.Next(); {
		out = append(out, inUse.Unit().String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// suggestCountry returns the code that was probably meant: of a country by three letters, by its number or by a
// replaced code (UK, GBR and 826 give GB), otherwise of some country. Names of countries would need tables of megabytes
// in every function.
func suggestCountry(input string) string {
	region, err := language.ParseRegion(input)
	if meant := region.Canonicalize(); err == nil && meant.IsCountry() && len(meant.String()) == 2 {
		return meant.String()
	}
	return "GB"
}

// cleanCurrency returns a currency code in capitals. Former currencies, and codes for tests, metals and no currency,
// are refused.
func (d *Def[T]) cleanCurrency(input string) (clean, code, message string) {
	clean = strings.ToUpper(input)
	unit, err := currency.ParseISO(clean)
	if err == nil && len(clean) == 3 {
		for inUse := currency.Query(); inUse.Next(); {
			if inUse.Unit() == unit {
				return clean, "", ""
			}
		}
	}
	return "", "currency",
		d.Label + " must be a currency code of three letters (ISO 4217), such as " + suggestCurrency(input, clean) + "."
}

// suggestCurrency returns the code that was probably meant: of a common sign or of a country, otherwise GBP.
func suggestCurrency(input, capitals string) string {
	if code, ok := map[string]string{"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY", "EURO": "EUR",
		"EUROS": "EUR"}[capitals]; ok {
		return code
	}
	if region, err := language.ParseRegion(input); err == nil {
		if unit, ok := currency.FromRegion(region); ok {
			return unit.String()
		}
	}
	return "GBP"
}
