package httpapi_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"useraccounts/internal/access"
	"useraccounts/internal/fault"
	"useraccounts/internal/httpapi"
)

type bounded struct {
	innerBounds

	Name  string   `json:"name" minLength:"2" maxLength:"4"`
	Nick  *string  `json:"nick,omitzero" maxLength:"3"`
	Kind  string   `json:"kind,omitzero" enum:"a|b"`
	Tags  []string `json:"tags,omitzero" maxItems:"2" maxLength:"3" enum:"one|two"`
	Days  int      `json:"days,omitzero" minimum:"1" maximum:"9"`
	Home  *spot    `json:"home,omitzero"`
	Other []spot   `json:"other,omitzero" maxItems:"3"`
}

type innerBounds struct {
	Inner string `json:"inner,omitzero" maxLength:"2"`
}

type spot struct {
	Town string `json:"town" maxLength:"3"`
	Zip  string `json:"zip,omitzero" minLength:"2"`
}

// V59: the bounds that the API reference states hold at any depth, and the problem names the member.
func TestDecodeKeepsTheBoundsOfTheTags(t *testing.T) {
	a := serve(t, nil,
		httpapi.Route{
			Key: "POST /decode", Needs: access.Public, Handle: decodeHandler[bounded],
			Doc: httpapi.Operation{Body: bounded{}},
		})
	for body, want := range map[string][]string{
		`{"name":"abcde"}`:                                     {"name:tooLong"},
		`{"name":"a"}`:                                         {"name:tooShort"},
		`{"name":""}`:                                          {"name:tooShort"},
		`{"name":"ab","nick":"abcd"}`:                          {"nick:tooLong"},
		`{"name":"ab","kind":"c"}`:                             {"kind:choice"},
		`{"name":"ab","kind":""}`:                              {"kind:choice"},
		`{"name":"ab","tags":["one","two","one"]}`:             {"tags:tooMany"},
		`{"name":"ab","tags":["one","six"]}`:                   {"tags.1:choice"},
		`{"name":"ab","tags":["three"]}`:                       {"tags.0:tooLong"},
		`{"name":"ab","days":0}`:                               {"days:range"},
		`{"name":"ab","days":10}`:                              {"days:range"},
		`{"name":"ab","home":{}}`:                              {"home.town:required"},
		`{"name":"ab","home":{"town":"abcd"}}`:                 {"home.town:tooLong"},
		`{"name":"ab","other":[{"town":"a"},{"town":"abcd"}]}`: {"other.1.town:tooLong"},
		`{"name":"ab","other":[{"town":"a","zip":"1"}]}`:       {"other.0.zip:tooShort"},
		`{"name":"ab","inner":"abc"}`:                          {"inner:tooLong"},
		`{"days":10}`:                                          {"days:range", "name:required"},
	} {
		a.do(t, request("POST /decode").body(body)).wantProblem(t, 400, "body", want...)
	}
	for _, body := range []string{
		`{"name":"ab"}`, `{"name":"ééüü","nick":null,"kind":"b","tags":["one","two"],"days":9,"home":null,"other":[]}`,
		`{"name":"a\ud83d\ude00b","home":{"town":"abc","zip":"12"},"other":[{"town":""}]}`,
	} {
		if res := a.do(t, request("POST /decode").body(body)); res.StatusCode != 200 {
			t.Errorf("%s: %d %s", body, res.StatusCode, res.Body)
		}
	}
	long := `{"name":"ab","other":[` + strings.Repeat(`{},`, 2) + `{}]}`
	a.do(t, request("POST /decode").body(long)).wantProblem(t, 400, "body", "other.0.town:required",
		"other.1.town:required", "other.2.town:required")
}

// However many elements are wrong, the response stays small.
func TestABadListIsNotNamedWithoutEnd(t *testing.T) {
	type list struct {
		Items []string `json:"items" maxLength:"1"`
	}
	a := serve(t, nil,
		httpapi.Route{
			Key: "POST /decode", Needs: access.Public, Handle: decodeHandler[list],
			Doc: httpapi.Operation{Body: list{}},
		})
	res := a.do(t, request("POST /decode").body(`{"items":["no"`+strings.Repeat(`,"no"`, 5000)+`]}`))
	if res.StatusCode != 400 || len(res.problem.Fields) != 20 {
		t.Errorf("%d, %d fields", res.StatusCode, len(res.problem.Fields))
	}
}

// V20: one password tried on a thousand users blocks none of them; the template's metric counts the log line of each
// refusal.
func TestRefusedSignInsAreCounted(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const pattern = `'{ $.msg = "request" && $.code = "signInRefused" }'`
	if strings.Count(string(template), pattern) != 2 ||
		!strings.Contains(string(template), "Threshold: !Ref RefusedSignInsAlarm") {
		t.Error("the template counts other lines")
	}
	a := serve(t, nil,
		httpapi.Route{
			Key: "POST /api/login", Needs: access.Public,
			Handle: func(context.Context, *httpapi.Request) (httpapi.Response, error) {
				return httpapi.Response{}, fault.New(fault.Unauthenticated, "signInRefused", "No.")
			},
		})
	for range 1000 {
		a.do(t, request("POST /api/login"))
	}
	counted := 0
	for _, line := range a.logLines(t) {
		if line["msg"] == "request" && line["code"] == "signInRefused" {
			counted++
		}
	}
	if counted != 1000 {
		t.Errorf("%d of 1000", counted)
	}
}
