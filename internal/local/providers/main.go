// Command providers runs what the browser tests sign in by, until it is interrupted: an OpenID provider, one that is a
// tenant of Azure, and a directory. It says where they are in one line of JSON. PUT /person at a provider, with claims,
// is who signs in there next, or who refuses consent, with {"error": "access_denied"}; PUT /people at the directory is
// who is in it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"useraccounts/internal/local/issuertest"
)

const (
	tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
	path   = "/" + tenant + "/v2.0"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "providers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	oidcServer, stopWorks, err := issuertest.Listen("")
	if err != nil {
		return err
	}
	defer stopWorks()
	azure, stopAzure, err := issuertest.Listen(path)
	if err != nil {
		return err
	}
	defer stopAzure()
	for _, s := range []*issuertest.Server{oidcServer, azure} {
		s.SetIntercept(controlHandler(s))
	}
	graph := httptest.NewServer(&directory{people: []any{}})
	defer graph.Close()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"issuer": oidcServer.URL, "azureIssuer": azure.URL, "azure": strings.TrimSuffix(azure.URL, path), "graph": graph.URL,
		"tenant":   tenant,
		"clientId": issuertest.ClientID, "clientSecret": issuertest.Secret,
	}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// controlHandler lets tests say who signs in, and answers for those who refuse.
func controlHandler(s *issuertest.Server) func(http.ResponseWriter, *http.Request) bool {
	var mutex sync.Mutex
	var refusal string
	return func(w http.ResponseWriter, r *http.Request) bool {
		mutex.Lock()
		defer mutex.Unlock()
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/person":
			var claims issuertest.Claims
			if err := json.NewDecoder(r.Body).Decode(&claims); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return true
			}
			refusal, _ = claims["error"].(string)
			s.SetUser(claims)
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/auth" && refusal != "":
			back := url.Values{"error": {refusal}, "state": {r.URL.Query().Get("state")}}
			//nolint:gosec // a provider for tests
			http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
		default:
			return false
		}
		return true
	}
}

// directory is Microsoft Graph's /users, two people to a page.
type directory struct {
	mutex  sync.Mutex
	people []any
}

func (d *directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/people":
		if err := json.NewDecoder(r.Body).Decode(&d.people); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer access-") || r.URL.Path != "/v1.0/users":
		w.WriteHeader(http.StatusUnauthorized)
	default:
		var from int
		_, _ = fmt.Sscan(r.URL.Query().Get("$skiptoken"), &from) // none on the first page
		from = min(max(from, 0), len(d.people))
		until := min(from+2, len(d.people))
		page := map[string]any{"value": d.people[from:until]}
		if until < len(d.people) {
			page["@odata.nextLink"] = fmt.Sprintf("http://%s/v1.0/users?$skiptoken=%d", r.Host, until)
		}
		_ = json.NewEncoder(w).Encode(page) // nobody to tell
	}
}
