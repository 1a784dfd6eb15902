package httpapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// The list of this package's problems is checked against its code.
func TestReferenceListsEveryCodeThisPackageUses(t *testing.T) {
	listed := map[string]bool{}
	for _, route := range []httpapi.Route{
		{
			Key: "POST /api/{id}", Needs: access.AccountRead, NoKeys: true, Idempotent: true, ShownOnce: true,
			Query: []httpapi.Param{httpapi.Cursor()}, Doc: httpapi.Operation{IfMatch: true, Body: 1},
		},
		{Key: "POST /api", Needs: access.Public},
		{Key: "POST /oauth", Needs: access.Public, Doc: httpapi.Operation{Form: true}},
		{Key: "$default", Needs: access.Public},
	} {
		for _, p := range httpapi.ServerProblems(route) {
			listed[p.Code] = true
		}
	}
	used := codesUsed(t, os.DirFS("."))
	if len(used) < 15 {
		t.Fatalf("found only %d codes in the source: %v", len(used), used)
	}
	for code, where := range used {
		if !listed[code] {
			t.Errorf("%s: the code %q is in no reference", where, code)
		}
	}
	for code := range listed {
		if used[code] == "" {
			t.Errorf("the reference lists %q, which nothing says", code)
		}
	}
}

// codesUsed returns the literal codes of fault.New in a folder, with their positions.
func codesUsed(t *testing.T, folder fs.FS) map[string]string {
	t.Helper()
	used := map[string]string{}
	names, err := fs.Glob(folder, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(fset, name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "New" {
				if literal, ok := call.Args[1].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					code, _ := strconv.Unquote(literal.Value)
					used[code] = fset.Position(literal.Pos()).String()
				}
			}
			return true
		})
	}
	return used
}

func TestReferenceSaysWhatARouteCanAnswer(t *testing.T) {
	has := func(r httpapi.Route, status int) bool {
		for _, p := range httpapi.ServerProblems(r) {
			if httpapi.StatusOf(p.Kind) == status {
				return true
			}
		}
		return false
	}
	plain := httpapi.Route{Key: "GET /api", Needs: access.Public}
	for _, status := range []int{401, 403, 404, 409, 412, 413, 415, 422, 428} {
		if has(plain, status) {
			t.Errorf("a public GET is said to answer %d", status)
		}
	}
	full := httpapi.Route{
		Key: "POST /api/{id}", Needs: access.AccountRead, Idempotent: true,
		Doc: httpapi.Operation{IfMatch: true, Body: 1},
	}
	for _, status := range []int{400, 401, 403, 404, 409, 413, 415, 422, 428, 500, 503} {
		if !has(full, status) {
			t.Errorf("a POST with everything is not said to answer %d", status)
		}
	}
}
