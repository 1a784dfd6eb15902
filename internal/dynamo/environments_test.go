package dynamo_test

import (
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/setup"
)

// An environment's id is part of keys, so one with another sign in it is refused before anything is written. What is
// mistyped is told what there is, and an empty table takes its first.
func TestEnvironmentIDsAreCheckedAndListed(t *testing.T) {
	f := newFixture(t)
	s := setup.Setup{Environments: f.environments, Upgrades: dynamo.Upgrades{Table: f.table}, Accounts: f.accounts}
	if _, err := s.CreateEnvironment(t.Context(), "second", true); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{
		"", "second#x", "Second", "2nd", "-a", "a b", "zweit\u00e9", strings.Repeat("a", 33), "a\n",
	} {
		if _, err := s.CreateEnvironment(t.Context(), id, true); err == nil || !strings.Contains(err.Error(), "a-z") {
			t.Errorf("%q was made: %v", id, err)
		}
		if s.CheckNew(t.Context(), id) == nil {
			t.Errorf("%q is welcome", id)
		}
	}
	ids, err := f.environments.IDs(t.Context())
	if want := []string{"second", env}; err != nil || !slices.Equal(ids, slices.Sorted(slices.Values(want))) {
		t.Errorf("%v, %v", ids, err)
	}
	if err := s.CheckNew(t.Context(), "secnd"); err == nil || !strings.Contains(err.Error(), strings.Join(ids, ", ")) {
		t.Errorf("a near miss: %v", err)
	}
	if err := s.CheckNew(t.Context(), "second"); err != nil {
		t.Errorf("one that is there: %v", err)
	}
}
