package httpapi_test

import (
	"context"
	"errors"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// V47: an API key is refused where the route says so, and where only people use the permission, even if the key's
// account holds it. Elsewhere it is a caller like any other.
func TestRoutesRefuseKeys(t *testing.T) {
	scope := access.Scope{
		Caller: access.Caller{
			AccountID:   aliceID,
			Permissions: access.Set{access.AccountRead: {}, access.AccountPassword: {}},
		},
	}
	for _, c := range []struct {
		route  httpapi.Route
		byKey  int
		person int
	}{
		{httpapi.Route{Needs: access.AccountRead}, 200, 200},
		{httpapi.Route{Needs: access.SignedIn}, 200, 200},
		{httpapi.Route{Needs: access.AccountRead, NoKeys: true}, 403, 200},
		{httpapi.Route{Needs: access.SignedIn, NoKeys: true}, 403, 200},
		{httpapi.Route{Needs: access.AccountPassword}, 403, 200},
	} {
		c.route.Key, c.route.Handle = "GET /api/x", okHandler
		for keyID, want := range map[string]int{"": c.person, "01JNB7Z5Q0KKKKKKKKKKKKKKKK": c.byKey} {
			a := serve(t, nil, c.route)
			scope.Caller.KeyID = keyID
			a.Authenticate = func(context.Context, string) (access.Scope, error) { return scope, nil }
			res := a.do(t, request("GET /api/x"))
			if want == 200 && res.StatusCode != 200 {
				t.Errorf("%s %v by key %q: %d %s", c.route.Needs, c.route.NoKeys, keyID, res.StatusCode, res.Body)
			}
			if want == 403 {
				res.wantProblem(t, 403, "keyNotAllowed")
			}
			if got := a.logLines(t)[0]["key"]; keyID != "" && got != keyID {
				t.Errorf("the record says key %v", got)
			}
		}
	}
}

// A warning of the authentication is logged and does not change the response.
func TestWarningsOfAuthenticationAreLogged(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "GET /api/x", Needs: access.SignedIn, Handle: okHandler})
	a.Authenticate = func(context.Context, string) (access.Scope, error) {
		return access.Scope{Caller: access.Caller{AccountID: aliceID}, NonFatalErr: errors.New("not noted")}, nil
	}
	if res := a.do(t, request("GET /api/x")); res.StatusCode != 200 || a.logLines(t)[0]["trouble"] != "not noted" {
		t.Errorf("%d, %v", res.StatusCode, a.logLines(t)[0])
	}
}
