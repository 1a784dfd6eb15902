package archtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Layout says which row each internal package is in, by its name.
type Layout map[string]Place

// Place is a row, or one of the three groups beside the rows.
type Place struct {
	// Group is "row", "adapters", "edge" or "tools"; Row counts only in "row".
	Group string
	Row   int
}

// String names the place as the README does.
func (p Place) String() string {
	if p.Group == "row" {
		return fmt.Sprintf("row %d", p.Row)
	}
	return p.Group
}

// layoutLine is a line of the README's layout: a place, its packages, what they are about, parted by two blanks or
// more.
var layoutLine = regexp.MustCompile(
	`(?m)^  (row (\d+)|adapters|edge|tools) +([a-z][a-z0-9]*(?: [a-z][a-z0-9]*)*)(?:  .*)?$`)

// ReadLayout takes the rows from the text of internal/README.md, which is where they are stated.
func ReadLayout(readme string) (Layout, error) {
	layout := Layout{}
	for _, m := range layoutLine.FindAllStringSubmatch(readme, -1) {
		place := Place{Group: m[1]}
		if m[2] != "" {
			row, _ := strconv.Atoi(m[2]) // digits, says the expression
			place = Place{Group: "row", Row: row}
		}
		for name := range strings.FieldsSeq(m[3]) {
			if _, twice := layout[name]; twice {
				return nil, fmt.Errorf("the layout names %s twice", name)
			}
			layout[name] = place
		}
	}
	if len(layout) < 10 {
		return nil, fmt.Errorf("the layout names only %d packages; is its form another now?", len(layout))
	}
	return layout, nil
}

// owners of modules that only some may import. An entry of a path ending in / covers all below it.
var restricted = []struct {
	prefix  string
	allowed func(where string, place Place) bool
}{
	{"github.com/aws/aws-sdk-go-v2/", sdk}, {"github.com/aws/aws-sdk-go-v2", sdk}, {"github.com/aws/smithy-go", sdk},
	{"github.com/aws/aws-lambda-go/", func(where string, place Place) bool {
		return place.Group == "edge" || place.Group == "tools" || strings.HasPrefix(where, "functions/")
	}},
	{"github.com/xuri/excelize",
		func(where string, place Place) bool { return where == "internal/sheet" || place.Group == "tools" }},
}

func sdk(where string, place Place) bool {
	return place.Group == "adapters" || where == "internal/boot" || place.Group == "tools"
}

// Imports returns every import that the layout forbids.
func Imports(module string, layout Layout, packages []Package) []string {
	var wrong []string
	for _, p := range packages {
		from, known := layout.place(p.Path())
		if !known {
			wrong = append(wrong, fmt.Sprintf("%s: the layout of internal/README.md does not name it", p.Path()))
			continue
		}
		for _, path := range p.Imports {
			if why := layout.forbids(p.Path(), from, module, path); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", p.Path(), path, why))
			}
		}
	}
	return wrong
}

// place returns where a package stands; packages below an internal one stand where it does.
func (l Layout) place(path string) (Place, bool) {
	top, rest, _ := strings.Cut(path, "/")
	if top == "functions" {
		return Place{Group: "functions"}, true
	}
	name, _, _ := strings.Cut(rest, "/")
	place, known := l[name]
	return place, known && top == "internal"
}

// forbids says why a package may not import a path, or "".
func (l Layout) forbids(where string, from Place, module, path string) string {
	inside, own := strings.CutPrefix(path, module+"/")
	if !own {
		for _, r := range restricted {
			if (path == strings.TrimSuffix(r.prefix, "/") || strings.HasPrefix(path, r.prefix)) && !r.allowed(where, from) {
				return "only others may"
			}
		}
		return ""
	}
	if sameTree(where, inside) {
		return ""
	}
	if from.Group == "adapters" && sameAdapter(where, inside) {
		return forbidsWithinAdapter(where, inside)
	}
	to, known := l.place(inside)
	if !known {
		return "the layout does not name it"
	}
	return from.whyForbidden(where, to)
}

// sameTree reports whether one package is below the other's folder, as functions/x/api is below functions/x.
func sameTree(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

func (p Place) whyForbidden(where string, to Place) string {
	allowed := map[string][]string{
		"row": {"row"}, "adapters": {"row"}, "edge": {"row"}, "functions": {"row", "adapters", "edge"},
		"tools": {"row", "adapters", "edge", "functions", "tools"},
	}[p.Group]
	switch {
	case !slices.Contains(allowed, to.Group):
		return fmt.Sprintf("%s does not import %s", p, to)
	case p.Group == "row" && to.Row >= p.Row:
		return fmt.Sprintf("%s imports lower rows only, and this is in %s", p, to)
	case p.Group == "functions" && strings.HasSuffix(where, "/api") && to.Group == "adapters":
		return "routes know no adapter; main joins them"
	}
	return ""
}
