package systemtest_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/local/localtest"
)

// routeNeeds reads who may call each route, which is written by hand beside the route tables
// (internal/apidoc/generate).
func routeNeeds(t *testing.T) map[string]access.Permission {
	t.Helper()
	f, err := os.Open("../apidoc/generate/testdata/permissions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	out := map[string]access.Permission{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 {
			out[strings.Join(words[:len(words)-1], " ")] = access.Permission(words[len(words)-1])
		}
	}
	return out
}

// routeSamples returns the samples of routes by route. What they speak of is filled in with nothing that is there:
// nobody here gets so far.
func routeSamples(t *testing.T) map[string]events.APIGatewayV2HTTPRequest {
	t.Helper()
	out := map[string]events.APIGatewayV2HTTPRequest{}
	for _, file := range sampleFiles(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var event events.APIGatewayV2HTTPRequest
		if json.Unmarshal(samplePlaceholder.ReplaceAll(raw, []byte("1")), &event) == nil && event.RouteKey != "" {
			out[event.RouteKey] = event
		}
	}
	return out
}

// caller is somebody who tries every route.
type caller struct {
	name, bearer string
	// known is false for whom nothing signed in lets in; holds is nil for everything.
	known, byKey bool
	holds        access.Set
}

// expectedStatus returns the status with which a route refuses the walker, 0 if it does not.
func (w caller) expectedStatus(need access.Permission) int {
	switch {
	case need == access.Public:
		return 0
	case !w.known:
		return 401
	case need == access.SignedIn:
		return 0
	case w.holds != nil && !w.holds.Has(need), w.byKey && need.InteractiveOnly():
		return 403
	}
	return 0
}

// V57, C43, C44: every route of the template, those of imports, exports, uploads and jobs among them, as built and
// running, refuses and lets in by its need: nobody, somebody without rights, a reader, an administrator, a program with
// every right that one can have, and those of another environment. Each request has a parameter that no route knows, so
// that who is let in is told so before anything happens: 400. C12, C29, V34: what a sign-in gives before its end, and
// what only renews a session, opens no route at all.
func TestEveryRouteOfTheRunningSystemLetsInWhomTheListSays(t *testing.T) {
	t.Parallel()
	system, admin := start(t)
	there := createOtherEnvironment(t, system)
	admin.createUser(t, "nothing", "seven green bicycles", nil)
	admin.createUser(t, "reader", "seven green bicycles", map[string]any{"roles": []string{"VIEWER"}})
	_, key := admin.createKey(t, admin.createAPIClient(t, "walking", "ADMIN"), "Walks")
	callers := []caller{
		{name: "nobody"},
		{name: "somebody without rights", bearer: admin.signedInAs(t, "nothing", "seven green bicycles").token, known: true,
			holds: access.Set{}},
		{name: "a reader", bearer: admin.signedInAs(t, "reader", "seven green bicycles").token, known: true,
			holds: access.Set{access.AccountRead: {}}},
		{name: "an administrator", bearer: admin.token, known: true},
		{name: "a program", bearer: key, known: true, byKey: true},
		{name: "another environment's session", bearer: there.bearers["session"]},
		{name: "another environment's key", bearer: there.bearers["key"]},
	}
	admin.createUser(t, "halfway", userPassword, map[string]any{"mfaRequired": true})
	callers = append(callers,
		caller{name: "a ticket of the second factor", bearer: admin.passwordStep(t, "halfway", nil).text(t, "ticket")},
		caller{name: "an administrator's refresh token", bearer: admin.refresh})
	needs, samples := routeNeeds(t), routeSamples(t)
	for _, f := range localtest.Template(t).Functions {
		for _, route := range f.Routes {
			asGET, isHead := strings.CutPrefix(route.Key(), "HEAD ")
			key := route.Key()
			if isHead { // what may be read may be asked for without its body (RFC 9110, 9.3.2), and nothing more
				key = "GET " + asGET
			}
			need, listed := needs[key]
			event, sampled := samples[key]
			event.RouteKey, event.RequestContext.RouteKey = route.Key(), route.Key()
			event.RequestContext.HTTP.Method, _, _ = strings.Cut(route.Key(), " ")
			if !listed || !sampled {
				t.Errorf("%s: listed with its need %v, has a sample %v", route.Key(), listed, sampled)
				continue
			}
			for _, w := range callers {
				got := w.invoke(t, system, f.Name, event)
				want := w.expectedStatus(need)
				if want == 0 && w.byKey && got.StatusCode == 403 && aboutCredentials(key) &&
					(isHead || strings.Contains(got.Body, `"keyNotAllowed"`)) {
					continue // a route for people by its path and not by its need (V47)
				}
				refused := got.StatusCode == 401 || got.StatusCode == 403
				if refused != (want != 0) || refused && got.StatusCode != want || got.StatusCode >= 500 {
					t.Errorf("%s (%s) by %s: %d %s, want %d", route.Key(), need, w.name, got.StatusCode, got.Body, want)
				}
				if !refused && need != access.Public && got.StatusCode != 400 {
					t.Errorf("%s by %s: %d %s; it was not to get so far", route.Key(), w.name, got.StatusCode, got.Body)
				}
			}
		}
	}
}

// aboutCredentials says by its path whether a route manages what lets somebody in.
func aboutCredentials(key string) bool {
	words := []string{"password", "passwords", "keys", "mfa", "factors", "totp", "passkeys", "recovery-codes", "devices",
		"links", "sessions", "credentials", "proof"}
	return slices.ContainsFunc(strings.Split(key, "/"), func(w string) bool { return slices.Contains(words, w) })
}

// invoke sends a sample as the walker.
func (w caller) invoke(t *testing.T, system *localtest.RunningSystem, function string,
	event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	event.Headers = maps.Clone(event.Headers)
	delete(event.Headers, "authorization")
	if w.bearer != "" {
		event.Headers["authorization"] = "Bearer " + w.bearer
	}
	event.RawQueryString = "no-such-parameter=1"
	event.QueryStringParameters = map[string]string{"no-such-parameter": "1"}
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	out, err := system.Invoke(t.Context(), function, raw)
	var got events.APIGatewayV2HTTPResponse
	if err != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("%s: %s, %v", event.RouteKey, out, err)
	}
	return got
}
