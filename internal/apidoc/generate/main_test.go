package main

import (
	"bytes"
	"context"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
	"useraccounts/internal/samtemplate"
)

const root = "../../.."

func TestReferenceIsUpToDate(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join(root, documentPath))
	if err != nil || !bytes.Equal(have, files[documentPath]) {
		t.Errorf("%s is not what the route tables say (%v): run go run ./internal/apidoc/generate", documentPath, err)
	}
}

// The page is made by the build. It has every route and every problem's anchor, one style element and no script.
func TestThePageHasEveryRoute(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	page := string(files[pagePath])
	for _, table := range tables() {
		for _, route := range table.routes {
			if route.Key != "$default" && !strings.Contains(page, html.EscapeString(route.Path())) {
				t.Errorf("the page does not show %s", route.Key)
			}
		}
	}
	if strings.Count(page, "<style>") != 1 || strings.Contains(page, "<script") || strings.Contains(page, "style=\"") {
		t.Error("the page has what its policy does not allow")
	}
}

// Each function answers the routes that template.yaml sends to it, and no others.
func TestRouteTablesAreTheTemplates(t *testing.T) {
	template, err := samtemplate.Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]string{}
	for _, f := range template.Functions {
		for _, route := range f.Routes {
			stated[route.Key()] = f.Name
		}
	}
	if len(stated) == 0 {
		t.Fatal("the template has no routes")
	}
	served := map[string]string{}
	for _, table := range tables() {
		for _, route := range table.routes {
			served[route.Key] = table.function
		}
	}
	for key, function := range stated {
		if served[key] != function {
			t.Errorf("template.yaml sends %q to %s, which does not answer it (served by %q)", key, function, served[key])
		}
	}
	for key, function := range served {
		if stated[key] == "" {
			t.Errorf("%s answers %q, which template.yaml sends nowhere", function, key)
		}
	}
}

// V57: a row that says nothing of who may call lets nobody in; here it must not be forgotten either.
func TestEveryRouteSaysWhoMayCall(t *testing.T) {
	for _, table := range tables() {
		for _, route := range table.routes {
			if route.Needs == "" {
				t.Errorf("%s: %q does not say who may call it", table.function, route.Key)
			}
		}
	}
}

// The tables are served as they are documented.
func TestEveryTableCanBeServed(t *testing.T) {
	for _, table := range tables() {
		if _, err := httpapi.New(
			httpapi.Server{Routes: table.routes, Authenticate: noAuthentication, Idempotency: unusedStore{}}); err != nil {
			t.Errorf("%s: %v", table.function, err)
		}
	}
}

func noAuthentication(context.Context, string) (access.Scope, error) { return access.Scope{}, nil }

// unusedStore is a store that is never asked.
type unusedStore struct{ httpapi.IdempotencyStore }
