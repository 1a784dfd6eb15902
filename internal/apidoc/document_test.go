package apidoc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"useraccounts/internal/access"
	"useraccounts/internal/apidoc"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

func documentJSON(t *testing.T) []byte {
	t.Helper()
	doc, err := apidoc.New(routes())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := doc.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDocumentIsOpenAPI(t *testing.T) {
	raw := documentJSON(t)
	if err := apidoc.Validate(raw); err != nil {
		t.Error(err)
	}
}

// lookup returns the value at a path of members in a JSON document.
func lookup(t *testing.T, raw []byte, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

func TestRoutesBecomeOperations(t *testing.T) {
	raw := documentJSON(t)
	for path, want := range map[string]string{
		"/api/login post operationId": `"postLogin"`,
		"/api/login post security":    `[]`,
		"/api/login post description": `"With ` + "`user`" +
			` and password.\n\nNeutral \u003cb\u003ealways\u003c/b\u003e."`,
		"/api/login post requestBody required": `true`,
		"/api/login post requestBody content application/json example": `{"days":7,"password":"a long phrase",` +
			`"scopes":["read"],"user":"doej"}`,
		"/api/things get security":                                       `[{"bearer":[]},{"apiKey":[]}]`,
		"/api/things get x-permission":                                   `"account.read"`,
		"/api/things post requestBody content application/json example":  `{"codes":["X"],"from":"2026-03-01","name":"a"}`,
		"/api/things/{id}/parts/{code} delete operationId":               `"deleteThingsIdPartsCode"`,
		"/api/things/{id}/parts/{code} delete responses 204 description": `"It is gone."`,
		"/api/things/{id} patch requestBody content application/merge-patch+json schema": `{"$ref":` +
			`"#/components/schemas/ThingPatch"}`,
		"/api/things/{id}/parts/{code} delete requestBody": `null`,
		"/api/things/{id} get responses 304":               `{"$ref":"#/components/responses/NotModified"}`,
		"$default":                                         `null`,
	} {
		got, _ := json.Marshal(lookup(t, raw, append([]string{"paths"}, splitPath(path)...)...))
		if string(got) != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// splitPath splits a path at blanks.
func splitPath(path string) []string { return strings.Fields(path) }

func TestEveryStatusARouteCanAnswerIsListed(t *testing.T) {
	raw := documentJSON(t)
	for operation, want := range map[string][2]string{
		"/api/login post":                      {"200", "400 401 403 413 415 429 500 503"},
		"/api/things get":                      {"200", "400 401 403 500 503"},
		"/api/things post":                     {"201", "400 401 403 409 413 415 422 500 503"},
		"/api/things/{id} get":                 {"200 304", "400 401 403 404 500 503"},
		"/api/things/{id} patch":               {"200", "400 401 403 404 412 413 415 428 500 503"},
		"/api/things/{id}/parts/{code} delete": {"204", "400 401 403 404 413 415 500 503"},
	} {
		op, _ := lookup(t, raw, append([]string{"paths"}, splitPath(operation)...)...).(map[string]any)
		responses, _ := op["responses"].(map[string]any)
		listed := slices.Sorted(maps.Keys(responses))
		if got := strings.Join(listed, " "); got != want[0]+" 431 4XX default" {
			t.Errorf("%s lists the responses %s, want %s", operation, got, want[0])
		}
		for _, name := range []string{"4XX", "default"} {
			if got := string(mustJSON(t, responses[name])); got != `{"$ref":"#/components/responses/Problem"}` {
				t.Errorf("%s: %s is %s", operation, name, got)
			}
		}
		problems, _ := op["x-problems"].([]any)
		var statuses []string
		for _, p := range problems {
			problem, _ := p.(map[string]any)
			statuses = append(statuses, fmt.Sprint(problem["status"]))
		}
		if got := strings.Join(slices.Compact(statuses), " "); got != want[1] {
			t.Errorf("%s lists the problems %s, want %s", operation, got, want[1])
		}
	}
}

// The schemas and responses of the document are named after what they are: a new route renames none.
func TestNamesDoNotDependOnOtherRoutes(t *testing.T) {
	more := append(routes(), httpapi.Route{Key: "GET /api/later", Needs: access.SignedIn, Doc: httpapi.Operation{
		Tag: "Sets", ID: "getLater", Summary: "Later", Answers: []httpapi.Answer{{Status: 200, Body: step{}}},
		Problems: []httpapi.Problem{{Kind: fault.Conflict, Code: "later", When: "Another meaning of 409."}},
	}})
	doc, err := apidoc.New(more)
	if err != nil {
		t.Fatal(err)
	}
	extended, err := doc.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"schemas", "responses", "headers"} {
		names := func(raw []byte) string {
			members, _ := lookup(t, raw, "components", kind).(map[string]any)
			return strings.Join(slices.Sorted(maps.Keys(members)), " ")
		}
		if before, after := names(documentJSON(t)), names(extended); before != after {
			t.Errorf("the %s were %s and are %s", kind, before, after)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParametersSayWhatIsTaken(t *testing.T) {
	raw := documentJSON(t)
	got := map[string]string{}
	for _, operation := range []string{
		"/api/things get", "/api/things post", "/api/things/{id}/parts/{code} delete",
		"/api/things/{id} patch",
	} {
		list, _ := lookup(t, raw, append(append([]string{"paths"}, splitPath(operation)...), "parameters")...).([]any)
		for _, p := range list {
			param, _ := p.(map[string]any)
			schema := string(mustJSON(t, param["schema"]))
			name, _ := param["name"].(string)
			got[name] = schema
			if (name == "codes") != (param["explode"] == false) {
				t.Errorf("%s: explode is %v", name, param["explode"])
			}
			if (param["in"] == "path" || name == "If-Match") != (param["required"] == true) {
				t.Errorf("%s: required is %v", name, param["required"])
			}
		}
	}
	for name, want := range map[string]string{
		"limit":  `{"default":50,"format":"int32","maximum":200,"minimum":1,"type":"integer"}`,
		"cursor": `{"maxLength":2048,"type":"string"}`,
		"find":   `{"maxLength":100,"minLength":2,"pattern":"^[^\\x00]*[^\\s\\x00\\x85][^\\x00]*$","type":"string"}`,
		"all":    `{"default":false,"type":"boolean"}`,
		"from":   `{"format":"date","type":"string"}`,
		"codes": `{"items":{"maxLength":50,"minLength":1,"pattern":"^[^\\x00]*[^\\s\\x00\\x85;][^\\x00]*$",` +
			`"type":"string"},"maxItems":20,"minItems":1,"type":"array"}`,
		"of":       `{"pattern":"^[0-7][0-9A-HJKMNP-TV-Z]{25}$","type":"string"}`,
		"id":       `{"pattern":"^[0-7][0-9A-HJKMNP-TV-Z]{25}$","type":"string"}`,
		"sort":     `{"default":"name","enum":["name","-name"],"type":"string"}`,
		"code":     `{"maxLength":50,"pattern":"^[^\\x00]*$","type":"string"}`,
		"If-Match": `{"pattern":"^(W/)?\"[1-9][0-9]{0,17}\"(, ?(W/)?\"[1-9][0-9]{0,17}\")*$","type":"string"}`,
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
	if len(got) != 12 {
		t.Errorf("%d parameters: %v", len(got), got)
	}
}

// The schemas accept the bodies that the server accepts, and refuse those that it refuses.
func TestSchemasTakeWhatTheServerTakes(t *testing.T) {
	raw := documentJSON(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:api", doc); err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		schema, body string
		good         bool
	}{
		{"ApidocSignIn", `{"user":"doej","password":"x"}`, true},
		{
			"ApidocSignIn", `{"user":"doej","password":"x","device":{"name":"phone"},"scopes":["read"],"days":30,"nick":null}`,
			true,
		},
		{"ApidocSignIn", `{"user":"doej"}`, false},
		{"ApidocSignIn", `{"user":"","password":"x"}`, false},
		{"ApidocSignIn", `{"user":null,"password":"x"}`, false},
		{"ApidocSignIn", `{"user":"doej","password":"x","Skipped":"x"}`, false},
		{"ApidocSignIn", `{"user":"doej","password":"x","hidden":"x"}`, false},
		{"ApidocSignIn", `{"user":"doej","password":"x","days":31}`, false},
		{"ApidocSignIn", `{"user":"doej","password":"x","scopes":["admin"]}`, false},
		{"ApidocSignIn", `{"user":"doej","password":"x","scopes":["read","read","read","read"]}`, false},
		{"ApidocSignIn", `{"user":"doej","password":"x","device":{"name":"phone","admin":true}}`, false},
		{
			"ApidocSession",
			`{"token":"t","expires":"2026-03-01T12:00:00Z",` +
				`"steps":[{"name":"a","then":[]}],"counts":{"x":1},"kind":"a","later":1}`, true,
		},
		{"ApidocSession", `{"token":"t","expires":"noon","steps":[],"counts":{},"kind":"a"}`, false},
		{"ApidocSession", `{"token":"t","expires":"2026-03-01T12:00:00Z","steps":[],"counts":{},"kind":"c"}`, false},
		{"ThingCreate", `{"name":"a"}`, true},
		{"ThingCreate", `{"name":"a","mail":null,"codes":null,"on":null,"from":null}`, true},
		{"ThingCreate", `{"mail":"a@example.org"}`, false},
		{"ThingCreate", `{"name":null}`, false},
		{"ThingCreate", `{"name":"a","tries":1}`, false},
		{"ThingCreate", `{"name":"` + strings.Repeat("é", 50) + `"}`, true},
		{"ThingCreate", `{"name":"` + strings.Repeat("é", 51) + `"}`, false},
		{"ThingCreate", `{"name":"a\nb"}`, false},
		{"ThingCreate", `{"name":"a","from":"01/03/2026"}`, false},
		{"Thing", `{"id":"x","version":1,"name":null,"mail":null,"codes":[],"on":false,"from":null,"seen":null,"tries":0}`,
			false},
		{"ThingPatch", `{}`, true},
		{"ThingPatch", `{"name":"b","mail":null}`, true},
		{"ThingPatch", `{"name":null}`, false},
		{"ThingPatch", `{"id":"x"}`, false},
		{
			"Thing", `{"id":"x","version":1,"name":"a","mail":null,"codes":[],"on":false,"from":null,"seen":null,"tries":0}`,
			true,
		},
		{"Thing", `{"id":"x","version":1,"name":"a"}`, false},
		{"ThingPage", `{"items":[]}`, true},
		{"ThingPage", `{"items":[{"name":"a"}]}`, false},
		{"ApidocStepPage", `{"items":[{"name":"a","then":[]}],"next":"x"}`, true},
		{"Problem", `{"type":"/api/docs/problems/x","title":"t","status":400,"detail":"d",` +
			`"instance":"i","code":"taken","fields":[{"field":"a","code":"b","message":"c"}],"retryAfter":1}`, true},
	} {
		schema, err := c.Compile("mem:api#/components/schemas/" + try.schema)
		if err != nil {
			t.Errorf("%s: %v", try.schema, err)
			continue
		}
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(try.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); (err == nil) != try.good {
			t.Errorf("%s: %s: taken %v, want %v: %v", try.schema, try.body, err == nil, try.good, err)
		}
	}
}

func TestRouteThatSaysTooLittleIsRefused(t *testing.T) {
	good := httpapi.Operation{Tag: "Sets", ID: "doIt", Summary: "S", Answers: []httpapi.Answer{{Status: 200}}}
	with := func(change func(*httpapi.Operation)) httpapi.Route {
		doc := good
		change(&doc)
		return httpapi.Route{Key: "POST /api", Needs: access.SignedIn, Doc: doc}
	}
	if _, err := apidoc.New([]httpapi.Route{with(func(*httpapi.Operation) {})}); err != nil {
		t.Fatal(err)
	}
	for name, route := range map[string]httpapi.Route{
		"tag":     with(func(o *httpapi.Operation) { o.Tag = "" }),
		"new tag": with(func(o *httpapi.Operation) { o.Tag = "Of nobody" }),
		"ID":      with(func(o *httpapi.Operation) { o.ID = "" }),
		"summary": with(func(o *httpapi.Operation) { o.Summary = "" }),
		"answers": with(func(o *httpapi.Operation) { o.Answers = nil }),
		"type":    with(func(o *httpapi.Operation) { o.Body = struct{ C chan int }{} }),
		"number": with(func(o *httpapi.Operation) {
			o.Body = struct {
				A string `json:"a" maxLength:"ten"`
			}{}
		}),
		"example": with(func(o *httpapi.Operation) {
			o.Body = struct {
				A int `json:"a" example:"ten"`
			}{}
		}),
		"two of a name": with(func(o *httpapi.Operation) {
			o.Body = httpapi.FieldsDoc{Name: "A", Use: httpapi.ForCreate}
			o.Answers = []httpapi.Answer{{Status: 200, Body: httpapi.FieldsDoc{Name: "A"}}}
		}),
	} {
		if _, err := apidoc.New([]httpapi.Route{route}); err == nil {
			t.Errorf("%s: nothing was said", name)
		}
	}
	twice := with(func(*httpapi.Operation) {})
	if _, err := apidoc.New([]httpapi.Route{twice}, []httpapi.Route{twice}); err == nil {
		t.Error("a route that is there twice: nothing was said")
	}
}

func TestPageShowsEverything(t *testing.T) {
	doc, err := apidoc.New(routes())
	if err != nil {
		t.Fatal(err)
	}
	pages, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	page := string(pages[""])
	for _, want := range []string{
		`id="postLogin"`, `>POST</span>`, "/api/things/{id}", `href="/api/docs/problems/taken"`, "Change a thing",
		`id="schema-Thing"`,
		"account.create", "at most 50 characters", "<code>user</code>", "Neutral &lt;b&gt;always&lt;/b&gt;",
		"list of ApidocStep", "&#34;codes&#34;: [",
		"one of name, -name, default name", "Open to anybody.", "Needs a session.", "email or null",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	for _, never := range []string{"<script", "style=", "http://", "https://", "//cdn", "<no value>", "onclick", "%!"} {
		if strings.Contains(strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), never) {
			t.Errorf("the page holds %s", never)
		}
	}
	if n := strings.Count(page, "<style>"); n != 1 {
		t.Errorf("%d style elements", n)
	}
	ids := map[string]bool{}
	for part := range strings.SplitSeq(page, ` id="`) {
		id, _, _ := strings.Cut(part, `"`)
		if ids[id] {
			t.Errorf("the id %s is there twice", id)
		}
		ids[id] = true
	}
	for i, part := range strings.Split(page, `href="#`) {
		if id, _, _ := strings.Cut(part, `"`); i > 0 && !ids[id] {
			t.Errorf("a link leads to #%s, which is not there", id)
		}
	}
}

// Validate finds each kind of fault.
func TestValidateFindsFaults(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"not JSON": func(s string) string { return s[:len(s)/2] },
		"version":  func(s string) string { return strings.Replace(s, `"3.1.0"`, `"3.0.0"`, 1) },
		"loose end": func(s string) string {
			return strings.Replace(s, "#/components/schemas/ApidocStep", "#/components/schemas/ApidocGone", 1)
		},
		"no answer": func(s string) string {
			return strings.Replace(s, "#/components/responses/Problem", "#/components/responses/Gone", 1)
		},
		"no schema":      func(s string) string { return strings.Replace(s, `"type": "integer"`, `"type": "int"`, 1) },
		"regexp":         func(s string) string { return strings.Replace(s, "^[!-~]{1,200}$", "^[!-~{1,200$", 1) },
		"unknown member": func(s string) string { return strings.Replace(s, `"operationId"`, `"operationID"`, 1) },
		"same id":        func(s string) string { return strings.Replace(s, `"postLogin"`, `"postThings"`, 1) },
		"example":        func(s string) string { return strings.Replace(s, `"name": "a"`, `"name": 1`, 1) },
		"path parameter": func(s string) string {
			return strings.Replace(s, "/api/things/{id}/parts/{code}", "/api/things/{id}/parts/{other}", 1)
		},
	} {
		changed := change(string(documentJSON(t)))
		if changed == string(documentJSON(t)) {
			t.Errorf("%s: nothing was changed", name)
		}
		if err := apidoc.Validate([]byte(changed)); err == nil {
			t.Errorf("%s: Validate took it", name)
		}
	}
}
