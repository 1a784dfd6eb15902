package api

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// apiPath is a path of the API with its parameters in braces, and its methods.
type apiPath struct {
	parts   []string
	methods []string
}

// apiPaths are the paths of the reference. They are read on the first request to an unknown address, not at the start.
var apiPaths = sync.OnceValue(func() []apiPath {
	var reference struct {
		Paths map[string]map[string]jsontext.Value `json:"paths"`
	}
	if err := json.Unmarshal(openapi, &reference); err != nil { // it is embedded in the binary
		panic("reading the API's reference: " + err.Error())
	}
	var out []apiPath
	for path, operations := range reference.Paths {
		a := apiPath{parts: strings.Split(path, "/")}
		for method := range operations {
			a.methods = append(a.methods, strings.ToUpper(method))
			if method == "get" {
				a.methods = append(a.methods, http.MethodHead)
			}
		}
		slices.Sort(a.methods)
		out = append(out, a)
	}
	return out
})

// allowedMethods returns the methods of an address of the API. As at the gateway, a path with fewer parameters takes
// precedence.
func allowedMethods(path string) []string {
	if !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/oauth/") {
		return nil
	}
	parts := strings.Split(path, "/")
	var best apiPath
	for _, a := range apiPaths() {
		if a.matches(parts) && (best.parts == nil || a.literalParts() > best.literalParts()) {
			best = a
		}
	}
	return best.methods
}

func (a apiPath) matches(parts []string) bool {
	return slices.EqualFunc(a.parts, parts, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "{") && got != ""
	})
}

// literalParts returns how many parts of the path are not parameters.
func (a apiPath) literalParts() int {
	n := 0
	for _, p := range a.parts {
		if !strings.HasPrefix(p, "{") {
			n++
		}
	}
	return n
}
