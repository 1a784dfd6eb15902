package systemtest_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// V49: a browser posts a workbook from the pages to the bucket and from nowhere else. Three places have to agree on it:
// the address of the system, what the pages' policy lets them ask, and whom the bucket lets ask.
func TestPagesAndBucketAgreeOnUploads(t *testing.T) {
	t.Parallel()
	if os.Getenv("CHECK_ROLES") == "1" {
		t.Skip("each function has an address of its own for the bucket here")
	}
	system, admin := start(t)
	form := admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "iso"}).expect(t, 201).members(t)["form"]
	bucket, err := url.Parse(form.(map[string]any)["url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	page := admin.do(t, "GET", "/", nil, header{"Accept", "text/html"}).expect(t, 200)
	_, connect, _ := strings.Cut(page.Header.Get("Content-Security-Policy"), "connect-src ")
	connect, _, _ = strings.Cut(connect, ";")
	if connect != "'self' "+bucket.Scheme+"://"+bucket.Host {
		t.Errorf("the pages may connect to %s; they post to %s", connect, bucket)
	}
	for origin, allowed := range map[string]bool{
		system.Resources.Values.Parameters["PublicUrl"]: true,
		"https://elsewhere.example":                     false,
		"null":                                          false,
	} {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodOptions, bucket.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", origin)
		request.Header.Set("Access-Control-Request-Method", http.MethodPost)
		got := send(t, request).Header.Get("Access-Control-Allow-Origin")
		if (got == origin) != allowed || !allowed && got != "" {
			t.Errorf("the bucket tells %s that it allows %q", origin, got)
		}
	}
}
