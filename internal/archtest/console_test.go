package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// markup are the ways by which a page makes elements, or runs code, of a text.
var markup = regexp.MustCompile(
	`dangerouslySetInnerHTML|\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\(|new Function\(`,
)

// C22: no source of the console makes markup of a text, so a name is never more than a name.
func TestTheConsoleMakesNoMarkupOfTexts(t *testing.T) {
	looked := 0
	dir := filepath.Join(root, "functions", "console", "web", "src")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".ts") && !strings.HasSuffix(path, ".tsx") {
			return err
		}
		text, err := os.ReadFile(path)
		if found := markup.Find(text); found != nil {
			t.Errorf("%s: %s", strings.TrimPrefix(path, root+"/"), found)
		}
		looked++
		return err
	})
	if err != nil || looked < 50 {
		t.Errorf("%d files, %v", looked, err)
	}
	for _, text := range []string{`dangerouslySetInnerHTML={{ __html: name }}`, `element.innerHTML = name`, `eval(text)`} {
		if !markup.MatchString(text) {
			t.Errorf("%s is not found", text)
		}
	}
}
