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

// countSeats sums what the whole import changes of each licence's seats, with the rows that an earlier worker staged.
// It refuses the import if a licence has too few seats. The commit checks the sum once more.
func (r *importRun) countSeats(ctx context.Context) error {
	sums := map[string]*account.SeatChange{}
	for i := range r.rows {
		change := &r.rows[i].plan.accountChange
		if r.rows[i].failed() || change.After.ID == "" {
			continue
		}
		for _, c := range change.SeatChanges() {
			if sums[c.Licence] == nil {
				sums[c.Licence] = &account.SeatChange{Licence: c.Licence, DisplayCode: c.DisplayCode}
			}
			sums[c.Licence].Delta += c.Delta
		}
	}
	r.seats = nil
	for _, licence := range slices.Sorted(maps.Keys(sums)) {
		if sums[licence].Delta != 0 {
			r.seats = append(r.seats, *sums[licence])
		}
	}
	return r.checkSeats(ctx)
}

// seatChanges returns the seat changes with the current number of seats of each licence.
func (r *importRun) seatChanges() []account.SeatChange {
	out := slices.Clone(r.seats)
	for i := range out {
		licence, _ := r.scope.Catalogue.Find(catalogue.Licence, out[i].Licence)
		out[i].Limit = licence.Seats
	}
	return out
}

// checkSeats refuses the import if a licence has fewer seats than the import needs.
func (r *importRun) checkSeats(ctx context.Context) error {
	changes := slices.DeleteFunc(r.seatChanges(), func(c account.SeatChange) bool { return c.Delta <= 0 || c.Limit == 0 })
	if len(changes) == 0 || r.job.FinalState != "" {
		return nil
	}
	inUse, err := r.Directory.Seats(ctx, r.job.Env)
	if err != nil {
		return err
	}
	var tooFew []fault.Field
	var messages []string
	for _, c := range changes {
		now := inUse[c.Licence]
		if c.Fits(now) {
			continue
		}
		message := fmt.Sprintf(
			"The licence %s allows %d accounts; %d are in use and this file would add %d, which is %d too many.",
			c.DisplayCode, c.Limit, now, c.Delta, now+c.Delta-int64(c.Limit))
		messages = append(messages, message)
		tooFew = append(tooFew, fault.Field{Field: accountHeading(columns(), "userType"), Code: "seats", Message: message})
	}
	if len(tooFew) == 0 {
		return nil
	}
	r.refuse(Refused, "seats", strings.Join(messages, " ")+
		" Nothing was imported. Lock accounts that are not needed, remove rows, or have the number of seats raised.")
	r.job.Problem.Fields = tooFew
	return nil
}
