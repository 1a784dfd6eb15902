package dynamo_test

import (
	"context"
	"strings"
	"testing"

	"useraccounts/internal/transfer"
)

// mutant is something broken on purpose, for schedules to find.
type mutant struct {
	// condition changes conditions of writes.
	condition func(string) string
	undoing   func(transfer.UndoStore) transfer.UndoStore
	staging   func(transfer.Staging) transfer.Staging
	// blind readers judge by imports that came to count since they began; impatient undos remove what those still see.
	blind, impatient bool
	// from is the seed to begin with: not long before the first that finds it.
	from uint64
}

func without(part string) func(string) string {
	return func(condition string) string { return strings.ReplaceAll(condition, part, "") }
}

// V73, V74, V75: schedules can fail. Each mutant lacks one thing by which imports and their undos hold together, and
// schedules of the kind of TestRandomSchedules find it.
func TestSchedulesFindTheMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: the race detector has nothing to see")
	}
	const most = 3000
	first := newSimulation(t)
	for name, breaks := range map[string]mutant{
		"no fence": {
			condition: func(condition string) string { return strings.TrimPrefix(condition, "epoch = :epoch AND ") }},
		"readers take the head after the page": {blind: true},
		"an undo sweeps at once":               {impatient: true},
		"an undo does not sweep": {
			undoing: func(u transfer.UndoStore) transfer.UndoStore { return withoutSweep{u} }},
		"an undo minds no tabs": {condition: without(" AND attribute_not_exists(tabs)"),
			undoing: func(u transfer.UndoStore) transfer.UndoStore { return withoutHeld{u} }},
		"an edit dooms nothing": {condition: without(" AND attribute_not_exists(pending.#n.doomedBy)"), from: 120},
		"what was staged is not taken back": {
			staging: func(s transfer.Staging) transfer.Staging { return withoutRollback{s} }},
		"what is being taken away can be named": {condition: without(" AND attribute_not_exists(gone)")},
	} {
		t.Run(name, func(t *testing.T) {
			w := first.clone()
			w.mutant = breaks
			for seed := breaks.from; seed < most; seed++ {
				if err := w.schedule(seed); err != nil {
					if strings.Contains(err.Error(), "Validation") {
						t.Fatal(err) // the mutant itself is wrong
					}
					t.Logf("found by seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("it lives after %d schedules", most)
		})
	}
}

type withoutSweep struct{ transfer.UndoStore }

func (withoutSweep) PurgeTombstones(context.Context, transfer.Job, []transfer.RowRef) error {
	return nil
}

type withoutHeld struct{ transfer.UndoStore }

func (withoutHeld) Dependents(context.Context, []string) (map[string]string, error) { return nil, nil }

type withoutRollback struct{ transfer.Staging }

func (withoutRollback) Rollback(context.Context, transfer.Job, []transfer.RowRef) error { return nil }
