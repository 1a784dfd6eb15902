package archtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// linterConfig is what is looked at of .golangci.yml.
type linterConfig struct {
	Issues struct {
		UniqByLine *bool `yaml:"uniq-by-line"`
	}
	Formatters struct{ Enable []string }
	Linters    struct {
		Enable   []string
		Settings struct {
			Forbidigo struct {
				Forbid []struct{ Pattern, Pkg string }
			}
			Funlen         struct{ Lines int }
			Interfacebloat struct{ Max int }
			LLL            struct {
				LineLength int `yaml:"line-length"`
			}
			Nolintlint struct {
				Explanation bool `yaml:"require-explanation"`
				Specific    bool `yaml:"require-specific"`
				Unused      bool `yaml:"allow-unused"`
			}
			Revive struct {
				Rules []struct {
					Name      string
					Arguments []any
				}
			}
		}
	}
}

// The linters hold the rules that were tests of this package: names and comments of packages, lengths of files,
// functions and interfaces, comments on what is exported, init functions, and what rules, adapters and functions may
// not use.
func TestLintersHoldTheGenericRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c linterConfig
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"depguard", "errcheck", "errorlint", "exhaustive", "forbidigo", "funlen", "gochecknoinits", "gosec", "govet",
		"interfacebloat", "lll", "nilerr", "noctx", "nolintlint", "revive", "staticcheck", "unparam",
	} {
		if !slices.Contains(c.Linters.Enable, name) {
			t.Errorf(".golangci.yml does not enable %s", name)
		}
	}
	if !slices.Contains(c.Formatters.Enable, "gofmt") {
		t.Error(".golangci.yml does not enable gofmt")
	}
	s := c.Linters.Settings
	if s.Funlen.Lines != 100 || s.Interfacebloat.Max != 5 || s.LLL.LineLength != 120 {
		t.Errorf("functions of %d lines, interfaces of %d methods, lines of %d",
			s.Funlen.Lines, s.Interfacebloat.Max, s.LLL.LineLength)
	}
	if n := s.Nolintlint; !n.Explanation || !n.Specific || n.Unused {
		t.Errorf("a nolint needs no linter or no reason: %+v", n)
	}
	if c.Issues.UniqByLine == nil || *c.Issues.UniqByLine {
		t.Error("of two findings in a line one is dropped")
	}
	var rules []string
	for _, r := range s.Revive.Rules {
		rules = append(rules, r.Name)
	}
	for _, name := range []string{"exported", "file-length-limit", "package-comments", "package-naming", "var-naming"} {
		if !slices.Contains(rules, name) {
			t.Errorf("revive does not run %s", name)
		}
	}
	var forbidden strings.Builder
	for _, f := range s.Forbidigo.Forbid {
		forbidden.WriteString(f.Pattern + "\n")
	}
	for _, name := range []string{
		"Now", "Since", "Until", "Sleep", "Getenv", "LookupEnv", "Environ", "Setenv", "Exit", "Stdout", "Stderr", "Print",
		"Info", "Warn", "Error", "Debug", "Default", "SetDefault", "DefaultClient", "DefaultServeMux", "Get", "Post", "TODO",
	} {
		if !strings.Contains(forbidden.String(), name) {
			t.Errorf("forbidigo does not forbid %s", name)
		}
	}
}
