package systemtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
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

// rowErrors runs an import twice, as a dry run and in earnest, and returns the errors of its rows, which must be the
// same both times, and the state in which it ended.
func (c *client) rowErrors(t *testing.T, rows ...[]any) (errors, state string) {
	t.Helper()
	var said []string
	for _, dry := range []bool{true, false} {
		job := c.runImport(t, workbook(t, rows...), map[string]any{"dryRun": dry})
		state = fmt.Sprint(job["state"])
		var found []any
		for _, row := range items(t, c.do(t, "GET", fmt.Sprintf("/api/jobs/%v/rows", job["id"]), nil)) {
			if errs, ok := row["errors"].([]any); ok && len(errs) > 0 {
				found = append(found, errs)
			}
		}
		said = append(said, fmt.Sprint(found...))
	}
	if said[0] != said[1] {
		t.Errorf("the dry run says other errors than the import:\n%s\n%s", said[0], said[1])
	}
	return said[1], state
}

// V91: an account that ever had a key, and nothing else, stays a program's by import too, and the row says so; the dry
// run says the same. One without a key becomes a person's.
func TestImportsLeaveAccountsWithAKeyPrograms(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	keyed, bare := admin.createAPIClient(t, "keyed"), admin.createAPIClient(t, "bare")
	admin.createKey(t, keyed, "nightly")
	head := []any{"Username", "Email", "User licenses"}
	errors, state := admin.rowErrors(t, head, []any{"keyed", "keyed@example.com", "FULL"})
	if !strings.Contains(errors, "Create a separate account for the program") || state != "refused" {
		t.Errorf("%s: %s", state, errors)
	}
	if got := admin.do(t, "GET", "/api/accounts/"+keyed, nil).expect(t, 200).text(t, "userType"); got != "API" {
		t.Errorf("an account with a key is now %s", got)
	}
	job := admin.runImport(t, workbook(t, head, []any{"bare", "bare@example.com", "FULL"}), nil)
	if got := admin.do(t, "GET", "/api/accounts/"+bare, nil).expect(t, 200).text(t, "userType"); got != "FULL" {
		t.Errorf("an account without a key is still %s: %v", got, job)
	}
}

// V92: a row that needs a fresh proof is an error of that row when the session was stale at the submit, in the words of
// the dry run; after a proof the same file is imported.
func TestRowsOfAStaleSessionSayThatTheyNeedAProof(t *testing.T) {
	t.Parallel()
	system, admin := start(t)
	moved := "/api/accounts/" + admin.createUser(t, "moved", userPassword, nil).text(t, "id")
	ageSessions(t, system, admin.do(t, "GET", "/api/me", nil).text(t, "accountId"), 6*time.Minute)
	rows := [][]any{{"Username", "Email"}, {"moved", "elsewhere@example.com"}}
	errors, state := admin.rowErrors(t, rows...)
	if !strings.Contains(errors, "Confirm that it is you") || state != "refused" {
		t.Errorf("%s: %s", state, errors)
	}
	if got := admin.do(t, "GET", moved, nil).expect(t, 200).text(t, "email"); got == "elsewhere@example.com" {
		t.Error("a stale session changed an email by import")
	}
	admin.do(t, "POST", "/api/me/proof", map[string]any{"password": adminPassword}).expect(t, 200)
	if job := admin.runImport(t, workbook(t, rows...), nil); job["state"] != "done" {
		t.Errorf("after a proof: %v", job)
	}
	if got := admin.do(t, "GET", moved, nil).expect(t, 200).text(t, "email"); got != "elsewhere@example.com" {
		t.Errorf("after a proof the email is %s", got)
	}
}
