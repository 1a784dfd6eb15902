package archtest

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ground is the packages of an adapter that its others are built on, lowest first: each may import those before it.
func ground() []string { return []string{"internal/dynamo/table", "internal/dynamo/schema"} }

// besideEachOther is what the packages of an adapter may import of each other besides its ground and the adapter
// itself. A new entry is a decision: stores that know each other are no longer changed one by one.
func besideEachOther() map[string][]string {
	return map[string][]string{
		"internal/dynamo/accountlog":    {"internal/dynamo/sessions"}, // an account's log shows its sign-ins
		"internal/dynamo/passwordlinks": {"internal/dynamo/attempts"}, // who asks for a link is found as who signs in
		"internal/dynamo/sessions":      {"internal/dynamo/factors"},  // a step of a sign-in changes the second factor
	}
}

// sameAdapter reports whether two packages are below one adapter's folder.
func sameAdapter(a, b string) bool {
	of := func(path string) string { return strings.Join(strings.SplitN(path, "/", 3)[:2], "/") }
	return strings.Count(a, "/") > 1 && strings.Count(b, "/") > 1 && of(a) == of(b)
}

// forbidsWithinAdapter says why a package may not import another of the same adapter, or "".
func forbidsWithinAdapter(where, inside string) string {
	lowest := ground()
	if i := slices.Index(lowest, inside); i >= 0 {
		if own := slices.Index(lowest, where); own >= 0 && own <= i {
			return "the ground of an adapter imports what is below it only"
		}
		return ""
	}
	if slices.Contains(besideEachOther()[where], inside) {
		return ""
	}
	return "stores of one adapter do not import each other; besideEachOther in internal/archtest lists the exceptions"
}

// keyText is how the key of an item begins: a letter for its kind, and #.
var keyText = regexp.MustCompile(`^[A-Z]#`)

// KeysElsewhere returns the texts of keys that stand outside internal/dynamo/schema/keys.go, where a test pins each of
// them.
func KeysElsewhere(s Source) []string {
	if !strings.HasPrefix(s.Name, "internal/dynamo/") || s.Name == "internal/dynamo/schema/keys.go" {
		return nil
	}
	var wrong []string
	ast.Inspect(s.File, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil && keyText.MatchString(text) {
				wrong = append(wrong,
					s.at(n, "%s is the text of a key, which belongs into internal/dynamo/schema/keys.go", lit.Value))
			}
		}
		return true
	})
	return wrong
}
