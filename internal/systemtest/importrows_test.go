package systemtest_test

import (
	"fmt"
	"strings"
	"testing"
)

// Rows of imports through the running system: accounts with resources, the options, emails that change hands.
func TestImportRows(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	head := []any{"E-Mail", "username", "DESCRIPTION", "User licenses", "Create Resource", "Resource", "Resource group",
		"Manager", "First name"}
	job := admin.runImport(t, workbook(t, head, []any{"a@example.com", "rowa"}), nil)
	if problem := fmt.Sprint(job["problem"]); job["state"] != "done" && !strings.Contains(problem, "Email") {
		t.Errorf("an unknown heading does not name the nearest: %v", problem)
	}
	head[0] = " EMAIL "
	rows := [][]any{
		head,
		{"rowa@example.com", "rowa", "Row A", "FULL", "Y", "RA", nil, "RB", "Ann"},
		{"rowb@example.com", "rowb", "Row B", "FULL", true, "RB", nil, "RA", "Bob"},
		{"rowc@example.com", "rowc", "Row C", "FULL", 1, nil, nil, "RA"},
		{"rowd@example.com", "rowd", "Row D", "FULL", "no", nil, "NOSUCH"},
	}
	if job := admin.runImport(t, workbook(t, rows...), map[string]any{"resourceGroup": "STAFF"}); job["state"] != "done" {
		t.Fatalf("%v", job)
	}
	ann := admin.do(t, "GET", "/api/resources/RA", nil).expect(t, 200).members(t)
	if ann["manager"] != "RB" || ann["resourceGroup"] != "STAFF" || ann["firstName"] != "Ann" ||
		ann["description"] != "Row A" || ann["account"] == "" {
		t.Errorf("%v", ann)
	}
	found := admin.do(t, "GET", "/api/accounts?find=rowc", nil).expect(t, 200).Body
	if !strings.Contains(found, `"resource":"`) {
		t.Errorf("no number was given: %s", found)
	}
	tag := admin.do(t, "GET", "/api/resources/RB", nil).expect(t, 200).Header.Get("ETag")
	admin.do(t, "DELETE", "/api/resources/RB", nil, header{"If-Match", tag}).expect(t, 409)

	swap := [][]any{{"Username", "Email"}, {"rowa", "rowb@example.com"}, {"rowb", "rowa@example.com"}}
	if job := admin.runImport(t, workbook(t, swap...), nil); job["state"] != "done" {
		t.Fatalf("%v", job)
	}
	if found := admin.do(t, "GET", "/api/accounts?find=rowb@example.com", nil).expect(t,
		200).Body; !strings.Contains(found, `"username":"rowa"`) {
		t.Errorf("%s", found)
	}
	copied := [][]any{{"Username", "Description", "User licenses", "Email"}, {"rowe", "Row E", "FULL", "rowe@example.com"}}
	if job := admin.runImport(t, workbook(t, copied...),
		map[string]any{"copyRolesFrom": "Admin"}); job["state"] != "done" {
		t.Fatalf("%v", job)
	}
	if found := admin.do(t, "GET", "/api/accounts?find=rowe", nil).expect(t, 200).Body; !strings.Contains(found,
		`"ADMIN"`) {
		t.Errorf("%s", found)
	}
	for _, options := range []map[string]any{
		{"resourceGroup": "NOSUCH"}, {"copyRolesFrom": "nobody at all"}, {"dateFormat": "swiss"}, {"resetFromGroup": "yes"},
		{"unknown": true},
	} {
		body := map[string]any{"dateFormat": "iso"}
		for k, v := range options {
			body[k] = v
		}
		got := admin.do(t, "POST", "/api/imports", body)
		if got.Status != 400 && got.Status != 422 {
			t.Errorf("%v: %d %s", options, got.Status, got.Body)
		}
	}
}
