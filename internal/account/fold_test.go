package account_test

import (
	"testing"

	"useraccounts/internal/account"
)

func TestFoldIsThatOfIdentifiers(t *testing.T) {
	for _, text := range []string{"Doe J", " Ｄｏｅ　J ", "ÄRGER", "A\u0308rger", "straße", "Σίσυφος", "ﬁn", "plain", "İx"} {
		want, _ := account.Normalise(text)
		if got := account.Fold(text); want != "" && account.Fold(got) != account.Fold(want) {
			t.Errorf("%q folds to %q, as an identifier to %q", text, got, want)
		}
	}
	if account.Fold("STRASSE") != account.Fold("straße") || account.Fold("a") == account.Fold("b") {
		t.Error("folding")
	}
}
