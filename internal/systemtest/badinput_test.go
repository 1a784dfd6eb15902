package systemtest_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// Bad input gets a problem document that says what to do; never a 500, never half a change.
func TestBadInput(t *testing.T) {
	t.Parallel()
	_, admin := start(t)
	before := admin.do(t, "GET", "/api/accounts?limit=200", nil).expect(t, 200).Body
	t.Run("bodies", func(t *testing.T) { badBodies(t, admin) })
	t.Run("reads", func(t *testing.T) { badReads(t, admin) })
	t.Run("fields", func(t *testing.T) { badFields(t, admin) })
	t.Run("orders", func(t *testing.T) { badOrders(t, admin) })
	t.Run("files", func(t *testing.T) { badFiles(t, admin) })
	t.Run("uploads", func(t *testing.T) { badUploads(t, admin) })
	if after := admin.do(t, "GET", "/api/accounts?limit=200", nil).expect(t, 200).Body; after != before {
		t.Errorf("bad input changed accounts:\n%s\n%s", before, after)
	}
	t.Run("taken identifiers", func(t *testing.T) { takenIdentifiers(t, admin) })
}

func badBodies(t *testing.T, admin *client) {
	path := "/api/accounts"
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		fields []string
	}{
		"not JSON":        {`{"username":`, 400, "json", nil},
		"not an object":   {`["username"]`, 400, "json", nil},
		"trailing text":   {`{} {}`, 400, "json", nil},
		"unknown member":  {`{"username":"x","isAdmin":true}`, 400, "body", []string{"isAdmin"}},
		"read-only (V59)": {`{"username":"x","accessLocked":false}`, 400, "body", []string{"accessLocked"}},
		"wrong types": {`{"username":1,"roles":"ADMIN","mfaRequired":"yes"}`, 400, "body",
			[]string{"username", "roles", "mfaRequired"}},
		"array (C19)": {`{"email":["a@example.com","b@example.com"]}`, 400, "body", []string{"email"}},
		"too large":   {`{"name":"` + strings.Repeat("x", 65<<10) + `"}`, 413, "bodyTooLarge", nil},
		"nothing":     {`{}`, 422, "invalid", []string{"username", "name", "email", "userType"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := admin.do(t, "POST", path, c.body)
			if c.code == "json" {
				if got.Status != 400 {
					t.Errorf("%d %s", got.Status, got.Body)
				}
				return
			}
			got.expectProblem(t, c.status, c.code, c.fields...)
		})
	}
	if got := admin.do(t, "POST", path, `{"username":"a","username":"b"}`); got.Status != 400 ||
		!strings.Contains(got.Body, "username") {
		t.Errorf("duplicate member: %d %s", got.Status, got.Body)
	}
	if got := admin.do(t, "POST", path, `{}`, header{"Content-Type", "text/plain"}); got.Status != 415 {
		t.Errorf("text/plain: %d %s", got.Status, got.Body) // V48
	}
	for _, body := range []string{`{"identifier":["admin"],"password":"x"}`, `{"identifier":"admin"}`,
		`{"identifier":"admin","password":null}`, `null`} {
		if got := (&client{url: admin.url}).do(t, "POST", "/api/login", body); got.Status != 400 {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
}

func badReads(t *testing.T, admin *client) {
	nobody := &client{url: admin.url}
	nobody.do(t, "GET", "/api/accounts", nil).expect(t, 401)
	nobody.token = "uas_" + strings.Repeat("A", 86)
	nobody.do(t, "GET", "/api/accounts", nil).expectProblem(t, 401, "session")
	for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "..%2f", "%00", strings.Repeat("9", 300)} {
		admin.do(t, "GET", "/api/accounts/"+id, nil).expectProblem(t, 404, "notFound")
		admin.do(t, "GET", "/api/jobs/"+id, nil).expectProblem(t, 404, "notFound")
		admin.do(t, "POST", "/api/accounts/"+id+"/block", map[string]any{"reason": "x"}).expectProblem(t, 404, "notFound")
	}
	next := admin.do(t, "GET", "/api/accounts?limit=1", nil).expect(t, 200).text(t, "next")
	for _, cursor := range []string{"x", next[:len(next)-2], flipFirstLetter(next), next + "A"} { // C45, V66
		admin.do(t, "GET", "/api/accounts?limit=1&cursor="+cursor, nil).expectProblem(t, 400, "cursor")
	}
	admin.do(t, "GET", "/api/jobs?cursor="+next, nil).expectProblem(t, 400, "cursor") // another route's
	for _, query := range []string{"limit=0", "limit=201", "limit=x", "limit=1&limit=2", "sort=password", "limit="} {
		if got := admin.do(t, "GET", "/api/accounts?"+query, nil); got.Status != 400 {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
	me := admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	for _, tag := range []string{"*", "1", `"x"`} {
		got := admin.do(t, "PATCH", "/api/accounts/"+me, map[string]any{"name": "x"}, header{"If-Match", tag})
		got.expectProblem(t, 400, "ifMatch")
	}
	for _, tag := range []string{`W/"9999"`, `"9998", "9999"`} { // proxies that compress weaken ETags; a list has to hold the version
		got := admin.do(t, "PATCH", "/api/accounts/"+me, map[string]any{"name": "x"}, header{"If-Match", tag})
		got.expectProblem(t, 412, "stale")
	}
}

// flipFirstLetter returns text with another first letter.
func flipFirstLetter(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

func badFields(t *testing.T, admin *client) {
	good := func() map[string]any {
		return map[string]any{"username": "fieldt", "name": "F", "email": "fieldt@example.com", "userType": "FULL"}
	}
	for field, values := range map[string][]any{
		"username": {strings.Repeat("u", 51), "a\u200bb", "tab\tbed", "   "},
		"name":     {strings.Repeat("n", 201), ""},
		"email": {"nobody", "a@b@example.com", `"quoted"@example.com`, "a@localhost", "a b@example.com",
			strings.Repeat("e", 240) + "@example.com", "<a@example.com>"},
		"mobile":    {strings.Repeat("1", 51)},
		"userType":  {"NONE"},
		"dateTo":    {"2020-01-01"},
		"roles":     {[]string{"NONE"}},
		"groups":    {[]string{"NONE", "STAFF"}},
		"dacGroups": {[]string{"DAC9"}},
	} {
		for _, value := range values {
			body := good()
			body[field] = value
			admin.do(t, "POST", "/api/accounts", body).expectProblem(t, 422, "invalid", field)
		}
	}
	for _, date := range []any{"31/12/2026", "2026-02-30", "2026-1-1", 20260101} {
		body := good()
		body["dateFrom"] = date
		admin.do(t, "POST", "/api/accounts", body).expectProblem(t, 400, "body", "dateFrom")
	}
	outside := good()
	outside["userType"], outside["roles"] = "TRANS", []string{"ADMIN"}
	got := admin.do(t, "POST", "/api/accounts", outside)
	got.expectProblem(t, 422, "invalid", "roles")
	if !strings.Contains(got.Body, "ADMIN") {
		t.Errorf("the role is not named: %s", got.Body)
	}
}

func badOrders(t *testing.T, admin *client) {
	me := "/api/accounts/" + admin.do(t, "GET", "/api/me", nil).text(t, "accountId")
	admin.do(t, "POST", me+"/block", map[string]any{"reason": "me"}).expectProblem(t, 409, "self")
	admin.do(t, "POST", me+"/block", map[string]any{"reason": " "}).expectProblem(t, 422, "invalid", "reason")
	read := admin.do(t, "GET", me, nil)
	admin.do(t, "PATCH", me, map[string]any{"roles": []string{}}, ifMatch(read)).expectProblem(t, 409, "self")
	admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "roman"}).expectProblem(t, 400, "body", "dateFormat")

	begun := admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "iso"}).expect(t,
		201).members(t)["job"].(map[string]any)
	id := begun["id"].(string)
	admin.do(t, "POST", "/api/imports/"+id+"/submit", nil).expectProblem(t, 409, "noUpload")
	admin.do(t, "GET", "/api/jobs/"+id+"/rows", nil).expectProblem(t, 409, "notEnded")
	admin.do(t, "GET", "/api/jobs/"+id+"/download", nil).expectProblem(t, 409, "notExport")
	admin.do(t, "POST", "/api/jobs/"+id+"/cancel", nil).expect(t, 202)
	admin.do(t, "POST", "/api/jobs/"+id+"/cancel", nil).expect(t, 202) // a second click
	admin.do(t, "POST", "/api/imports/"+id+"/submit", nil).expectProblem(t, 409, "cancelled")

	// The same order twice by a double click is one job (V67).
	key := header{"Idempotency-Key", "double-click"}
	first := admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "iso"}, key).expect(t, 201)
	second := admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "iso"}, key).expect(t, 201)
	if first.Body != second.Body {
		t.Errorf("two jobs: %s %s", first.Body, second.Body)
	}
	admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "british"}, key).expect(t, 422)
}

func badFiles(t *testing.T, admin *client) {
	head := []any{"Username", "Description", "User licenses", "Email"}
	row := []any{"filet", "F", "FULL", "filet@example.com"}
	encrypted := excelize.NewFile()
	var locked bytes.Buffer
	if err := encrypted.Write(&locked, excelize.Options{Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		code string
		in   string
	}{
		"no workbook": {[]byte("Username,Email\nx,y\n"), "notWorkbook", ".xlsx"},
		"encrypted":   {locked.Bytes(), "encryptedWorkbook", "password"},
		"macros": {addZipPart(t, workbook(t, head, row), "xl/vbaProject.bin", []byte("macro")), "macroWorkbook",
			".xlsx"},
		"bomb (C48)":       {zipBomb(t), "unpacksTooLarge", ""},
		"empty sheet":      {workbook(t), "noHeader", ""},
		"headings only":    {workbook(t, head), "noRows", "row"},
		"unknown heading":  {workbook(t, []any{"Username", "E-mial"}, row), "headings", ""},
		"doubled heading":  {workbook(t, []any{"Username", "Email", "email"}, row), "headings", ""},
		"no username":      {workbook(t, []any{"Description"}, []any{"x"}), "headings", ""},
		"truncated":        {workbook(t, head, row)[:2000], "", ""},
		"a wrong row":      {workbook(t, head, row, []any{"filet2", "", "NOSUCH", "x"}), "rowErrors", "1 of 2"},
		"username doubled": {workbook(t, head, row, []any{"FILET", "F", "FULL", "other@example.com"}), "rowErrors", ""},
	} {
		t.Run(name, func(t *testing.T) {
			job := admin.runImport(t, c.file, nil)
			problem, _ := job["problem"].(map[string]any)
			if job["state"] != "refused" || problem == nil || (c.code != "" && problem["code"] != c.code) {
				t.Fatalf("%v", job)
			}
			if detail := problem["detail"].(string); len(detail) < 20 || !strings.Contains(detail, c.in) {
				t.Errorf("%q does not say %q", detail, c.in)
			}
		})
	}
	// A double click on submit is one job.
	id := admin.uploadImport(t, workbook(t, head), nil)
	admin.do(t, "POST", "/api/imports/"+id+"/submit", nil).expect(t, 202)
	admin.do(t, "POST", "/api/imports/"+id+"/submit", nil).expect(t, 202)
	admin.waitForJob(t, id)
}

// V68: the form is for one key, one type and at most 10 MB, for five minutes, and the store holds to it.
func badUploads(t *testing.T, admin *client) {
	form := admin.do(t, "POST", "/api/imports", map[string]any{"dateFormat": "iso"}).expect(t,
		201).members(t)["form"].(map[string]any)
	raw, err := base64.StdEncoding.DecodeString(form["fields"].(map[string]any)["policy"].(string))
	var policy struct {
		Expiration time.Time
		Conditions []any
	}
	if err != nil || json.Unmarshal(raw, &policy) != nil {
		t.Fatalf("%s, %v", raw, err)
	}
	if left := time.Until(policy.Expiration); left > 5*time.Minute || left < 4*time.Minute {
		t.Errorf("the form is good for %s", left)
	}
	conditions := fmt.Sprint(policy.Conditions)
	for _, want := range []string{
		fmt.Sprintf("[content-length-range %v %v]", 1.0, float64(10<<20)),
		"[eq $Content-Type application/vnd.openxmlformats-officedocument.spreadsheetml.sheet]",
		fmt.Sprint(form["fields"].(map[string]any)["key"]),
	} {
		if !strings.Contains(conditions, want) {
			t.Errorf("the form does not fix %s: %s", want, conditions)
		}
	}
	if got := postForm(t, form, bytes.Repeat([]byte("x"), 10<<20+1)); got.Status/100 == 2 {
		t.Errorf("an upload of more than 10 MB is taken: %d", got.Status)
	}
	fields := form["fields"].(map[string]any)
	key := fields["key"]
	fields["key"] = "imports/main/other.xlsx"
	if got := postForm(t, form, []byte("x")); got.Status/100 == 2 {
		t.Errorf("an upload to another key than %v is taken: %d", key, got.Status)
	}
}

// C08, V63: one key space for usernames and emails, whatever the case, width or composition.
func takenIdentifiers(t *testing.T, admin *client) {
	admin.createUser(t, "zoë", "seven green bicycles", map[string]any{"email": "zoe@example.com"})
	admin.createUser(t, "mail@example.com", "seven green bicycles", map[string]any{"email": "someone@example.com"})
	for _, c := range []struct{ username, email, field string }{
		{"ZOË", "other1@example.com", "username"},
		{"zoe\u0308", "other2@example.com", "username"},
		{"ｚｏë", "other3@example.com", "username"},
		{"other4", "ZOE@Example.COM", "email"},
		{"Zoe@example.com", "other5@example.com", "username"},
		{"other6", "MAIL@example.com", "email"},
	} {
		admin.do(t, "POST", "/api/accounts", map[string]any{
			"username": c.username, "name": "Twin", "email": c.email, "userType": "FULL",
		}).expectProblem(t, 409, "taken", c.field)
	}
}

func addZipPart(t *testing.T, file []byte, name string, content []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range in.File {
		if err := w.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// zipBomb is a workbook whose worksheet unpacks to a gigabyte of spaces.
func zipBomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate,
		func(o io.Writer) (io.WriteCloser, error) { return flate.NewWriter(o, flate.BestCompression) })
	small, err := zip.NewReader(bytes.NewReader(workbook(t)), int64(len(workbook(t))))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range small.File {
		if f.Name != "xl/worksheets/sheet1.xml" {
			if err := w.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	part, err := w.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprint(part, `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for range 1 << 10 {
		if _, err := part.Write(spaces); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
