package archtest

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// Documents lead somewhere, and comments cite nothing that the repository does not have.
func TestDocumentsAndCommentsCiteWhatIsThere(t *testing.T) {
	tree, err := ReadTree(root)
	if err != nil || len(tree.Texts) < 500 {
		t.Fatalf("%d texts, %v", len(tree.Texts), err)
	}
	checks := securityChecks(t)
	_, _, sources := project(t)
	names := Declared(sources)
	tests, err := tree.Tests()
	if err != nil || len(tests) < 500 {
		t.Fatalf("%d tests, %v", len(tests), err)
	}
	documents := 0
	for _, name := range tree.Texts {
		if strings.Contains("/"+name, "/testdata/") {
			continue
		}
		raw, err := fs.ReadFile(tree.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		switch {
		case strings.HasSuffix(name, ".md"):
			documents++
			wrong := tree.BrokenLinks(name, text)
			if name != "internal/docs/CHANGELOG.md" { // it tells of names that were
				wrong = append(wrong, UnknownNames(name, text, names, tests)...)
			}
			for _, w := range wrong {
				t.Error(w)
			}
			continue
		case strings.HasPrefix(name, "internal/archtest/"): // its tests are examples of what is wrong
			continue
		case strings.HasSuffix(name, ".go"):
			s, err := ParseSource(name, name, text)
			if err != nil {
				t.Fatal(err)
			}
			text = s.comments()
		}
		for _, w := range tree.Citations(name, text, checks) {
			t.Error(w)
		}
	}
	if documents < 10 {
		t.Errorf("only %d documents", documents)
	}
}

// No page is left out: every document of internal/docs is linked from another one.
func TestEveryDocumentIsLinked(t *testing.T) {
	tree, err := ReadTree(root)
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, name := range tree.Texts {
		if strings.HasSuffix(name, ".md") {
			text, err := fs.ReadFile(tree.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(linked, Linked(name, string(text)))
		}
	}
	for _, name := range tree.Texts {
		if strings.HasPrefix(name, "internal/docs/") && !linked[name] {
			t.Errorf("no document links to %s", name)
		}
	}
}

// No page grows beyond what is read in one sitting. The table of checks and the change log are looked up, not read.
func TestPagesStayShort(t *testing.T) {
	tree, err := ReadTree(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tree.Texts {
		long := strings.HasSuffix(name, "security-checks.md") || strings.HasSuffix(name, "CHANGELOG.md")
		if !strings.HasPrefix(name, "internal/docs/") || long {
			continue
		}
		text, err := fs.ReadFile(tree.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if words := len(strings.Fields(string(text))); words > 1200 {
			t.Errorf("%s has %d words, more than 1200: divide it", name, words)
		}
	}
}

func TestBrokenLinksFindsWhatLeadsNowhere(t *testing.T) {
	tree := treeOf(t, "README.md", "internal/docs/a.md", "internal/docs/b/c.md", "internal/account/fields.go", ".ci/run")
	for text, count := range map[string]int{
		"[a](internal/docs/a.md)": 0, "[a](internal/docs/z.md)": 1,
		"[a](internal/docs/a.md#a-title-b)": 0, "[a](internal/docs/a.md#z)": 1,
		"[here](#here)\n## Here\n": 0, "[here](#there)\n## Here\n": 1,
		"[out](https://example.com/z.md)": 0, "`[a](z.md)`": 0, "```\n[a](z.md)\n```": 0,
		"`internal/account/fields.go`": 0, "`internal/account`": 0, "`internal/nowhere`": 1,
		"`go run ./internal/nowhere -x`": 1, "`./internal/...`": 0,
		"`functions/<name>/api`": 0, "`internal/*/x.go`": 0, "`functions/console/web/dist/app`": 0,
		"`.ci/run`": 0, "`.ci/go`": 1,
	} {
		if wrong := tree.BrokenLinks("README.md", text); len(wrong) != count {
			t.Errorf("%q: %q", text, wrong)
		}
	}
	if wrong := tree.BrokenLinks("internal/docs/b/c.md", "[up](../a.md) [no](a.md)"); len(wrong) != 1 {
		t.Errorf("from a folder: %q", wrong)
	}
}

func TestCitationsFindsWhatIsNotThere(t *testing.T) {
	tree := treeOf(t, "README.md", "internal/docs/a.md", "internal/account/fields.go", "internal/account/notes.md")
	checks := []Check{{ID: "C01"}, {ID: "V101"}}
	for text, count := range map[string]int{
		"README.md says": 0, "see notes.md": 0, "see a.md": 0, "internal/docs/a.md": 0, "(product.md 11)": 1,
		"product section 2": 1, "Design section 3": 1, "issue 5": 1, "RFC 6238 section 5.2": 0,
		"fields.go": 0, "nothing.go": 1, "internal/account/fields.go": 0, "internal/other": 1,
		"proves C01 and V101": 0, "C02": 1, "C01-C03": 2, "SP 800-63B": 0,
	} {
		if wrong := tree.Citations("internal/account/fields.go", text, checks); len(wrong) != count {
			t.Errorf("%q: %q", text, wrong)
		}
	}
}

func TestUnknownNamesFindsWhatIsNotDeclared(t *testing.T) {
	s, err := ParseSource("internal/account/a.go", "a.go", `package account
type T struct{ F int }
func (T) M() {}
const C = 1
var V = 1
func Fn() {}
`)
	if err != nil {
		t.Fatal(err)
	}
	names := Declared(map[string][]Source{"m/internal/account": {s}})
	for text, count := range map[string]int{
		"`account.T`": 0, "`account.T.M`": 0, "`account.T.F`": 0, "`account.C` `account.V` `account.Fn()`": 0,
		"`account.Z`": 1, "`account.T.Z`": 1, "`account.update`": 0, "`other.Z`": 0, "account.Z": 0,
		"`TestA`": 0, "`TestB`": 1,
	} {
		if wrong := UnknownNames("a.md", text, names, map[string]bool{"TestA": true}); len(wrong) != count {
			t.Errorf("%q: %q", text, wrong)
		}
	}
}

func TestHeadingsAreTheAnchorsOfGitHub(t *testing.T) {
	got := Headings("# A: title (b)\ntext\n## `template.yaml`, it's\n```\n# no\n```\n")
	if want := []string{"a-title-b", "templateyaml-its"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// treeOf is a tree of files, those of Markdown with a heading.
func treeOf(t *testing.T, names ...string) *Tree {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range names {
		files[name] = &fstest.MapFile{Data: []byte("# A title (b)\n")}
	}
	tree, err := readTree(files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
