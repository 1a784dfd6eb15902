package systemtest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The examples of README.md work when pasted in order.
func TestTheReadmesExamplesWork(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on this machine; the examples need it", tool)
		}
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script.WriteString(block[1])
	}
	system, admin := start(t)
	run := exec.Command("bash", "-c", script.String())
	run.Dir = "../.."
	run.Env = append(os.Environ(), "URL="+system.URL, "PASSWORD="+adminPassword, "TMPDIR="+t.TempDir())
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"code":"session"`, `"outcome":"created"`, `"state":"done"`,
		`"name":"Patricia Walker"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the examples do not show %s:\n%s", want, out)
		}
	}
	if got := findAccount(t, admin, "lindqvista"); got["name"] != "Åsa Lindqvist" {
		t.Errorf("%v", got)
	}
}
