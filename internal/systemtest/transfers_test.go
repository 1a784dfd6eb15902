package systemtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/dynamo"
	"useraccounts/internal/local/localtest"
	"useraccounts/internal/sheet"
	"useraccounts/internal/token"
	"useraccounts/internal/transfer"
)

// Imports and exports as people follow them: the sheet that comes back, the dry run, what is exported, the order of
// jobs.
func TestTransfers(t *testing.T) {
	t.Parallel()
	system, admin := start(t)
	t.Run("the sheet comes back, is mended and imports clean", func(t *testing.T) { markedSheet(t, admin) })
	t.Run("an import is undone", func(t *testing.T) { importUndone(t, admin) })
	t.Run("a dry run changes nothing", func(t *testing.T) { dryRun(t, admin) })
	t.Run("an export of some", func(t *testing.T) { exportSome(t, admin) })
	t.Run("jobs that wait", func(t *testing.T) { waitingJobs(t, admin) })
	t.Run("a poisoned job is given up", func(t *testing.T) { poisonMessage(t, system, admin) })
}

func download(t *testing.T, url string) response {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, request).expect(t, 200)
}

var sheetHead = []any{"Username", "Description", "User licenses", "Email", "Date to"}

func markedSheet(t *testing.T, admin *client) {
	job := admin.runImport(t,
		workbook(t, sheetHead, []any{"backa", "Back A", "FULL", "backa@example.com"},
			[]any{"backb", "Back B", "NOSUCH", "backb@example.com", "31/12/2026"}), nil)
	if job["state"] != "refused" || job["sheet"] != true {
		t.Fatalf("%v", job)
	}
	id := job["id"].(string)
	rows := admin.do(t, "GET", "/api/jobs/"+id+"/rows?outcome=failed", nil).expect(t, 200)
	for _, want := range []string{`"cell":"C3"`, `"value":"NOSUCH"`, `"cell":"E3"`, `"value":"31/12/2026"`} {
		if !strings.Contains(rows.Body, want) {
			t.Errorf("the rows lack %s: %s", want, rows.Body)
		}
	}
	link := admin.do(t, "GET", "/api/jobs/"+id+"/sheet", nil).expect(t, 200)
	got := download(t, link.text(t, "url"))
	if disposition := got.Header.Get("Content-Disposition"); !strings.Contains(disposition, "attachment") ||
		!strings.Contains(disposition, "result.xlsx") {
		t.Errorf("disposition %q", disposition)
	}
	book, err := excelize.OpenReader(strings.NewReader(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	name := book.GetSheetName(0)
	if notes, _ := book.GetComments(name); len(notes) != 2 {
		t.Errorf("%d notes", len(notes))
	}
	for cell, value := range map[string]string{"C3": "FULL", "E3": "2030-12-31"} {
		if err := book.SetCellValue(name, cell, value); err != nil {
			t.Fatal(err)
		}
	}
	again := admin.runImport(t, bytesOf(t, book), nil)
	if counts := again["counts"].(map[string]any); again["state"] != "done" || counts["created"] != 2.0 {
		t.Errorf("%v", again)
	}
	admin.createUser(t, "backreader", "seven green bicycles", map[string]any{"roles": []string{"VIEWER"}})
	// V77
	admin.signedInAs(t, "backreader", "seven green bicycles").do(t, "GET", "/api/jobs/"+id+"/sheet", nil).expectProblem(t,
		404, "notFound")
	admin.do(t, "GET", "/api/jobs/"+exportID(t, admin)+"/sheet", nil).expectProblem(t, 409, "notImport")
}

// undoableImportID is an import that can be undone.
func undoableImportID(t *testing.T, admin *client) string {
	t.Helper()
	return admin.runImport(t,
		workbook(t, sheetHead, []any{"tobeundone", "To Be Undone", "FULL", "tobeundone@example.com"}), nil)["id"].(string)
}

// An import is undone: whom it made is gone, whom it changed is as before, and who was edited since stays; a second
// click does nothing, and the rows say what became of each.
func importUndone(t *testing.T, admin *client) {
	admin.runImport(t,
		workbook(t, sheetHead, []any{"undokeep", "Kept", "FULL", "undokeep@example.com"},
			[]any{"undoedit", "Edited", "FULL", "undoedit@example.com"}), nil)
	job := admin.runImport(t,
		workbook(t, sheetHead, []any{"undokeep", "Renamed"}, []any{"undoedit", "Renamed"},
			[]any{"undomade", "Made", "FULL", "undomade@example.com"}), nil)
	id := job["id"].(string)
	if job["undoableUntil"] == nil || job["undoneBy"] != nil {
		t.Fatalf("%v", job)
	}
	found := func(name string) map[string]any {
		for _, one := range admin.do(t, "GET", "/api/accounts?active=any&limit=200", nil).expect(t,
			200).members(t)["items"].([]any) {
			if one := one.(map[string]any); one["username"] == name {
				return one
			}
		}
		return nil
	}
	edited := found("undoedit")["id"].(string)
	tag := ifMatch(admin.do(t, "GET", "/api/accounts/"+edited, nil).expect(t, 200))
	admin.do(t, "PATCH", "/api/accounts/"+edited, map[string]any{"mobile": "020 7946 0018"}, tag).expect(t, 200)
	undo := admin.do(t, "POST", "/api/jobs/"+id+"/undo", nil).expect(t, 202).text(t, "id")
	if again := admin.do(t, "POST", "/api/jobs/"+id+"/undo", nil).expect(t, 202).text(t, "id"); again != undo {
		t.Errorf("a second click made the job %s beside %s", again, undo)
	}
	ended := admin.waitForJob(t, undo)
	if counts := ended["counts"].(map[string]any); ended["state"] != "done" || ended["kind"] != "undo" ||
		ended["undoes"] != id || counts["undone"] != 2.0 || counts["failed"] != 1.0 {
		t.Fatalf("%v", ended)
	}
	if found("undomade") != nil || found("undokeep")["name"] != "Kept" || found("undoedit")["name"] != "Renamed" {
		t.Errorf("%v %v %v", found("undomade"), found("undokeep"), found("undoedit"))
	}
	rows := admin.do(t, "GET", "/api/jobs/"+undo+"/rows?outcome=editedSince", nil).expect(t, 200)
	if !strings.Contains(rows.Body, `"username":"undoedit"`) || strings.Contains(rows.Body, "undokeep") {
		t.Errorf("%s", rows.Body)
	}
	after := admin.do(t, "GET", "/api/jobs/"+id, nil).expect(t, 200).members(t)
	if after["undoneBy"] != undo || after["undoableUntil"] != nil {
		t.Errorf("%v", after)
	}
	admin.do(t, "POST", "/api/jobs/"+undo+"/undo", nil).expectProblem(t, 409, "notImport")
	admin.do(t, "POST", "/api/jobs/"+strings.Repeat("0", 26)+"/undo", nil).expectProblem(t, 404, "notFound")
	admin.createUser(t, "undoreader", "seven green bicycles", map[string]any{"roles": []string{"VIEWER"}})
	admin.signedInAs(t, "undoreader", "seven green bicycles").do(t, "POST", "/api/jobs/"+id+"/undo", nil).expectProblem(t,
		403, "forbidden")
}

func dryRun(t *testing.T, admin *client) {
	before := admin.do(t, "GET", "/api/accounts?limit=200&active=any", nil).expect(t, 200).members(t)["items"]
	job := admin.runImport(t,
		workbook(t, sheetHead, []any{"backa", "Another Name"}, []any{"dry", "Dry", "FULL", "dry@example.com"}),
		map[string]any{"dryRun": true})
	counts := job["counts"].(map[string]any)
	if job["state"] != "done" || job["dryRun"] != true || counts["created"] != 1.0 || counts["updated"] != 1.0 {
		t.Fatalf("%v", job)
	}
	rows := admin.do(t, "GET", "/api/jobs/"+job["id"].(string)+"/rows?outcome=updated", nil).expect(t, 200)
	if !strings.Contains(rows.Body, `"from":"Back A","to":"Another Name"`) {
		t.Errorf("%s", rows.Body)
	}
	after := admin.do(t, "GET", "/api/accounts?limit=200&active=any", nil).expect(t, 200).members(t)["items"]
	if !equalJSON(t, before, after) {
		t.Error("the dry run changed accounts")
	}
	admin.do(t, "GET", "/api/jobs/"+job["id"].(string)+"/sheet", nil).expect(t, 200)
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	first, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(first, second)
}

// exportUsernames returns the first column of an export's files.
func (c *client) exportUsernames(t *testing.T, body map[string]any) []string {
	t.Helper()
	body["dateFormat"] = "british"
	id := c.do(t, "POST", "/api/exports", body).expect(t, 202).text(t, "id")
	if job := c.waitForJob(t, id); job["state"] != "done" {
		t.Fatalf("%v", job)
	}
	var out []string
	for _, link := range c.do(t, "GET", "/api/jobs/"+id+"/download", nil).expect(t, 200).members(t)["items"].([]any) {
		book, err := excelize.OpenReader(strings.NewReader(download(t, link.(map[string]any)["url"].(string)).Body))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := book.GetRows(book.GetSheetName(0))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			out = append(out, row[0])
		}
	}
	return out
}

func exportSome(t *testing.T, admin *client) {
	set := admin.createSet(t, "Backs", map[string]any{"filters": map[string]string{"username": "backa"}}).text(t, "id")
	id := admin.do(t, "GET", "/api/accounts?find=backb", nil).expect(t,
		200).members(t)["items"].([]any)[0].(map[string]any)["id"]
	for name, c := range map[string]struct {
		body map[string]any
		want []string
	}{
		"filter": {map[string]any{"filters": map[string]string{"username.contains": "back", "name.contains": "back"}},
			[]string{"backa", "backb"}},
		"set": {map[string]any{"set": set}, []string{"backa"}},
		"ids": {map[string]any{"ids": []any{id}}, []string{"backb"}},
	} {
		if got := admin.exportUsernames(t, c.body); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for field, body := range map[string]map[string]any{
		"set":          {"set": strings.Repeat("0", 26)},
		"set ":         {"set": strings.Repeat("x", 2000)},
		"set  ":        {"set": set, "ids": []any{id}},
		"filters.nope": {"filters": map[string]string{"nope": "1"}},
		"ids":          {"ids": []any{}},
	} {
		body["dateFormat"] = "iso"
		admin.do(t, "POST", "/api/exports", body).expectProblem(t, 422, "invalid", strings.TrimSpace(field))
	}
	admin.do(t, "POST", "/api/imports",
		map[string]any{"dateFormat": "iso", "resourceGroup": strings.Repeat("x", 51)}).expectProblem(t, 400, "body",
		"resourceGroup")
}

// Queued jobs end in the order of their submits.
func waitingJobs(t *testing.T, admin *client) {
	var ids []string
	for range 4 {
		ids = append(ids,
			admin.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso", "queue": true}).expect(t, 202).text(t, "id"))
	}
	var last time.Time
	for _, id := range ids {
		job := admin.waitForJob(t, id)
		ended, err := time.Parse(time.RFC3339, job["ended"].(string))
		if err != nil || job["state"] != "done" || ended.Before(last) {
			t.Errorf("%v after %s: %v", job, last, err)
		}
		last = ended
	}
}

// V85: the dead letter of a job ends it with a reason, and the queued one behind it runs.
func poisonMessage(t *testing.T, system *localtest.RunningSystem, admin *client) {
	me := admin.do(t, "GET", "/api/me", nil).expect(t, 200).members(t)
	owner, _ := me["accountId"].(string)
	if owner == "" {
		t.Fatalf("%v", me)
	}
	// A job that no worker takes: it is in the line, and its message is not in the queue.
	now := time.Now().UTC().Truncate(time.Millisecond)
	stuck := transfer.Job{
		ID: token.NewIDString(), Env: "main", Kind: transfer.Export, State: transfer.Submitted, By: "admin", ByID: owner,
		Created: now, Submitted: now,
		Options: transfer.Options{DateFormat: sheet.ISO},
	}
	jobs := dynamo.Jobs{Table: &dynamo.Table{Client: system.Endpoints.DynamoDBClient(), Name: system.TableName}}
	if err := jobs.Create(t.Context(), stuck); err != nil {
		t.Fatal(err)
	}
	waiting := admin.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso", "queue": true}).expect(t,
		202).text(t, "id")
	cancelled := admin.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso", "queue": true}).expect(t,
		202).text(t, "id")
	admin.do(t, "POST", "/api/jobs/"+cancelled+"/cancel", nil).expect(t, 202)
	time.Sleep(time.Second) // time enough to run, if it did not wait
	if job := admin.do(t, "GET", "/api/jobs/"+waiting, nil).members(t); job["state"] != "submitted" {
		t.Errorf("it did not wait: %v", job)
	}
	event, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"messageId": "m1", "body": `{"env":"main","job":"` + stuck.ID + `"}`, "eventSource": "aws:sqs",
		"eventSourceARN": system.Resources.Values.Attributes["TransferDeadLetters.Arn"],
	}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := system.Function("transferworker").Invoke(context.Background(), event)
	if err != nil || strings.Contains(string(out), "m1") {
		t.Fatalf("%s %v", out, err)
	}
	job := admin.do(t, "GET", "/api/jobs/"+stuck.ID, nil).expect(t, 200).members(t)
	if problem, _ := job["problem"].(map[string]any); job["state"] != "failed" || problem["code"] != "givenUp" {
		t.Errorf("%v", job)
	}
	if job := admin.waitForJob(t, waiting); job["state"] != "done" {
		t.Errorf("the queue did not go on: %v", job)
	}
	if job := admin.do(t, "GET", "/api/jobs/"+cancelled, nil).members(t); job["state"] != "cancelled" {
		t.Errorf("%v", job)
	}
}
