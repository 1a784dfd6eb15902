package main

import (
	"bytes"
	"context"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/samtemplate"
)

const root = "../../.."

// generated is generate, once for all tests.
var generated = sync.OnceValues(generate)

func TestReferenceIsUpToDate(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join(root, documentPath))
	if err != nil || !bytes.Equal(have, files[documentPath]) {
		t.Errorf("%s is not what the route tables say (%v): run go run ./internal/apidoc/generate", documentPath, err)
	}
}

// The pages are made by the build: every route, guide and problem, with one style element and no script each.
func TestThePageHasEveryRoute(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	page := string(files[pagePath("")])
	for _, table := range tables() {
		for _, route := range table.routes {
			if route.Key != "$default" && !strings.Contains(page, html.EscapeString(route.Path())) {
				t.Errorf("the page does not show %s", route.Key)
			}
		}
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		anchors["/api/docs#"+m[1]] = true
	}
	links := regexp.MustCompile(`href="(/api/docs[^"]*)"`)
	for path, content := range files {
		if path == documentPath {
			continue
		}
		text := string(content)
		if strings.Count(text, "<style>") != 1 || strings.Contains(text, "<script") || strings.Contains(text, "style=\"") {
			t.Errorf("%s has what its policy does not allow", path)
		}
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			name := strings.TrimPrefix(strings.TrimPrefix(m[1], "/api/docs"), "/")
			if files[pagePath(name)] == nil && !anchors[m[1]] && name != "explorer" {
				t.Errorf("%s has a link to %s, which is not there", path, m[1])
			}
		}
	}
}

// Each function serves the routes that template.yaml sends to it, and no others.
func TestRouteTablesMatchTheTemplate(t *testing.T) {
	sent, served := templateRoutes(t), map[string]string{}
	functions := map[string]bool{}
	for _, table := range tables() {
		functions[table.function] = true
		for _, route := range table.routes {
			served[route.Key] = table.function
			if path, reads := strings.CutPrefix(route.Key, "GET "); reads { // httpapi answers HEAD where GET is
				served["HEAD "+path] = table.function
			}
		}
	}
	for _, function := range slices.Sorted(maps.Keys(sent)) {
		if !functions[function] {
			t.Errorf("internal/apidoc/generate/tables.go has no line for the function %s, to which template.yaml sends %d "+
				"routes",
				function, len(sent[function]))
			continue
		}
		for _, key := range sent[function] {
			if served[key] != function {
				t.Errorf("template.yaml sends %q to %s, but functions/%s/api does not serve it", key, function, function)
			}
			delete(served, key)
		}
	}
	for key, function := range served {
		if functions[function] {
			t.Errorf("functions/%s/api serves %q, which template.yaml sends nowhere", function, key)
		}
	}
}

// templateRoutes returns the keys of the routes in template.yaml by function.
func templateRoutes(t *testing.T) map[string][]string {
	t.Helper()
	template, err := samtemplate.Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, f := range template.Functions {
		for _, route := range f.Routes {
			out[f.Name] = append(out[f.Name], route.Key())
		}
	}
	if len(out) == 0 {
		t.Fatal("the template has no routes")
	}
	return out
}

// V57: a route that does not state who may call refuses everybody; here it must not be forgotten either.
func TestEveryRouteSaysWhoMayCall(t *testing.T) {
	for _, table := range tables() {
		for _, route := range table.routes {
			if route.Needs == "" {
				t.Errorf("%s: %q does not say who may call it", table.function, route.Key)
			}
		}
	}
}

// Every table can be served.
func TestEveryTableCanBeServed(t *testing.T) {
	for _, table := range tables() {
		if _, err := httpapi.New(
			httpapi.Server{Routes: table.routes, Authenticate: noAuthentication, Idempotency: unusedStore{}}); err != nil {
			t.Errorf("%s: %v", table.function, err)
		}
	}
}

func noAuthentication(context.Context, string) (access.Scope, error) { return access.Scope{}, nil }

// unusedStore is a store that is never called.
type unusedStore struct{ httpapi.IdempotencyStore }
