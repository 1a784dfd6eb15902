package account

import (
	"encoding/json"
	"strings"
	"testing"
)

// A form that is filled in as described must be accepted, and its bounds must be those that are checked.
func TestDescribeContactAgreesWithWhatIsChecked(t *testing.T) {
	form := DescribeContact()
	body := map[string]any{}
	for _, f := range form.Items {
		body[f.Name] = strings.Repeat("x", f.Max)
	}
	samples := map[string]string{"emails": "pat@example.com", "phones": "020 7946 0018", "addresses": "1 High Street"}
	for _, l := range form.Lists {
		var entries []any
		for _, kind := range l.Types {
			if kind.Label == "" {
				t.Errorf("%s: %q has no label", l.Name, kind.Value)
			}
			entries = append(entries, map[string]any{"type": kind.Value, l.Items[0].Name: samples[l.Name]})
		}
		body[l.Name] = entries
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var c Contact
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if c.Title == "" || len(c.Addresses) == 0 || c.Addresses[0].Address == "" || len(c.Phones) != 5 {
		t.Fatalf("the names of the form are not those of a contact: %+v", c)
	}
	if faults := c.clean(); len(faults) > 0 {
		t.Fatalf("what the form allows is refused: %v", faults)
	}
	for _, f := range form.Items {
		var over Contact
		text, _ := json.Marshal(map[string]any{f.Name: strings.Repeat("x", f.Max+1)})
		if err := json.Unmarshal(text, &over); err != nil {
			t.Fatal(err)
		}
		if faults := over.clean(); len(faults) != 1 || faults[0].Field != f.Name {
			t.Errorf("%s over its bound: %v", f.Name, faults)
		}
	}
}
