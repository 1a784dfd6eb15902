package signin_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

// failingStats is a count that fails, or never answers until it is given up.
type failingStats struct {
	hangs bool
	notes int
}

func (c *failingStats) CountSignIn(ctx context.Context, _ string, _ time.Time, _ bool) error {
	c.notes++
	if !c.hangs {
		return errors.New("down")
	}
	<-ctx.Done()
	return ctx.Err()
}

// A count of sign-ins that fails or hangs leaves each sign-in and refusal as it is, and holds it up for a second at
// most (V84).
func TestFailingStatsFailNoSignIn(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, counted := newFakeStore(doej()), &failingStats{hangs: hangs}
			s := w.services()
			s.Stats = counted
			begun := time.Now()
			got, err := s.Login(t.Context(), "doej", secret, signin.ClientInfo{})
			if err != nil || got.Next != session.Done || len(w.sessions) != 1 {
				t.Errorf("hangs %v: %+v %v", hangs, got, err)
			}
			if _, err := s.Login(t.Context(), "doej", "wrong", signin.ClientInfo{}); !fault.HasCode(err, "signInRefused") ||
				len(w.failures) != 1 {
				t.Errorf("hangs %v: %v", hangs, err)
			}
			if took := time.Since(begun); counted.notes != 2 || hangs != (took == 2*time.Second) {
				t.Errorf("hangs %v: %d counted, in %s", hangs, counted.notes, took)
			}
		})
	}
}
