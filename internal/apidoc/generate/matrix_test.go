package main

import (
	"bufio"
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// readPermissions reads testdata/permissions.txt: routes and who may call them, separated by spaces. It is written by
// hand on purpose: whoever opens a route to more people has to say so in a second place.
func readPermissions(t *testing.T) map[string]access.Permission {
	t.Helper()
	f, err := os.Open("testdata/permissions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	out := map[string]access.Permission{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		switch words := strings.Fields(lines.Text()); len(words) {
		case 3:
			out[words[0]+" "+words[1]] = access.Permission(words[2])
		case 2: // $default
			out[words[0]] = access.Permission(words[1])
		}
	}
	return out
}

// V57: every route is called anonymously, without permissions, and with each single permission. The handlers are
// replaced, so the route table alone decides.
func TestEveryRouteAdmitsWhomTheListSays(t *testing.T) {
	list := readPermissions(t)
	callers := map[string]access.Set{"none": {}}
	for p := range access.All() {
		callers[string(p)] = access.Set{p: {}}
	}
	authenticate := func(_ context.Context, bearer string) (access.Scope, error) {
		return access.Scope{Caller: access.Caller{AccountID: "A", Permissions: callers[bearer]}}, nil
	}
	var missing []string
	for _, table := range tables() {
		routes := slices.Clone(table.routes)
		for i := range routes {
			routes[i].Handle = func(context.Context, *httpapi.Request) (httpapi.Response, error) {
				return httpapi.NoContent(), nil
			}
		}
		h, err := httpapi.New(httpapi.Server{Routes: routes, Authenticate: authenticate, Idempotency: unusedStore{}})
		if err != nil {
			t.Fatal(err)
		}
		for _, route := range routes {
			need, listed := list[route.Key]
			if !listed {
				missing = append(missing, route.Key+"  "+string(route.Needs))
				continue
			}
			delete(list, route.Key)
			try := func(caller string, want int) {
				event := events.APIGatewayV2HTTPRequest{RouteKey: route.Key, Headers: map[string]string{}}
				if caller != "" {
					event.Headers["authorization"] = "Bearer " + caller
				}
				if res, _ := h.Handle(t.Context(), event); res.StatusCode != want {
					t.Errorf("%s by %q: %d, want %d", route.Key, caller, res.StatusCode, want)
				}
			}
			try("", map[bool]int{true: 204, false: 401}[need == access.Public])
			for caller := range callers {
				open := need == access.Public || need == access.SignedIn || string(need) == caller
				try(caller, map[bool]int{true: 204, false: 403}[open])
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("internal/apidoc/generate/testdata/permissions.txt has no line for:\n%s", strings.Join(missing, "\n"))
	}
	if len(list) > 0 {
		t.Errorf("internal/apidoc/generate/testdata/permissions.txt has lines for routes that no table has:\n%s",
			strings.Join(slices.Sorted(maps.Keys(list)), "\n"))
	}
}
