package httpapi_test

import (
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// C34: no cookie and no Authorization header causes an internal error.
func FuzzCredentials(f *testing.F) {
	h, err := httpapi.New(httpapi.Server{Authenticate: authenticate, PublicURL: ourURL, Routes: []httpapi.Route{
		{Key: "GET /api/things", Needs: access.SignedIn, Handle: okHandler},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Bearer x", "__Host-access=x")
	f.Add("bearer  x", "__Host-access=x; __Host-access=y")
	f.Fuzz(func(t *testing.T, header, cookie string) {
		c := cookieRequest("GET /api/things", cookie).header("authorization", header)
		res, err := h.Handle(t.Context(), c.APIGatewayV2HTTPRequest)
		if err != nil || res.StatusCode/100 == 5 {
			t.Errorf("%q %q: %d %v", header, cookie, res.StatusCode, err)
		}
	})
}
