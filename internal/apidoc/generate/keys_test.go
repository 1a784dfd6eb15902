package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// interactiveOnly are the permissions that API keys cannot use, written by hand in this second place.
var interactiveOnly = []access.Permission{
	"account.admin", "account.password", "account.session", "account.key",
	"account.link", "access.write", "settings.write", "application.write",
}

// forKeys are the permissions that API keys can use. Together the two lists have every permission.
var forKeys = []access.Permission{
	"account.read", "account.create", "account.update", "account.block", "account.lock", "account.delete",
	"account.identity", "account.note", "account.import", "account.export", "access.read", "reference.read",
	"reference.write",
	"resource.read", "resource.write", "settings.read", "set.share", "communication.read",
	"application.read",
}

// credentialWords are words in the paths of routes that manage credentials, whatever permission they need.
var credentialWords = []string{
	"password", "passwords", "keys", "mfa", "factors", "totp", "passkeys", "recovery-codes",
	"devices", "links", "credentials",
}

// isInteractiveOnly reports whether a route is for people only, judged by its permission and path and not by NoKeys.
func isInteractiveOnly(r httpapi.Route) bool {
	if r.Needs == access.Public {
		return false
	}
	return slices.Contains(interactiveOnly, r.Needs) ||
		slices.ContainsFunc(strings.Split(r.Path(), "/"), func(word string) bool {
			return slices.Contains(credentialWords, word)
		})
}

// V47: every route is called with an API key that has all permissions. Routes for credentials, keys, administrators,
// access and settings refuse it. The rule goes by path and permission, so it covers new routes.
func TestKeysManageNoCredentials(t *testing.T) {
	all := access.Set{}
	for p := range access.All() {
		all[p] = struct{}{}
	}
	authenticate := func(context.Context, string) (access.Scope, error) {
		return access.Scope{Caller: access.Caller{AccountID: "A", KeyID: "K", Permissions: all}}, nil
	}
	refused := 0
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
			want := 204
			if isInteractiveOnly(route) {
				want, refused = 403, refused+1
			} else if route.NoKeys {
				continue // it may be stricter than the rule
			}
			event := events.APIGatewayV2HTTPRequest{RouteKey: route.Key, Headers: map[string]string{"authorization": "Bearer x"}}
			res, _ := h.Handle(t.Context(), event)
			if res.StatusCode != want || (want == 403) != strings.Contains(res.Body, `"keyNotAllowed"`) {
				t.Errorf("%s by a key: %d %s, want %d", route.Key, res.StatusCode, res.Body, want)
			}
		}
	}
	if refused < 5 {
		t.Errorf("only %d routes are for people only", refused)
	}
}

// A new permission is described for the people who give it, and decided on for API keys.
func TestEveryPermissionIsDescribedAndDecidedForKeys(t *testing.T) {
	for _, name := range declaredConstants(t, "internal/access/permission.go", "Permission") {
		p := access.Permission(name)
		_, described := access.All()[p]
		switch {
		case p == access.Public, p == access.SignedIn:
		case !described:
			t.Errorf("internal/access/permission.go: add %s to All, with its description", p)
		case slices.Contains(interactiveOnly, p) == slices.Contains(forKeys, p):
			t.Errorf("internal/apidoc/generate/keys_test.go: add %s to one of interactiveOnly and forKeys; "+
				"internal/access/key.go has the rule", p)
		}
	}
}

// A key's caller lacks the same permissions, so that no rule within a service takes it for an administrator.
func TestKeysHoldNothingThatOnlyPeopleUse(t *testing.T) {
	all := access.Set{}
	for p := range access.All() {
		all[p] = struct{}{}
		// Permissions with names about credentials or administrators must be on the list.
		for _, word := range []string{
			"admin", "password", "session", "key", "mfa", "link", "settings.write",
			"access.write",
		} {
			if strings.Contains(string(p), word) && !slices.Contains(interactiveOnly, p) {
				t.Errorf("%s is not kept from keys", p)
			}
		}
	}
	person := access.Caller{Permissions: all}
	key := person.AsAPIKey("K")
	for p := range all {
		if key.May(p) == slices.Contains(interactiveOnly, p) || !person.May(p) {
			t.Errorf("%s: a key %v, its account %v", p, key.May(p), person.May(p))
		}
	}
	if key.KeyID != "K" {
		t.Errorf("the caller's key is %q", key.KeyID)
	}
}

// V104: no answer that holds a secret is kept for repeats. The form of an upload may be: it is the caller's own, for
// one file, and a repeat must give the form of the same job.
func TestNoSecretIsKeptForRepeats(t *testing.T) {
	var shown []string
	for _, table := range tables() {
		for _, r := range table.routes {
			if r.ShownOnce {
				shown = append(shown, r.Doc.ID)
			}
			if r.Doc.Secret && r.Idempotent && !r.ShownOnce && r.Doc.ID != "startImport" {
				t.Errorf("%s answers with a secret that is kept for repeats: say ShownOnce", r.Key)
			}
		}
	}
	slices.Sort(shown)
	if want := []string{"createCredential", "createKey", "generatePassword"}; !slices.Equal(shown, want) {
		t.Errorf("shown once: %v, want %v", shown, want)
	}
}
