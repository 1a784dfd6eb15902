package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"useraccounts/internal/access"
	"useraccounts/internal/httpapi"
)

// bigHandler responds with 4,000 characters and a version.
func bigHandler(context.Context, *httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(strings.Repeat("body ", 800)).WithVersion(7), nil
}

func TestBigAnswersAreCompressedAsAccepted(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.Public, Handle: bigHandler})
	want := `"` + strings.Repeat("body ", 800) + `"`
	for accepted, encoding := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0, gzip": "gzip", "gzip;q=0": "",
	} {
		res := a.do(t, request("GET /api").header("accept-encoding", accepted))
		if res.Headers["Content-Encoding"] != encoding || res.Headers["Vary"] != "Accept-Encoding" ||
			res.Headers["Etag"] != `"7"` || res.Headers["Content-Type"] != "application/json" {
			t.Errorf("%q: %v", accepted, res.Headers)
		}
		body := []byte(res.Body)
		if res.IsBase64Encoded {
			body, _ = base64.StdEncoding.DecodeString(res.Body)
		}
		var plain io.Reader = bytes.NewReader(body)
		switch encoding {
		case "br":
			plain = brotli.NewReader(plain)
		case "gzip":
			var err error
			if plain, err = gzip.NewReader(plain); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(plain); err != nil || string(got) != want {
			t.Errorf("%q: %v, %d bytes", accepted, err, len(got))
		}
		if encoding != "" && len(body) > 200 {
			t.Errorf("%q: compressed to %d bytes", accepted, len(body))
		}
	}
	res := a.do(t, request("GET /api").header("accept-encoding", "br").header("if-none-match", `"7"`))
	if res.StatusCode != 304 || res.Body != "" || res.Headers["Content-Encoding"] != "" {
		t.Errorf("a body that the caller has: %d %v", res.StatusCode, res.Headers)
	}
}

// The length of a compressed answer tells about its content (BREACH), so answers with a secret or a cookie are sent as
// they are, and so are short ones, which would not get shorter.
func TestSecretsAreNotCompressed(t *testing.T) {
	for name, route := range map[string]httpapi.Route{
		"secret": {Handle: bigHandler, Doc: httpapi.Operation{Secret: true}},
		"cookie": {Handle: func(ctx context.Context, r *httpapi.Request) (httpapi.Response, error) {
			res, err := bigHandler(ctx, r)
			return res.WithCookie(httpapi.AccessCookie, "uas_x", 1), err
		}},
		"short": {Handle: okHandler},
		"binary": {Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) {
			return httpapi.Raw("image/png", make([]byte, 4000)), nil
		}},
	} {
		route.Key, route.Needs = "GET /api", access.Public
		res := serve(t, nil, route).do(t, request("GET /api").header("accept-encoding", "br, gzip"))
		if res.StatusCode != 200 || res.Headers["Content-Encoding"] != "" {
			t.Errorf("%s: %d, Content-Encoding %q", name, res.StatusCode, res.Headers["Content-Encoding"])
		}
	}
}

func TestHeadAnswersAsGetWithoutABody(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "GET /api", Needs: access.SignedIn, Handle: bigHandler},
		httpapi.Route{Key: "POST /api/x", Needs: access.SignedIn, Handle: okHandler})
	res := a.do(t, request("HEAD /api"))
	if res.StatusCode != 200 || res.Body != "" || res.Headers["Etag"] != `"7"` ||
		res.Headers["Content-Type"] != "application/json" {
		t.Errorf("%d %q %v", res.StatusCode, res.Body, res.Headers)
	}
	for key, want := range map[string]int{"HEAD /api": 401, "HEAD /api/x": 404, "HEAD /api/none": 404} {
		res, err := a.Handle(t.Context(), request(key).header("authorization", "").APIGatewayV2HTTPRequest)
		if err != nil || res.StatusCode != want || res.Body != "" {
			t.Errorf("%s without a session: %d %q", key, res.StatusCode, res.Body)
		}
	}
}

func TestAMergePatchIsAPatch(t *testing.T) {
	a := serve(t, nil, httpapi.Route{Key: "PATCH /api", Needs: access.Public, Handle: okHandler},
		httpapi.Route{Key: "POST /api", Needs: access.Public, Handle: okHandler})
	for _, contentType := range []string{"application/merge-patch+json", "application/merge-patch+json; charset=utf-8"} {
		if res := a.do(t, request("PATCH /api").body("{}").header("content-type", contentType)); res.StatusCode != 200 {
			t.Errorf("%s: %d %s", contentType, res.StatusCode, res.Body)
		}
		a.do(t, request("POST /api").body("{}").header("content-type", contentType)).wantProblem(t, 415, "contentType")
	}
	a.do(t, request("PATCH /api").body("[]").header("content-type", "application/json-patch+json")).
		wantProblem(t, 415, "contentType")
}
