package field_test

import (
	"strings"
	"testing"

	"useraccounts/internal/field"
)

func TestCheckSectionsNamesWhatIsMissing(t *testing.T) {
	fields := []field.Meta{{Name: "a", Section: "one"}, {Name: "b", Section: "two"}, {Name: "c"}}
	one, two := field.Section{Name: "one", Label: "One"}, field.Section{Name: "two", Label: "Two"}
	if err := field.CheckSections(fields, []field.Section{two, one}); err != nil {
		t.Errorf("a complete list: %v", err)
	}
	for want, sections := range map[string][]field.Section{
		`"two" of the field b`:         {one},
		`"two" is listed twice`:        {one, two, two},
		`"two" is listed twice or has`: {one, {Name: "two"}},
		"1 listed sections":            {one, two, {Name: "three", Label: "Three"}},
	} {
		if err := field.CheckSections(fields, sections); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", sections, err, want)
		}
	}
}

func TestUsedSectionsKeepTheOrderOfTheList(t *testing.T) {
	got := field.UsedSections([]field.Meta{{Section: "b"}, {Section: "a"}, {Section: "b"}},
		[]field.Section{{Name: "a"}, {Name: "x"}, {Name: "b"}})
	if len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Errorf("%v", got)
	}
}
