package oidc

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"useraccounts/internal/fault"
)

// graph is a fake of Microsoft Graph's /users: three people on two pages.
func graph(t *testing.T, intercept func(w http.ResponseWriter, r *http.Request) bool) Directory {
	t.Helper()
	var url string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case intercept != nil && intercept(w, r):
		case r.Header.Get("Authorization") != "Bearer token-1" || r.URL.Path != "/v1.0/users":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Query().Get("$skiptoken") == "2":
			_, _ = w.Write(
				[]byte(`{"value":[{"id":"o-3","displayName":"Cy","mail":null,` +
					`"userPrincipalName":"cy@example.com","accountEnabled":false}]}`))
		case r.URL.Query().Get("$top") == "100" && strings.Contains(r.URL.Query().Get("$select"), "userPrincipalName"):
			_, _ = w.Write(
				[]byte(`{"value":[{"id":"o-1","displayName":"Al","mail":"Al@example.com","userPrincipalName":"al@corp"},` +
					`{"id":"o-2","displayName":"Bo","mail":"bo@example.com"}],"@odata.nextLink":"` + url + `/v1.0/users?$skiptoken=2"}`))
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	url = server.URL
	return Directory{HTTP: newHTTP(true, 300*time.Millisecond), URL: url}
}

func TestPeopleAreReadPageByPage(t *testing.T) {
	d := graph(t, nil)
	first, next, err := d.People(t.Context(), "token-1", "")
	if err != nil || len(first) != 2 || first[0].Email != "Al@example.com" || first[0].ObjectID != "o-1" || next == "" {
		t.Fatalf("%+v, %q, %v", first, next, err)
	}
	second, next, err := d.People(t.Context(), "token-1", next)
	if err != nil || len(second) != 1 || second[0].Email != "cy@example.com" || !second[0].Disabled || next != "" {
		t.Fatalf("%+v, %q, %v", second, next, err)
	}
}

// V56: the token is sent to the directory only, whatever the caller or the directory names as the next page.
func TestPeopleGoNowhereElse(t *testing.T) {
	d := graph(t, nil)
	for _, next := range []string{
		"https://evil.example/v1.0/users?x", d.URL + ".evil.example/v1.0/users?",
		d.URL + "/v1.0/me?", d.URL + "@evil.example/v1.0/users?", "/v1.0/users?",
	} {
		if _, _, err := d.People(t.Context(), "token-1", next); !fault.HasCode(err, "cursor") {
			t.Errorf("%s: %v", next, err)
		}
	}
	d = graph(t, func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = w.Write([]byte(`{"value":[],"@odata.nextLink":"https://evil.example/v1.0/users?"}`))
		return true
	})
	if _, _, err := d.People(t.Context(), "token-1", ""); errorCode(err) != "directory" {
		t.Errorf("a next page elsewhere: %v", err)
	}
}

func TestDirectoryErrorsAreReported(t *testing.T) {
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			if len(header) > 0 {
				w.Header().Set("Retry-After", header[0])
			}
			w.WriteHeader(code)
			return true
		}
	}
	for name, c := range map[string]struct {
		intercept func(http.ResponseWriter, *http.Request) bool
		want      string
	}{
		"signed out": {status(401), "signInAgain"}, "no consent": {status(403), "consent"},
		"an error": {status(500), "directory"},
		"a page": {
			func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte("<html>")); return true },
			"directory",
		},
		"slow": {func(http.ResponseWriter, *http.Request) bool { time.Sleep(600 * time.Millisecond); return true }, "slow"},
		"a huge one": {func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(strings.Repeat(" ", maxResponse+1)))
			return true
		}, "directory"},
	} {
		if _, _, err := graph(t, c.intercept).People(t.Context(), "token-1", ""); errorCode(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "86400": maxRetryAfter,
		"soon": 10 * time.Second, "-1": 10 * time.Second,
	} {
		_, _, err := graph(t, status(429, header)).People(t.Context(), "token-1", "")
		if !fault.Is(err, fault.TooManyRequests) || fault.As(err).RetryAfter != want {
			t.Errorf("throttled with %s: %v", header, err)
		}
	}
}
