package systemtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"useraccounts/internal/local"
	"useraccounts/internal/local/firstdata"
	"useraccounts/internal/local/localtest"
)

const adminPassword = "an administrator's secret"

// start starts the whole seeded system, with other options where a test needs them, and signs its administrator in.
func start(t *testing.T, change ...func(*local.Options)) (*localtest.RunningSystem, *client) {
	t.Helper()
	seeded := func(o *local.Options) { o.Seed, o.AdminPassword = firstdata.Seed, adminPassword }
	system := localtest.System(t, append([]func(*local.Options){seeded}, change...)...)
	c := &client{url: system.URL}
	c.signIn(t, "admin", adminPassword)
	return system, c
}

// withParameters sets parameters of the template.
func withParameters(parameters map[string]string) func(*local.Options) {
	return func(o *local.Options) { maps.Copy(o.Parameters, parameters) }
}

// client is a client of the API for one session.
type client struct {
	url, token, refresh string
	// from is the address of this machine that requests come from, empty for 127.0.0.1.
	from string
}

// elsewhere is an address of this machine in a network of its own, from which nobody signs in.
const elsewhere = "127.0.1.1"

var clientsFrom sync.Map // address to *http.Client

// clientFrom is a client whose requests come from an address of this machine.
func clientFrom(address string) *http.Client {
	if address == "" {
		return http.DefaultClient
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	made, _ := clientsFrom.LoadOrStore(address, &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}})
	return made.(*http.Client)
}

// response is what came back.
type response struct {
	Status int
	Header http.Header
	Body   string
}

// members returns the body's members, or fails.
func (a response) members(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return out
}

func (a response) text(t *testing.T, name string) string {
	t.Helper()
	text, _ := a.members(t)[name].(string)
	return text
}

// expect fails unless the answer has the status.
func (a response) expect(t *testing.T, status int) response {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%d %s; want %d", a.Status, a.Body, status)
	}
	return a
}

// expectProblem fails unless the answer is a problem document with the status and code, naming the fields.
func (a response) expectProblem(t *testing.T, status int, code string, fields ...string) {
	t.Helper()
	if a.Status != status || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s %s; want a problem %d %s", a.Status, a.Header.Get("Content-Type"), a.Body, status, code)
	}
	var p struct {
		Code, Title, Detail string
		Status              int
		Fields              []struct{ Field, Code, Message string }
	}
	if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, f := range p.Fields {
		named = append(named, f.Field)
		if f.Message == "" || f.Code == "" {
			t.Errorf("field %q says nothing: %s", f.Field, a.Body)
		}
	}
	if p.Code != code || p.Status != status || p.Detail == "" || p.Title == "" {
		t.Errorf("%s; want code %s, a title and a detail", a.Body, code)
	}
	for _, f := range fields {
		if !slices.Contains(named, f) {
			t.Errorf("fields %v; want %s among them", named, f)
		}
	}
}

// expectInvalid fails unless the answer is a problem that names the field: a bound that the reference states is a 400,
// a rule beyond that a 422.
func (a response) expectInvalid(t *testing.T, field string) {
	t.Helper()
	if a.Status == 400 {
		a.expectProblem(t, 400, "body", field)
		return
	}
	a.expectProblem(t, 422, "invalid", field)
}

// header is a request header for do.
type header [2]string

// do sends a request. body is sent as it is if it is a string, else as JSON; nil sends none.
func (c *client) do(t *testing.T, method, path string, body any, headers ...header) response {
	t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = bytes.NewReader([]byte(body))
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, c.url+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, h := range headers {
		if request.Header.Set(h[0], h[1]); h[0] == "Host" { // which is sent from a place of its own
			request.Host = h[1]
		}
	}
	return sendBy(t, clientFrom(c.from), request)
}

func send(t *testing.T, request *http.Request) response {
	t.Helper()
	return sendBy(t, http.DefaultClient, request)
}

func sendBy(t *testing.T, by *http.Client, request *http.Request) response {
	t.Helper()
	httpResponse, err := by.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer httpResponse.Body.Close() //nolint:errcheck // read only
	raw, err := io.ReadAll(httpResponse.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{httpResponse.StatusCode, httpResponse.Header, string(raw)}
}

func ifMatch(a response) header { return header{"If-Match", a.Header.Get("ETag")} }

// signIn signs in and keeps the tokens; through a forced change of password if one is due.
func (c *client) signIn(t *testing.T, who, secret string) {
	t.Helper()
	c.token = ""
	got := c.do(t, "POST", "/api/login",
		map[string]any{"identifier": who, "password": secret, "client": "test"}).expect(t, 200)
	if got.text(t, "next") == "changePassword" {
		got = c.do(t, "POST", "/api/login/password", map[string]any{
			"ticket": got.text(t, "ticket"), "password": secret + ", changed",
		}).expect(t, 200)
	}
	c.keepTokens(t, got)
}

func (c *client) keepTokens(t *testing.T, got response) {
	t.Helper()
	c.token, c.refresh = got.text(t, "accessToken"), got.text(t, "refreshToken")
	if got.text(t, "next") != "done" || c.token == "" {
		t.Fatalf("no session: %s", got.Body)
	}
}

// createUser creates an account that can sign in with the password and returns it.
func (c *client) createUser(t *testing.T, username, secret string, more map[string]any) response {
	t.Helper()
	body := map[string]any{"username": username, "name": "Some Body", "email": username + "@example.com",
		"userType": "FULL"}
	for k, v := range more {
		body[k] = v
	}
	made := c.do(t, "POST", "/api/accounts", body).expect(t, 201)
	return c.do(t, "POST", "/api/accounts/"+made.text(t, "id")+"/password",
		map[string]any{"password": secret, "unlock": true, "forceChange": false}).expect(t, 200)
}

// signedInAs returns a client signed in as another person.
func (c *client) signedInAs(t *testing.T, who, secret string) *client {
	t.Helper()
	other := &client{url: c.url}
	other.signIn(t, who, secret)
	return other
}

// uploadImport begins an import, posts the file to its form, and returns the job's id.
func (c *client) uploadImport(t *testing.T, file []byte, options map[string]any) string {
	t.Helper()
	body := map[string]any{"dateFormat": "iso"}
	for k, v := range options {
		body[k] = v
	}
	begun := c.do(t, "POST", "/api/imports", body).expect(t, 201).members(t)
	form := begun["form"].(map[string]any)
	if got := postForm(t, form, file); got.Status/100 != 2 {
		t.Fatalf("upload: %d %s", got.Status, got.Body)
	}
	return begun["job"].(map[string]any)["id"].(string)
}

// postForm posts a file to a form, as a browser or curl does.
func postForm(t *testing.T, form map[string]any, file []byte) response {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range form["fields"].(map[string]any) {
		if err := w.WriteField(name, value.(string)); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "sheet.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(context.Background(), "POST", form["url"].(string), &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", w.FormDataContentType())
	return send(t, request)
}

// waitForJob waits for a job's end and returns it.
func (c *client) waitForJob(t *testing.T, id string) map[string]any {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		job := c.do(t, "GET", "/api/jobs/"+id, nil).expect(t, 200).members(t)
		if slices.Contains([]string{"done", "refused", "cancelled", "failed"}, job["state"].(string)) {
			return job
		}
		if time.Now().After(deadline) {
			t.Fatalf("job has not ended: %v", job)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// runImport runs an import to its end and returns the job.
func (c *client) runImport(t *testing.T, file []byte, options map[string]any) map[string]any {
	t.Helper()
	id := c.uploadImport(t, file, options)
	c.do(t, "POST", "/api/imports/"+id+"/submit", nil).expect(t, 202)
	return c.waitForJob(t, id)
}

// runExport runs an export and returns its files.
func (c *client) runExport(t *testing.T) [][]byte {
	t.Helper()
	id := c.do(t, "POST", "/api/exports", map[string]any{"dateFormat": "iso"}).expect(t, 202).text(t, "id")
	if job := c.waitForJob(t, id); job["state"] != "done" {
		t.Fatalf("export: %v", job)
	}
	var files [][]byte
	for _, link := range c.do(t, "GET", "/api/jobs/"+id+"/download", nil).expect(t, 200).members(t)["items"].([]any) {
		request, err := http.NewRequestWithContext(context.Background(), "GET", link.(map[string]any)["url"].(string), nil)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, []byte(send(t, request).expect(t, 200).Body))
	}
	return files
}

// workbook returns a sheet of the rows, the first of which is the headings.
func workbook(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	for i, row := range rows {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	return bytesOf(t, book)
}

func bytesOf(t *testing.T, book *excelize.File) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
