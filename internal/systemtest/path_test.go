package systemtest_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// The whole path once: an account, a sign-in, an import, an export, each as a newcomer would do it.
func TestThePathOfANewcomer(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	t.Run("accounts", func(t *testing.T) { accountPath(t, admin) })
	t.Run("pages", func(t *testing.T) { pages(t, admin) })
	t.Run("sessions", func(t *testing.T) { sessionPath(t, admin) })
	t.Run("import and export", func(t *testing.T) { transferPath(t, admin) })
	t.Run("an export of 5,000 and more comes back unchanged", func(t *testing.T) { fullSize(t, admin) })
}

func accountPath(t *testing.T, admin *client) {
	made := admin.do(t, "POST", "/api/accounts", map[string]any{
		"username": "brownc", "name": "Charlie Brown", "email": "charlie.brown@example.com", "mobile": "+44 20 7946 0018",
		"userType": "full", "dateFrom": "2026-01-01", "dateTo": "2030-12-31", "mfaRequired": false,
		"roles":  []string{"viewer"},
		"groups": []string{"STAFF"}, "dacGroups": []string{"DAC2"}, "forcePasswordChange": true,
	}).expect(t, 201)
	id := made.text(t, "id")
	path := "/api/accounts/" + id
	if made.Header.Get("Location") != path || made.Header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", made.Header.Get("Location"), made.Header.Get("ETag"))
	}
	got := admin.do(t, "GET", path, nil).expect(t, 200).members(t)
	for field, want := range map[string]any{
		"accessLocked": true, "lockedReason": "Not yet allowed", "lockedBy": "admin", "userType": "FULL",
		"mobileE164": "+442079460018",
		"active":     true, "lastLogin": nil, "failedTries": 0.0,
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	// If-Match is required; a stale one says what changed, by whom and when (V62).
	admin.do(t, "PATCH", path, map[string]any{"name": "C. Brown"}).expectProblem(t, 428, "ifMatchRequired")
	changed := admin.do(t, "PATCH", path, map[string]any{"name": "C. Brown", "mobile": nil},
		header{"If-Match", `"1"`}).expect(t, 200)
	if changed.Header.Get("ETag") != `"2"` || changed.text(t, "name") != "C. Brown" {
		t.Errorf("%s %s", changed.Header.Get("ETag"), changed.Body)
	}
	stale := admin.do(t, "PATCH", path, map[string]any{"name": "Other"}, header{"If-Match", `"1"`})
	stale.expectProblem(t, 412, "stale", "name", "mobile")
	if !strings.Contains(stale.Body, `"by":"admin"`) {
		t.Errorf("nobody is named: %s", stale.Body)
	}
	// Not yet allowed, so the right password does not help; Unlock lets in, and the given password has to be changed.
	admin.do(t, "POST", path+"/password", map[string]any{"password": "seven green bicycles"}).expect(t, 200)
	nobody := &client{url: admin.url}
	credentials := map[string]any{"identifier": "Charlie.Brown@EXAMPLE.com", "password": "seven green bicycles"}
	nobody.do(t, "POST", "/api/login", credentials).expectProblem(t, 401, "signInRefused")
	admin.do(t, "POST", path+"/allow", nil).expect(t, 200)
	step := nobody.do(t, "POST", "/api/login", credentials).expect(t, 200)
	if step.text(t, "next") != "changePassword" || step.text(t, "accessToken") != "" {
		t.Fatalf("%s", step.Body)
	}
	change := map[string]any{"ticket": step.text(t, "ticket"), "password": "short"}
	nobody.do(t, "POST", "/api/login/password", change).expectProblem(t, 422, "invalid", "password")
	change["password"] = "eleven quiet mountains"
	nobody.keepTokens(t, nobody.do(t, "POST", "/api/login/password", change).expect(t, 200))
	// once only (C31)
	(&client{url: admin.url}).do(t, "POST", "/api/login/password", change).expectProblem(t, 401, "ticket")
	if me := nobody.do(t, "GET", "/api/me", nil).expect(t, 200); me.text(t, "username") != "brownc" {
		t.Error(me.Body)
	}
	// Blocked means out at the next request (V40), and in no way back.
	admin.do(t, "POST", path+"/block", map[string]any{"reason": "Left"}).expect(t, 200)
	nobody.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	refresh := map[string]any{"refreshToken": nobody.refresh}
	nobody.token = ""
	nobody.do(t, "POST", "/api/login/refresh", refresh).expectProblem(t, 401, "session")
	credentials["password"] = "eleven quiet mountains"
	nobody.do(t, "POST", "/api/login", credentials).expectProblem(t, 401, "signInRefused")
	admin.do(t, "POST", path+"/allow", nil).expect(t, 200)
	nobody.signIn(t, "BROWNC", "eleven quiet mountains")
	nobody.do(t, "POST", "/api/logout", nil).expect(t, 204)
	nobody.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
}

// The list comes whole over its pages, in the order of usernames, whatever the page's size.
func pages(t *testing.T, admin *client) {
	for i := range 7 {
		admin.do(t, "POST", "/api/accounts", map[string]any{
			"username": fmt.Sprintf("Page%d", i), "name": "P", "email": fmt.Sprintf("p%d@example.com", i), "userType": "FULL",
		}).expect(t, 201)
	}
	var names []string
	path := "/api/accounts?limit=3"
	for next := ""; ; {
		got := admin.do(t, "GET", path+next, nil).expect(t, 200).members(t)
		for _, a := range got["items"].([]any) {
			names = append(names, strings.ToLower(a.(map[string]any)["username"].(string)))
		}
		if got["next"] == nil {
			break
		}
		next = "&cursor=" + got["next"].(string)
	}
	if !slices.IsSorted(names) || len(names) < 12 || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("%v", names)
	}
}

func sessionPath(t *testing.T, admin *client) {
	admin.createUser(t, "sessiont", "seven green bicycles", nil)
	one, two := admin.signedInAs(t, "sessiont", "seven green bicycles"),
		admin.signedInAs(t, "sessiont@example.com", "seven green bicycles")
	mine := two.do(t, "GET", "/api/sessions", nil).expect(t, 200).members(t)["items"].([]any)
	if len(mine) != 2 || mine[0].(map[string]any)["current"] != true || mine[1].(map[string]any)["client"] != "test" {
		t.Fatalf("%v", mine)
	}
	other := mine[1].(map[string]any)["id"].(string)
	two.do(t, "DELETE", "/api/sessions/"+other, nil).expect(t, 204)
	two.do(t, "DELETE", "/api/sessions/"+other, nil).expect(t, 204) // a second click
	one.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	// Refresh: both tokens are new and the old access token is over. The old refresh token gives the same again for a
	// moment, and once its successor was used it closes the session (V41).
	old := *two
	renew := func() {
		two.keepTokens(t,
			(&client{url: two.url}).do(t, "POST", "/api/login/refresh", map[string]any{"refreshToken": two.refresh}).expect(t,
				200))
	}
	renew()
	old.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	two.do(t, "GET", "/api/me", nil).expect(t, 200)
	again := (&client{url: two.url}).do(t, "POST", "/api/login/refresh",
		map[string]any{"refreshToken": old.refresh}).expect(t, 200)
	if again.text(t, "accessToken") != two.token {
		t.Error("an answer that was lost is answered otherwise")
	}
	renew()
	(&client{url: two.url}).do(t, "POST", "/api/login/refresh",
		map[string]any{"refreshToken": old.refresh}).expectProblem(t, 401, "session")
	two.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
	// Without the right to it nobody sees others' sessions (C32).
	three := admin.signedInAs(t, "sessiont", "seven green bicycles")
	me := three.do(t, "GET", "/api/me", nil).text(t, "accountId")
	three.do(t, "GET", "/api/accounts/"+me+"/sessions", nil).expectProblem(t, 403, "forbidden")
	all := admin.do(t, "GET", "/api/accounts/"+me+"/sessions", nil).expect(t, 200).members(t)["items"].([]any)
	if len(all) != 3 || all[1].(map[string]any)["reason"] != "refreshReused" {
		t.Errorf("%v", all)
	}
	admin.do(t, "DELETE", "/api/accounts/"+me+"/sessions/"+all[0].(map[string]any)["id"].(string), nil).expect(t, 204)
	three.do(t, "GET", "/api/me", nil).expectProblem(t, 401, "session")
}

func transferPath(t *testing.T, admin *client) {
	head := []any{"username", " DESCRIPTION ", "User Licenses", "Email", "Date From", "Date to", "MFA requires",
		"User roles", "User groups", "DAC groups"}
	file := workbook(t, head,
		[]any{"impa", "Import A", "FULL", "impa@example.com", "2026-02-01", "2027-02-01", "Y", "VIEWER; EDITOR", "STAFF",
			"DAC1"},
		[]any{"impb", "Import B", "TEAM", "impb@example.com", "", "", "0", "", "HELPDESK", ""},
	)
	job := admin.runImport(t, file, nil)
	counts := job["counts"].(map[string]any)
	if job["state"] != "done" || counts["created"] != 2.0 {
		t.Fatalf("%v", job)
	}
	// Imported accounts start locked and without a password.
	found := findAccount(t, admin, "impa")
	if found["accessLocked"] != true || found["dateTo"] != "2027-02-01" || found["mfaRequired"] != true ||
		len(found["roles"].([]any)) != 2 {
		t.Errorf("%v", found)
	}
	// Export, edit one cell, import: that account changes and no other.
	files := admin.runExport(t)
	book, err := excelize.OpenReader(bytes.NewReader(files[0]))
	if err != nil {
		t.Fatal(err)
	}
	sheet := book.GetSheetName(0)
	rows, err := book.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows[0]) != 36 || rows[0][0] != "Username" || rows[0][35] != "User groups" {
		t.Fatalf("headings %q", rows[0])
	}
	at := slices.IndexFunc(rows, func(r []string) bool { return r[0] == "impb" }) + 1
	if err := book.SetCellValue(sheet, fmt.Sprintf("G%d", at), "Import B, edited"); err != nil {
		t.Fatal(err)
	}
	again := admin.runImport(t, bytesOf(t, book), nil)
	counts = again["counts"].(map[string]any)
	if again["state"] != "done" || counts["updated"] != 1.0 || counts["unchanged"] != float64(len(rows)-2) ||
		counts["created"] != 0.0 {
		t.Fatalf("%v", again)
	}
	if found := findAccount(t, admin, "impb"); found["name"] != "Import B, edited" || found["version"] != 2.0 {
		t.Errorf("%v", found)
	}
	result := admin.do(t, "GET", "/api/jobs/"+again["id"].(string)+"/rows?outcome=updated", nil).expect(t,
		200).members(t)["items"].([]any)
	if len(result) != 1 || result[0].(map[string]any)["username"] != "impb" ||
		result[0].(map[string]any)["row"] != float64(at) {
		t.Errorf("%v", result)
	}
	// Skipping errors, the right rows go in and the wrong one is told.
	skipped := admin.runImport(t,
		workbook(t, head, []any{"impc", "Import C", "FULL", "impc@example.com"},
			[]any{"impd", "", "FULL", "no address", "31/12/2026"}), map[string]any{"skipErrors": true})
	counts = skipped["counts"].(map[string]any)
	if skipped["state"] != "done" || counts["created"] != 1.0 || counts["failed"] != 1.0 {
		t.Fatalf("%v", skipped)
	}
	failed := admin.do(t, "GET", "/api/jobs/"+skipped["id"].(string)+"/rows?outcome=failed", nil).expect(t, 200)
	for _, want := range []string{`"Date From"`, `"row":3`} {
		if !strings.Contains(strings.ToLower(failed.Body), strings.ToLower(want)) {
			t.Errorf("%s does not name %s", failed.Body, want)
		}
	}
}

// findAccount returns an account from the list.
func findAccount(t *testing.T, c *client, username string) map[string]any {
	t.Helper()
	for next := ""; ; {
		got := c.do(t, "GET", "/api/accounts?limit=200"+next, nil).expect(t, 200).members(t)
		for _, a := range got["items"].([]any) {
			if a := a.(map[string]any); a["username"] == username {
				return a
			}
		}
		if got["next"] == nil {
			t.Fatalf("no account %s", username)
		}
		next = "&cursor=" + got["next"].(string)
	}
}

// V70: 5,000 rows are taken, and 5,001 refused before anything else; an export is split so that each file can come
// back.
func fullSize(t *testing.T, admin *client) {
	rows := [][]any{{"Username", "Description", "User licenses", "Email"}}
	for i := range 5000 {
		rows = append(rows, []any{fmt.Sprintf("bulk%04d", i), "Bulk", "FULL", fmt.Sprintf("bulk%04d@example.com", i)})
	}
	job := admin.runImport(t, workbook(t, rows...), nil)
	if counts := job["counts"].(map[string]any); job["state"] != "done" || counts["created"] != 5000.0 {
		t.Fatalf("%v", job)
	}
	tooMany := admin.runImport(t, workbook(t, append(rows, []any{"onemore", "Bulk", "NOSUCH", "bad"})...), nil)
	problem, _ := tooMany["problem"].(map[string]any)
	if tooMany["state"] != "refused" || problem["code"] != "tooManyRows" ||
		!strings.Contains(problem["detail"].(string), "split") {
		t.Fatalf("%v", tooMany)
	}
	files := admin.runExport(t)
	if len(files) != 2 {
		t.Fatalf("%d files, want 2", len(files))
	}
	unchanged := 0.0
	for _, file := range files {
		back := admin.runImport(t, file, nil)
		counts := back["counts"].(map[string]any)
		if back["state"] != "done" || counts["updated"] != 0.0 || counts["created"] != 0.0 {
			t.Fatalf("%v", back)
		}
		unchanged += counts["unchanged"].(float64)
	}
	if unchanged < 5000 {
		t.Errorf("%v unchanged", unchanged)
	}
}
