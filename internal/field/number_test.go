package field_test

import (
	"reflect"
	"testing"

	"useraccounts/internal/field"
)

// settings has the kinds of fields that settings have.
type settings struct {
	Tries         int
	Days          int64
	Country, Coin string
}

func settingsTable() field.Table[settings] {
	return field.Table[settings]{
		{Name: "tries", Label: "Tries", Kind: field.Number, Min: 1, Max: 100, At: func(v *settings) any { return &v.Tries }},
		{Name: "days", Label: "Days", Kind: field.Number, Max: 365, At: func(v *settings) any { return &v.Days }},
		{Name: "country", Label: "Country", Kind: field.Country, Max: 2, At: func(v *settings) any { return &v.Country }},
		{Name: "coin", Label: "Coin", Kind: field.Currency, Max: 3, At: func(v *settings) any { return &v.Coin }},
	}
}

func TestNumbersAreReadSetAndCompared(t *testing.T) {
	v := settings{Tries: 5, Days: 30}
	before := v
	p, faults := settingsTable().ReadPatch(members("tries", "100", "days", "0"))
	if faults != nil {
		t.Fatalf("%+v", faults)
	}
	if faults := settingsTable().Apply(&v, p); faults != nil || v.Tries != 100 || v.Days != 0 {
		t.Errorf("%+v %+v", v, faults)
	}
	want := []field.Diff{{Field: "tries", From: int64(5), To: int64(100)}, {Field: "days", From: int64(30), To: int64(0)}}
	if got := settingsTable().Compare(&before, &v); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	var read settings
	settingsTable().SetImage(&read, settingsTable().Image(&before))
	if read != before {
		t.Errorf("through its image: %+v", read)
	}
}

func TestNumbersStayWithinTheirBounds(t *testing.T) {
	for _, c := range []struct{ name, raw, code string }{
		{"tries", "1", ""}, {"tries", "100", ""}, {"tries", "0", "range"}, {"tries", "101", "range"},
		{"tries", "-1", "range"},
		{"tries", "null", "range"}, {"tries", "9223372036854775807", "range"}, {"days", "0", ""}, {"days", "null", ""},
		{"days", "366", "range"},
	} {
		v := settings{Tries: 7, Days: 7}
		before := v
		p, faults := settingsTable().ReadPatch(members(c.name, c.raw))
		if faults != nil {
			t.Fatalf("%s: %+v", c.raw, faults)
		}
		faults = settingsTable().Apply(&v, p)
		switch {
		case c.code == "" && faults != nil,
			c.code != "" && (len(faults) != 1 || faults[0].Code != c.code || faults[0].Field != c.name || v != before):
			t.Errorf("%s %s: %+v, %+v", c.name, c.raw, v, faults)
		}
	}
	for _, raw := range []string{`"5"`, `5.5`, `true`, `[5]`, `9223372036854775808`, `""`} {
		if _, faults := settingsTable().ReadPatch(members("tries", raw)); len(faults) != 1 || faults[0].Code != "type" {
			t.Errorf("%s: %+v", raw, faults)
		}
	}
	if faults := settingsTable().Apply(new(settings), field.Patch{"tries": "5"}); len(faults) != 1 ||
		faults[0].Code != "type" {
		t.Errorf("a text for a number: %+v", faults)
	}
}

// Countries and currencies are those of the library, in capitals. Former ones, regions and other spellings are refused.
func TestCountriesAndCurrenciesAreISO(t *testing.T) {
	for name, cases := range map[string]map[string]string{
		"country": {
			"GB": "GB", "de": "DE", " FR ": "FR", "": "", "AX": "AX",
			"UK": "!", "EU": "!", "ZZ": "!", "GBR": "!", "826": "!", "001": "!", "XX": "!", "Ge": "GE", "DD": "!", "G": "!",
			"england": "!",
		},
		"coin": {
			"GBP": "GBP", "eur": "EUR", "": "", "USD": "USD", "DEM": "!", "XXX": "!", "XTS": "!", "XAU": "!", "ZZZ": "!",
			"£": "!", "GB": "!",
		},
	} {
		for typed, want := range cases {
			v := settings{Country: "-", Coin: "-"}
			faults := settingsTable().Apply(&v, field.Patch{name: typed})
			got := settingsTable().Value(&v, name)
			if want == "" {
				want = "<nil>"
			}
			switch {
			case want == "!" && len(faults) != 1:
				t.Errorf("%s %q is taken as %v", name, typed, got)
			case want == "<nil>" && (faults != nil || got != nil),
				want != "!" && want != "<nil>" && (faults != nil || got != want):
				t.Errorf("%s %q is %v, %+v; want %s", name, typed, got, faults, want)
			}
		}
	}
}
