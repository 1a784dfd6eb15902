package local_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"useraccounts/internal/local"
	"useraccounts/internal/local/localtest"
)

// The two tell what the imitation of the HTTP API costs: the same function, asked through HTTP and asked directly.

func BenchmarkRequestThroughTheAPI(b *testing.B) {
	system := startBenchSystem(b)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, system.URL+"/items/1", nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			b.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInvocationAlone(b *testing.B) {
	system := startBenchSystem(b)
	for b.Loop() {
		if _, err := system.Invoke(context.Background(), "echo",
			[]byte(`{"version":"2.0","routeKey":"ANY /items/{id}"}`)); err != nil {
			b.Fatal(err)
		}
	}
}

func startBenchSystem(b *testing.B) *localtest.RunningSystem {
	b.Helper()
	return localtest.System(b, func(o *local.Options) {
		o.TemplateFile, o.SourceRoot = "testdata/template.yaml", "testdata"
		o.Binaries = filepath.Join(o.Root, ".build", "functions-of-tests")
	})
}
