package transfer_test

import (
	"os"
	"strings"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/transfer"
)

// The sheet's 36 columns: number, order and spelling are those of the guide, pinned in testdata/headings.txt.
func TestThe36HeadingsAreThoseOfTheGuide(t *testing.T) {
	golden, err := os.ReadFile("testdata/headings.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n")
	got, required := transfer.Headings()
	if len(want) != 36 || len(got) != 36 {
		t.Fatalf("%d headings, and %d in the file", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("heading %d is %q, want %q", i+1, got[i], want[i])
		}
	}
	if len(required) != 1 || !required["Username"] {
		t.Errorf("required: %v", required)
	}
}

// The field table and the columns name the same things.
func TestEveryColumnsFieldIsThereAndCanBeSet(t *testing.T) {
	seen := map[string]bool{}
	for heading, name := range transfer.FieldsOfColumns() {
		d := account.Fields().Find(name)
		if d == nil || d.ReadOnly || seen[name] {
			t.Errorf("%s fills %s, which is not there, cannot be set, or is filled twice", heading, name)
		}
		seen[name] = true
	}
	for _, d := range account.Fields() {
		if !d.ReadOnly && !seen[d.Name] && d.Name != "forcePasswordChange" {
			t.Errorf("no column fills %s", d.Name)
		}
	}
}
