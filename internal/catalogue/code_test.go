package catalogue_test

import (
	"strings"
	"testing"

	"useraccounts/internal/catalogue"
)

func TestCodeFault(t *testing.T) {
	for code, valid := range map[string]bool{
		"ADMIN": true, "1": true, "30 days": true, "Ä-1.b_(c)+&": true, "50%": true, "A#B": true,
		strings.Repeat("x", 50): true, "...": true, "家": true,
		"": false, "a;b": false, "a/b": false, `a\b`: false, "a\tb": false, "a\nb": false, "a\u2028b": false,
		"a\u200bb": false, "a\u202eb": false,
		"\ufeffa": false, ".": false, "..": false, "<clear>": false, "<Clear>": false, strings.Repeat("x", 51): false,
		strings.Repeat("\ufdfa", 6): false,
	} {
		if got := catalogue.CodeFault(code); (got == "") != valid {
			t.Errorf("CodeFault(%q) = %q", code, got)
		}
	}
}

// Replace and Without do not change the catalogue itself.
func TestReplaceAndWithoutDoNotChangeTheCatalogue(t *testing.T) {
	c := testCatalogue()
	with := c.Replace(catalogue.Entry{Kind: catalogue.Role, Code: "VIEWER", Description: "new"}).Replace(
		catalogue.Entry{Kind: catalogue.Department, Code: "D"})
	if e, _ := with.Find(catalogue.Role, "viewer"); e.Description != "new" || len(with.All(catalogue.Role)) != 3 ||
		len(with.All(catalogue.Department)) != 1 {
		t.Errorf("%+v", with.All(catalogue.Role))
	}
	without := c.Without(catalogue.Entry{Kind: catalogue.Role, Code: "ADMIN"})
	if _, there := without.Find(catalogue.Role, "admin"); there || len(without.All(catalogue.Role)) != 2 ||
		len(without.All(catalogue.Group)) != 1 {
		t.Errorf("%+v", without.All(catalogue.Role))
	}
	if e, _ := c.Find(catalogue.Role, "viewer"); e.Description != "" || len(c.All(catalogue.Role)) != 3 ||
		len(c.All(catalogue.Department)) != 0 {
		t.Error("the catalogue itself changed")
	}
}

func TestQuoteCode(t *testing.T) {
	for code, want := range map[string]string{
		"ADMIN": "“ADMIN”", "": "“”", strings.Repeat("ä", 50): "“" + strings.Repeat("ä", 50) + "”",
		strings.Repeat("ä", 51): "“" + strings.Repeat("ä", 50) + "…”",
	} {
		if got := catalogue.QuoteCode(code); got != want {
			t.Errorf("QuoteCode(%q) = %s, want %s", code, got, want)
		}
	}
}

func TestContainsCodeIgnoresCase(t *testing.T) {
	for code, want := range map[string]bool{"admin": true, "ＶＩＥＷＥＲ": true, "ADMIN ": false, "": false} {
		if got := catalogue.ContainsCode([]string{"ADMIN", "viewer"}, code); got != want {
			t.Errorf("ContainsCode(%q) = %v", code, got)
		}
	}
}
