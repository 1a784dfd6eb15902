package dynamo_test

import (
	"fmt"
	"slices"
	"testing"

	"useraccounts/internal/transfer"
)

func headings() []any {
	return []any{"Username", "Description", "User licenses", "Email", "User roles"}
}

func personRow(name string) []any {
	return []any{name, "Person " + name, "FULL", name + "@example.com", "VIEWER"}
}

// V71: with every row right, all of them count at once.
func TestImportCreatesAndUpdatesEveryRow(t *testing.T) {
	f := newFixture(t)
	f.create(t, "existing", nil)
	f.create(t, "same", nil)
	rows := [][]any{headings()}
	for i := range 60 {
		rows = append(rows, personRow(fmt.Sprintf("new%02d", i)))
	}
	rows = append(rows, []any{"EXISTING", "Another name", nil, "moved@example.com", nil}, []any{"same"})
	j := f.submit(t, transfer.Options{}, rows...)
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	got := f.job(t, j.ID)
	want := transfer.Counts{Rows: 62, Created: 60, Updated: 1, Unchanged: 1}
	if got.State != transfer.Done || got.Counts != want {
		t.Fatalf("state %s, counts %+v, problem %+v; want done and %+v", got.State, got.Counts, got.Problem, want)
	}
	names := f.usernames(t)
	if len(names) != 63 || !slices.IsSorted(names) {
		t.Errorf("%d accounts: %v", len(names), names)
	}
	key, err := f.find(t.Context(), "existing@example.com")
	if err != nil || key != "" {
		t.Errorf("the old email still leads to %q (%v)", key, err)
	}
	key, err = f.find(t.Context(), "moved@example.com")
	if err != nil || key != "existing" {
		t.Errorf("the new email leads to %q (%v), want existing", key, err)
	}
	f.create(t, "heir", map[string]any{"email": "existing@example.com"}) // the email is free for others
}

// V71: one wrong row and nothing is changed; every wrong row is reported.
func TestImportWithAWrongRowChangesNothing(t *testing.T) {
	f := newFixture(t)
	before := f.usernames(t)
	j := f.submit(t, transfer.Options{}, headings(), personRow("one"), []any{"two", "Two", "NONE", "bad"},
		personRow("three"), []any{"one", "x"}, personRow("admin@x@y"))
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	got := f.job(t, j.ID)
	if got.State != transfer.Refused || got.Counts.Failed != 4 || got.Counts.Skipped != 1 ||
		got.Problem.Code != "rowErrors" {
		t.Errorf("%s %+v %+v", got.State, got.Counts, got.Problem)
	}
	if after := f.usernames(t); !slices.Equal(before, after) {
		t.Errorf("accounts changed from %v to %v", before, after)
	}
}

// V72: with Skip errors, exactly the right rows.
func TestImportSkippingErrorsTakesTheRightRows(t *testing.T) {
	f := newFixture(t)
	j := f.submit(t, transfer.Options{SkipErrors: true}, headings(), personRow("one"), []any{"two", "Two", "NONE", "bad"},
		personRow("three"))
	if err := f.worker().Run(t.Context(), env, j.ID); err != nil {
		t.Fatal(err)
	}
	if names := f.usernames(t); !slices.Equal(names, []string{"admin", "one", "three"}) {
		t.Errorf("accounts %v", names)
	}
}
