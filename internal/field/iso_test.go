package field_test

import (
	"strings"
	"testing"

	"useraccounts/internal/field"
)

// A text that is no code of a country or currency is refused as such, whatever its length. Another spelling gets a
// suggestion.
func TestWhatIsNoISOCodeIsNamedSo(t *testing.T) {
	type thing struct{ Text string }
	at := func(v *thing) any { return &v.Text }
	country := field.Table[thing]{{Name: "country", Label: "Country", Kind: field.Country, Max: 2, At: at}}.Find("country")
	money := field.Table[thing]{
		{Name: "currency", Label: "Currency", Kind: field.Currency, Max: 3, At: at}}.Find("currency")
	for _, c := range []struct {
		of          *field.Def[thing]
		typed, code string
		says        string
	}{
		{country, "England", "country", "such as GB"}, {country, strings.Repeat("X", 5000), "country", "two letters"},
		{country, "UK", "country", "such as GB."}, {country, "gbr", "country", "such as GB."},
		{country, "276", "country", "such as DE."}, {country, "EU", "country", "two letters"},
		{money, "Pounds", "currency", "such as GBP."}, {money, "€", "currency", "such as EUR."},
		{money, "euro", "currency", "such as EUR."}, {money, "US", "currency", "such as USD."},
	} {
		_, faults := c.of.Clean(c.typed)
		if faults == nil || faults.Code != c.code || !strings.Contains(faults.Message, c.says) || len(faults.Message) > 120 {
			t.Errorf("%.10s: %+v", c.typed, faults)
		}
	}
}
