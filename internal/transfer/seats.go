package transfer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"useraccounts/internal/account"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// countSeats sums what the import as a whole takes and gives back of each licence's seats, the rows that an earlier
// worker staged included, and refuses it where a licence has too few. The commit holds the sum against the seats once
// more.
func (r *importRun) countSeats(ctx context.Context) error {
	net := map[string]*account.SeatChange{}
	for i := range r.plans {
		w := r.plans[i].accountChange
		if len(r.rows[i].Errors) > 0 || w.After.ID == "" {
			continue
		}
		for _, c := range w.SeatChanges() {
			if net[c.Licence] == nil {
				net[c.Licence] = &account.SeatChange{Licence: c.Licence, DisplayCode: c.DisplayCode}
			}
			net[c.Licence].Delta += c.Delta
		}
	}
	r.seats = nil
	for _, licence := range slices.Sorted(maps.Keys(net)) {
		if net[licence].Delta != 0 {
			r.seats = append(r.seats, *net[licence])
		}
	}
	return r.checkSeats(ctx)
}

// seatChanges returns the seat changes with the number of seats that each licence has by now.
func (r *importRun) seatChanges() []account.SeatChange {
	out := slices.Clone(r.seats)
	for i := range out {
		licence, _ := r.scope.Catalogue.Find(catalogue.Licence, out[i].Licence)
		out[i].Limit = licence.Seats
	}
	return out
}

// checkSeats refuses the import if a licence has fewer seats than it would use.
func (r *importRun) checkSeats(ctx context.Context) error {
	changes := slices.DeleteFunc(r.seatChanges(), func(c account.SeatChange) bool { return c.Delta <= 0 || c.Limit == 0 })
	if len(changes) == 0 || r.job.FinalState != "" {
		return nil
	}
	used, err := r.Directory.Seats(ctx, r.job.Env)
	if err != nil {
		return err
	}
	var over []fault.Field
	for _, c := range changes {
		if now := used[c.Licence]; !c.Fits(now) {
			over = append(over, fault.Field{Field: accountHeading(columns(), "userType"), Code: "seats", Message: fmt.Sprintf(
				"The licence %s allows %d accounts; %d are in use and this file would add %d, which is %d too many.",
				c.DisplayCode, c.Limit, now, c.Delta, now+c.Delta-int64(c.Limit))})
		}
	}
	if len(over) == 0 {
		return nil
	}
	said := make([]string, len(over))
	for i, f := range over {
		said[i] = f.Message
	}
	r.refuse(Refused, "seats",
		strings.Join(said, " ")+
			" Nothing was imported. Lock accounts that are not needed, take rows out, or have the number of seats raised.")
	r.job.Problem.Fields = over
	return nil
}
