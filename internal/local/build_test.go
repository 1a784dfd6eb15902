package local

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is tested here is built as what is deployed: the flags of the local build are those that the Makefile hands to
// sam build, which knows none of its own.
func TestFunctionsAreBuiltHereAsForTheCloud(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^BUILD_FLAGS := (.*)$`).FindSubmatch(makefile)
	if flags == nil || string(flags[1]) != strings.Join(buildFlags(), " ") {
		t.Errorf("the Makefile has %q, this run %q", flags, buildFlags())
	}
	calls := regexp.MustCompile(`(?m)^\t.*/sam build.*$`).FindAll(makefile, -1)
	if len(calls) == 0 {
		t.Error("the Makefile calls no sam build")
	}
	for _, call := range calls {
		if !strings.Contains(string(call), `GOFLAGS="$(BUILD_FLAGS)"`) {
			t.Errorf("without BUILD_FLAGS: %s", call)
		}
	}
	if !strings.Contains(string(makefile), "\nexport CGO_ENABLED := 0\n") {
		t.Error("sam build is not told to do without C")
	}
}
