package bulk

import (
	"context"
	"sync"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
)

// recordingStore is the store of one account's action. It records whether the action wrote; a preview's writes it keeps
// to itself.
type recordingStore struct {
	account.Store
	preview      bool
	reservations *seatReservations
	wrote        bool
	username     string
}

// Account implements account.Store.
func (s *recordingStore) Account(ctx context.Context, env environment.Environment, id string) (account.Account, error) {
	a, err := s.Store.Account(ctx, env, id)
	if err == nil {
		s.username = a.Username
	}
	return a, err
}

// Write implements account.Store.
func (s *recordingStore) Write(ctx context.Context, env environment.Environment, w account.Write) error {
	var err error
	if s.preview {
		err = s.reservations.reserve(w.SeatChanges())
	} else {
		err = s.Store.Write(ctx, env, w)
	}
	s.wrote = err == nil
	return err
}

// seatReservations counts the seats that the accounts of a preview would take, on top of those in use when it began.
type seatReservations struct {
	mu       sync.Mutex
	used     func() (map[string]int64, error)
	reserved map[string]int64
}

// reserve adds the seats that a write would take and give back, or returns the conflict that the write would meet.
func (s *seatReservations) reserve(changes []account.SeatChange) error {
	if len(changes) == 0 {
		return nil
	}
	used, err := s.used()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		if n := max(0, used[c.Licence]) + s.reserved[c.Licence]; !c.Fits(n) {
			return account.NoSeat(c, n)
		}
	}
	if s.reserved == nil {
		s.reserved = map[string]int64{}
	}
	for _, c := range changes {
		s.reserved[c.Licence] += c.Delta
	}
	return nil
}
