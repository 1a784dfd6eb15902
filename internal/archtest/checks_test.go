package archtest

import (
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// citation is an id in a comment or a text, and the named test it belongs to.
type citation struct{ id, test string }

var (
	goTests = regexp.MustCompile(`^(Test|Fuzz|Benchmark)([^a-z]|$)`)
	jsTest  = regexp.MustCompile(`^\s*(?:test|it)\((['"` + "`" + `])(.*?)['"` + "`" + `],`)
	// jsComment is a comment of its own or one behind code; "://" of an address begins none.
	jsComment = regexp.MustCompile(`(?:^|[^:])//(.*)$`)
)

// goCitations returns what the tests of a package cite: in their comment, in a comment within them, or in a text they
// may print. A part of a test that is a function of its own, taking the *testing.T, cites for the tests that name it.
// What stands beside anything else is no test's.
func goCitations(sources []Source) []citation {
	var tests []string
	ids, names := map[string][]string{}, map[string]map[string]bool{} // of each function: what it cites, what it names
	for _, s := range sources {
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !takesTest(f) {
				continue
			}
			name := f.Name.Name
			if f.Recv == nil && goTests.MatchString(name) {
				tests = append(tests, name)
			}
			texts, named := textsOf(s, f)
			for _, text := range texts {
				ids[name] = append(ids[name], idsIn(text)...)
			}
			if names[name] == nil {
				names[name] = map[string]bool{}
			}
			maps.Copy(names[name], named)
		}
	}
	var out []citation
	for _, test := range tests {
		seen := map[string]bool{}
		var follow func(name string)
		follow = func(name string) {
			seen[name] = true
			for _, id := range ids[name] {
				out = append(out, citation{id, test})
			}
			for _, next := range slices.Sorted(maps.Keys(names[name])) {
				if _, there := names[next]; there && !seen[next] {
					follow(next)
				}
			}
		}
		follow(test)
	}
	return out
}

// takesTest reports whether a function is a test or a part of one.
func takesTest(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(field *ast.Field) bool {
		t := field.Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		selector, ok := t.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		of, ok := selector.X.(*ast.Ident)
		return ok && of.Name == "testing"
	})
}

// textsOf returns a function's comments and texts, and every name in it.
func textsOf(s Source, f *ast.FuncDecl) (texts []string, named map[string]bool) {
	if f.Doc != nil {
		texts = append(texts, f.Doc.Text())
	}
	for _, c := range s.Comments {
		if c.Pos() > f.Pos() && c.End() < f.End() {
			texts = append(texts, c.Text())
		}
	}
	named = map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			texts = append(texts, n.Value)
		case *ast.Ident:
			named[n.Name] = true
		}
		return true
	})
	return texts, named
}

// jsCitations returns what the tests of a file for the browser cite: in the comment before a test, or within one.
func jsCitations(text string) []citation {
	var out []citation
	var waiting []string // ids of comments at the margin, which are about the next test
	current := ""
	for line := range strings.Lines(text) {
		if m := jsTest.FindStringSubmatch(line); m != nil {
			current = m[2]
			for _, id := range append(waiting, idsIn(m[2])...) {
				out = append(out, citation{id, current})
			}
			waiting = nil
			continue
		}
		m := jsComment.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		switch {
		case m == nil:
			if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, " ") {
				waiting = nil // some other thing stands between the comment and the next test
			}
		case strings.HasPrefix(line, "//"):
			waiting = append(waiting, idsIn(m[1])...)
		case current != "":
			for _, id := range idsIn(m[1]) {
				out = append(out, citation{id, current})
			}
		}
	}
	return out
}

// citedChecks returns the named tests of every check, as "folder TestName", from all tests below a folder.
func citedChecks(t *testing.T, dir string) map[string][]string {
	t.Helper()
	tests := map[string]map[string]bool{}
	add := func(folder string, found []citation) {
		for _, c := range found {
			if tests[c.id] == nil {
				tests[c.id] = map[string]bool{}
			}
			tests[c.id][strings.TrimPrefix(folder, "internal/")+" "+c.test] = true
		}
	}
	sources := map[string][]Source{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "node_modules" || (strings.HasPrefix(name, ".") && path != dir) {
				return filepath.SkipDir
			}
			return nil
		}
		folder, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		switch {
		case slices.Contains([]string{"checks_test.go", "documents_test.go"}, name): // their ids are examples
		case strings.HasSuffix(name, "_test.go"):
			s, err := ParseSource(path, path, nil)
			if err != nil {
				return err
			}
			sources[folder] = append(sources[folder], s)
		case strings.HasSuffix(name, ".test.mjs"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			add(folder, jsCitations(string(text)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder, of := range sources {
		add(folder, goCitations(of))
	}
	out := map[string][]string{}
	for id, names := range tests {
		out[id] = slices.Sorted(maps.Keys(names))
	}
	return out
}

// securityChecks reads the page that states the checks.
func securityChecks(t *testing.T) []Check {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "internal", "docs", "security-checks.md"))
	if err != nil {
		t.Fatal(err)
	}
	checks, err := ReadChecks(string(page))
	if err != nil || len(checks) < 161 {
		t.Fatalf("%d checks, %v", len(checks), err)
	}
	return checks
}

// Every check of internal/docs/security-checks.md has a test that says it proves it, or the page says why it has none.
// With -v it prints the checks and their tests.
func TestEveryCheckHasItsTest(t *testing.T) {
	tests := citedChecks(t, root)
	var table strings.Builder
	known := map[string]bool{}
	for _, c := range securityChecks(t) {
		known[c.ID] = true
		cited := len(tests[c.ID]) > 0
		if !cited && !c.ToCome && c.Differs == "" {
			t.Errorf("no test cites %s, and internal/docs/security-checks.md does not say why it needs none", c.ID)
		}
		if cited && c.ToCome {
			t.Errorf("%s cites %s: remove \"To come\" in internal/docs/security-checks.md", tests[c.ID][0], c.ID)
		}
		fmt.Fprintf(&table, "\n%s  %s", c.ID, strings.Join(tests[c.ID], "\n     "))
		if c.Differs != "" {
			fmt.Fprintf(&table, "\n     (%s)", c.Differs)
		}
	}
	t.Log(table.String())
	for _, id := range slices.Sorted(maps.Keys(tests)) {
		if !known[id] {
			t.Errorf("%s cites %s, which internal/docs/security-checks.md does not have", tests[id], id)
		}
	}
}

func TestReadChecksTakesTheTables(t *testing.T) {
	const rows = "| id | what must hold | source | state |\n|---|---|---|---|\n| C01 | One. | a | |\n" +
		"| C02 | Two. | b | Differs: not here. |\n| V01 | Three. | c | To come |\n"
	checks, err := ReadChecks(rows)
	want := []Check{{ID: "C01"}, {ID: "C02", Differs: "not here."}, {ID: "V01", ToCome: true}}
	if err != nil || !slices.Equal(checks, want) {
		t.Errorf("%v, %v", checks, err)
	}
	for name, row := range map[string]string{
		"a gap":         "| C04 | Four. | d | |",
		"twice":         "| C02 | Two. | b | |",
		"another state": "| C03 | Three. | c | soon |",
		"three columns": "| C03 | Three. | |",
		"no sentence":   "| C03 | three | c | |",
	} {
		if _, err := ReadChecks(rows + row + "\n"); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestCitationsAreFoundWhereTheyCount(t *testing.T) {
	s, err := ParseSource("a_test.go", "a_test.go", `package a
// C01 and C12-C14.
func TestA(t *testing.T) {
	t.Run("part", func(t *testing.T) { part(t) })
	t.Error("wrong (V02)") // C03, V100
}
// C04
func helper() { _ = "C05" }
// C06
func Testing() {}
// C07
var v = 1
// C08
func part(t *testing.T) {}
// C09
func unused(t *testing.T) {}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"C01", "C12", "C13", "C14", "C03", "V100", "V02", "C08"}
	var got []string
	for _, c := range goCitations([]Source{s}) {
		if c.test != "TestA" {
			t.Errorf("%s is said to be of %s", c.id, c.test)
		}
		got = append(got, c.id)
	}
	if !slices.Equal(got, want) {
		t.Errorf("in Go %v, want %v", got, want)
	}
	js := jsCitations(
		"// C01: first\ntest('one', async () => {\n  const a = 'https://C02.example'\n  go() // C03\n})\n\n// C04\nconst " +
			"b = 1\n\ntest('two', f)\n")
	if want := []citation{{"C01", "one"}, {"C03", "one"}}; !slices.Equal(js, want) {
		t.Errorf("in JavaScript %v, want %v", js, want)
	}
}
