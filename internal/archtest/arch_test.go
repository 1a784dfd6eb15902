package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

// project is the project's packages, its layout and its sources.
func project(t *testing.T) (Layout, []Package, map[string][]Source) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "internal", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	layout, err := ReadLayout(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	packages, err := Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 15 {
		t.Fatalf("go list names only %d packages", len(packages))
	}
	sources := map[string][]Source{}
	for _, p := range packages {
		if sources[p.ImportPath], err = ReadSources(p); err != nil {
			t.Fatal(err)
		}
	}
	return layout, packages, sources
}

func TestThisProject(t *testing.T) {
	layout, packages, sources := project(t)
	report := func(wrong []string) {
		t.Helper()
		for _, w := range wrong {
			t.Error(w)
		}
	}
	t.Run("imports point one way", func(t *testing.T) { report(Imports("useraccounts", layout, packages)) })
	t.Run("every place of the layout is there", func(t *testing.T) {
		there := map[string]bool{}
		for _, p := range packages {
			there[strings.TrimPrefix(p.Path(), "internal/")] = true
		}
		for name := range layout {
			if !there[name] {
				t.Errorf("internal/README.md names %s, which is not there", name)
			}
		}
	})
	for _, p := range packages {
		t.Run(p.Path(), func(t *testing.T) {
			report(Variables(sources[p.ImportPath]))
			for _, s := range sources[p.ImportPath] {
				report(KeysElsewhere(s))
			}
		})
	}
}

func TestReadLayoutTakesTheRows(t *testing.T) {
	layout, err := ReadLayout(`
  row 0  fault field token                 leaves: errors and such
  row 1  access catalogue auditlog password
  row 4  signin transfer                   flows
  adapters  dynamo objectstore             one technology each
  edge      httpapi boot                   Lambda
  tools     local
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"fault": "row 0", "token": "row 0", "password": "row 1",
		"transfer": "row 4", "dynamo": "adapters", "boot": "edge", "local": "tools"} {
		if got := layout[name].String(); got != want {
			t.Errorf("%s is in %s, want %s", name, got, want)
		}
	}
	if len(layout) != 14 {
		t.Errorf("%d packages: %v", len(layout), layout)
	}
	for name, text := range map[string]string{
		"another form": "| row | packages |", "twice": "  row 0  a b c d e f g h i j k\n  row 1  a\n",
	} {
		if _, err := ReadLayout(text); err == nil {
			t.Errorf("%s: ReadLayout took it", name)
		}
	}
}

// Each rule must be able to fail: one line for every way to break it.
func TestImportsFindsEveryForbiddenOne(t *testing.T) {
	layout := Layout{
		"fault": {"row", 0}, "field": {"row", 0}, "access": {"row", 1}, "sheet": {"row", 1}, "account": {"row", 3},
		"dynamo": {"adapters", 0}, "queue": {"adapters", 0}, "httpapi": {"edge", 0}, "boot": {"edge", 0},
		"local": {"tools", 0},
	}
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"internal/account", "m/internal/access", true},
		{"internal/account", "m/internal/fault", true},
		{"internal/access", "m/internal/account", false},
		{"internal/field", "m/internal/fault", false}, // siblings
		{"internal/account", "m/internal/dynamo", false},
		{"internal/account", "m/internal/httpapi", false},
		{"internal/account", "m/internal/local", false},
		{"internal/account", "m/internal/nowhere", false},
		{"internal/account", "m/functions/accounts/api", false},
		{"internal/dynamo", "m/internal/account", true},
		{"internal/dynamo", "m/internal/queue", false},
		{"internal/dynamo", "m/internal/httpapi", false},
		{"internal/dynamo", "m/internal/dynamo/table", true},
		{"internal/dynamo/schema", "m/internal/dynamo/table", true},
		{"internal/dynamo/schema", "m/internal/dynamo/sessions", false},
		{"internal/dynamo/table", "m/internal/dynamo/schema", false},
		{"internal/dynamo/sessions", "m/internal/dynamo/table", true},
		{"internal/dynamo/sessions", "m/internal/dynamo", true},
		{"internal/dynamo/sessions", "m/internal/dynamo/factors", true},
		{"internal/dynamo/factors", "m/internal/dynamo/sessions", false},
		{"internal/dynamo/sessions", "m/internal/queue", false},
		{"internal/queue", "m/internal/dynamo/table", false},
		{"internal/queue/a", "m/internal/queue/b", false},
		{"internal/account", "m/internal/dynamo/schema", false},
		{"internal/httpapi", "m/internal/dynamo/table", false},
		{"functions/accounts", "m/internal/dynamo/sessions", true},
		{"functions/accounts/api", "m/internal/dynamo/sessions", false},
		{"internal/httpapi", "m/internal/account", true},
		{"internal/httpapi", "m/internal/boot", false},
		{"internal/httpapi", "m/internal/dynamo", false},
		{"functions/accounts", "m/internal/dynamo", true},
		{"functions/accounts", "m/functions/accounts/api", true},
		{"functions/accounts", "m/functions/login/api", false},
		{"functions/accounts", "m/internal/local", false},
		{"functions/accounts/api", "m/internal/httpapi", true},
		{"functions/accounts/api", "m/internal/dynamo", false},
		{"internal/local", "m/functions/accounts/api", true},
		{"internal/local/run", "m/internal/local/process", true},
		{"internal/account", "github.com/aws/aws-sdk-go-v2/service/dynamodb", false},
		{"internal/account", "github.com/aws/aws-sdk-go-v2", false},
		{"internal/account", "github.com/aws/smithy-go", false},
		{"internal/httpapi", "github.com/aws/aws-sdk-go-v2/aws", false},
		{"internal/boot", "github.com/aws/aws-sdk-go-v2/aws", true},
		{"internal/dynamo", "github.com/aws/smithy-go/middleware", true},
		{"internal/dynamo/table", "github.com/aws/aws-sdk-go-v2/service/dynamodb", true},
		{"internal/dynamo", "github.com/aws/aws-lambda-go/events", false},
		{"functions/accounts", "github.com/aws/aws-lambda-go/events", true},
		{"internal/account", "github.com/xuri/excelize/v2", false},
		{"internal/sheet", "github.com/xuri/excelize/v2", true},
		{"internal/account", "strings", true},
		{"internal/nowhere", "strings", false},
	} {
		wrong := Imports("m", layout, []Package{{ImportPath: "m/" + c.from, Imports: []string{c.to}}})
		if (len(wrong) == 0) != c.allowed {
			t.Errorf("%s importing %s: %q", c.from, c.to, wrong)
		}
	}
}

// expectFindings fails unless a rule finds exactly so many things in a file.
func expectFindings(t *testing.T, rule func(Source) []string, count int, name, text string) {
	t.Helper()
	s, err := ParseSource(name, name, text)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := rule(s); len(wrong) != count {
		t.Errorf("%d found, want %d, in %.60q: %q", len(wrong), count, text, wrong)
	}
}

func TestKeysElsewhereFindsTheTextOfAKey(t *testing.T) {
	for text, count := range map[string]int{
		`const a = "Z#"`: 1, `var a = "Z#" + b`: 1, `const a = "z#"`: 0, `const a = "HEAD"`: 0, `const a = "SET #b = :c"`: 0,
	} {
		expectFindings(t, KeysElsewhere, count, "internal/dynamo/sessions/a.go", "package a\n"+text+"\n")
	}
	expectFindings(t, KeysElsewhere, 0, "internal/dynamo/schema/keys.go", "package a\nconst a = \"Z#\"\n")
	expectFindings(t, KeysElsewhere, 0, "internal/account/a.go", "package a\nconst a = \"Z#\"\n")
}

func TestVariablesFindsWhatCanChange(t *testing.T) {
	rule := func(s Source) []string { return Variables([]Source{s}) }
	for text, count := range map[string]int{
		"var v int": 1, "var v = 1": 0, "var mu sync.Mutex": 1, "var v = &t{}": 1, "var v = make(map[int]int)": 1,
		"var v = new(int)": 1,
		"var _ I = t{}":    0, "var _ I": 0, "var err = errors.New(\"x\")": 0, "var m = map[int]int{1: 2}": 0,
		"//go:embed a.html\nvar v string":                  0,
		"var v = 1\nfunc f() { v = 2 }":                    1,
		"var v = 1\nfunc f() { v++ }":                      1,
		"var v = 1\nfunc f(v int) { v = 2 }":               0,
		"var v = 1\nfunc f() { v := 2; v = 3; _ = v }":     0,
		"var v = 1\nfunc f() { for v := range 3 { v++ } }": 0,
		"var m = map[int]int{}\nfunc f() { m[1] = 2 }":     1,
		"var m = map[int]int{}\nfunc f() { delete(m, 1) }": 1,
		"var m = map[int]int{}\nfunc f() { clear(m) }":     1,
		"var s = t{}\nfunc f() { s.x = 2 }":                1,
		"var s = t{}\nfunc f() { (s.x[3]) += 2 }":          1,
		"var s = []int{1}\nfunc f() int { return s[0] }":   0,
	} {
		expectFindings(t, rule, count, "a.go", "package a\n"+text+"\n")
	}
}
