package api

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// apiPath is a path of the API, with {} for what differs, and the methods that it takes.
type apiPath struct {
	parts   []string
	methods []string
}

// apiPaths are those of the reference. They are read when somebody asks for the first that is not there, not at the
// start.
var apiPaths = sync.OnceValue(func() []apiPath {
	var reference struct {
		Paths map[string]map[string]jsontext.Value `json:"paths"`
	}
	if err := json.Unmarshal(openapi, &reference); err != nil { // it is part of the binary
		panic("reading the API's reference: " + err.Error())
	}
	var out []apiPath
	for path, operations := range reference.Paths {
		a := apiPath{parts: strings.Split(path, "/")}
		for method := range operations {
			a.methods = append(a.methods, strings.ToUpper(method))
		}
		slices.Sort(a.methods)
		out = append(out, a)
	}
	return out
})

// allowedMethods returns the methods that an address of the API takes: one without parameters before any other, as the
// gateway has it.
func allowedMethods(path string) []string {
	if !strings.HasPrefix(path, "/api/") {
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

// literalParts returns how many parts of an address are not parameters.
func (a apiPath) literalParts() int {
	n := 0
	for _, p := range a.parts {
		if !strings.HasPrefix(p, "{") {
			n++
		}
	}
	return n
}
