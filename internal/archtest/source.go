package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// The bars of the style.
const (
	maxFile     = 500
	maxFunction = 100
	maxMethods  = 5
)

// bannedNames say nothing of what a package owns.
var bannedNames = []string{"utils", "util", "common", "helpers", "models", "types", "shared", "core", "base", "misc",
	"lib", "manager"}

// Names returns what is wrong with a package's name and comment.
func Names(p Package) []string {
	var wrong []string
	if slices.Contains(bannedNames, p.Name) {
		wrong = append(wrong, p.Path()+": the name "+p.Name+" says nothing of what the package owns")
	}
	if p.Doc == "" {
		wrong = append(wrong, p.Path()+": the package has no comment")
	}
	return wrong
}

// Sizes returns what is too long in a file.
func Sizes(s Source) []string {
	var wrong []string
	if n := s.fset.File(s.Pos()).LineCount(); n > maxFile {
		wrong = append(wrong, s.at(s.File, "the file has %d lines, more than %d", n, maxFile))
	}
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if lines := s.lines(n); lines > maxFunction {
				wrong = append(wrong, s.at(n, "%s has %d lines, more than %d", n.Name.Name, lines, maxFunction))
			}
		case *ast.InterfaceType:
			if methods := n.Methods.NumFields(); methods > maxMethods {
				wrong = append(wrong, s.at(n, "the interface has %d methods, more than %d", methods, maxMethods))
			}
		}
		return true
	})
	return wrong
}

// Documented returns the exported names that have no comment. A group's comment counts for all in it.
func Documented(s Source) []string {
	var wrong []string
	missing := func(n ast.Node, name string) {
		wrong = append(wrong, s.at(n, "%s is exported and has no comment", name))
	}
	for _, d := range s.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				missing(d, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && spec.Doc == nil && d.Doc == nil {
						missing(spec, spec.Name.Name)
					}
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						if name.IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
							missing(spec, name.Name)
						}
					}
				}
			}
		}
	}
	return wrong
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch at := t.(type) {
		case *ast.StarExpr:
			t = at.X
		case *ast.IndexExpr:
			t = at.X
		case *ast.IndexListExpr:
			t = at.X
		case *ast.Ident:
			return at.IsExported()
		default:
			return true
		}
	}
}

// forbidden are uses that make a rule depend on more than its arguments, by import path and name. A name ending in "()"
// is forbidden only as a call: main.go passes time.Now as a value.
var forbidden = map[string][]string{
	"time": {"Now()", "Since()", "Until()", "Sleep()"},
	"os":   {"Getenv", "LookupEnv", "Environ", "Setenv", "Exit", "Stdout", "Stderr"},
	"fmt":  {"Print", "Printf", "Println"},
	"log":  {"*"},
	"log/slog": {"Info", "Warn", "Error", "Debug", "InfoContext", "WarnContext", "ErrorContext", "DebugContext",
		"Default", "SetDefault"},
	"net/http":     {"DefaultClient", "Get", "Post", "DefaultServeMux"},
	"context":      {"TODO"},
	"math/rand":    {"*"},
	"math/rand/v2": {"*"},
}

// Uses returns the forbidden uses in a file of a row, an adapter or a function.
func Uses(s Source) []string {
	var wrong []string
	imported := map[string]string{} // name in this file -> path
	for _, i := range s.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		if slices.Contains(forbidden[path], "*") {
			wrong = append(wrong, s.at(i, "%s is not used here", path))
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		imported[name] = path
	}
	called := map[ast.Expr]bool{}
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called[n.Fun] = true
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			names := forbidden[imported[x.Name]]
			if slices.Contains(names, n.Sel.Name) || (called[n] && slices.Contains(names, n.Sel.Name+"()")) {
				wrong = append(wrong, s.at(n, "%s.%s is not used here", x.Name, n.Sel.Name))
			}
		}
		return true
	})
	return wrong
}

// Inits returns the init functions of a file.
func Inits(s Source) []string {
	var wrong []string
	for _, d := range s.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			wrong = append(wrong, s.at(f, "init runs before anybody asked it to"))
		}
	}
	return wrong
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
