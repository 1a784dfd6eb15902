package archtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"useraccounts/internal/apidoc"
)

// The product's version is stated in internal/apidoc/version.go; whatever else shows it says the same.
func TestTheVersionIsStatedOnce(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var document struct{ Info struct{ Version string } }
	if err := json.Unmarshal([]byte(read("functions/console/api/openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	if document.Info.Version != apidoc.Version {
		t.Errorf(
			"openapi.json says %q, want %q: run go run ./internal/apidoc/generate",
			document.Info.Version,
			apidoc.Version,
		)
	}
	var console map[string]any
	if err := json.Unmarshal([]byte(read("functions/console/web/package.json")), &console); err != nil {
		t.Fatal(err)
	}
	if v, stated := console["version"]; stated && v != apidoc.Version {
		t.Errorf("functions/console/web/package.json says %v, want %s, or better nothing", v, apidoc.Version)
	}
	if !strings.Contains(read("template.yaml"), "\n  User Accounts "+apidoc.Version+": ") {
		t.Errorf("the Description of template.yaml does not begin with User Accounts %s", apidoc.Version)
	}
	released := regexp.MustCompile(`(?m)^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$`)
	log := read("internal/docs/CHANGELOG.md")
	if newest := released.FindStringSubmatch(log); newest == nil || newest[1] != apidoc.Version {
		t.Errorf("the newest version in internal/docs/CHANGELOG.md is %q, want %s", newest, apidoc.Version)
	}
	if !strings.Contains(log, "\n## [Unreleased]\n") {
		t.Error("internal/docs/CHANGELOG.md has no section Unreleased")
	}
}

// What was not built is a placeholder, which neither a deployment nor the checks take.
func TestPlaceholdersAreRefused(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	checks, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^deploy:.* built\b`).Match(makefile) {
		t.Error("make deploy does not depend on built")
	}
	if !regexp.MustCompile(`(?m)^step make built$`).Match(checks) {
		t.Error(".ci/run does not run make built")
	}
}
