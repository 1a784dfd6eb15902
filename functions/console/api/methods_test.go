package api_test

import (
	"strings"
	"testing"
)

// A method that an address does not support is a 405 with the supported ones, not a 404.
func TestOtherMethodsAreNamed(t *testing.T) {
	for _, c := range []struct{ method, path, allow string }{
		{"TRACE", "/api/accounts", "GET, HEAD, POST"},
		{"PUT", "/api/accounts/01JZ0000000000000000000000", "DELETE, GET, HEAD, PATCH"},
		{"PUT", "/api/accounts/fields", "GET, HEAD"}, // and not what an account's id takes
		{"GET", "/api/login", "POST"},
		{"PROPFIND", "/api/me", "GET, HEAD"},
		{"GET", "/oauth/token", "POST"},
		{"OPTIONS", "/api/settings", "GET, HEAD, PATCH"},
	} {
		res := send(t, c.method, c.path, "", "")
		if res.StatusCode != 405 || res.Headers["Allow"] != c.allow || !strings.Contains(res.Body, `"method"`) {
			t.Errorf("%s %s: %d, Allow %q, %s", c.method, c.path, res.StatusCode, res.Headers["Allow"], res.Body)
		}
	}
	if res := send(t, "POST", "//", "", ""); res.StatusCode != 405 || res.Headers["Allow"] != "GET, HEAD" {
		t.Errorf("the page: %d, Allow %q", res.StatusCode, res.Headers["Allow"])
	}
	if res := send(t, "PUT", "/api/accounts//", "", ""); res.StatusCode != 404 {
		t.Errorf("an empty id: %d", res.StatusCode)
	}
}
