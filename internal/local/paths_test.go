package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// make run DATA=dir: functions have another working directory than the runner, and read the key all the same.
func TestPathsDoNotDependOnTheWorkingDirectory(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	o, err := Options{Root: "root", Data: "some data", Logs: "logs"}.withAbsolutePaths()
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		o.KeyFile(): "some data/seal-key.json", o.Data: "some data", o.Logs: "logs", o.Root: "root",
		o.TemplateFile: "root/template.yaml", o.Binaries: "root/.build/functions",
	} {
		if got != filepath.Join(here, want) {
			t.Errorf("%s, want %s below %s", got, want, here)
		}
	}
	if o, err = (Options{Root: "root"}).withAbsolutePaths(); err != nil || o.Data != "" {
		t.Errorf("data is kept in %q, %v", o.Data, err)
	}
}

// A run that starts because the one before failed does not overwrite what tells why.
func TestLogsOfTheRunBeforeAreKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "logs")
	for _, text := range []string{"first", "second", "third"} {
		if err := keepPreviousLogs(folder); err != nil {
			t.Fatal(err)
		}
		l, err := openLogs(folder, false)
		if err != nil {
			t.Fatal(err)
		}
		l.events.Info(text)
		l.close()
	}
	for path, want := range map[string]string{folder: "third", folder + previousLogs: "second"} {
		text, err := os.ReadFile(filepath.Join(path, "runner.log"))
		if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "first") {
			t.Errorf("%s has %q, want what %s wrote; %v", path, text, want, err)
		}
	}
}
