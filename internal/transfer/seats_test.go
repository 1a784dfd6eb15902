package transfer_test

import (
	"maps"
	"strings"
	"testing"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/transfer"
)

// catalogue returns the reference data with the backend's seat limits.
func (b *fakeBackend) catalogue() *catalogue.Catalogue {
	var entries []catalogue.Entry
	for _, kind := range []catalogue.Kind{catalogue.Licence, catalogue.Role, catalogue.Group, catalogue.DACGroup,
		catalogue.ResourceGroup, catalogue.Department, catalogue.CostCentre, catalogue.PaymentMethod,
		catalogue.PaymentTerms} {
		entries = append(entries, referenceData().All(kind)...)
	}
	for i, e := range entries {
		if e.Kind == catalogue.Licence {
			entries[i].Seats = b.seatLimits[e.Code]
		}
	}
	return catalogue.New(entries)
}

// What the commit takes of seats is what the rows make of it together, and nothing before.
func TestSeatsAreTakenByTheCommit(t *testing.T) {
	b := newFakeBackend(existingAccount("keep"))
	b.onCall = func(call string) error {
		if call == "commit" && len(b.seats) > 0 {
			t.Errorf("seats were taken before the commit: %v", b.seats)
		}
		return nil
	}
	b.submit(transfer.Options{}, book(t, baseHeader(), newRow("one"), newRow("two"), []any{"keep", "Changed"}))
	b.runTo(t, transfer.Done)
	if !maps.Equal(b.seats, map[string]int64{"full": 2}) {
		t.Errorf("%v", b.seats)
	}
}

// A worker that dies before the commit leaves rows staged; the next counts those too.
func TestALaterWorkerCountsStagedRows(t *testing.T) {
	b := newFakeBackend(existingAccount("keep"))
	b.submit(transfer.Options{}, book(t, baseHeader(), newRow("one"), newRow("two"), newRow("three")))
	b.onCall = func(call string) error {
		if call == "commit" {
			return errDown
		}
		return nil
	}
	if err := b.worker().Run(t.Context(), b.job.Env, b.job.ID); err == nil || len(b.staged) != 3 {
		t.Fatalf("%v, %d staged", err, len(b.staged))
	}
	b.onCall = nil
	b.runTo(t, transfer.Done)
	if !maps.Equal(b.seats, map[string]int64{"full": 3}) {
		t.Errorf("%v", b.seats)
	}
}

// Too few seats refuse the whole file, Skip errors or not, and say by how many.
func TestTooFewSeatsRefuseTheFile(t *testing.T) {
	for _, skip := range []bool{false, true} {
		b := newFakeBackend(existingAccount("keep"))
		b.seatLimits, b.seats = map[string]int{"FULL": 5}, map[string]int64{"full": 4}
		b.submit(transfer.Options{SkipErrors: skip}, book(t, baseHeader(), newRow("one"), newRow("two"), newRow("three")))
		b.runTo(t, transfer.Refused)
		if p := b.job.Problem; p == nil || p.Code != "seats" ||
			!strings.Contains(p.Detail, "FULL allows 5 accounts; 4 are in use and this file would add 3, which is 2 too many") {
			t.Errorf("%+v", p)
		}
		if b.count("begin")+b.count("stage") > 0 || b.seats["full"] != 4 || b.job.Counts.Created != 0 ||
			b.job.Counts.Skipped != 3 {
			t.Errorf("%v %v %+v", b.calls, b.seats, b.job.Counts)
		}
	}
}

// Somebody takes the last seat while the rows are staged: the commit fails, and the next round tells why.
func TestASeatTakenMeanwhile(t *testing.T) {
	b := newFakeBackend(existingAccount("keep"))
	b.seatLimits = map[string]int{"FULL": 1}
	b.submit(transfer.Options{}, book(t, baseHeader(), newRow("one")))
	b.onCall = func(call string) error {
		if call == "commit" {
			b.seats["full"] = 1
		}
		return nil
	}
	b.runTo(t, transfer.Refused)
	if b.job.Problem.Code != "seats" || len(b.staged) > 0 || b.pending || b.seats["full"] != 1 {
		t.Errorf("%+v, %d staged, %v", b.job.Problem, len(b.staged), b.seats)
	}
}
