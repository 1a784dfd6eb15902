package signin_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"useraccounts/internal/account"
	"useraccounts/internal/environment"
	"useraccounts/internal/fault"
	"useraccounts/internal/session"
	"useraccounts/internal/signin"
)

func attempt(w *fakeStore, password string) error {
	_, err := w.services().Login(context.Background(), "doej", password,
		signin.ClientInfo{Client: "curl", UserAgent: "ua", Address: "192.0.2.1"})
	return err
}

// A block by tries lets one try through after 1, 2, 4, 8, and then each 15 minutes, by the clock and to the instant;
// the hundredth failure in a row, known networks among it, waits for an administrator (NIST SP 800-63B-4, 3.2.2).
func TestTheTimedReleaseDoublesAndStops(t *testing.T) {
	w := newFakeStore(doej())
	for range 5 {
		_ = attempt(w, "wrong")
	}
	waits := []time.Duration{1, 2, 4, 8, 15, 15, 15}
	for w.accounts["doej"].FailedTries < account.MaxAccountFailures(5) {
		wait := 15 * time.Minute
		if len(waits) > 0 {
			wait, waits = waits[0]*time.Minute, waits[1:]
		}
		before := w.verified
		w.now = w.now.Add(wait - time.Millisecond)
		if err := attempt(w, secret); !fault.HasCode(err, "signInRefused") || w.verified != before {
			t.Fatalf("after %d failures, before %s: %v", w.accounts["doej"].FailedTries, wait, err)
		}
		w.now = w.now.Add(time.Millisecond)
		_ = attempt(w, "wrong")
		_ = attempt(w, "wrong") // of the same release: not looked at
		if w.verified != before+1 {
			t.Fatalf("after %s %d tries were verified", wait, w.verified-before)
		}
	}
	w.now = w.now.Add(time.Hour)
	w.change("doej", func(a *account.Account) { a.DateTo = "" })
	before := w.verified
	if err := attempt(w, secret); !fault.HasCode(err, "signInRefused") || w.verified != before {
		t.Errorf("beyond a hundred failures: %v", err)
	}
	if len(w.blocks) != 1 {
		t.Errorf("blocked %d times", len(w.blocks))
	}
}

// The right password on a released try ends the block and the ladder with it.
func TestAReleasedTryThatIsRightEndsTheBlock(t *testing.T) {
	w := newFakeStore(doej())
	for range 5 {
		_ = attempt(w, "wrong")
	}
	w.now = noon.Add(time.Minute)
	_ = attempt(w, "wrong")
	w.now = noon.Add(3 * time.Minute)
	if err := attempt(w, secret); err != nil {
		t.Fatal(err)
	}
	if a := w.accounts["doej"]; a.FailedTries != 0 || !a.TriesBlockedAt.IsZero() {
		t.Errorf("%+v", a)
	}
	for range 5 {
		_ = attempt(w, "wrong")
	}
	w.now = w.now.Add(time.Minute) // the first rung again
	if err := attempt(w, secret); err != nil {
		t.Error(err)
	}
}

// Where the environment does not release, a block stays.
func TestWithoutTheReleaseABlockStays(t *testing.T) {
	w := newFakeStore(doejWith(func(a *account.Account) { a.DateTo = "" }))
	w.env.Settings.FailedTryRelease = false
	for range 5 {
		_ = attempt(w, "wrong")
	}
	w.now = noon.AddDate(1, 0, 0)
	if err := attempt(w, secret); !fault.HasCode(err, "signInRefused") || w.verified != 5 {
		t.Errorf("a year later: %v", err)
	}
}

// C10, V16: no number of failures and no stored limit makes the wait short, negative or endless by overflow.
func TestTheWaitNeverOverflows(t *testing.T) {
	for _, limit := range []int{math.MinInt, -1, 0, 1, 5, 100, math.MaxInt} {
		rule := signin.AttemptPolicy{Limit: environment.Settings{FailedTryLimit: limit}.TryLimit(), Release: true}
		for _, failures := range []int64{math.MinInt64, 0, 5, 6, 99, 100, 101, math.MaxInt64} {
			wait, released := rule.Wait(failures)
			if released != (failures < account.MaxAccountFailures(rule.Limit)) || released &&
				(wait < time.Minute || wait > 15*time.Minute) {
				t.Errorf("limit %d, %d failures: %s, %v", limit, failures, wait, released)
			}
		}
	}
}

// V81: each refusal is told of once, with its real reason and where it came from; what was typed is nowhere.
func TestTheLogSaysWhySignInFailed(t *testing.T) {
	for name, c := range refusals() {
		w := newFakeStore(c.account)
		_ = attempt(w, c.password)
		if len(w.failures) != 1 {
			t.Fatalf("%s: %d lines", name, len(w.failures))
		}
		r := w.failures[0]
		want := map[string]string{
			"wrong password": "Wrong password.", "empty password": "Wrong password.", "another case": "Wrong password.",
			"blocked": "Login access is blocked.", "blocked and wrong": "Wrong password. Login access is blocked.",
			"blocked by tries": "Too many failed tries; the password was not checked.", "the last try": "Wrong password.",
			"locked": "The account is locked.", "not yet": "Outside the account's dates.",
			"no longer":            "Outside the account's dates.",
			"no password":          "The account has no password: none was set yet, or its licence is for API clients.",
			"API client, no input": "The account has no password: none was set yet, or its licence is for API clients.",
			"nobody":               "No such username or email.",
		}[name]
		if r.Reason != want || r.Known != (name != "nobody") || r.Blocks != (name == "the last try") ||
			r.Client.Address != "192.0.2.1" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The access record hears why; the answer does not (V21).
func TestTheRecordHearsWhy(t *testing.T) {
	w := newFakeStore(doej())
	var whose, why string
	d := signin.ClientInfo{OnRefused: func(a, reason string) { whose, why = a, reason }}
	_, _ = w.services().Login(context.Background(), "doej", "wrong", d)
	if whose != doej().ID || why != "Wrong password." {
		t.Errorf("%q: %q", whose, why)
	}
	_, _ = w.services().Login(context.Background(), "my-password-in-the-wrong-box", "", d)
	if whose != "" || why != "No such username or email." {
		t.Errorf("%q: %q", whose, why)
	}
}

// fakeRateLimiter is a RequestCounter that returns what it is told to.
type fakeRateLimiter struct {
	count    int
	networks []string
	fail     error
}

func (c *fakeRateLimiter) Count(_ context.Context, _, network string, now time.Time) (int, time.Time, error) {
	c.networks = append(c.networks, network)
	return c.count, now.Add(20 * time.Second), c.fail
}

// V19: beyond the rate a network is told to come back, and no account, ticket or session is touched.
func TestANetworkIsSlowedDownWithoutTouchingAccounts(t *testing.T) {
	w := newFakeStore(doej())
	in := login(t, w)
	before := w.sessions[in.Session.ID]
	attempts, work := len(w.reserved), w.work
	for count, over := range map[int]bool{10: false, 11: true} {
		s := w.services()
		s.limit(&fakeRateLimiter{count: count})
		_, err := s.Login(context.Background(), "nobody", "x", signin.ClientInfo{})
		if got := fault.Is(err, fault.TooManyRequests); got != over {
			t.Errorf("request %d: %v", count, err)
		}
		if over && fault.As(err).RetryAfter != 20*time.Second {
			t.Errorf("retry after %s", fault.As(err).RetryAfter)
		}
	}
	s := w.services()
	s.limit(&fakeRateLimiter{count: 11})
	_, login := s.Login(context.Background(), "doej", secret, signin.ClientInfo{})
	_, refresh := s.Refresh(context.Background(), in.Refresh.Reveal(), signin.ClientInfo{})
	if !fault.Is(login, fault.TooManyRequests) || !fault.Is(refresh, fault.TooManyRequests) ||
		len(w.reserved) != attempts+1 || w.work != work+1 {
		t.Errorf("%v, %v, %d attempts, %d hashes", login, refresh, len(w.reserved)-attempts, w.work-work)
	}
	if after := w.sessions[in.Session.ID]; string(after.RefreshHash) != string(before.RefreshHash) ||
		len(w.sessions) != 1 {
		t.Error("a session was changed")
	}
	down := errors.New("down")
	s.limit(&fakeRateLimiter{fail: down})
	if _, err := s.Login(context.Background(), "doej", secret, signin.ClientInfo{}); !errors.Is(err, down) { // V84
		t.Errorf("without a count: %v", err)
	}
}

// V95: a line gets another IPv4 address of its /24 now and then; what is no address is never a known network.
func TestSignInNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.17": "192.0.2.0/24", "192.0.2.255": "192.0.2.0/24", "::ffff:192.0.2.3": "192.0.2.0/24",
		"192.0.3.17": "192.0.3.0/24", "2001:db8:0:7:1::2": "2001:db8:0:7::/64", "fe80::1%eth0": "fe80::/64",
		"": "", "unknown": "", "192.0.2.17:80": "", "192.0.2.0/24": "",
	} {
		if got := session.SignInNetwork(address); got != want {
			t.Errorf("%q is in %q, want %q", address, got, want)
		}
	}
}

// V19: an IPv6 caller has a whole /64, so that is what is counted; a mapped address is the IPv4 one.
func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::": "2001:db8:1:2::/64", "2001:db8:1:3::1": "2001:db8:1:3::/64", "fe80::1%eth0": "fe80::/64",
		"": "unknown", "x": "unknown",
	} {
		if got := session.Network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
