package systemtest_test

import (
	"sync"
	"testing"
	"time"

	"useraccounts/internal/directory"
)

// BenchmarkRequest holds a request over HTTP, through the runner, against the same event given to the function.
func BenchmarkRequest(b *testing.B) {
	c := startBenchSystem(b)
	event := c.event("me.json")
	over := func() { c.call("GET", "/api/me", nil, 200) }
	alone := func() { c.invoke("sessions", event) }
	b.Run("one at a time", func(b *testing.B) {
		warmUp(over, alone)
		s := timings{}
		for b.Loop() {
			for range 300 {
				s.measure("ours", over)
				s.measure("floor", alone)
			}
		}
		report(b, figure{
			name: "GET /api/me through the runner", unit: "ms", ours: s.ms("ours"), floor: s.ms("floor"),
			against: "the same event to the function alone",
		})
	})
	b.Run("four at once", func(b *testing.B) {
		const clients, each = 4, 100
		s := timings{}
		for b.Loop() {
			for range 7 {
				s.measure("ours", func() { concurrently(clients, each, over) })
				s.measure("floor", func() { concurrently(clients, each, alone) })
			}
		}
		rate := func(name string) float64 { return clients * each / s.ms(name) * 1000 }
		report(b, figure{
			name: "GET /api/me, 4 clients at once", unit: "req/s", ours: rate("ours"), floor: rate("floor"),
			against: "the function alone; token check of Ory Kratos 1.3.1: 840",
		})
	})
}

// concurrently has so many goroutines do something so many times each.
func concurrently(goroutines, times int, do func()) {
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range times {
				do()
			}
		})
	}
	all.Wait()
}

// BenchmarkDirectory is what people do with 5,000 accounts.
func BenchmarkDirectory(b *testing.B) {
	c := startBenchSystem(b)
	expectDone(b, c.runImport(generateWorkbook(b, "d", maxRows)))
	b.Run("list", func(b *testing.B) { benchmarkList(b, c) })
	b.Run("export", func(b *testing.B) { benchmarkExport(b, c) })
}

// benchmarkList holds the first 50 accounts in the order of usernames against a bare query of the same items.
func benchmarkList(b *testing.B, c *benchClient) {
	p := newInProcessService(b, c.system.TableName(), c.system.Resources.Values.Parameters["EnvironmentId"])
	scope := p.scope(b)
	list := func() {
		found, _, err := p.lister.Search(b.Context(), scope, directory.Query{Limit: 50})
		if must(b, err); len(found) != 50 {
			b.Fatalf("%d accounts", len(found))
		}
	}
	check := func() {
		_, err := p.signin.Authenticate(b.Context(), c.token)
		must(b, err)
	}
	event := c.event("accounts-list.json")
	function := func() { c.invoke("accounts", event) }
	over := func() { c.call("GET", "/api/accounts?limit=50", nil, 200) }
	warmUp(list, check, function, over)
	query, checks := p.record(list), p.record(check)
	s := timings{}
	for b.Loop() {
		for range 100 {
			s.measure("service", list)
			s.measure("function", function)
			s.measure("http", over)
			s.measure("query", func() { replayBare(b, p.client, p.table, query) })
			s.measure("check", func() { replayBare(b, p.client, p.table, checks) })
		}
	}
	report(b, figure{name: "list 50 of 5,000, service", unit: "ms", ours: s.ms("service"), floor: s.ms("query"),
		against: "bare Query of the same items"})
	report(b, figure{
		name: "list 50 of 5,000, function", unit: "ms", ours: s.ms("function"), floor: s.ms("query") + s.ms("check"),
		against: "bare Query and bare read of the session",
	})
	report(b, figure{
		name: "list 50 of 5,000, over HTTP", unit: "lists/s", ours: 1000 / s.ms("http"),
		against: "one at a time; Ory Kratos 1.3.1: 455 lists/s",
	})
}

// benchmarkExport measures an export of all accounts in a new process.
func benchmarkExport(b *testing.B, c *benchClient) {
	s := timings{}
	var idle, most float64
	for b.Loop() {
		for range 3 {
			idle = max(idle, c.freshWorker())
			s.measure("export", func() {
				expectDone(b,
					c.waitForJob(c.call("POST", "/api/exports", map[string]any{"dateFormat": "iso"}, 202)["id"].(string),
						10*time.Millisecond))
			})
			most = max(most, c.workerPeakMemory())
		}
	}
	report(b, figure{name: "export of 5,000", unit: "s", ours: s.ms("export") / 1000})
	if most > 0 {
		report(b, figure{name: "peak memory of the worker, export of 5,000", unit: "MB", ours: most, floor: idle,
			against: "the same process idle", aim: "≤ 200 MB"})
	}
}
