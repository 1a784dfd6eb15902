package systemtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/local/localtest"
	"useraccounts/internal/local/services"
)

// What functions are measured against: the least that answers, and the least that answers from a table.
const (
	minimal = "minimal"
	table   = "table"
)

// BenchmarkFunction holds each function's size for Lambda, and the time from its process's start until it asks for work
// on this machine, against a minimal one.
func BenchmarkFunction(b *testing.B) {
	functions := localtest.Template(b).Functions
	packages := []string{"./internal/systemtest/testdata/" + minimal, "./internal/systemtest/testdata/" + table}
	variables := []string{}
	for _, f := range functions {
		packages = append(packages, "./"+f.CodeURI)
		for name := range f.Environment {
			value := "some-value"
			switch {
			case strings.HasSuffix(name, "_URL"):
				value = "https://accounts.example.com"
			case strings.HasSuffix(name, "_PER_MINUTE"):
				value = "600"
			}
			variables = append(variables, name+"="+value)
		}
	}
	arm, here := build(b, packages, "GOOS=linux", "GOARCH=arm64"), build(b, packages)
	polled := make(chan time.Time, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/runtime/invocation/next") {
			polled <- time.Now()
		}
		<-r.Context().Done()
	}))
	b.Cleanup(server.Close)
	variables = append(variables, localtest.Services(b).Environment()...)
	variables = append(variables, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=some", "_HANDLER=bootstrap")
	for _, p := range packages[1:] {
		name, floor, against := filepath.Base(p), table, "a minimal handler with a DynamoDB client"
		if name == "console" || name == table {
			floor, against = minimal, "a minimal handler"
		}
		b.Run(name, func(b *testing.B) {
			s := timings{}
			for b.Loop() {
				for range 15 {
					s[name] = append(s[name], firstPoll(b, filepath.Join(here, name), variables, polled))
					s[floor] = append(s[floor], firstPoll(b, filepath.Join(here, floor), variables, polled))
				}
			}
			shown, aim := name, "≤ 1.5"
			if name == table {
				shown, aim = "minimal handler with a DynamoDB client", ""
			}
			report(b, figure{name: shown + ", binary for arm64", unit: "MB", ours: size(b, arm, name),
				floor: size(b, arm, floor), against: against, aim: aim})
			report(b, figure{name: shown + ", start to first poll", unit: "ms", ours: s.ms(name), floor: s.ms(floor),
				against: against, aim: aim})
		})
	}
}

// build builds commands with the Makefile's BUILD_FLAGS and returns their folder.
func build(b *testing.B, packages []string, environment ...string) string {
	b.Helper()
	root, err := services.Root()
	must(b, err)
	folder := b.TempDir()
	flags := os.Getenv("BENCH_BUILD_FLAGS")
	if flags == "" {
		flags = "-trimpath -buildvcs=false -ldflags=-s"
	}
	arguments := append([]string{"build", "-o", folder}, strings.Fields(flags)...)
	cmd := exec.CommandContext(b.Context(), "go", append(arguments, packages...)...)
	cmd.Dir, cmd.Env = root, append(append(os.Environ(), "CGO_ENABLED=0"), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return folder
}

func size(b *testing.B, folder, name string) float64 {
	b.Helper()
	info, err := os.Stat(filepath.Join(folder, name))
	must(b, err)
	return float64(info.Size()) / 1e6
}

// firstPoll starts a process and returns how long it takes until it asks for work.
func firstPoll(b *testing.B, binary string, variables []string, polled <-chan time.Time) time.Duration {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = variables
	began := time.Now()
	must(b, cmd.Start())
	defer func() {
		stop()
		_ = cmd.Wait() // it was killed
	}()
	select {
	case at := <-polled:
		return at.Sub(began)
	case <-time.After(10 * time.Second):
		b.Fatalf("%s does not ask for work", filepath.Base(binary))
		return 0
	}
}
