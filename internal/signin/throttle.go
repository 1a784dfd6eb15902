package signin

import (
	"context"
	"net/netip"
	"time"

	"useraccounts/internal/fault"
)

// Throttle counts what comes from one network address.
type Throttle interface {
	// Admit counts one request of a network at now and returns how many its window has by now, and when the window ends.
	Admit(ctx context.Context, env, network string, now time.Time) (count int, ends time.Time, err error)
}

// Network returns what requests are counted by: an IPv4 address, or the /64 of an IPv6 one, because a household has as many
// addresses as it likes within one. What is no address counts together.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) //nolint:errcheck // 64 fits every IPv6 address
	return prefix.String()
}

// Admit lets a request from an address through, or is a fault that says when to come back (V19). It touches no account.
func (s *Service) Admit(ctx context.Context, address string) error {
	if s.Throttle == nil || s.PerMinute <= 0 {
		return nil
	}
	now := s.now()
	count, ends, err := s.Throttle.Admit(ctx, s.EnvID, Network(address), now)
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
