package systemtest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// postForm posts a form as an application does.
func (c *client) postForm(t *testing.T, path string, form url.Values, id, secret string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}

// V106: a session's token becomes one for an application, which learns of it who is there and what they may do, until
// the account is blocked. The session's own token, and another application's, tell it nothing.
func TestTokensForApplications(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	secrets := map[string]string{}
	for _, code := range []string{"erp", "crm"} {
		path, _ := createEntry(t, admin, "/api/applications", map[string]any{"code": code,
			"permissions": map[string]string{"invoice.approve": "Approve invoices"}})
		secrets[code] = admin.do(t, "POST", path+"/credentials", nil).expect(t, 201).text(t, "clientSecret")
	}
	createEntry(t, admin, "/api/access/roles",
		map[string]any{"code": "PAYER", "permissions": []string{"account.read", "erp:invoice.approve"}})
	id := admin.createUser(t, "payer", "seven green bicycles", map[string]any{"roles": []string{"PAYER"}}).text(t, "id")
	payer := admin.signedInAs(t, "payer", "seven green bicycles")
	exchange := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token": {payer.token}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"audience": {"erp"}}
	status, issued := admin.postForm(t, "/oauth/token", exchange, "", "")
	if status != 200 || issued["scope"] != "invoice.approve" {
		t.Fatalf("%d %v", status, issued)
	}
	introspect := func(code, token string) map[string]any {
		t.Helper()
		status, facts := admin.postForm(t, "/oauth/introspect", url.Values{"token": {token}}, code, secrets[code])
		if status != 200 {
			t.Fatalf("%d %v", status, facts)
		}
		return facts
	}
	text := issued["access_token"].(string)
	if facts := introspect("erp", text); facts["active"] != true || facts["username"] != "payer" || facts["sub"] != id ||
		facts["name"] == nil {
		t.Errorf("%v", facts)
	}
	for _, inactive := range []map[string]any{introspect("crm", text), introspect("erp", payer.token)} {
		if len(inactive) != 1 || inactive["active"] != false {
			t.Errorf("%v", inactive)
		}
	}
	if status, wrong := admin.postForm(t, "/oauth/introspect", url.Values{"token": {text}}, "erp",
		secrets["crm"]); status != 401 ||
		wrong["error"] != "invalid_client" {
		t.Errorf("%d %v", status, wrong)
	}
	// The account is renamed: the next question has the new name.
	read := admin.do(t, "GET", "/api/accounts/"+id, nil).expect(t, 200)
	admin.do(t, "PATCH", "/api/accounts/"+id, map[string]any{"name": "Another Name"},
		header{"If-Match", read.Header.Get("ETag")}).expect(t, 200)
	if facts := introspect("erp", text); facts["name"] != "Another Name" {
		t.Errorf("%v", facts)
	}
	admin.do(t, "POST", "/api/accounts/"+id+"/block", map[string]any{"reason": "test"}).expect(t, 200)
	if facts := introspect("erp", text); facts["active"] != false {
		t.Errorf("after a block: %v", facts)
	}
}
