package account

import (
	"context"
	"slices"
	"strings"

	"useraccounts/internal/access"
	"useraccounts/internal/catalogue"
	"useraccounts/internal/fault"
)

// SeatCounter is what the service needs of the store's count of seats.
type SeatCounter interface {
	// Seats returns how many seats of each licence are in use, by its folded code; a licence that is not there has none.
	Seats(ctx context.Context, env string) (map[string]int64, error)
}

// SeatLicence returns the licence of which the account takes a seat, folded, or "": a locked account takes none.
func (a Account) SeatLicence() string {
	if !a.Active {
		return ""
	}
	return catalogue.Fold(a.UserType)
}

// SeatChange is by how much a write changes the seats in use of one licence.
type SeatChange struct {
	// Licence is the folded code, Shown the code as people know it.
	Licence, DisplayCode string
	Delta                int64
	// Limit is how many seats the licence has, 0 for any number; it binds only where By is more than 0.
	Limit int
}

// Fits reports whether the change is possible with so many seats in use.
func (c SeatChange) Fits(used int64) bool {
	return c.Delta <= 0 || c.Limit == 0 || used+c.Delta <= int64(c.Limit)
}

// SeatChanges returns which seats the write takes and gives back: most writes none.
func (w Write) SeatChanges() []SeatChange {
	var had string
	if w.Before != nil {
		had = w.Before.SeatLicence()
	}
	has := w.After.SeatLicence()
	if had == has {
		return nil
	}
	var out []SeatChange
	if had != "" {
		out = append(out, SeatChange{Licence: had, DisplayCode: w.Before.UserType, Delta: -1})
	}
	if has != "" {
		out = append(out, SeatChange{Licence: has, DisplayCode: w.After.UserType, Delta: 1, Limit: w.SeatLimit})
	}
	return out
}

// SeatChanges returns which seats the deletion gives back.
func (d Deletion) SeatChanges() []SeatChange {
	gone := d.Before
	gone.Active = false
	return Write{Before: &d.Before, After: gone}.SeatChanges()
}

// NoSeat is the conflict of a write that would take a seat which its licence does not have.
func NoSeat(c SeatChange, used int64) error {
	return fault.New(fault.Conflict, "seats",
		"The licence %s allows %d accounts, and %d are in use. Lock an account that is not needed, choose another "+
			"licence, or have its number of seats raised.",
		c.DisplayCode, c.Limit, used)
}

// SeatUse is one licence with its seats.
type SeatUse struct {
	Licence, Description string
	Used                 int64
	// Seats is how many there are, 0 for any number.
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
	for folded, n := range used { // of a licence that the caller's reference data does not know (any more)
		if n > 0 {
			out = append(out, SeatUse{Licence: folded, Used: n})
		}
	}
	slices.SortFunc(out,
		func(a, b SeatUse) int { return strings.Compare(catalogue.Fold(a.Licence), catalogue.Fold(b.Licence)) })
	return out, nil
}

// seatLimit returns how many seats the licence of the account has, 0 for any number.
func seatLimit(sc access.Scope, a Account) int {
	licence, _ := sc.Catalogue.Find(catalogue.Licence, a.UserType)
	return licence.Seats
}
