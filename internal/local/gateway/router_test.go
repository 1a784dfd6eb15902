package gateway

import (
	"maps"
	"testing"

	"useraccounts/internal/samtemplate"
)

func TestRouter(t *testing.T) {
	var f samtemplate.Function
	for _, r := range [][2]string{
		{"", "$default"}, {"GET", "/files/{proxy+}"}, {"ANY", "/items/{id}"}, {"GET", "/items/{id}"},
		{"GET", "/items/fields"},
		{"GET", "/items/{id}/parts/{part}"}, {"GET", "/items/fields/parts/{part}"}, {"GET", "/"}, {"POST", "/items/special"},
	} {
		f.Routes = append(f.Routes, samtemplate.Route{Method: r[0], Path: r[1]})
	}
	router := NewRouter([]samtemplate.Function{f})
	for _, c := range []struct {
		method, path, key string
		parameters        map[string]string
	}{
		{"GET", "/", "GET /", nil},
		{"GET", "/items/fields", "GET /items/fields", nil},
		{"GET", "/items/%66ields", "GET /items/fields", nil},
		{"GET", "/items/7", "GET /items/{id}", map[string]string{"id": "7"}},
		{"DELETE", "/items/7", "ANY /items/{id}", map[string]string{"id": "7"}},
		{"GET", "/items/special", "GET /items/{id}", map[string]string{"id": "special"}},
		{"POST", "/items/special", "POST /items/special", nil},
		{"PATCH", "/items/fields", "ANY /items/{id}", map[string]string{"id": "fields"}},
		{"GET", "/items/a%2Fb%20c", "GET /items/{id}", map[string]string{"id": "a/b c"}},
		{"GET", "/items/fields/parts/1", "GET /items/fields/parts/{part}", map[string]string{"part": "1"}},
		{"GET", "/items/9/parts/1", "GET /items/{id}/parts/{part}", map[string]string{"id": "9", "part": "1"}},
		{"GET", "/files/a/b%20c/d", "GET /files/{proxy+}", map[string]string{"proxy": "a/b c/d"}},
		{"GET", "/files/", "$default", nil},
		{"GET", "/items/", "$default", nil},
		{"GET", "/items/7/", "$default", nil},
		{"POST", "/files/a", "$default", nil},
		{"GET", "/Items/7", "$default", nil},
	} {
		got, found := router.Find(c.method, c.path)
		if !found || got.Key != c.key || !maps.Equal(got.Parameters, c.parameters) {
			t.Errorf("%s %s: %+v, want %s with %v", c.method, c.path, got, c.key, c.parameters)
		}
	}
}

func TestRouterWithoutDefault(t *testing.T) {
	router := NewRouter([]samtemplate.Function{{Routes: []samtemplate.Route{{Method: "GET", Path: "/a"}}}})
	for _, request := range [][2]string{{"POST", "/a"}, {"GET", "/b"}, {"GET", "/a/"}, {"GET", "/a/b"}, {"HEAD", "/a"}} {
		if m, found := router.Find(request[0], request[1]); found {
			t.Errorf("%s finds %+v", request, m)
		}
	}
}
