package catalogue_test

import (
	"reflect"
	"testing"

	"useraccounts/internal/catalogue"
)

func testCatalogue() *catalogue.Catalogue {
	return catalogue.New([]catalogue.Entry{
		{Kind: catalogue.Role, Code: "Viewer", Active: true},
		{Kind: catalogue.Role, Code: "admin", Active: true},
		{Kind: catalogue.Role, Code: "OLD"},
		{Kind: catalogue.Group, Code: "viewer", Description: "a group", Active: true},
	})
}

// Codes are unique without regard to case, and to the forms of one letter.
func TestFoldMakesSpellingsEqual(t *testing.T) {
	for _, same := range [][]string{
		{"admin", "ADMIN", "ＡＤＭＩＮ", "AdMiN"}, {"straße", "STRASSE", "STRAẞE"}, {"é", "e\u0301", "É"}, {"k", "K", "\u212a"},
		{"ﬁ", "FI"},
	} {
		for _, text := range same {
			if got, want := catalogue.Fold(text), catalogue.Fold(same[0]); got != want {
				t.Errorf("Fold(%q) = %q, want %q", text, got, want)
			}
		}
	}
	if catalogue.Fold("a") == catalogue.Fold("ä") {
		t.Error("a and ä are one")
	}
}

func TestFindKeepsKindsApart(t *testing.T) {
	for _, c := range []struct {
		kind catalogue.Kind
		code string
		want string
	}{
		{catalogue.Role, "VIEWER", "Viewer"}, {catalogue.Group, "ＶＩＥＷＥＲ", "viewer"}, {catalogue.Role, "old", "OLD"},
		{catalogue.Licence, "viewer", ""}, {catalogue.Role, "nobody", ""}, {catalogue.Role, "", ""},
	} {
		got, ok := testCatalogue().Find(c.kind, c.code)
		if got.Code != c.want || ok != (c.want != "") {
			t.Errorf("Find(%s, %s) = %q, %v", c.kind, c.code, got.Code, ok)
		}
	}
	if _, ok := catalogue.New(nil).Find(catalogue.Role, "x"); ok {
		t.Error("the empty catalogue finds something")
	}
}

func TestAllIsInTheOrderOfFoldedCodes(t *testing.T) {
	var codes []string
	for _, e := range testCatalogue().All(catalogue.Role) {
		codes = append(codes, e.Code)
	}
	if !reflect.DeepEqual(codes, []string{"admin", "OLD", "Viewer"}) {
		t.Errorf("%v", codes)
	}
	if got := testCatalogue().All(catalogue.Department); len(got) != 0 {
		t.Errorf("no departments: %v", got)
	}
}

func TestResolveKnowsActiveCodesOnly(t *testing.T) {
	known, unknown := testCatalogue().Resolve(catalogue.Role, []string{"VIEWER", "old", "ADMIN", "x"})
	if !reflect.DeepEqual(known, []string{"Viewer", "admin"}) || !reflect.DeepEqual(unknown, []string{"old", "x"}) {
		t.Errorf("known %v, unknown %v", known, unknown)
	}
}
