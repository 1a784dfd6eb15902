package archtest

import (
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Tree is the repository's files as documents and comments may name them, by path with slashes.
type Tree struct {
	FS fs.FS
	// Texts are the files that hold documents, comments or both.
	Texts []string
	// dirs and files are every folder and file, names the base names of files.
	dirs, files, names map[string]bool
}

// skipped are folders that are made or installed, and never committed.
var skipped = []string{".git", ".build", ".aws-sam", ".venv", "node_modules", "data"}

// madeByBuilds are paths that documents may name though a fresh clone does not have them.
var madeByBuilds = []string{
	".build/", "functions/console/web/dist/", "functions/console/web/node_modules/", "functions/console/web/screenshots/",
	"functions/console/web/src/api/schema.d.ts",
}

// withComments are the kinds of file that hold documents or comments.
var withComments = []string{
	".md", ".go", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".css", ".yaml", ".yml", ".toml", ".sh", ".py",
}

// ReadTree lists the files below a folder.
func ReadTree(root string) (*Tree, error) { return readTree(os.DirFS(root)) }

func readTree(files fs.FS) (*Tree, error) {
	t := &Tree{FS: files, dirs: map[string]bool{}, files: map[string]bool{}, names: map[string]bool{}}
	err := fs.WalkDir(t.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()) && name != ".":
			return fs.SkipDir
		case d.IsDir():
			t.dirs[name] = true
			return nil
		}
		t.files[name], t.names[path.Base(name)] = true, true
		if slices.Contains(withComments, path.Ext(name)) || name == "Makefile" || strings.HasPrefix(name, ".ci/") {
			t.Texts = append(t.Texts, name)
		}
		return nil
	})
	return t, err
}

func (t *Tree) has(name string) bool {
	name = strings.TrimSuffix(name, "/")
	return t.files[name] || t.dirs[name] || slices.ContainsFunc(madeByBuilds, func(made string) bool {
		return strings.HasPrefix(name+"/", made) || name == made
	})
}

// Headings returns the anchors of a Markdown text's headings, as GitHub makes them.
func Headings(text string) []string {
	var out []string
	for line := range strings.Lines(withoutFences(text)) {
		if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
			out = append(out, anchor(strings.TrimSpace(title)))
		}
	}
	return out
}

// anchor is a heading as GitHub's addresses have it: lower case, hyphens for blanks, no other signs.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

var (
	// fence is a block of code, link the target of a link.
	fence = regexp.MustCompile("(?ms)^```.*?^```$")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// codeSpan is a piece of code in a line of Markdown.
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// projectPath is a path of this repository: in a document within a code span, in a comment anywhere.
	projectPath = regexp.MustCompile(`(?:^|[\s"'(=])(?:\./)?((?:internal|functions|events|\.github|\.ci)/[\w./-]*\w)`)
	// documentName is a document as a comment cites it.
	documentName = regexp.MustCompile(`(?:^|[\s"'(,;:])([\w./-]*\w\.md)\b`)
	// elsewhere is a citation of a document by number that is not in the repository: "product section 2", "issue 5".
	elsewhere = regexp.MustCompile(`(?i)\b((?:product|design|security|style|spec(?:ification)?) section \d+|issue \d+)\b`)
	// goFile is a file that a Go comment names.
	goFile = regexp.MustCompile(`(?:^|[\s"'(,;:])([a-z][\w]*\.go)\b`)
)

func withoutFences(text string) string { return fence.ReplaceAllString(text, "") }

// BrokenLinks returns the links and paths of a Markdown document that lead nowhere within the repository.
func (t *Tree) BrokenLinks(name, text string) []string {
	text = withoutFences(text)
	var wrong []string
	for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(text, ""), -1) {
		if why := t.broken(name, text, m[1]); why != "" {
			wrong = append(wrong, fmt.Sprintf("%s: the link to %s: %s", name, m[1], why))
		}
	}
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		for _, m := range projectPath.FindAllStringSubmatch(span[1], -1) {
			if !patterned(span[1]) && !t.has(m[1]) {
				wrong = append(wrong, fmt.Sprintf("%s: there is no %s", name, m[1]))
			}
		}
	}
	return wrong
}

// Linked returns the files that a document's links lead to.
func Linked(name, text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range link.FindAllStringSubmatch(withoutFences(text), -1) {
		file, _, _ := strings.Cut(m[1], "#")
		out[path.Join(path.Dir(name), file)] = true
	}
	return out
}

// patterned reports whether a path stands for several.
func patterned(text string) bool {
	return strings.ContainsAny(text, "<*{") || strings.Contains(text, "...")
}

// hasDocument reports whether a comment in a folder names a document.
func (t *Tree) hasDocument(dir, name string) bool {
	for _, place := range []string{dir, ".", ".github", "internal", "internal/docs"} {
		if t.has(path.Join(place, name)) {
			return true
		}
	}
	return false
}

// broken says why a link leads nowhere, or "".
func (t *Tree) broken(from, text, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
		if !t.has(to) {
			return "there is no " + to
		}
		raw, _ := fs.ReadFile(t.FS, to) // a folder has no headings
		text = string(raw)
	}
	if anchor != "" && !slices.Contains(Headings(text), anchor) {
		return to + " has no such heading"
	}
	return ""
}

// Citations returns what the comments of a file cite that is not in the repository: documents, paths, Go files and
// security checks. comments is all of the file's text where comments are not told apart.
func (t *Tree) Citations(name, comments string, checks []Check) []string {
	var wrong []string
	add := func(cited, why string) { wrong = append(wrong, fmt.Sprintf("%s cites %s: %s", name, cited, why)) }
	for _, m := range documentName.FindAllStringSubmatch(comments, -1) {
		if !t.hasDocument(path.Dir(name), m[1]) {
			add(m[1], "there is no such document")
		}
	}
	for _, m := range elsewhere.FindAllStringSubmatch(comments, -1) {
		add(m[1], "the repository has no such document; say it, or cite a page of internal/docs")
	}
	for _, m := range projectPath.FindAllStringSubmatch(comments, -1) {
		if !patterned(m[1]) && !t.has(m[1]) {
			add(m[1], "there is no such path")
		}
	}
	if strings.HasSuffix(name, ".go") {
		for _, m := range goFile.FindAllStringSubmatch(comments, -1) {
			if !t.names[m[1]] {
				add(m[1], "there is no such file")
			}
		}
		for _, id := range idsIn(comments) {
			if !slices.ContainsFunc(checks, func(c Check) bool { return c.ID == id }) {
				add(id, "internal/docs/security-checks.md has no such check")
			}
		}
	}
	return wrong
}

// Declared returns the exported names that a project declares, by the name of their package: types, functions, methods,
// fields, constants and variables, methods and fields as Type.Name.
func Declared(sources map[string][]Source) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, of := range sources {
		for _, s := range of {
			names := out[s.File.Name.Name]
			if names == nil {
				names = map[string]bool{}
				out[s.File.Name.Name] = names
			}
			for _, d := range s.Decls {
				declare(names, d)
			}
		}
	}
	return out
}

func declare(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		names[name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names[spec.Name.Name] = true
				for _, member := range members(spec.Type) {
					names[spec.Name.Name+"."+member] = true
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names[name.Name] = true
				}
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// members returns the names of a struct's fields or an interface's methods.
func members(t ast.Expr) []string {
	var list *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return nil
	}
	var out []string
	for _, f := range list.List {
		for _, name := range f.Names {
			out = append(out, name.Name)
		}
	}
	return out
}

// goName is an exported name of a package in a span of code: account.Service.Create.
var goName = regexp.MustCompile(`^([a-z]\w*)\.([A-Z]\w*(?:\.[A-Z]\w*)?)(?:\(\))?$`)

// testName is a test in a span of code, testFunc its declaration.
var (
	testName = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]\w*$`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z]\w*)\(`)
)

// Tests returns the names of the tree's tests.
func (t *Tree) Tests() (map[string]bool, error) {
	out := map[string]bool{}
	for _, name := range t.Texts {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(t.FS, name)
		if err != nil {
			return nil, err
		}
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			out[string(m[1])] = true
		}
	}
	return out, nil
}

// UnknownNames returns the names of Go in a Markdown document that their package does not declare, and the tests that
// are nowhere.
func UnknownNames(name, text string, names map[string]map[string]bool, tests map[string]bool) []string {
	var wrong []string
	for _, span := range codeSpan.FindAllStringSubmatch(withoutFences(text), -1) {
		if testName.MatchString(span[1]) && !tests[span[1]] {
			wrong = append(wrong, fmt.Sprintf("%s: there is no test %s", name, span[1]))
		}
		if m := goName.FindStringSubmatch(span[1]); m != nil && names[m[1]] != nil && !names[m[1]][m[2]] {
			wrong = append(wrong, fmt.Sprintf("%s: package %s declares no %s", name, m[1], m[2]))
		}
	}
	return wrong
}

// comments returns all comments of a file.
func (s Source) comments() string {
	var out strings.Builder
	for _, group := range s.Comments {
		out.WriteString(group.Text() + "\n")
	}
	return out.String()
}
