package account

import (
	"context"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// SeatCounter counts the seats in use.
type SeatCounter interface {
	// Seats returns the seats in use of each licence, by its folded code; 0 if the licence is not there.
	Seats(ctx context.Context, env string) (map[string]int64, error)
}

// SeatLicence returns the folded code of the licence that the account takes a seat of, or "" for a locked account.
func (a Account) SeatLicence() string {
	if !a.Active {
		return ""
	}
	return catalogue.Fold(a.UserType)
}

// SeatChange is how a write changes the seats in use of one licence.
type SeatChange struct {
	// Licence is the folded code, DisplayCode the code as people know it.
	Licence, DisplayCode string
	Delta                int64
	// Limit is how many seats the licence has, 0 for no limit. It only matters if Delta is more than 0.
	Limit int
}

// Fits reports whether the change is possible with that many seats in use.
func (c SeatChange) Fits(used int64) bool {
	return c.Delta <= 0 || c.Limit == 0 || used+c.Delta <= int64(c.Limit)
}

// SeatChanges returns the seats that the write takes and frees; for most writes there are none.
func (w Write) SeatChanges() []SeatChange {
	var before string
	if w.Before != nil {
		before = w.Before.SeatLicence()
	}
	after := w.After.SeatLicence()
	if before == after {
		return nil
	}
	var out []SeatChange
	if before != "" {
		out = append(out, SeatChange{Licence: before, DisplayCode: w.Before.UserType, Delta: -1})
	}
	if after != "" {
		out = append(out, SeatChange{Licence: after, DisplayCode: w.After.UserType, Delta: 1, Limit: w.SeatLimit})
	}
	return out
}

// SeatChanges returns the seats that the deletion frees.
func (d Deletion) SeatChanges() []SeatChange {
	deleted := d.Before
	deleted.Active = false
	return Write{Before: &d.Before, After: deleted}.SeatChanges()
}

// NoSeat is the conflict of a write that needs a seat when all are in use.
func NoSeat(c SeatChange, used int64) error {
	return fault.New(fault.Conflict, "seats",
		"The licence %s allows %d accounts; %d are in use. Lock an account that is not needed, choose another licence, or "+
			"raise its number of seats.",
		c.DisplayCode, c.Limit, used)
}

// SeatUse is one licence with its seats.
type SeatUse struct {
	Licence, Description string
	Used                 int64
	// Seats is how many the licence has, 0 for no limit.
	Seats int
}

// SeatsInUse returns the seats of every licence, in the order of codes.
func (s *Service) SeatsInUse(ctx context.Context, sc access.Scope) ([]SeatUse, error) {
	used, err := s.Seats.Seats(ctx, sc.Env.ID)
	if err != nil {
		return nil, err
	}
	var out []SeatUse
	for _, licence := range sc.Catalogue.All(catalogue.Licence) {
		folded := catalogue.Fold(licence.Code)
		out = append(out,
			SeatUse{Licence: licence.Code, Description: licence.Description, Used: used[folded], Seats: licence.Seats})
		delete(used, folded)
	}
	for folded, n := range used { // of licences that the reference data does not have
		if n > 0 {
			out = append(out, SeatUse{Licence: folded, Used: n})
		}
	}
	slices.SortFunc(out,
		func(a, b SeatUse) int { return strings.Compare(catalogue.Fold(a.Licence), catalogue.Fold(b.Licence)) })
	return out, nil
}

// seatLimit returns how many seats the licence of the account has, 0 for no limit.
func seatLimit(sc access.Scope, a Account) int {
	licence, _ := sc.Catalogue.Find(catalogue.Licence, a.UserType)
	return licence.Seats
}
