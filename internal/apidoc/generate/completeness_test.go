package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"useraccounts/internal/account"
	"useraccounts/internal/directory"
	"useraccounts/internal/field"
	"useraccounts/internal/reference"
	"useraccounts/internal/resource"
	"useraccounts/internal/settings"
)

// Every route of template.yaml has a sample event. internal/systemtest runs the samples.
func TestEveryRouteHasASampleEvent(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample events: %v", err)
	}
	sampled := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			RouteKey string `json:"routeKey"`
		}
		if err := json.Unmarshal(raw, &event); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		sampled[event.RouteKey] = true
	}
	var missing []string
	for _, keys := range templateRoutes(t) {
		for _, key := range keys {
			if !sampled[key] && !strings.HasPrefix(key, "HEAD ") { // as GET
				missing = append(missing, key)
			}
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		t.Errorf("add a sample event to events/, as events/README.md says, for:\n%s", strings.Join(missing, "\n"))
	}
}

// A form shows the sections that the API lists: a field in any other section would vanish from it.
func TestEveryFieldIsInAListedSection(t *testing.T) {
	kinds := func(set reference.KindSet) []field.Meta { return reference.AllFields(set) }
	for file, form := range map[string]struct {
		fields   []field.Meta
		sections []field.Section
	}{
		"internal/account/fields.go":  {account.Fields().Describe(), account.Sections()},
		"internal/settings/fields.go": {settings.Fields().Describe(), settings.Sections()},
		"internal/resource/fields.go": {resource.Fields().Describe(), resource.Sections()},
		"internal/reference/fields.go": {
			slices.Concat(kinds(reference.AccessKinds()), kinds(reference.StaffKinds()), kinds(reference.ApplicationKinds())),
			reference.Sections(),
		},
	} {
		if err := field.CheckSections(form.fields, form.sections); err != nil {
			t.Errorf("change Sections() in %s:\n%v", file, err)
		}
	}
}

// A filter operator is stated in the reference, described there, offered by the console's form and shown in its words.
func TestEveryFilterOperatorIsKnownEverywhere(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	raw := files[documentPath]
	places := []struct {
		change string
		knows  func(op directory.FilterOp) bool
	}{
		{"FilterOps in internal/directory/filter.go", offered},
		{"the enum of fieldView.Filters in functions/accounts/api/list.go", func(op directory.FilterOp) bool {
			return slices.Contains(operatorsInReference(t, raw), op)
		}},
		{"the help in filterParam in functions/accounts/api/list.go", func(op directory.FilterOp) bool {
			return describedInReference(t, raw, op)
		}},
		{"functions/console/web/src/grid/FilterForm.tsx", quotedIn(t, "functions/console/web/src/grid/FilterForm.tsx")},
		{
			"describeFilter in functions/console/web/src/grid/gridState.ts",
			quotedIn(t, "functions/console/web/src/grid/gridState.ts"),
		},
	}
	for _, name := range declaredConstants(t, "internal/directory/filter.go", "FilterOp") {
		op := directory.FilterOp(name)
		var missing []string
		for _, place := range places {
			if !place.knows(op) {
				missing = append(missing, place.change)
			}
		}
		if len(missing) > 0 {
			t.Errorf("add the filter operator %s to:\n%s", op, strings.Join(missing, "\n"))
		}
	}
}

// Every action of bulk has a form with its own arguments in the reference.
func TestEveryBulkActionHasAForm(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas struct {
				AccountsBulk struct {
					OneOf         []any
					Discriminator struct{ Mapping map[string]string }
				}
			}
		}
	}
	if err := json.Unmarshal(files[documentPath], &doc); err != nil {
		t.Fatal(err)
	}
	have := slices.Sorted(maps.Keys(doc.Components.Schemas.AccountsBulk.Discriminator.Mapping))
	want := slices.Sorted(slices.Values(declaredConstants(t, "internal/bulk/bulk.go", "Action")))
	if !slices.Equal(have, want) || len(doc.Components.Schemas.AccountsBulk.OneOf) != 4 {
		t.Errorf("bulkBodyDoc in functions/accounts/api/bulk.go has forms for %v, want %v", have, want)
	}
}

// Clients choose a type by the format of a number, and keep it exactly by its bounds.
func TestEveryIntegerHasAFormatAndBounds(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(files[documentPath], &doc); err != nil {
		t.Fatal(err)
	}
	integers := 0
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch node := node.(type) {
		case map[string]any:
			types, _ := node["type"].([]any)
			if node["type"] == "integer" || slices.Contains(types, any("integer")) {
				integers++
				for _, keyword := range []string{"format", "minimum", "maximum"} {
					if node[keyword] == nil {
						t.Errorf("the integer %s has no %s", at, keyword)
					}
				}
			}
			for name, member := range node {
				walk(at+"/"+name, member)
			}
		case []any:
			for _, member := range node {
				walk(at, member)
			}
		}
	}
	if walk("", doc); integers < 100 {
		t.Errorf("%d integers were found", integers)
	}
}

// notForCallers are the packages and codes whose faults never become the code of a problem: those of rows and files,
// which a job tells, and of what callers replace by another.
func notForCallers(dir, code string) bool {
	return strings.HasSuffix(dir, "internal/sheet") || slices.Contains([]string{"headings", "noRows", "actor"}, code)
}

// Every code of a fault is in the catalogue, or generated clients could not read its problem.
func TestEveryCodeIsInTheCatalogue(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas struct{ ProblemCode struct{ Enum []string } }
		}
	}
	if err := json.Unmarshal(files[documentPath], &doc); err != nil {
		t.Fatal(err)
	}
	codes := doc.Components.Schemas.ProblemCode.Enum
	used := 0
	err = filepath.WalkDir(filepath.Join(root, "internal"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		ast.Inspect(file, func(n ast.Node) bool {
			code := faultCode(n)
			if code != "" && !notForCallers(filepath.ToSlash(filepath.Dir(path)), code) {
				if used++; !slices.Contains(codes, code) {
					t.Errorf("%s: the code %q is in no operation's Problems", path, code)
				}
			}
			return true
		})
		return err
	})
	if err != nil || used < 80 {
		t.Errorf("%d codes were found: %v", used, err)
	}
}

// faultCode returns the literal code of a call fault.New, or "".
func faultCode(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) < 2 {
		return ""
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "New" || fmt.Sprint(f.X) != "fault" {
		return ""
	}
	literal, ok := call.Args[1].(*ast.BasicLit)
	if !ok {
		return ""
	}
	return strings.Trim(literal.Value, `"`)
}

// declaredConstants returns the values of a file's constants of a string type.
func declaredConstants(t *testing.T, path, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typeName {
				for _, value := range spec.Values {
					if literal, ok := value.(*ast.BasicLit); ok {
						out = append(out, strings.Trim(literal.Value, `"`))
					}
				}
			}
		}
		return true
	})
	if len(out) < 5 {
		t.Fatalf("found only %v in %s", out, path)
	}
	return out
}

// offered reports whether a field of accounts has a filter with the operator.
func offered(op directory.FilterOp) bool {
	return slices.ContainsFunc(directory.Filters(), func(f directory.FilterDef) bool { return f.Op == op })
}

// operatorsInReference returns the operators that the reference lists for a field.
func operatorsInReference(t *testing.T, raw []byte) []directory.FilterOp {
	t.Helper()
	var doc struct {
		Components struct {
			Schemas struct {
				Field struct {
					Properties struct {
						Filters struct {
							Items struct{ Enum []directory.FilterOp }
						}
					}
				} `json:"AccountsField"`
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas.Field.Properties.Filters.Items.Enum
}

// describedInReference reports whether the reference describes all query parameters of an operator by more than the
// field's label.
func describedInReference(t *testing.T, raw []byte, op directory.FilterOp) bool {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, Description string }
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	descriptions := map[string]string{}
	for _, p := range doc.Paths["/api/accounts"]["get"].Parameters {
		descriptions[p.Name] = strings.TrimSpace(p.Description)
	}
	return !slices.ContainsFunc(directory.Filters(), func(f directory.FilterDef) bool {
		text, listed := descriptions[f.Name]
		return f.Op == op && (!listed || text == "" || text == f.Field.Label)
	})
}

// quotedIn returns whether a file of the console quotes an operator.
func quotedIn(t *testing.T, file string) func(directory.FilterOp) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return func(op directory.FilterOp) bool { return strings.Contains(string(text), "'"+string(op)+"'") }
}
