package httpapi_test

import (
	"context"
	"testing"
	"time"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/signin"
)

// requestCounter counts the requests of every network together.
type requestCounter struct{ count int }

// Count counts a request of a window that ends in 41.5 seconds.
func (c *requestCounter) Count(_ context.Context, _, _ string, now time.Time) (int, time.Time, error) {
	c.count++
	return c.count, now.Add(41500 * time.Millisecond), nil
}

// V19: a caller without a session is told how much its network may still send, before and after the limit.
func TestTheQuotaOfANetworkIsTold(t *testing.T) {
	limiter := &signin.RateLimiter{Counter: &requestCounter{}, PerMinute: 2, Now: func() time.Time { return noon }}
	a := serve(t, nil, httpapi.ProtectPublicRoutes(limiter, []httpapi.Route{
		{Key: "POST /api/login", Needs: access.Public, Handle: okHandler},
		{Key: "GET /api/me", Needs: access.SignedIn, Handle: okHandler},
	})...)
	for i, want := range []string{`"network";r=1;t=42`, `"network";r=0;t=42`, `"network";r=0;t=42`} {
		res := a.do(t, request("POST /api/login"))
		if res.Headers["Ratelimit"] != want || res.Headers["Ratelimit-Policy"] != `"network";q=2;w=60` {
			t.Errorf("request %d: %v", i+1, res.Headers)
		}
		if i == 2 {
			res.wantProblem(t, 429, "tooManyFromAddress")
			if res.Headers["Retry-After"] != "42" {
				t.Errorf("Retry-After is %q", res.Headers["Retry-After"])
			}
		} else if res.StatusCode != 200 {
			t.Errorf("request %d: %d", i+1, res.StatusCode)
		}
	}
	if res := a.do(t, request("GET /api/me")); res.Headers["Ratelimit"] != "" {
		t.Errorf("a request with a session is limited: %v", res.Headers)
	}
}
