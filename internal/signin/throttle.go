package signin

import (
	"context"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/session"
)

// Throttle counts what comes from one network address.
type Throttle interface {
	// Admit counts one request of a network at now and returns how many its window has by now, and when the window ends.
	Admit(ctx context.Context, env, network string, now time.Time) (count int, ends time.Time, err error)
}

// Admit lets a request from an address through, or is a fault that says when to come back (V19). It touches no account.
func (s *Service) Admit(ctx context.Context, address string) error {
	if s.Throttle == nil || s.PerMinute <= 0 {
		return nil
	}
	now := s.now()
	count, ends, err := s.Throttle.Admit(ctx, s.EnvID, session.Network(address), now)
	if err != nil || count <= s.PerMinute {
		return err
	}
	return fault.New(fault.TooMany, "tooManyFromAddress",
		"Too many requests to sign in came from your network. Wait a moment and try again.").After(max(ends.Sub(now), time.Second))
}

// admit is Admit beside the first read of a step, so that it adds no round trip. What it returns waits for the outcome, and
// has to be called before anything is written or verified.
func (s *Service) admit(ctx context.Context, address string) func() error {
	if s.Throttle == nil {
		return func() error { return nil }
	}
	outcome := make(chan error, 1)
	go func() { outcome <- s.Admit(ctx, address) }()
	var once bool
	var err error
	return func() error {
		if !once {
			err, once = <-outcome, true
		}
		return err
	}
}
