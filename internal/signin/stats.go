package signin

import (
	"context"
	"time"
)

// Stats counts sign-ins and failures by day, for the home page.
type Stats interface {
	// CountSignIn counts one, in one write that is the same for either.
	CountSignIn(ctx context.Context, env string, now time.Time, failed bool) error
}

// statsTimeout is how long a count may take: a sign-in waits for it no longer.
const statsTimeout = time.Second

// withStats runs the write of a sign-in's outcome with the count beside it, so that counting adds no round trip.
//
// A count that fails is lost and fails no sign-in: it is a figure on a page. It does not wait for the outcome, which
// would be a round trip, so a write that loses to a concurrent change has been counted all the same. Unknown users are
// counted the same way (C24).
func (s *Attempts) withStats(ctx context.Context, failed bool, write func() error) error {
	if s.Stats == nil {
		return write()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		within, cancel := context.WithTimeout(ctx, statsTimeout)
		defer cancel()
		_ = s.Stats.CountSignIn(within, s.EnvID, s.now(), failed)
	}()
	err := write()
	<-done // a function stops when it has answered
	return err
}
