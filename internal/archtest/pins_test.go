package archtest

import (
	"encoding/json"
	"go/version"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// minimumGo is the patch that has the corrections of archive/zip, encoding/xml, net/mail and mime that reading
// strangers' files and addresses rests on.
const minimumGo = "go1.26.8"

// minimumVersions are the versions before which a library has a flaw that matters here. One that is not used at all
// need not be.
var minimumVersions = map[string]string{
	"github.com/xuri/excelize/v2":  "v2.11.0", // CVE-2026-54063
	"github.com/golang-jwt/jwt/v5": "v5.2.2",  // CVE-2025-30204
	"github.com/golang-jwt/jwt/v4": "v4.5.2",
	"github.com/golang-jwt/jwt":    "v4.5.2",
	"github.com/dgrijalva/jwt-go":  "v9999.0.0", // given up by its makers
}

// V89, C33, C47, C48: the libraries and the Go that this is built with are past the flaws that are known of them.
func TestVersionsArePastTheirKnownFlaws(t *testing.T) {
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct {
		Go      string
		Require []struct{ Path, Version string }
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(out, &module); err != nil || len(module.Require) < 20 {
		t.Fatalf("%d requirements, %v", len(module.Require), err)
	}
	sheets := false
	for _, r := range module.Require {
		sheets = sheets || r.Path == "github.com/xuri/excelize/v2"
		if minimum, known := minimumVersions[r.Path]; known && older(r.Version, minimum) {
			t.Errorf("%s is %s, wants %s", r.Path, r.Version, minimum)
		}
	}
	if !sheets {
		t.Error("the library of sheets is not required under the name that is held to its version here")
	}
	for _, r := range module.Replace {
		t.Errorf("%s is replaced, so its version says nothing", r.Old.Path)
	}
	if version.Compare(runtime.Version(), minimumGo) < 0 {
		t.Errorf("this is %s, wants %s: an older one has flaws in reading zip, XML and addresses", runtime.Version(),
			minimumGo)
	}
}

// older compares versions of modules by their numbers.
func older(a, b string) bool {
	return version.Compare("go"+strings.TrimPrefix(a, "v"), "go"+strings.TrimPrefix(b, "v")) < 0
}

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"v2.10.9", "v2.11.0", true}, {"v2.11.0", "v2.11.0", false}, {"v2.11.1", "v2.11.0", false},
		{"v5.2.1", "v5.2.2", true}, {"v3.2.0", "v9999.0.0", true}} {
		if older(c.a, c.b) != c.want {
			t.Errorf("%s older than %s: want %v", c.a, c.b, c.want)
		}
	}
}
