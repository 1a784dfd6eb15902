package systemtest_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"useraccounts/internal/password"
	"useraccounts/internal/signin"
)

// BenchmarkLogin holds a sign-in against its two parts measured bare: the hash, and what it asks of the store.
func BenchmarkLogin(b *testing.B) {
	c := startBenchSystem(b)
	p := newInProcessService(b, c.system.TableName(), c.system.Resources.Values.Parameters["EnvironmentId"])
	login := func() {
		_, err := p.signin.Login(b.Context(), "admin", adminPassword, signin.ClientInfo{Client: "benchmark"})
		must(b, err)
	}
	calls := p.record(login)
	event := c.event("login.json")
	secret, salt := []byte(adminPassword), make([]byte, 16)
	if made, err := (password.Argon2id{}).Hash("any"); err != nil || !strings.Contains(made, "$m=19456,t=2,p=1$") {
		b.Fatalf("the product's hash has other parameters than the bare one here: %s, %v", made, err)
	}
	hash := func() { argon2.IDKey(secret, salt, 2, 19456, 1, 32) }
	store := func() { replayBare(b, p.client, p.table, calls) }
	function := func() { c.invoke("login", event) }
	over := func() {
		c.call("POST", "/api/login", map[string]any{"identifier": "admin", "password": adminPassword}, 200)
	}
	warmUp(hash, store, login, function, over)
	s := timings{}
	for b.Loop() {
		for range 30 {
			s.measure("hash", hash)
			s.measure("store", store)
			s.measure("service", login)
			s.measure("function", function)
			s.measure("http", over)
		}
	}
	reportLogin(b, s, len(calls))
}

func reportLogin(b *testing.B, s timings, calls int) {
	b.Helper()
	hash, store := s.ms("hash"), s.ms("store")
	parts := fmt.Sprintf("bare argon2id %s ms + its %d round trips bare %s ms", formatNumber(hash), calls,
		formatNumber(store))
	for _, one := range []struct{ name, sample, aim string }{
		{"login, service", "service", "≤ 1.15"}, {"login, over HTTP", "http", ""}, {"login, function", "function", "≤ 1.15"},
	} {
		report(b, figure{name: one.name, unit: "ms", ours: s.ms(one.sample), floor: hash + store, against: parts,
			aim: one.aim})
	}
	report(b, figure{name: "login, over HTTP", unit: "logins/s", ours: 1000 / s.ms("http"),
		against: "one at a time; Ory Kratos 1.3.1, same hash: 27.7 logins/s"})
}
