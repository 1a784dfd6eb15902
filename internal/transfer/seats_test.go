package transfer_test

import (
	"maps"
	"strings"
	"testing"

	"useraccounts/internal/catalogue"
	"useraccounts/internal/transfer"
)

// catalogue is the reference data with the office's numbers of seats.
func (o *fakeBackend) catalogue() *catalogue.Catalogue {
	var entries []catalogue.Entry
	for _, kind := range []catalogue.Kind{catalogue.Licence, catalogue.Role, catalogue.Group, catalogue.DACGroup,
		catalogue.ResourceGroup, catalogue.Department, catalogue.CostCentre, catalogue.PaymentMethod,
		catalogue.PaymentTerms} {
		entries = append(entries, referenceData().All(kind)...)
	}
	for i, e := range entries {
		if e.Kind == catalogue.Licence {
			entries[i].Seats = o.seatLimits[e.Code]
		}
	}
	return catalogue.New(entries)
}

// What the commit takes of seats is what the rows make of it together, and nothing before.
func TestSeatsAreTakenByTheCommit(t *testing.T) {
	o := newFakeBackend(existingAccount("keep"))
	o.onCall = func(call string) error {
		if call == "commit" && len(o.seats) > 0 {
			t.Errorf("seats were taken before the commit: %v", o.seats)
		}
		return nil
	}
	o.submit(transfer.Options{}, book(t, baseHeader(), newRow("one"), newRow("two"), []any{"keep", "Changed"}))
	o.runTo(t, transfer.Done)
	if !maps.Equal(o.seats, map[string]int64{"full": 2}) {
		t.Errorf("%v", o.seats)
	}
}

// A worker that dies before the commit leaves rows staged; the next counts those too.
func TestALaterWorkerCountsStagedRows(t *testing.T) {
	o := newFakeBackend(existingAccount("keep"))
	o.submit(transfer.Options{}, book(t, baseHeader(), newRow("one"), newRow("two"), newRow("three")))
	o.onCall = func(call string) error {
		if call == "commit" {
			return errDown
		}
		return nil
	}
	if err := o.worker().Run(t.Context(), o.job.Env, o.job.ID); err == nil || len(o.staged) != 3 {
		t.Fatalf("%v, %d staged", err, len(o.staged))
	}
	o.onCall = nil
	o.runTo(t, transfer.Done)
	if !maps.Equal(o.seats, map[string]int64{"full": 3}) {
		t.Errorf("%v", o.seats)
	}
}

// Too few seats refuse the whole file, Skip errors or not, and say by how many.
func TestTooFewSeatsRefuseTheFile(t *testing.T) {
	for _, skip := range []bool{false, true} {
		o := newFakeBackend(existingAccount("keep"))
		o.seatLimits, o.seats = map[string]int{"FULL": 5}, map[string]int64{"full": 4}
		o.submit(transfer.Options{SkipErrors: skip}, book(t, baseHeader(), newRow("one"), newRow("two"), newRow("three")))
		o.runTo(t, transfer.Refused)
		if p := o.job.Problem; p == nil || p.Code != "seats" ||
			!strings.Contains(p.Detail, "FULL allows 5 accounts; 4 are in use and this file would add 3, which is 2 too many") {
			t.Errorf("%+v", p)
		}
		if o.count("begin")+o.count("stage") > 0 || o.seats["full"] != 4 || o.job.Counts.Created != 0 ||
			o.job.Counts.Skipped != 3 {
			t.Errorf("%v %v %+v", o.calls, o.seats, o.job.Counts)
		}
	}
}

// Somebody takes the last seat while the rows are staged: the commit fails, and the next round tells why.
func TestASeatTakenMeanwhile(t *testing.T) {
	o := newFakeBackend(existingAccount("keep"))
	o.seatLimits = map[string]int{"FULL": 1}
	o.submit(transfer.Options{}, book(t, baseHeader(), newRow("one")))
	o.onCall = func(call string) error {
		if call == "commit" {
			o.seats["full"] = 1
		}
		return nil
	}
	o.runTo(t, transfer.Refused)
	if o.job.Problem.Code != "seats" || len(o.staged) > 0 || o.pending || o.seats["full"] != 1 {
		t.Errorf("%+v, %d staged, %v", o.job.Problem, len(o.staged), o.seats)
	}
}
