package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// Variables returns the package-level variables of a package that can change: those without a value, those that hold a
// pointer or a lock, and those that some function writes to. What is left is a table, an error or an expression.
func Variables(sources []Source) []string {
	var wrong []string
	names := map[string]bool{}
	for _, s := range sources {
		for _, d := range s.Decls {
			g, ok := isVar(d)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				v, _ := spec.(*ast.ValueSpec)
				for _, name := range v.Names {
					if name.Name == "_" {
						continue
					}
					names[name.Name] = true
					if why := changeable(g, v); why != "" {
						wrong = append(wrong, s.at(v, "the package-level variable %s %s", name.Name, why))
					}
				}
			}
		}
	}
	for _, s := range sources {
		for _, d := range s.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				wrong = append(wrong, writes(s, f, names)...)
			}
		}
	}
	return wrong
}

func changeable(g *ast.GenDecl, v *ast.ValueSpec) string {
	if len(v.Values) == 0 {
		if embeds(g, v) {
			return ""
		}
		return "has no value, so something must set it"
	}
	for _, value := range v.Values {
		switch value := value.(type) {
		case *ast.UnaryExpr:
			if value.Op == token.AND {
				return "is a pointer to what can change"
			}
		case *ast.CallExpr:
			if f, ok := value.Fun.(*ast.Ident); ok && (f.Name == "new" || f.Name == "make") {
				return "starts empty, so something must fill it"
			}
		}
	}
	return ""
}

// writes returns where a function writes to one of the names. A name that the function declares itself is another
// thing.
func writes(s Source, f *ast.FuncDecl, names map[string]bool) []string {
	local := declared(f)
	var wrong []string
	check := func(target ast.Expr) {
		if root := rootOf(target); root != nil && names[root.Name] && !local[root.Name] {
			wrong = append(wrong, s.at(target, "%s writes to the package-level variable %s", f.Name.Name, root.Name))
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, target := range n.Lhs {
					check(target)
				}
			}
		case *ast.IncDecStmt:
			check(n.X)
		case *ast.CallExpr:
			if fun, ok := n.Fun.(*ast.Ident); ok && (fun.Name == "delete" || fun.Name == "clear") && len(n.Args) > 0 {
				check(n.Args[0])
			}
		}
		return true
	})
	return wrong
}

// rootOf returns the name that an assignment changes: m of m[k], m.f and *m.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch at := e.(type) {
		case *ast.Ident:
			return at
		case *ast.IndexExpr:
			e = at.X
		case *ast.SelectorExpr:
			e = at.X
		case *ast.StarExpr:
			e = at.X
		case *ast.ParenExpr:
			e = at.X
		default:
			return nil
		}
	}
}

// declared returns the names that a function declares, anywhere in it.
func declared(f *ast.FuncDecl) map[string]bool {
	local := map[string]bool{}
	add := func(list *ast.FieldList) {
		if list == nil {
			return
		}
		for _, field := range list.List {
			for _, name := range field.Names {
				local[name.Name] = true
			}
		}
	}
	add(f.Recv)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType:
			add(n.Params)
			add(n.Results)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, target := range n.Lhs {
					if name, ok := target.(*ast.Ident); ok {
						local[name.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, target := range []ast.Expr{n.Key, n.Value} {
				if name, ok := target.(*ast.Ident); ok && n.Tok == token.DEFINE {
					local[name.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		}
		return true
	})
	return local
}

// embeds reports whether a declaration is filled by go:embed.
func embeds(d *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, group := range []*ast.CommentGroup{d.Doc, spec.Doc} {
		if group != nil &&
			slices.ContainsFunc(group.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

// isVar reports whether a declaration is one of variables.
func isVar(d ast.Decl) (*ast.GenDecl, bool) {
	g, ok := d.(*ast.GenDecl)
	return g, ok && g.Tok == token.VAR
}
