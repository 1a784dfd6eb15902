package systemtest_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// BenchmarkRefusals times refused sign-ins over HTTP, in turn, and prints the medians and the Kolmogorov-Smirnov p that
// unknown and wrong come from one distribution (V22, C24; aim p > 0.01). Nothing is asserted: a busy machine is no bug.
func BenchmarkRefusals(b *testing.B) {
	c := startBenchSystem(b)
	const rounds, limit = 200, 5
	admin := &client{url: c.system.URL}
	var t testing.T // the helpers of tests want one; what fails there shows in the status of the next call
	admin.signIn(&t, "admin", adminPassword)
	kinds := []string{"unknown", "wrong", "blocked", "API-only", "known-network", "known-network-email"}
	for i := range rounds / (limit - 1) { // so that no account reaches its limit
		admin.createUser(&t, fmt.Sprintf("timed-wrong-%d", i), "seven green bicycles", nil)
		for _, kind := range kinds[4:] { // counted at the network that they signed in from
			who := fmt.Sprintf("timed-%s-%d", kind, i)
			admin.createUser(&t, who, "seven green bicycles", nil)
			admin.signedInAs(&t, who, "seven green bicycles")
		}
		blocked := admin.createUser(&t, fmt.Sprintf("timed-blocked-%d", i), "seven green bicycles", nil)
		admin.do(&t, "POST", "/api/accounts/"+blocked.text(&t, "id")+"/block", map[string]any{"reason": "Timing"}).expect(&t,
			200)
		admin.do(&t, "POST", "/api/accounts",
			map[string]any{"username": fmt.Sprintf("timed-API-only-%d", i), "name": "Client", "userType": "API"}).expect(&t, 201)
	}
	refuse := func(kind string, n int) func() {
		who := fmt.Sprintf("timed-%s-%d", kind, n/(limit-1))
		if kind == "known-network-email" {
			who += "@example.com"
		}
		return func() {
			c.call("POST", "/api/login", map[string]any{"identifier": who, "password": "a wrong password"}, 401)
		}
	}
	for range 10 {
		refuse("unknown", 0)()
	}
	s := timings{}
	for b.Loop() {
		if len(s["wrong"]) >= rounds {
			continue
		}
		for n := range rounds {
			for shift := range kinds { // another first each time, so that none always follows the same
				kind := kinds[(n+shift)%len(kinds)]
				s.measure(kind, refuse(kind, n))
			}
		}
	}
	for _, kind := range kinds[1:] {
		p := sameDistribution(s["unknown"], s[kind])
		report(b, figure{
			name: "refused sign-in, " + kind, unit: "ms", ours: s.ms(kind), floor: s.ms("unknown"),
			against: fmt.Sprintf("unknown user; %d of each in turn, Kolmogorov-Smirnov p = %.3f", rounds, p), aim: "p > 0.01",
		})
	}
}

// sameDistribution returns the p of the two-sample Kolmogorov-Smirnov test, by its asymptotic distribution.
func sameDistribution(a, b []time.Duration) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	var i, j int
	var distance float64
	for i < len(a) && j < len(b) {
		switch x, y := a[i], b[j]; {
		case x < y:
			i++
		case y < x:
			j++
		default:
			for i < len(a) && a[i] == x {
				i++
			}
			for j < len(b) && b[j] == x {
				j++
			}
		}
		distance = max(distance, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	n := math.Sqrt(float64(len(a)*len(b)) / float64(len(a)+len(b)))
	lambda, p := (n+0.12+0.11/n)*distance, 0.0
	if lambda < 0.2 {
		return 1
	}
	for k := 1; k <= 100; k++ {
		term := 2 * math.Exp(-2*float64(k*k)*lambda*lambda)
		if k%2 == 0 {
			term = -term
		}
		p += term
	}
	return min(max(p, 0), 1)
}

// The test of the figures is itself right: the same samples, samples that barely differ, and samples that do.
func TestSameDistribution(t *testing.T) {
	t.Parallel()
	line := func(from, step float64) (out []time.Duration) {
		for i := range 200 {
			out = append(out, time.Duration((from+step*float64(i))*1000))
		}
		return out
	}
	for name, c := range map[string]struct {
		a, b     []time.Duration
		min, max float64
	}{
		"the same":           {line(0, 1), line(0, 1), 0.999, 1},
		"shifted by a tenth": {line(0, 1), line(20, 1), 0.2, 0.4},
		"shifted by a third": {line(0, 1), line(66, 1), 0, 1e-8},
		"apart":              {line(0, 1), line(1000, 1), 0, 1e-30},
	} {
		if p := sameDistribution(c.a, c.b); p < c.min || p > c.max {
			t.Errorf("%s: p = %g", name, p)
		}
	}
}
