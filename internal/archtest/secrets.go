package archtest

import (
	"bytes"
	"go/ast"
	"go/printer"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// Names of secrets and of what is derived from them to compare. A code is one where codes prove who somebody is;
// elsewhere it is a role's or a country's.
var (
	secretName = regexp.MustCompile(
		`(?i)(secret|token|hash|digest|verifier|nonce|signature|mac|seed|challenge|password|credential|browser)(es|s)?$`)
	codeName     = regexp.MustCompile(`(?i)^(code|given|entered)$`)
	codePackages = []string{"internal/mfa", "internal/signin", "internal/factor", "internal/recovery", "internal/token",
		"internal/password", "internal/sso", "internal/oidc", "internal/seal"}
)

// comparers compare as == does: they stop at the first difference, so their time tells how much was guessed.
var comparers = map[string][]string{
	"bytes":   {"Equal", "Compare", "EqualFold", "HasPrefix", "HasSuffix", "Contains"},
	"strings": {"EqualFold", "Compare", "HasPrefix", "HasSuffix", "Contains"},
	"slices":  {"Equal", "Compare", "Contains", "Index"}, "reflect": {"DeepEqual"}, "cmp": {"Compare"},
}

// Comparison is a comparison whose time may tell something of a secret.
type Comparison struct{ File, Text, What string }

// SecretComparisons returns where a file compares two values one of which has the name of a secret, by anything but
// subtle.ConstantTimeCompare or hmac.Equal. Whether there is one, or how long it is, may be asked in any way: a
// literal, nil or a len on one side is no comparison of secrets.
func SecretComparisons(s Source) []Comparison {
	var found []Comparison
	codes := slices.ContainsFunc(codePackages, func(dir string) bool { return strings.HasPrefix(s.Name, dir+"/") })
	check := func(n ast.Node, a, b ast.Expr) {
		if isPlainOperand(a) || isPlainOperand(b) {
			return
		}
		for _, side := range []ast.Expr{a, b} {
			if name := lastName(side); secretName.MatchString(name) || codes && codeName.MatchString(name) {
				var text bytes.Buffer
				_ = printer.Fprint(&text, s.fset, n) // into memory
				code := strings.Join(strings.Fields(text.String()), " ")
				found = append(found, Comparison{s.Name, code, s.at(n, "%s: its time tells how much of %s was right", code, name)})
				return
			}
		}
	}
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				check(n, n.X, n.Y)
			}
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) != 2 {
				return true
			}
			if of, ok := f.X.(*ast.Ident); ok && slices.Contains(comparers[of.Name], f.Sel.Name) {
				check(n, n.Args[0], n.Args[1])
			}
		case *ast.SwitchStmt:
			for _, c := range n.Body.List {
				if of, ok := c.(*ast.CaseClause); ok && n.Tag != nil {
					for _, value := range of.List {
						check(&ast.BinaryExpr{X: n.Tag, OpPos: value.Pos(), Op: token.EQL, Y: value}, n.Tag, value)
					}
				}
			}
		}
		return true
	})
	return found
}

// isPlainOperand reports whether an operand says nothing of a secret: a literal, nil, a length, a constant of a package
// or a zero value.
func isPlainOperand(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return slices.Contains([]string{"nil", "true", "false", "none"}, e.Name) // none is how a zero value is called here
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	case *ast.ParenExpr:
		return isPlainOperand(e.X)
	case *ast.UnaryExpr:
		return isPlainOperand(e.X)
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.Ident)
		return ok && (f.Name == "len" || f.Name == "cap" || len(e.Args) == 1 && isPlainOperand(e.Args[0]))
	case *ast.SelectorExpr: // time.Second, fault.Invalid
		of, ok := e.X.(*ast.Ident)
		return ok && of.Name == "http" && strings.HasPrefix(e.Sel.Name, "Status")
	}
	return false
}

// lastName is the name that says what a value is: b of a.b, f of a.f(), x of []byte(x), x[1:] and *x.
func lastName(e ast.Expr) string {
	for {
		switch at := e.(type) {
		case *ast.Ident:
			return at.Name
		case *ast.SelectorExpr:
			return at.Sel.Name
		case *ast.CallExpr:
			if isConversion(at) {
				e = at.Args[0]
			} else {
				e = at.Fun
			}
		case *ast.SliceExpr:
			e = at.X
		case *ast.IndexExpr:
			e = at.X
		case *ast.StarExpr:
			e = at.X
		case *ast.ParenExpr:
			e = at.X
		case *ast.UnaryExpr:
			e = at.X
		default:
			return ""
		}
	}
}

// isConversion reports whether a call only gives its argument another form: string(x), []byte(x), strings.TrimSpace(x).
func isConversion(call *ast.CallExpr) bool {
	if len(call.Args) == 0 {
		return false
	}
	switch f := call.Fun.(type) {
	case *ast.ArrayType:
		return true
	case *ast.Ident:
		return f.Name == "string"
	case *ast.SelectorExpr:
		of, ok := f.X.(*ast.Ident)
		return ok && slices.Contains([]string{"strings", "bytes", "hex"}, of.Name) || f.Sel.Name == "EncodeToString"
	}
	return false
}
