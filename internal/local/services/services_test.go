package services

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestPortsAreGivenOutOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		p, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.lock.Release)
		if seen[p.number] {
			t.Fatalf("port %d twice", p.number)
		}
		seen[p.number] = true
	}
}

func TestGivenServicesAreNotStarted(t *testing.T) {
	for _, name := range []string{"DYNAMODB", "SQS", "S3"} {
		t.Setenv("AWS_ENDPOINT_URL_"+name, "http://127.0.0.1:1/"+name)
	}
	t.Setenv("PATH", "") // so that nothing could be
	s, err := Start(context.Background(), Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if len(s.PIDs()) != 0 || s.Endpoints.S3 != "http://127.0.0.1:1/S3" {
		t.Errorf("%v at %+v", s.PIDs(), s.Endpoints)
	}
}

func TestEveryMissingProgramIsNamed(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("JAVA_HOME", "")
	_, err := findTools(context.Background(), Config{})
	for _, name := range []string{"go", "node", "npm", "java"} {
		if err == nil || !strings.Contains(err.Error(), name+" is missing: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInstallationIsRepeatedOnlyWhenItsSourcesChange(t *testing.T) {
	folder := t.TempDir()
	source, result := filepath.Join(folder, "lock.json"), filepath.Join(folder, "result")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mark := func() string {
		t.Helper()
		m, err := fingerprint(folder, []string{"lock.json"}, "flag")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	write(source, "one")
	write(result, "made")
	if stamped(result, result, mark()) {
		t.Error("taken for installed without a stamp")
	}
	write(stampOf(result), mark())
	if !stamped(result, result, mark()) {
		t.Error("to be installed again for nothing")
	}
	write(source, "two")
	if stamped(result, result, mark()) {
		t.Error("a new lock file changes nothing")
	}
	write(source, "one")
	if err := os.Remove(result); err != nil {
		t.Fatal(err)
	}
	if stamped(result, result, mark()) {
		t.Error("taken for installed though it is gone")
	}
}

func TestLockFileHoldsNoAddresses(t *testing.T) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) {
		t.Error("package-lock.json tells where packages are fetched from; write it with the .npmrc beside it")
	}
}

// On Linux a server that listens on all interfaces is reached by every 127.x.y.z, one that listens on 127.0.0.1 by that
// address alone.
func TestQueueAndObjectsListenOnLoopbackOnly(t *testing.T) {
	if os.Getenv("TEST_SERVICES") == "none" {
		t.Skip("needs the local services: make test")
	}
	for _, name := range []string{"DYNAMODB", "SQS", "S3"} {
		t.Setenv("AWS_ENDPOINT_URL_"+name, "")
	}
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(context.Background(), Config{Root: root, Progress: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	for _, svc := range s.running {
		connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.2", strconv.Itoa(svc.port.number)))
		if err == nil {
			_ = connection.Close()
			if svc.name != "dynamodb" { // which has no setting for it
				t.Errorf("%s listens on more than loopback", svc.name)
			}
		}
	}
}
