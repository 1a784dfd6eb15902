package signin

import (
	"context"
	"sync/atomic"
	"time"

	"useraccounts/internal/fault"
	"useraccounts/internal/session"
)

// RequestCounter counts the requests of one network.
type RequestCounter interface {
	// Count counts one request of a network at now. It returns how many its window has by now, and when the window ends.
	Count(ctx context.Context, env, network string, now time.Time) (count int, ends time.Time, err error)
}

// RateLimiter limits the requests of one network. A nil one limits nothing.
type RateLimiter struct {
	EnvID   string
	Counter RequestCounter
	// PerMinute is how many requests are let through in a minute; 0 for any number.
	PerMinute int
	Now       func() time.Time
}

// Quota is what a network may still send within its window.
type Quota struct {
	Limit, Left int
	Reset       time.Duration
}

type quotaKey struct{}

// WithQuota returns a context in which Admit notes the caller's quota.
func WithQuota(ctx context.Context, quota *atomic.Pointer[Quota]) context.Context {
	return context.WithValue(ctx, quotaKey{}, quota)
}

// Admit lets a request from an address through, or is a fault that says when to come back (V19). It touches no account.
func (l *RateLimiter) Admit(ctx context.Context, address string) error {
	if l == nil || l.PerMinute <= 0 {
		return nil
	}
	now := l.Now().UTC().Truncate(time.Millisecond)
	count, ends, err := l.Counter.Count(ctx, l.EnvID, session.Network(address), now)
	if err != nil {
		return err
	}
	if told, ok := ctx.Value(quotaKey{}).(*atomic.Pointer[Quota]); ok {
		told.Store(&Quota{Limit: l.PerMinute, Left: max(l.PerMinute-count, 0), Reset: max(ends.Sub(now), time.Second)})
	}
	if count <= l.PerMinute {
		return nil
	}
	return fault.New(fault.TooManyRequests, "tooManyFromAddress",
		"Too many sign-in requests came from your network. Wait a moment and try again.").
		WithRetryAfter(max(ends.Sub(now), time.Second))
}

// start runs Admit beside the first read of a step, so that it adds no round trip. What it returns waits for the
// outcome. Call that before anything is written or verified.
func (l *RateLimiter) start(ctx context.Context, address string) func() error {
	if l == nil {
		return func() error { return nil }
	}
	outcome := make(chan error, 1)
	go func() { outcome <- l.Admit(ctx, address) }()
	var once bool
	var err error
	return func() error {
		if !once {
			err, once = <-outcome, true
		}
		return err
	}
}
