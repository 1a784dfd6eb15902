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

// tally is a count that fails, or never answers until it is given up.
type tally struct {
	hangs bool
	notes int
}

func (c *tally) Note(ctx context.Context, _ string, _ time.Time, _ bool) error {
	c.notes++
	if !c.hangs {
		return errors.New("down")
	}
	<-ctx.Done()
	return ctx.Err()
}

// A count of sign-ins that fails or hangs leaves each sign-in and refusal as it is, and holds it up for a second at most (V84).
func TestACountThatFailsFailsNoSignIn(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, counted := newWorld(doej()), &tally{hangs: hangs}
			s := w.service()
			s.Tally = counted
			begun := time.Now()
			got, err := s.Login(t.Context(), "doej", secret, signin.Device{})
			if err != nil || got.Next != session.Done || len(w.sessions) != 1 {
				t.Errorf("hangs %v: %+v %v", hangs, got, err)
			}
			if _, err := s.Login(t.Context(), "doej", "wrong", signin.Device{}); !fault.HasCode(err, "signInRefused") || len(w.refusals) != 1 {
				t.Errorf("hangs %v: %v", hangs, err)
			}
			if took := time.Since(begun); counted.notes != 2 || hangs != (took == 2*time.Second) {
				t.Errorf("hangs %v: %d counted, in %s", hangs, counted.notes, took)
			}
		})
	}
}
