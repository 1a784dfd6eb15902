package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// projectFile reads a file of the project.
func projectFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// recipes are the rules of the Makefile by their targets, each with the line of its prerequisites first.
func recipes(t *testing.T) map[string]string {
	t.Helper()
	out, name := map[string]string{}, ""
	for line := range strings.Lines(projectFile(t, "Makefile")) {
		if target, _, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "\t") {
			name = target
		}
		out[name] += line
	}
	return out
}

// V89: what has to hold before a change lands includes the race detector, vet, the linters and the known
// vulnerabilities, and every test on DynamoDB Local.
func TestTheWholeRunHasEveryCheck(t *testing.T) {
	run, rules := projectFile(t, ".ci/run"), recipes(t)
	for target, wants := range map[string]string{
		"test": "go test ", "race": "go test -race ", "lint": "lint-go lint-console",
		"lint-go":      "$(GOLANGCI) run $(PACKAGES)",
		"lint-console": "npm run --silent lint", "vulnerabilities": "go run $(GOVULNCHECK) $(PACKAGES)",
		"vet": "go vet $(PACKAGES)", "long": "-run '$(LONG_TESTS)'",
	} {
		if !strings.Contains(rules[target], wants) {
			t.Errorf("make %s does not run %q:\n%s", target, wants, rules[target])
		}
	}
	for _, target := range []string{"test", "race", "lint", "vulnerabilities", "long"} {
		// A step, and not the word in what is said of one.
		step := regexp.MustCompile(`(?m)^\s*(step( env( [A-Z_]+=\w+)+)?|if timeout \d+) make ` + target + `\b`)
		if !step.MatchString(run) {
			t.Errorf(".ci/run does not run make %s", target)
		}
	}
	if !strings.Contains(run, "step env TEST_DYNAMODB=local make test\n") {
		t.Error(".ci/run does not run the tests on DynamoDB Local")
	}
	if first, _, _ := strings.Cut(rules["test"], "\n"); !strings.Contains(first, " vet") {
		t.Errorf("make test does not vet: %s", first)
	}
}

// A tool that is missing is told by its name and what to install, before anything fails for want of it.
func TestAMissingToolIsTold(t *testing.T) {
	tool, err := exec.LookPath("make")
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"go":   "go is missing: install Go 1.26 or newer",
		"run":  "go is missing: install Go 1.26 or newer",
		"unit": "go is missing: install Go 1.26 or newer",
		"node": "node is missing: install Node.js 20 or newer",
	} {
		cmd := exec.CommandContext(t.Context(), tool, "-C", root, target)
		cmd.Env = []string{"PATH=" + t.TempDir()}
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("make %s: %v %s", target, err, out)
		}
	}
}

// Every target of make help is called on a fresh clone, each night.
func TestEveryTargetIsCalledOnAFreshClone(t *testing.T) {
	script := projectFile(t, ".ci/fresh-clone")
	if !strings.Contains(projectFile(t, ".ci/nightly"), ".ci/fresh-clone") {
		t.Error(".ci/nightly does not run .ci/fresh-clone")
	}
	count := 0
	for target, rule := range recipes(t) {
		if first, _, _ := strings.Cut(rule, "\n"); !strings.Contains(first, "## ") {
			continue
		}
		count++
		called := regexp.MustCompile(`(?m)(^|then )(call|until_said '[^']+'|make -n)( \w+)* ` + target + `\b`)
		if !called.MatchString(script) {
			t.Errorf(".ci/fresh-clone does not call make %s", target)
		}
	}
	if count < 15 {
		t.Errorf("make help lists only %d targets", count)
	}
}
