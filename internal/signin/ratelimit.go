package signin

import (
	"context"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/session"
)

// RateLimiter counts what comes from one network address.
type RateLimiter interface {
	// Count counts one request of a network at now and returns how many its window has by now, and when the window ends.
	Count(ctx context.Context, env, network string, now time.Time) (count int, ends time.Time, err error)
}

// Admit lets a request from an address through, or is a fault that says when to come back (V19). It touches no account.
func (s *Service) Admit(ctx context.Context, address string) error {
	if s.RateLimiter == nil || s.RequestsPerMinute <= 0 {
		return nil
	}
	now := s.now()
	count, ends, err := s.RateLimiter.Count(ctx, s.EnvID, session.Network(address), now)
	if err != nil || count <= s.RequestsPerMinute {
		return err
	}
	return fault.New(fault.TooManyRequests, "tooManyFromAddress",
		"Too many requests to sign in came from your network. Wait a moment and try again.").WithRetryAfter(
		max(ends.Sub(now), time.Second))
}

// startRateCheck is Admit beside the first read of a step, so that it adds no round trip. What it returns waits for the
// outcome, and has to be called before anything is written or verified.
func (s *Service) startRateCheck(ctx context.Context, address string) func() error {
	if s.RateLimiter == nil {
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
