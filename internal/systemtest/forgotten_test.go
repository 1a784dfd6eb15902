package systemtest_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
)

// C23, V23, C04: who forgot a password hears the same, whoever that is and however they are written: status, headers,
// body and its length. Each asks from a network of its own, as one network may ask a few times an hour only.
func TestForgottenPasswordTellsNobodyApart(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	path := func(a response) string { return "/api/accounts/" + a.text(t, "id") }
	for name, spoil := range map[string]func(response){
		"known": nil,
		"blocked": func(a response) {
			admin.do(t, "POST", path(a)+"/block", map[string]any{"reason": "Left"}).expect(t, 200)
		},
		"locked": func(a response) { admin.do(t, "POST", path(a)+"/lock", nil).expect(t, 200) },
		"expired": func(a response) {
			admin.do(t, "PATCH", path(a), map[string]any{"dateFrom": "2020-01-01", "dateTo": "2020-01-02"},
				ifMatch(a)).expect(t, 200)
		},
		"tried": func(response) { admin.attemptSignIns(t, "forgot-tried", "wrong", 5) },
	} {
		made := admin.createUser(t, "forgot-"+name, userPassword, nil)
		if spoil != nil {
			spoil(made)
		}
	}
	without := admin.do(t, "POST", "/api/accounts",
		map[string]any{"username": "forgot-without", "name": "By a provider only", "email": "forgot-without@example.com",
			"userType": "FULL"}).expect(t, 201)
	admin.do(t, "POST", path(without)+"/allow", nil).expect(t, 200)
	admin.createAPIClient(t, "forgot-program")
	first := ""
	for i, who := range []string{
		"forgot-nobody", "forgot-nobody@example.com", "forgot-known", "FORGOT-KNOWN", " ｆorgot-known@example.com",
		"forgot-blocked", "forgot-locked", "forgot-expired", "forgot-tried", "forgot-without", "forgot-program",
	} {
		got := responseShape(t, byte(100+i), admin.url+"/api/password/forgotten", `{"identifier":"`+who+`"}`)
		if first == "" {
			first = got
		}
		if got != first || !strings.HasPrefix(got, "202 ") {
			t.Errorf("%s:\n%s\nwant\n%s", who, got, first)
		}
	}
}

// responseShape posts from an address of this machine and returns what of the answer is not its own.
func responseShape(t *testing.T, last byte, url, body string) string {
	t.Helper()
	from := &http.Client{
		Transport: &http.Transport{
			DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}).DialContext}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	got, err := from.Do(request)
	if err != nil {
		t.Skipf("this machine has no second loopback address: %v", err)
	}
	defer got.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	headers := maps.Clone(got.Header)
	for _, own := range []string{"Date", "X-Request-Id", "Apigw-Requestid"} {
		headers.Del(own)
	}
	// What is left of the minute runs on between two requests; how many requests are left must not tell them apart.
	left, _, _ := strings.Cut(headers.Get("RateLimit"), ";t=")
	headers.Set("RateLimit", left)
	return fmt.Sprint(got.StatusCode, " ", headers, len(text), string(text))
}
