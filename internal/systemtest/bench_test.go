package systemtest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/local/provision"
	"useraccounts/internal/local/services"
)

// Benchmarks compare two things in one run, in turn, so that what else the machine does meets both. Figures are
// medians.

// timings are the times of the things compared, by name.
type timings map[string][]time.Duration

// warmUp does each thing a few times untimed.
func warmUp(things ...func()) {
	for range 5 {
		for _, do := range things {
			do()
		}
	}
}

// measure times a deed.
func (s timings) measure(name string, do func()) {
	began := time.Now()
	do()
	s[name] = append(s[name], time.Since(began))
}

// ms is the median in milliseconds.
func (s timings) ms(name string) float64 {
	of := slices.Sorted(slices.Values(s[name]))
	if len(of) == 0 {
		return 0
	}
	return float64((of[(len(of)-1)/2] + of[len(of)/2]).Microseconds()) / 2000
}

// total is the sum of a thing's times in milliseconds.
func (s timings) total(name string) float64 {
	var sum time.Duration
	for _, one := range s[name] {
		sum += one
	}
	return float64(sum.Microseconds()) / 1000
}

// figure is one line of the table that `make bench` ends with.
type figure struct {
	name, unit  string
	ours, floor float64 // a floor of 0 is none
	against     string  // what the floor is, or what else there is to say
	aim         string
}

// report makes metrics of a figure, and a line in the file that BENCH_TABLE names, or in the log if it names none.
func report(b *testing.B, f figure) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	metric := strings.NewReplacer(" ", "_", ",", "").Replace(f.name) + "-"
	b.ReportMetric(f.ours, metric+f.unit)
	ratio, against := "", f.against
	if f.floor != 0 {
		b.ReportMetric(f.ours/f.floor, metric+"ratio")
		ratio, against = formatNumber(f.ours/f.floor), formatNumber(f.floor)+" "+f.unit+": "+f.against
	}
	line := fmt.Sprintf("| %s | %s %s | %s | %s | %s |\n", f.name, formatNumber(f.ours), f.unit, against, ratio, f.aim)
	name := os.Getenv("BENCH_TABLE")
	if name == "" {
		b.Log(line)
		return
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(b, err)
	_, err = file.WriteString(line)
	must(b, firstOf(err, file.Close()))
}

// formatNumber writes a number with three digits, or all before the point.
func formatNumber(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func firstOf(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// must ends a benchmark that cannot go on.
func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// benchClient is the administrator's client of a running system.
type benchClient struct {
	*testing.B
	system *local.System
	http   *http.Client
	token  string
}

// startBenchSystem starts the whole seeded system for one benchmark and signs its administrator in.
func startBenchSystem(b *testing.B) *benchClient {
	b.Helper()
	root, err := services.Root()
	must(b, err)
	endpoints := localtest.Services(b)
	system, err := local.Start(b.Context(), local.Options{
		Root: root, Endpoints: &endpoints, Stack: "bench-" + strings.ToLower(rand.Text()[:12]), Logs: b.TempDir(),
		Retry: time.Second, Seed: firstdata.Seed, AdminPassword: adminPassword,
		Parameters: map[string]string{"SignInsPerMinute": "1000000"}, // all of a benchmark comes from one address
	})
	must(b, err)
	b.Cleanup(func() {
		system.Stop()
		must(b, system.Remove(context.Background()))
	})
	c := &benchClient{B: b, system: system, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	got := c.call("POST", "/api/login", map[string]any{"identifier": "admin", "password": adminPassword}, 200)
	c.token = got["accessToken"].(string)
	return c
}

// createTable makes a table without a stream.
func createTable(b *testing.B) string {
	b.Helper()
	description, name, client := localtest.Template(b).Tables[0], "bench-"+rand.Text()[:12],
		localtest.Services(b).DynamoDBClient()
	description.StreamView = ""
	must(b, provision.CreateTable(b.Context(), client, description, name))
	b.Cleanup(func() { must(b, provision.DeleteTable(context.Background(), client, name)) })
	return name
}

// call sends a request, wants the status and returns the members of the answer.
func (c *benchClient) call(method, path string, body any, want int) map[string]any {
	c.Helper()
	raw, err := json.Marshal(body)
	must(c.B, err)
	var reader io.Reader = bytes.NewReader(raw)
	if body == nil {
		reader = http.NoBody
	}
	request, err := http.NewRequestWithContext(c.Context(), method, c.system.URL+path, reader)
	must(c.B, err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	httpResponse, err := c.http.Do(request)
	must(c.B, err)
	answer, err := io.ReadAll(httpResponse.Body)
	must(c.B, firstOf(err, httpResponse.Body.Close()))
	var out map[string]any
	if httpResponse.StatusCode != want {
		c.Fatalf("%s %s: %d %s", method, path, httpResponse.StatusCode, answer)
	}
	if len(answer) > 0 {
		must(c.B, json.Unmarshal(answer, &out))
	}
	return out
}

// event is a sample of events/ with its words filled in.
func (c *benchClient) event(file string) []byte {
	c.Helper()
	raw, err := os.ReadFile("../../events/" + file)
	must(c.B, err)
	return []byte(strings.NewReplacer("{{token}}", c.token, "{{password}}", adminPassword).Replace(string(raw)))
}

// invoke runs an event through the function, without HTTP.
func (c *benchClient) invoke(function string, event []byte) {
	c.Helper()
	out, err := c.system.Function(function).Invoke(c.Context(), event)
	must(c.B, err)
	if !bytes.Contains(out, []byte(`"statusCode":200`)) {
		c.Fatalf("%s answers %s", function, out)
	}
}
