package systemtest_test

import (
	"testing"
)

// An application's whole way through the API: registered, its permission given by a role and shown with its reason,
// kept while a role holds it, its credentials made, rotated and ended.
func TestApplications(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	path, made := createEntry(t, admin, "/api/applications", map[string]any{"code": "erp", "type": "web",
		"permissions":  map[string]string{"invoice.approve": "Approve invoices"},
		"redirectUris": []string{"https://erp.example.com/Callback"}})
	if made.text(t, "audience") != "erp" || path != "/api/applications/erp" {
		t.Errorf("%s %s", path, made.Body)
	}
	admin.do(t, "POST", "/api/access/roles", map[string]any{"code": "PAYER", "permissions": []string{"erp:invoice.pay"}}).
		expectProblem(t, 422, "invalid")
	createEntry(t, admin, "/api/access/roles", map[string]any{"code": "PAYER",
		"permissions": []string{"account.read", "erp:invoice.approve"}})
	payer := admin.createUser(t, "payer", "seven green bicycles", map[string]any{"roles": []string{"PAYER"}})
	shown := admin.do(t, "GET", "/api/accounts/"+payer.text(t, "id")+"/permissions", nil).expect(t, 200)
	found := false
	for _, p := range shown.members(t)["permissions"].([]any) {
		p := p.(map[string]any)
		found = found || p["permission"] == "erp:invoice.approve" && p["description"] == "Approve invoices"
	}
	if !found {
		t.Errorf("the account's permissions do not name it: %s", shown.Body)
	}
	was := header{"If-Match", made.Header.Get("ETag")}
	admin.do(t, "PATCH", path, map[string]any{"permissions": map[string]string{}}, was).expectProblem(t, 409, "inUse")
	admin.do(t, "DELETE", path, nil, was).expectProblem(t, 409, "inUse")

	first := admin.do(t, "POST", path+"/credentials", nil).expect(t, 201)
	admin.do(t, "POST", path+"/credentials", nil).expect(t, 201)
	admin.do(t, "POST", path+"/credentials", nil).expectProblem(t, 409, "tooManyCredentials")
	admin.do(t, "DELETE", path+"/credentials/"+first.text(t, "id"), nil).expect(t, 204)
	admin.do(t, "POST", path+"/credentials", nil).expect(t, 201)
	admin.do(t, "PATCH", path, map[string]any{"description": "x"}, was).expectProblem(t, 412, "stale")
}
